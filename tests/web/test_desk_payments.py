"""The list of money that moved: which days, whose, its totals, and a CSV that no spreadsheet runs."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from core import clock
from core.csv import plain_cell
from payments.enums import Method, Purpose
from payments.models import Payment, Reconciliation
from payments.operations import record_payment, refund_payment
from staff.enums import Role
from tests import factories, journeys
from tests.factories import Studio
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
    client.force_login(factories.desk_user(Role.FRONT_DESK, studio.location))
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
    assert html.count('class="movement"') == 3
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
    client.force_login(factories.desk_user(Role.MANAGER, factories.location(name="Alfama")))

    assert table(client) == []


def test_a_therapist_has_no_list_of_money(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    client.force_login(factories.desk_user(Role.THERAPIST, of=booking))

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
    client.force_login(factories.desk_user(Role.OWNER))
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
    with django_assert_max_num_queries(12) as one:
        desk.get("/desk/payments/")
    for number in range(2):
        returned(paid(journeys.booked(studio, 12 + number), 1000), 100, f"back-{number}")

    with django_assert_num_queries(len(one)):
        html = desk.get("/desk/payments/").content.decode()

    assert html.count('class="movement"') == 6


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
