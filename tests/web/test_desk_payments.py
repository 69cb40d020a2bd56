"""The list of money that moved: which days, whose, its totals, and a CSV that no spreadsheet runs."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from core import clock
from core.csv import plain_cell
from dashboard.lists import pages
from payments.enums import Method, Purpose
from payments.models import Payment, Reconciliation
from payments.operations import record_payment, refund_payment
from staff.enums import Role
from tests import factories, journeys
from tests.factories import Studio
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock


def paid(booking: Booking, amount_minor: int = 2000, *, method: Method = Method.CASH, note: str = "") -> Payment:
    return record_payment(
        bill_id=booking.bill_id,
        subject_ref=f"booking:{booking.pk}",
        purpose=Purpose.BALANCE,
        method=method,
        amount_minor=amount_minor,
        actor_id=None,
        actor_name="Leyla",
        note=note,
        request_key=f"key-{Payment.objects.count()}",
        now=clock.now(),
    )


def returned(payment: Payment, amount_minor: int, key: str = "back") -> None:
    refund_payment(
        payment_id=payment.pk,
        amount_minor=amount_minor,
        method=payment.method,
        note="",
        actor_id=None,
        actor_name="Leyla",
        request_key=key,
        now=clock.now(),
    )


@pytest.fixture
def desk(client: Client, studio: Studio) -> Client:
    sign_in_staff(client, factories.desk_user(Role.FRONT_DESK, studio.location))
    return client


def table(desk: Client, address: str = "/desk/payments/payments.csv") -> list[dict[str, str]]:
    text = desk.get(address).getvalue().decode().removeprefix("\ufeff")
    return list(csv.DictReader(StringIO(text)))


def test_payments_and_refunds_are_listed_with_totals_by_method(desk: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    returned(paid(booking, 5000), 1250)
    paid(booking, 3000, method=Method.TERMINAL)

    html = desk.get("/desk/payments/").content.decode()

    totals = html.split("<tbody>")[1].split("</tbody>")[0]
    assert [word for word in ("Cash", "€50.00", "−€12.50", "€37.50") if word not in totals] == []
    assert [word for word in ("Card terminal", "€30.00", "All", "€80.00", "€67.50") if word not in totals] == []
    assert html.count('class="list-row"') == 3
    assert f"/desk/bookings/{booking.reference}/" in html


def test_days_are_those_of_the_place(desk: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = journeys.booked(studio, 10)
    # Half past midnight in Berlin, still the day before in UTC.
    stopped.at = studio.at(0, 30)
    paid(booking)

    assert len(table(desk, "/desk/payments/payments.csv?from=2027-01-05&until=2027-01-05")) == 1
    assert table(desk, "/desk/payments/payments.csv?from=2027-01-04&until=2027-01-04") == []


def test_a_range_turned_around_or_too_long_is_put_right(desk: Client, studio: Studio) -> None:
    paid(journeys.booked(studio, 10))

    assert len(table(desk, "/desk/payments/payments.csv?from=2027-01-08&until=2027-01-01")) == 1
    assert len(table(desk, "/desk/payments/payments.csv?from=2000-01-01&until=2027-01-08")) == 1
    assert desk.get("/desk/payments/?from=nonsense&until=%01").status_code == 200


def test_money_of_another_place_is_not_listed(client: Client, studio: Studio) -> None:
    paid(journeys.booked(studio, 10))
    sign_in_staff(client, factories.desk_user(Role.MANAGER, factories.location(name="Alfama")))

    assert table(client) == []


def test_a_therapist_has_no_list_of_money(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    sign_in_staff(client, factories.desk_user(Role.THERAPIST, of=booking))

    assert client.get("/desk/payments/").status_code == 404
    assert client.get("/desk/payments/payments.csv").status_code == 404
    assert "/desk/payments/" not in client.get("/desk/").content.decode()


@pytest.mark.parametrize("start", ["\uff1d", "\uff20", " =", "\n", "=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_a_formula_is_plain_text(start: str) -> None:
    assert plain_cell(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


def test_the_csv_has_plain_numbers_and_no_formulas(desk: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    Booking.objects.filter(pk=booking.pk).update(contact_name="=cmd|' /C calc'!A0")
    payment = paid(booking, 5000, note="@SUM(1)")
    returned(payment, 1250)

    back, came = table(desk)

    assert (came["amount"], came["currency"], came["what"], came["method"]) == ("50.00", "EUR", "payment", "cash")
    assert (came["name"], came["note"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)")
    assert (back["amount"], back["what"]) == ("-12.50", "refund")


def test_sums_without_decimals_stay_without(desk: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    payment = paid(booking, 5000)
    Payment.objects.filter(pk=payment.pk).update(currency="JPY")

    assert table(desk)[0]["amount"] == "5000"


# --- filters, order, pages ------------------------------------------------------------------------


def moved(desk: Client, query: str) -> list[str]:
    """The sums of the rows in the order of the page."""
    return sums_in(desk.get(f"/desk/payments/{query}").content.decode())


def sums_in(html: str) -> list[str]:
    return re.findall(r"list-sum is-sum[^>]*><b>([^<]+)</b>", html)


def test_filters_narrow_rows_totals_and_csv_alike(desk: Client, studio: Studio) -> None:
    first, second = journeys.booked(studio, 10), journeys.booked(studio, 12)
    Booking.objects.filter(pk=second.pk).update(contact_name="Ben Adler")
    returned(paid(first, 5000), 1250)
    paid(second, 3000, method=Method.TERMINAL)

    assert moved(desk, "?kind=refunds") == ["−€12.50"]
    assert moved(desk, "?kind=payments&method=cash") == ["€50.00"]
    assert moved(desk, "?q=adler") == ["€30.00"]
    assert moved(desk, f"?q={first.reference}") == ["−€12.50", "€50.00"]
    html = desk.get("/desk/payments/?method=terminal").content.decode()
    totals = html.split("<tbody>")[1].split("</tbody>")[0]
    assert "€30.00" in totals
    assert "€50.00" not in totals
    assert "Method: Card terminal" in html
    assert [row["amount"] for row in table(desk, "/desk/payments/payments.csv?method=terminal")] == ["30.00"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["−€5.00", "€30.00", "€20.00"]),
        ("?order=asc", ["€20.00", "€30.00", "−€5.00"]),
        ("?sort=amount", ["€30.00", "€20.00", "−€5.00"]),
        ("?sort=method", ["€20.00", "−€5.00", "€30.00"]),
        ("?sort=customer", ["€20.00", "−€5.00", "€30.00"]),
        ("?sort=nonsense&after=x1&before=p9", ["−€5.00", "€30.00", "€20.00"]),
    ],
)
def test_columns_sort_payments_and_refunds_together(
    desk: Client, studio: Studio, stopped: StoppedClock, query: str, expected: list[str]
) -> None:
    zoe, amara = journeys.booked(studio, 10), journeys.booked(studio, 12)
    Booking.objects.filter(pk=zoe.pk).update(contact_name="Zoë Adams")
    Booking.objects.filter(pk=amara.pk).update(contact_name="Ámara Okafor")
    first = paid(amara, 2000)
    stopped.pass_minutes(1)
    paid(zoe, 3000, method=Method.TRANSFER)
    stopped.pass_minutes(1)
    returned(first, 500)

    assert moved(desk, query) == expected


def test_pages_show_payments_and_refunds_once_and_the_csv_all(
    desk: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = journeys.booked(studio, 10)
    payment = paid(booking, 8000)
    for number in range(55):
        # Two movements at each instant.
        returned(payment, 10 + number, f"back-{number}")
        paid(booking, 100 + number)
        stopped.pass_minutes(1)
    seen: list[str] = []
    address = "/desk/payments/"

    while address:
        html = desk.get(address).content.decode()
        seen += sums_in(html)
        before, found, _ = html.partition('" rel="next"')
        address = before.rpartition('href="')[2].replace("&amp;", "&") if found else ""

    assert (len(seen), len(set(seen))) == (111, 111)
    assert "111 movements" in html
    rows = [row["amount"].lstrip("-") for row in table(desk)]
    assert rows == [re.sub("[^0-9.]", "", each) for each in seen]


def test_a_long_csv_is_read_in_chunks(
    desk: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Each chunk reads its rows alone, whatever the length of the file."""
    booking = journeys.booked(studio, 10)
    for number in range(12):
        paid(booking, 100 + number)
    monkeypatch.setattr(pages, "CHUNK_LENGTH", 5)
    response = desk.get("/desk/payments/payments.csv")
    lines = iter(response.streaming_content)

    with CaptureQueriesContext(connection) as queries:
        read = [next(lines) for _ in range(4)]
    assert len(read) == 4
    # Payments, refunds and bookings of the first chunk.
    assert len(queries) == 3
    assert all("LIMIT 5" in query["sql"] for query in queries.captured_queries[:2])
    with django_assert_max_num_queries(9):
        assert len(list(lines)) == 10


