"""Every admin page opens with a fixed number of queries, and refuses users without access."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from bookings.models import Booking
from demo.management.commands.demo import fill
from notifications.models import Notification
from services.models import Business, Location, Resource, ServiceVariant
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.signing_in import sign_in_staff

MODELS = [model for model in admin.site._registry if model._meta.object_name != "LogEntry"]
READ_ONLY = {
    "Allocation",
    "Bill",
    "BillLine",
    "MoneyAlert",
    "Payment",
    "Receipt",
    "Reconciliation",
    "Refund",
    "SavedCard",
    "StripeEvent",
    "Booking",
    "BookingEvent",
    "BookingLine",
    "Consent",
    "GroupSession",
    "MoveProposal",
    "Notification",
    "OutboxMessage",
    "SettingsChange",
}


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("olivia@studio.example", "a long password", name="Olivia")


@pytest.fixture
def desk(owner: User) -> Client:
    client = Client()
    sign_in_staff(client, owner)
    return client


def address(model: Any, page: str, *arguments: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=arguments)


def rows(model: Any) -> Any:
    """The rows that the page of a model shows: people among the resources have pages of their own."""
    return model.objects.exclude(kind="person") if model is Resource else model._default_manager.all()


def test_every_page_opens_on_the_demo(desk: Client) -> None:
    User.objects.all().delete()
    fill(now=NOW, password="a long password")
    sign_in_staff(desk, User.objects.get(email="olivia@linden.example"))
    booking = Booking.objects.filter(starts_at__gt=NOW + timedelta(days=1), status="confirmed").earliest("starts_at")
    add_message(booking)
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


def add_message(booking: Booking) -> None:
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


def grow(count: int) -> None:
    """``count`` more rows of everything that has a list."""
    variant = ServiceVariant.objects.earliest("pk")
    studio = Studio(Business.objects.get(), Location.objects.earliest("pk"), variant, [])
    for _ in range(count):
        place = factories.location()
        factories.room(place, factories.resource_type())
        person = factories.staff_member(factories.service(place), variant, at=studio.location)
        factories.time_off(person.resource, NOW + timedelta(days=40), NOW + timedelta(days=41))
        factories.cancellation_policy((1440, "none", 0), (0, "percent", 5000))
        contact = replace(journeys.JANA, email=person.email)
        journeys.booked(studio, staff_member_id=person.pk, contact=contact)
        user = User.objects.create_user(person.email)
        user.accesses.create(role="therapist", location=place)


def test_lists_take_as_many_queries_for_twenty_rows_as_for_one(desk: Client) -> None:
    # A process reads these once, whichever page asks first.
    ContentType.objects.get_for_models(*MODELS)
    factories.studio()
    grow(1)
    one = {model._meta.object_name: queries_of_list(desk, model) for model in MODELS}
    grow(19)

    twenty = {model._meta.object_name: queries_of_list(desk, model) for model in MODELS}

    assert twenty == one


def queries_of_list(desk: Client, model: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(address(model, "changelist"), follow=True).status_code == 200
    return len(queries)


def test_only_people_of_the_admin_enter(db: None) -> None:
    client = Client()
    sign_in_staff(client, User.objects.create_user("ana@studio.example", "a long password"))

    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/services/service/").status_code == 404
    assert client.get("/admin/login/").status_code == 404


def test_leaving_the_admin_leads_to_the_door_of_the_desk(desk: Client) -> None:
    assert desk.post("/admin/logout/")["Location"] == "/desk/sign-in"
    assert desk.get("/admin/")["Location"].startswith("/desk/sign-in?next=/admin/")


def test_the_looser_policy_is_that_of_the_admin_alone(desk: Client) -> None:
    factories.studio()

    inside = {desk.get(url)["Content-Security-Policy"] for url in ("/admin/", "/admin/services/service/")}
    outside = {Client().get(url)["Content-Security-Policy"] for url in ("/", "/admin-of-something-else/")}

    assert all("script-src 'self' 'unsafe-eval'" in policy for policy in inside)
    assert all("'unsafe-inline'" not in part for policy in inside for part in policy.split("; ") if "script" in part)
    assert all("unsafe" not in policy for policy in outside)


def test_the_search_of_unfold_is_off(desk: Client) -> None:
    assert desk.get("/admin/search/?s=massage").status_code == 404


def test_what_is_looked_up_while_typing_comes_in_order(desk: Client) -> None:
    for position, name in enumerate(["Zen", "Aroma"]):
        factories.category(name=name, position=position)
    asked = {"app_label": "services", "model_name": "service", "field_name": "category"}

    found = desk.get("/admin/autocomplete/", asked).json()["results"]

    assert [each["text"] for each in found] == ["Zen", "Aroma"]


@pytest.mark.parametrize(
    "query", ["starts_at__year=-1", "starts_at__year=99999", "id__exact=x", "id=99999999999999999999"]
)
def test_a_query_that_no_column_can_hold_shows_the_whole_list(desk: Client, query: str) -> None:
    answer = desk.get(f"/admin/bookings/booking/?{query}", follow=True)

    assert answer.status_code == 200


@pytest.mark.parametrize("page", ["accounts/customer", "staff/access", "staff/staffmember"])
@pytest.mark.parametrize("typed", ["x", "9" * 30, "-1"])
def test_a_user_that_is_no_number_is_no_choice(desk: Client, page: str, typed: str) -> None:
    answer = desk.post(f"/admin/{page}/add/", {"user": typed})

    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
