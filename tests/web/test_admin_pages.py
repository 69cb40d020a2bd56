"""Every page of the admin opens, in a number of queries that does not grow with the rows, and who may not enter stays out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from bookings.management.commands.demo import fill
from bookings.models import Booking
from notifications.models import Notification
from services.models import Resource
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.web.page_forms import typed

MODELS = [model for model in admin.site._registry if model._meta.object_name != "LogEntry"]
READ_ONLY = {
    "Allocation",
    "Bill",
    "BillLine",
    "Booking",
    "BookingEvent",
    "BookingLine",
    "Consent",
    "GroupSession",
    "MoveProposal",
    "Notification",
    "OutboxMessage",
}


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("olivia@studio.example", "a long password", name="Olivia")


@pytest.fixture
def desk(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def address(model: Any, page: str, *arguments: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=arguments)


def rows(model: Any) -> Any:
    """The rows that the page of a model shows: people among the resources have pages of their own."""
    return model.objects.exclude(kind="person") if model is Resource else model._default_manager.all()


def test_every_page_opens_on_the_demo(desk: Client) -> None:
    User.objects.all().delete()
    fill(now=NOW, password="a long password")  # noqa: S106
    desk.force_login(User.objects.get(email="olivia@linden.example"))
    booking = Booking.objects.filter(starts_at__gt=NOW + timedelta(days=1), status="confirmed").earliest("starts_at")
    journeys_message(booking)
    counts = {}

    for model in MODELS:
        for page, url in pages_of(model):
            with CaptureQueriesContext(connection) as queries:
                response = desk.get(url, follow=True)
            name = f"{page} {model._meta.object_name}"
            forbidden = model._meta.object_name in READ_ONLY and page == "add"
            assert response.status_code == (403 if forbidden else 200), name
            counts[name] = len(queries)

    assert {name: count for name, count in counts.items() if count > 22} == {}


def pages_of(model: Any) -> Iterator[tuple[str, str]]:
    yield "list", address(model, "changelist")
    yield "add", address(model, "add") if model._meta.object_name != "Business" else address(model, "changelist")
    if row := rows(model).order_by("-pk").first():
        yield "change", address(model, "change", row.pk)


def journeys_message(booking: Booking) -> None:
    Notification.objects.create(
        kind="confirmed",
        subject_ref=f"booking:{booking.pk}",
        recipient_role="customer",
        address="jana@example.com",
        language="en",
        key="once",
        not_before=NOW,
        next_try_at=NOW,
        created_at=NOW,
    )


def many_rows(count: int) -> None:
    """A studio with ``count`` more of everything that has a list."""
    studio = factories.studio()
    for number in range(count):
        place = factories.location()
        kind = factories.resource_type(f"Kind {number}")
        factories.room(place, kind)
        variant = factories.service(place)
        factories.variant(variant.service, minutes=90)
        factories.add_on(variant.service)
        person = factories.staff_member(variant, studio.variant, at=studio.location)
        factories.time_off(person.resource, NOW + timedelta(days=40), NOW + timedelta(days=41))
        factories.cancellation_policy((1440, "none", 0), (0, "percent", 5000))
        contact = journeys.JANA.__class__(
            name=f"Jana {number}", email=f"jana{number}@example.com", phone="+4915155501827", note=""
        )
        at_place = Studio(studio.business, studio.location, studio.variant, [person])
        journeys.booked(at_place, staff_member_id=person.pk, contact=contact)
        user = User.objects.create_user(f"user{number}@example.com")
        user.accesses.create(role="therapist", location=place)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.object_name)
def test_lists_take_as_many_queries_for_twenty_rows_as_for_one(desk: Client, model: Any) -> None:
    few, many = [], []
    for counted, more in ((few, 1), (many, 19)):
        if counted is many:
            more_rows(more)
        else:
            many_rows(more)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address(model, "changelist"), follow=True).status_code == 200
        counted.append(len(queries))

    assert many == few


def more_rows(count: int) -> None:
    from services.models import Business, Location, ServiceVariant

    variant = ServiceVariant.objects.earliest("pk")
    studio = Studio(Business.objects.get(), Location.objects.earliest("pk"), variant, [])
    for number in range(100, 100 + count):
        place = factories.location()
        factories.room(place, factories.resource_type(f"Kind {number}"))
        made = factories.service(place)
        person = factories.staff_member(made, variant, at=studio.location)
        factories.time_off(person.resource, NOW + timedelta(days=40), NOW + timedelta(days=41))
        factories.cancellation_policy((1440, "none", 0), (0, "percent", 5000))
        contact = journeys.JANA.__class__(
            name=f"Jana {number}", email=f"jana{number}@example.com", phone="+4915155501827", note=""
        )
        journeys.booked(studio, staff_member_id=person.pk, contact=contact)
        user = User.objects.create_user(f"user{number}@example.com")
        user.accesses.create(role="therapist", location=place)
