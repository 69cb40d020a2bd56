"""Bookings that had no customer get one, and no two people become one."""

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import Consent, Customer
from bookings.models import Booking
from payments.models import Bill
from tests.factories import NOW, studio
from tests.journeys import DESK, JANA, booked, confirm, hold

pytestmark = pytest.mark.django_db
MIGRATION = import_module("bookings.migrations.0018_customers_of_known_bookings")


def test_every_booking_gets_the_customer_of_its_contact() -> None:
    place = studio(staff=2)
    first = booked(place, 9)
    same = booked(place, 10, contact=replace(JANA, name="WEBER, Jana"))
    other = booked(place, 11, contact=replace(JANA, name="Robin Weber"))
    twin = booked(place, 12, contact=replace(JANA, name="Robin Weber"))
    by_phone = [
        confirm(hold(place, hour, actor=DESK).booking, contact=replace(JANA, name="Kim", email=""), actor=DESK)
        for hour in (13, 14)
    ]
    held = hold(place, 15).booking
    Booking.objects.exclude(pk=first.pk).update(customer=None)
    Bill.objects.exclude(bookings=first).update(customer=None)
    Consent.objects.exclude(subject_ref=f"booking:{first.pk}").update(customer=None)
    Customer.objects.exclude(pk=first.customer_id).delete()
    Customer.objects.update(email_proven_at=NOW)

    for _ in range(2):
        MIGRATION.give_customers(apps, SimpleNamespace(connection=connection))

    owners = dict(Booking.objects.values_list("pk", "customer_id"))
    assert owners[same.pk] == owners[first.pk] == first.customer_id
    assert owners[other.pk] == owners[twin.pk] != first.customer_id
    assert owners[by_phone[0].pk] == owners[by_phone[1].pk]
    assert owners[held.pk] is None
    made = Customer.objects.exclude(pk=first.customer_id).order_by("pk").values_list("name", "email_normalised")
    assert list(made) == [("Robin Weber", None), ("Kim", None)]
    assert not Bill.objects.filter(customer=None).exists()
    assert not Consent.objects.filter(customer=None).exists()