def test_the_message_of_an_empty_list_says_what_to_do(desk: Client) -> None:
    assert "No money moved: " in desk.get("/desk/payments/").content.decode()
    html = desk.get("/desk/payments/?method=cash").content.decode()
    assert "No payment or refund is like that" in html
    assert "Clear all filters" in html


def test_filters_that_are_not_known_are_said(desk: Client, studio: Studio) -> None:
    paid(journeys.booked(studio, 10))

    html = desk.get("/desk/payments/?from=nonsense&method=gold").content.decode()

    assert html.count("is left out, because the list does not know") == 2
    assert html.count('class="list-row"') == 1


def test_comparisons_are_for_those_who_see_every_place(client: Client, desk: Client, studio: Studio) -> None:
    at = timezone.now()
    Reconciliation.objects.create(
        started_at=at,
        ended_at=at,
        since=at - timedelta(days=3),
        checked_count=214,
        listed_count=1,
        report=["to be seen: x"],
    )

    assert "Compared with" not in desk.get("/desk/payments/").content.decode()
    sign_in_staff(client, factories.desk_user(Role.OWNER))
    html = client.get("/desk/payments/").content.decode()
    assert "214 compared, 1 to check" in html
    assert "to be seen: x" in html


def test_reading_costs_the_same_for_one_and_three_movements(
    desk: Client,
    studio: Studio,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    booking = journeys.booked(studio, 10)
    returned(paid(booking, 1000), 100)
    with django_assert_max_num_queries(13) as one:
        desk.get("/desk/payments/")
    for number in range(2):
        returned(paid(journeys.booked(studio, 12 + number), 1000), 100, f"back-{number}")

    with django_assert_num_queries(len(one)):
        html = desk.get("/desk/payments/").content.decode()

    assert html.count('class="list-row"') == 6


def test_a_booking_shows_its_money_as_a_ledger(desk: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    returned(paid(booking, 5000, note="exact change"), 1250)

    html = desk.get(f"/desk/bookings/{booking.reference}/").content.decode()

    assert "€42.50 open" in html
    ledger = html.split('<dl class="ledger">')[1].split("</dl>")[0]
    wanted = ("Deep tissue massage", "€80.00", "with €12.77 tax", "Paid, cash", "−€50.00", "Leyla", "exact change")
    assert [
        word for word in (*wanted, "Refund, cash", "€12.50", "Due at the visit", "€42.50") if word not in ledger
    ] == []
