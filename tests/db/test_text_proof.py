"""A phone gets text messages about a booking only after there is proof that the customer means the booking."""

import pytest

from accounts.models import Customer
from bookings.enums import BookingChannel
from bookings.messages.text_proof import may_text
from payments.models import Bill, Payment
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def customer(**values: object) -> Customer:
    return Customer.objects.create(name="J", email="j@example.com", email_normalised="j@example.com", **values)


def test_a_guest_who_only_typed_a_number_is_not_texted() -> None:
    studio = factories.studio()

    assert not may_text(booked(studio))
    assert not may_text(booked(studio, reference="K7M4PY", customer=customer()))


def test_acting_from_the_mailbox_proves_it() -> None:
    assert may_text(booked(factories.studio(), customer=customer(email_proven_at=NOW)))


@pytest.mark.parametrize("channel", [BookingChannel.DESK, BookingChannel.API])
def test_what_staff_typed_is_meant(channel: str) -> None:
    assert may_text(booked(factories.studio(), channel=channel))


@pytest.mark.parametrize(("status", "is_proof"), [("succeeded", True), ("open", False), ("failed", False)])
def test_paying_proves_it(status: str, is_proof: bool) -> None:
    bill = Bill.objects.create(currency="EUR", created_at=NOW)
    booking = booked(factories.studio(), bill=bill)
    values = {"purpose": "booking", "currency": "EUR", "amount_minor": 100, "created_at": NOW, "succeeded_at": NOW}
    Payment.objects.create(bill=bill, subject_ref="booking:1", status=status, **values)

    assert may_text(booking) is is_proof
