"""Who read which record: each page of the desk that shows one leaves a row, and one row only."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog, Customer
from bookings.models import Booking
from config.access import ROWS, DeskRow
from core.logs import request_id
from dashboard.urls import urlpatterns
from payments.models import Receipt
from payments.operations.receipts import issue_receipt
from staff.enums import Role
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, arrived, booked
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db

# Parts of a path that name a customer or a booking.
NAMES = {"reference", "customer_reference"}


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.MANAGER, studio.location, email="mia@studio.example", name="Mia Berg")


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio, staff_member_id=studio.staff[0].pk)


def of(booking: Booking) -> Customer:
    assert booking.customer
    return booking.customer


def rows() -> list[tuple[str, str, str, int | None]]:
    return list(AccessLog.objects.order_by("pk").values_list("act", "record", "reference", "count"))


def test_every_address_with_a_record_in_its_path_says_which() -> None:
    """``config.access`` has to name the part of the path, so that no new page is forgotten."""
    missing = set()
    for pattern in urlpatterns:
        row = ROWS[str(pattern.name)]
        named = NAMES & set(pattern.pattern.converters)
        assert isinstance(row, DeskRow) or not named
        if named and (not isinstance(row, DeskRow) or row.shows is None or {row.shows.part} != named):
            missing.add(pattern.name)

    assert missing == set()


def test_every_download_says_which_list_it_has() -> None:
    downloads = {name for name in get_resolver().reverse_dict if str(name).endswith("_csv")}
    lists = {name for name in downloads if (row := ROWS[str(name)]) and isinstance(row, DeskRow) and row.shows}

    assert downloads
    assert lists == downloads


def test_a_row_says_who_what_when_and_from_where(desk: DeskClient, booking: Booking) -> None:
    desk.page(booking)

    [row] = AccessLog.objects.all()
    assert (row.user, row.user_name, row.roles) == (desk.user, "Mia Berg", "manager")
    assert (row.act, row.record, row.reference, row.count) == ("viewed", "booking", booking.reference, None)
    assert row.at == NOW
    assert row.request_id == request_id.get()
    assert len(row.address_hash) == 32


def test_no_row_names_a_customer(desk: DeskClient, booking: Booking) -> None:
    for path in (
        "/desk/bookings/?q=Jana",
        "/desk/customers/?q=jana@example.com",
        f"/desk/bookings/{booking.reference}/",
    ):
        desk.client.get(path)

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(lower(t::text), ' ') FROM accounts_accesslog t")
        [(text,)] = cursor.fetchall()
    assert "booking" in text
    assert "jana" not in text


def test_two_addresses_differ_and_one_stays_the_same(booking: Booking, studio: Studio) -> None:
    user = factories.desk_user(Role.MANAGER, studio.location)
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1"):
        client = Client(REMOTE_ADDR=address)
        sign_in_staff(client, user)
        client.get(f"/desk/bookings/{booking.reference}/")

    first, second, third = AccessLog.objects.order_by("pk").values_list("address_hash", flat=True)
    assert first == third != second


def pages(booking: Booking) -> Iterator[tuple[str, str, str]]:
    """Addresses that show a record: path, record, reference."""
    customer, base = of(booking).reference, f"/desk/bookings/{booking.reference}"
    number = Receipt.objects.get().number
    yield f"{base}/", "booking", booking.reference
    yield f"/desk/?b={booking.reference}", "booking", booking.reference
    yield f"{base}/cancel", "booking", booking.reference
    yield f"{base}/messages", "messages", booking.reference
    yield f"{base}/receipts/{number}", "receipt", booking.reference
    yield f"{base}/visit", "notes", booking.reference
    yield f"/desk/customers/{customer}/", "customer", customer
    yield f"/desk/customers/{customer}/edit", "customer", customer
    yield f"/desk/book/?customer={customer}", "customer", customer


def test_each_page_of_a_record_leaves_one_row(desk: DeskClient, booking: Booking) -> None:
    assert issue_receipt(payment_id=arrived(booking, 1600).pk, now=NOW)

    for path, record, reference in pages(booking):
        AccessLog.objects.all().delete()
        assert desk.client.get(path).status_code == 200, path
        assert rows() == [("viewed", record, reference, None)], path


def test_the_pages_that_show_no_record_leave_none(desk: DeskClient, booking: Booking) -> None:
    for path in ("/desk/", "/desk/hands/", "/desk/customers/", "/desk/payments/", "/desk/messages/log/"):
        assert desk.client.get(path).status_code == 200
    desk.client.head(f"/desk/bookings/{booking.reference}/")
    desk.client.get(f"/desk/?b={booking.reference}", headers={"HX-Request": "true", "HX-Target": "grids"})

    assert rows() == []


def test_the_panel_of_the_calendar_is_a_view(desk: DeskClient, booking: Booking) -> None:
    desk.client.get(f"/desk/?b={booking.reference}", headers={"HX-Request": "true", "HX-Target": "panel"})

    assert rows() == [("viewed", "booking", booking.reference, None)]


def test_a_change_is_told_from_a_form_with_a_mistake(desk: DeskClient, booking: Booking) -> None:
    customer = of(booking).reference

    wrong = desk.client.post(f"/desk/customers/{customer}/tags", {"tag": ""})
    right = desk.client.post(f"/desk/customers/{customer}/tags", {"tag": "VIP"})

    assert (wrong.status_code, right.status_code) == (422, 303)
    assert rows() == [("viewed", "customer", customer, None), ("changed", "customer", customer, None)]


def test_a_note_that_saves_itself_is_a_change(desk: DeskClient, booking: Booking) -> None:
    values = {"text": "Left shoulder", "version": "0", "autosave": "1"}

    assert desk.client.post(f"/desk/bookings/{booking.reference}/note", values).status_code == 200

    assert rows() == [("changed", "notes", booking.reference, None)]


def test_a_search_leaves_the_number_of_results(desk: DeskClient, booking: Booking, studio: Studio) -> None:
    booked(studio, 14, contact=replace(JANA, name="Jan Weber", email="jan@example.com"))

    desk.client.get("/desk/bookings/?q=Weber")
    desk.client.get("/desk/customers/?q=weber")
    desk.client.get("/desk/customers/?q=nobody")
    desk.client.get("/desk/payments/?q=weber")
    desk.client.get("/desk/messages/log/?q=nobody")
    desk.client.post("/desk/book/", {"q": "weber"}, headers={"HX-Target": "found"})

    assert rows() == [
        ("searched", "bookings", "", 2),
        ("searched", "customers", "", 2),
        ("searched", "customers", "", 0),
        ("searched", "payments", "", 0),
        ("searched", "sent", "", 0),
        ("searched", "customers", "", 2),
    ]


def test_a_download_leaves_the_number_of_rows(client: Client, booking: Booking, studio: Studio) -> None:
    desk = at_desk(client, Role.OWNER)
    booked(studio, 14, contact=replace(JANA, name="Ada Pohl", email="ada@example.com"))

    answer = desk.client.get("/desk/customers/customers.csv")
    assert rows() == []
    lines = answer.getvalue().decode().splitlines()

    assert rows() == [("exported", "customers", "", len(lines) - 1)] == [("exported", "customers", "", 2)]


def test_a_download_that_breaks_off_leaves_what_was_sent(client: Client, booking: Booking, studio: Studio) -> None:
    desk = at_desk(client, Role.OWNER)
    for number in range(3):
        booked(studio, 11 + number, contact=replace(JANA, name=f"Ada {number}", email=f"ada{number}@example.com"))

    answer = desk.client.get("/desk/customers/customers.csv")
    sent = iter(answer.streaming_content)  # type: ignore[attr-defined]
    # The byte order mark, the header, and two customers.
    for _ in range(4):
        next(sent)
    # The test client's own iterator closes the answer and leaves the connection of the test open.
    answer._iterator.close()  # type: ignore[attr-defined]

    assert rows() == [("exported", "customers", "", 2)]


def test_a_refused_record_leaves_a_row(client: Client, studio: Studio) -> None:
    """A therapist asks for the client of another one, for a page that no therapist has, and for what does not exist."""
    other = booked(studio, staff_member_id=studio.staff[1].pk)
    me = at_desk(client, Role.THERAPIST, of=booked(studio, 14, staff_member_id=studio.staff[0].pk))
    customer = of(other).reference
    own = Booking.objects.exclude(pk=other.pk).get()
    paths = [
        (f"/desk/bookings/{other.reference}/", "booking", other.reference),
        (f"/desk/?b={other.reference}&view=day", "booking", other.reference),
        (f"/desk/customers/{customer}/edit", "customer", customer),
        (f"/desk/bookings/{own.reference}/messages", "messages", own.reference),
        ("/desk/bookings/NOSUCHBOOKING123/", "booking", "NOSUCHBOOKIN"),
    ]

    for path, _, _ in paths:
        assert me.client.get(path).status_code == 404, path

    assert rows() == [("refused", record, reference, None) for _, record, reference in paths]


def test_a_visitor_without_a_role_leaves_none(client: Client, booking: Booking) -> None:
    client.get(f"/desk/bookings/{booking.reference}/")

    assert rows() == []


def test_one_statement_more_and_no_more(desk: DeskClient, booking: Booking) -> None:
    desk.page(booking)
    with CaptureQueriesContext(connection) as queries:
        desk.page(booking)

    assert [query["sql"] for query in queries if "accesslog" in query["sql"]] == [queries[-1]["sql"]]
    assert queries[-1]["sql"].startswith("WITH made0 AS (INSERT INTO")


def test_a_page_shows_although_its_row_cannot_be_written(
    desk: DeskClient, booking: Booking, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_accesslog RENAME TO elsewhere")
        answer = desk.page(booking)
        transaction.set_rollback(True)

    assert answer.status_code == 200
    assert booking.reference in answer.content.decode()
    assert f"the access log lacks: user {desk.user.pk} viewed booking {booking.reference}" in caplog.text


def test_every_choice_of_the_log_has_a_use() -> None:
    declared = {row.shows.record for row in ROWS.values() if isinstance(row, DeskRow) and row.shows}

    assert declared == set(RecordKind)
    assert len(Reading) == 5
