"""Who read which record in Django's admin: each page with data of customers leaves a row."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccessLog, Customer, User
from bookings.models import Booking
from config.admin_records import NOT_LOGGED, SHOWN
from core.personal_data import DataKind, declarations
from notifications.enums import RecipientRole
from payments.operations.receipts import issue_receipt
from staff.enums import Role
from staff.models import Access
from tests.factories import NOW, Studio
from tests.journeys import arrived, booked
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db

REGISTERED = {model._meta.label: model for model in admin.site._registry}


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("olivia@studio.example", "a long password", name="Olivia")


@pytest.fixture
def desk(client: Client, owner: User) -> Client:
    Access.objects.create(user=owner, role=Role.OWNER)
    sign_in_staff(client, owner)
    return client


@pytest.fixture
def booking(studio: Studio) -> Booking:
    booking = booked(studio)
    assert issue_receipt(payment_id=arrived(booking, 1600).pk, now=NOW)
    return booking


def rows() -> list[tuple[str, str, str, int | None]]:
    return list(AccessLog.objects.order_by("pk").values_list("act", "record", "reference", "count"))


def address(model: Any, page: str, *arguments: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=arguments)


def test_every_model_of_the_admin_with_personal_data_is_logged() -> None:
    """A new model needs an entry in ``config.admin_records``, or a reason there why not."""
    personal = {held.model for held in declarations() if held.kind is not DataKind.STAFF}

    assert personal & REGISTERED.keys() - SHOWN.keys() - NOT_LOGGED.keys() == set()
    assert SHOWN.keys() - REGISTERED.keys() == set()
    assert SHOWN.keys() & NOT_LOGGED.keys() == set()


def test_every_list_and_every_detail_page_leaves_a_row(desk: Client, booking: Booking) -> None:
    opened = set()
    for label, shown in SHOWN.items():
        model = REGISTERED[label]
        AccessLog.objects.all().delete()
        assert desk.get(address(model, "changelist")).status_code == 200
        [(act, record, reference, count)] = rows()
        assert (act, record, reference, count is None) == ("searched", shown.listed, "", False), label

        found: Any = model._default_manager
        if label == "notifications.Notification":
            found = found.filter(recipient_role=RecipientRole.CUSTOMER)
        if row := found.first():
            AccessLog.objects.all().delete()
            assert desk.get(address(model, "change", row.pk)).status_code == 200
            customer = booking.customer.reference if booking.customer else ""
            about = customer if shown.record == "customer" else booking.reference
            assert rows() == [("viewed", shown.record, about, None)], label
            opened.add(label)

    assert opened >= {
        *("accounts.Customer", "accounts.Consent", "bookings.Booking", "bookings.BookingLine", "bookings.BookingEvent"),
        *("payments.Bill", "payments.BillLine", "payments.Payment", "payments.Receipt", "notifications.Notification"),
    }


def test_a_row_says_who_with_which_role(desk: Client, booking: Booking, owner: User) -> None:
    desk.get(address(Booking, "change", booking.pk))

    [row] = AccessLog.objects.all()
    assert (row.user, row.user_name, row.roles, row.at) == (owner, "Olivia", "owner", NOW)
    assert len(row.address_hash) == 32


def test_a_search_leaves_the_number_of_results_and_no_words(desk: Client, booking: Booking) -> None:
    desk.get(address(Customer, "changelist"), {"q": "jana"})
    desk.get(address(Customer, "changelist"), {"q": "nobody"})

    assert rows() == [("searched", "customers", "", 1), ("searched", "customers", "", 0)]


def test_a_change_and_the_steps_of_a_booking_are_logged(desk: Client, booking: Booking) -> None:
    assert booking.customer
    page = address(Customer, "change", booking.customer.pk)
    values = {"name": "Jana W.", "email": "jana@example.com", "phone": "", "language": "en", "notes": "", "user": ""}

    assert desk.post(page, values).status_code == 302
    desk.get(reverse("admin:bookings_booking_step", args=[booking.pk, "cancel"]))
    desk.get(address(Booking, "history", booking.pk))

    assert rows() == [
        ("changed", "customer", booking.customer.reference, None),
        ("viewed", "booking", booking.reference, None),
        ("viewed", "booking", booking.reference, None),
    ]


def test_pages_without_customers_leave_none(desk: Client, booking: Booking, studio: Studio) -> None:
    for path in (
        reverse("admin:index"),
        address(type(studio.location), "changelist"),
        address(type(studio.location), "change", studio.location.pk),
        address(User, "changelist"),
    ):
        assert desk.get(path, follow=True).status_code == 200, path

    assert rows() == []


@pytest.mark.parametrize("key", ["0", "999999999999999999999", "x", "-1"])
def test_an_odd_key_is_harmless(desk: Client, key: str) -> None:
    assert desk.get(f"/admin/bookings/booking/{key}/change/").status_code in {302, 404}


def test_a_visitor_leaves_none(client: Client, booking: Booking) -> None:
    client.get(address(Booking, "change", booking.pk))

    assert rows() == []


def test_it_costs_the_record_the_roles_and_the_insert(desk: Client, booking: Booking) -> None:
    page = address(Booking, "change", booking.pk)
    desk.get(page)
    with CaptureQueriesContext(connection) as queries:
        desk.get(page)

    last = queries[-1]["sql"]
    assert last.startswith("WITH made0 AS (INSERT INTO")
    assert "accounts_accesslog" in last
    assert sum("accounts_accesslog" in query["sql"] for query in queries) == 1
