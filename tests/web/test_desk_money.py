"""Money at the desk: taken, returned, handed back, waived. Once, never more than there is, never on an old page."""

from typing import Any

import pytest
from django.test import Client

from bookings.doctor.money import CHECKS
from bookings.enums import BookingStatus
from bookings.models import Booking, BookingEvent
from core.outbox import OutboxMessage
from payments.enums import AlertKind, Method, RefundReason, RefundStatus
from payments.models import BillLine, MoneyAlert, Payment, Refund
from payments.operations import raise_alert, request_refunds
from payments.queries import balance
from services.models import CancellationPolicy, ServiceVariant
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk, by_card, cash
from tests.factories import NOW, Studio
from tests.web.conftest import StoppedClock, link

NOTHING = ["0", "-1", "0.001", "1e3", "½", "$20", "£20", "20€", "80.01", "999999999999", "-0", "+5"]


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return journeys.booked(studio, 10)


def sums(booking: Booking) -> tuple[int, int, int]:
    found = balance(f"booking:{booking.pk}")
    return found.owed_minor, found.paid_minor, found.refunded_minor


# --- taking ----------------------------------------------------------------------------------------------------------


def test_cash_is_recorded_with_who_and_a_note(desk: DeskClient, booking: Booking) -> None:
    response = desk.do(booking, "take", note="exact change")

    payment = Payment.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/desk/bookings/{booking.reference}/")
    assert (payment.method, payment.amount_minor, payment.note) == (Method.CASH, 8000, "exact change")
    assert (payment.actor, payment.actor_name) == (desk.user, str(desk.user))
    assert sums(booking) == (8000, 8000, 0)
    assert "€80.00 is recorded" in desk.client.get(response["Location"]).content.decode()


@pytest.mark.parametrize("method", ["cash", "terminal", "transfer"])
def test_each_way_of_paying_is_kept_apart(desk: DeskClient, booking: Booking, method: str) -> None:
    desk.do(booking, "take", method=method, amount="20")

    assert Payment.objects.get().method == method


def test_a_sum_that_the_button_did_not_name_is_named_first(desk: DeskClient, booking: Booking) -> None:
    asked = desk.send(booking, "take", desk.form(booking, "take"), amount="20")

    html = asked.content.decode()
    assert asked.status_code == 200
    assert "Record €20.00" in html
    assert "Nothing is done yet" in html
    assert Payment.objects.count() == 0


def test_a_script_that_names_the_sum_saves_the_second_press(desk: DeskClient, booking: Booking) -> None:
    response = desk.send(booking, "take", desk.form(booking, "take"), amount="20", named="2000")

    assert response.status_code == 303
    assert sums(booking) == (8000, 2000, 0)


@pytest.mark.parametrize("amount", NOTHING)
def test_no_other_amount_than_what_is_open_is_taken(desk: DeskClient, booking: Booking, amount: str) -> None:
    response = desk.send(booking, "take", desk.form(booking, "take"), amount=amount)

    assert response.status_code == 422
    assert Payment.objects.count() == 0


def test_a_currency_without_decimals_takes_none(desk: DeskClient, studio: Studio) -> None:
    studio.business.currency = "JPY"
    studio.business.save()
    booking = journeys.booked(studio, 10)

    refused = desk.send(booking, "take", desk.form(booking, "take"), amount="80.50")
    taken = desk.do(booking, "take", amount="8000")

    assert (refused.status_code, taken.status_code) == (422, 303)
    assert Payment.objects.get().amount_minor == 8000


def test_a_double_click_takes_money_once(desk: DeskClient, booking: Booking) -> None:
    form = desk.form(booking, "take")

    answers = [desk.send(booking, "take", form, amount="20", named="2000") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert sums(booking) == (8000, 2000, 0)


def test_an_old_page_is_told_and_takes_nothing(desk: DeskClient, booking: Booking) -> None:
    form = desk.form(booking, "take")
    cash(booking, 3000)

    response = desk.send(booking, "take", form, amount="50", named="5000")

    assert response.status_code == 409
    assert "has changed since you opened the page" in response.content.decode()
    assert sums(booking) == (8000, 3000, 0)


def test_a_form_without_its_key_does_nothing(desk: DeskClient, booking: Booking) -> None:
    response = desk.send(booking, "take", {"method": "cash", "amount": "20", "named": "2000"})

    assert response.status_code == 409
    assert Payment.objects.count() == 0


def test_there_is_nothing_to_take_once_all_is_paid(desk: DeskClient, booking: Booking) -> None:
    cash(booking, 8000)

    html = desk.page(booking, "take").content.decode()

    assert "Nothing is open" in html
    assert "€80.00 paid" not in html
    assert "Take" not in html.split("Nothing is open")[1].split("History")[0]


# --- returning -------------------------------------------------------------------------------------------------------


def test_a_part_goes_back_the_way_it_came(desk: DeskClient, booking: Booking) -> None:
    payment = by_card(booking, 8000)

    response = desk.do(booking, "refund", amount="20", reason="Ended early")

    refund = Refund.objects.get()
    assert response.status_code == 303
    assert (refund.payment, refund.method, refund.amount_minor, refund.status) == (payment, "stripe", 2000, "queued")
    assert (refund.note, refund.actor) == ("Ended early", desk.user)
    assert OutboxMessage.objects.filter(topic="refund.submit").count() == 1


def test_cash_goes_back_by_hand_at_once(desk: DeskClient, booking: Booking) -> None:
    cash(booking, 8000)

    desk.do(booking, "refund", amount="20", reason="Ended early")

    refund = Refund.objects.get()
    assert (refund.method, refund.status) == (Method.CASH, RefundStatus.SUCCEEDED)


def test_the_way_back_cannot_be_chosen(desk: DeskClient, booking: Booking) -> None:
    by_card(booking, 8000)

    desk.do(booking, "refund", amount="20", reason="Ended early", method="cash")

    assert Refund.objects.get().method == Method.STRIPE


@pytest.mark.parametrize("amount", NOTHING)
def test_no_other_amount_than_what_is_left_goes_back(desk: DeskClient, booking: Booking, amount: str) -> None:
    by_card(booking, 8000)

    response = desk.send(booking, "refund", desk.form(booking, "refund"), amount=amount, reason="x")

    assert response.status_code == 422
    assert Refund.objects.count() == 0


def test_what_went_back_before_cannot_go_back_again(desk: DeskClient, booking: Booking) -> None:
    by_card(booking, 8000)
    desk.do(booking, "refund", amount="50", reason="x")

    response = desk.send(booking, "refund", desk.form(booking, "refund"), amount="30.01", reason="x")

    assert response.status_code == 422
    assert "at most €30.00" in response.content.decode()
    assert sums(booking) == (3000, 8000, 5000)


def test_a_goodwill_refund_lowers_the_price_and_makes_no_debt(
    desk: DeskClient, booking: Booking, client: Client
) -> None:
    cash(booking, 8000)

    desk.do(booking, "refund", amount="15", reason="Sorry")

    booking.refresh_from_db()
    page, customers = desk.page(booking).content.decode(), client.get(link(booking)).content.decode()
    assert (booking.total_minor, *sums(booking)) == (6500, 6500, 8000, 1500)
    assert [line.text for line in BillLine.objects.filter(kind="reduction")] == ["Reduced by €15.00"]
    assert "Nothing open" in page
    assert "Price reduced by €15.00" in page
    assert "Reduced by" in customers
    assert "Pay €15.00" not in customers
    assert BookingEvent.objects.get(details__what="reduced").reason == "Sorry"
    assert [text for check in CHECKS for text in check.run(NOW)] == []


def test_a_refund_of_what_is_still_owed_leaves_the_price(desk: DeskClient, booking: Booking) -> None:
    cash(booking, 8000)

    desk.do(booking, "refund", amount="15", reason="Pays by card instead", is_still_owed="on")

    assert sums(booking) == (8000, 8000, 1500)


def test_a_discount_lowers_the_price_and_what_was_paid_beyond_it_goes_back(desk: DeskClient, booking: Booking) -> None:
    desk.do(booking, "take", amount="70")

    desk.do(booking, "discount", amount="25", reason="Ended early")

    booking.refresh_from_db()
    assert (booking.total_minor, *sums(booking)) == (5500, 5500, 7000, 1500)
    assert Refund.objects.get().note == "Ended early"


@pytest.mark.parametrize("amount", ["0", "80.01", "-5"])
def test_no_price_is_lowered_by_nothing_or_below_it(desk: DeskClient, booking: Booking, amount: str) -> None:
    response = desk.send(booking, "discount", desk.form(booking, "discount"), amount=amount, reason="x")

    assert response.status_code == 422
    assert sums(booking) == (8000, 0, 0)


def test_a_double_click_refunds_once_even_in_full(desk: DeskClient, booking: Booking) -> None:
    payment = by_card(booking, 8000)
    form = desk.form(booking, "refund")

    answers = [
        desk.send(booking, "refund", form, amount="80", reason="x", named=f"{payment.pk}:8000") for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert Refund.objects.count() == 1


def test_a_refund_needs_a_reason(desk: DeskClient, booking: Booking) -> None:
    by_card(booking, 8000)

    response = desk.send(booking, "refund", desk.form(booking, "refund"), amount="20", reason=" ")

    assert response.status_code == 422
    assert Refund.objects.count() == 0


def test_a_payment_of_another_booking_cannot_be_refunded(desk: DeskClient, booking: Booking, studio: Studio) -> None:
    by_card(booking, 8000)
    other = by_card(journeys.booked(studio, 14), 8000)

    response = desk.send(
        booking, "refund", desk.form(booking, "refund"), payment=str(other.pk), amount="20", reason="x"
    )

    assert response.status_code == 422
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("typed", ["²", "9" * 30, "-1"])
def test_a_payment_that_is_none_in_the_address_leaves_the_first_chosen(
    desk: DeskClient, booking: Booking, typed: str
) -> None:
    payment = by_card(booking, 8000)

    assert desk.form(booking, "refund", payment=typed)["payment"] == str(payment.pk)


# --- handing back ----------------------------------------------------------------------------------------------------


def queued(booking: Booking) -> Refund:
    """Cash that has to be handed back."""
    cash(booking, 8000)
    [refund] = request_refunds(
        bill_id=booking.bill_id or 0,
        subject_ref=f"booking:{booking.pk}",
        amount_minor=3000,
        reason=RefundReason.POLICY,
        now=factories.NOW,
    )
    return refund


def test_cash_that_waits_is_handed_back(desk: DeskClient, booking: Booking) -> None:
    refund = queued(booking)

    response = desk.do(booking, "hand-back", query={"refund": refund.pk}, note="signed")

    refund.refresh_from_db()
    assert response.status_code == 303
    assert (refund.status, refund.note, refund.actor) == (RefundStatus.SUCCEEDED, "signed", desk.user)


def test_a_refund_that_failed_is_settled_another_way_and_leaves_the_list(desk: DeskClient, booking: Booking) -> None:
    payment = by_card(booking, 8000)
    failed = Refund.objects.create(
        payment=payment, status="failed", reason="staff", currency="EUR", amount_minor=2000, created_at=factories.NOW
    )
    raise_alert(
        kind=AlertKind.REFUND_FAILED, key="1", subject_ref=f"booking:{booking.pk}", refund=failed, now=factories.NOW
    )

    response = desk.do(booking, "hand-back", query={"refund": failed.pk}, method="transfer")

    other = Refund.objects.exclude(pk=failed.pk).get()
    assert response.status_code == 303
    assert (other.method, other.amount_minor, other.status) == (Method.TRANSFER, 2000, RefundStatus.SUCCEEDED)
    assert MoneyAlert.objects.get().resolved_by == str(desk.user)
    assert desk.page(booking, "hand-back", refund=failed.pk).content.decode().count("no money to hand back") == 1


@pytest.mark.parametrize("typed", ["", "x", "0", "9" * 30, "-1", "²"])
def test_a_refund_that_is_none_is_not_handed_back(desk: DeskClient, booking: Booking, typed: str) -> None:
    response = desk.page(booking, "hand-back", refund=typed)

    assert response.status_code == 200
    assert "There is no money to hand back any more" in response.content.decode()


# --- fees ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def missed(desk: DeskClient, studio: Studio, stopped: StoppedClock) -> Booking:
    """Nobody came, and not coming costs half of €80; the time to waive it has just begun."""
    CancellationPolicy.objects.update(no_show_fee_kind="percent", no_show_fee_value=5000)
    booking = journeys.booked(studio, 10)
    by_card(booking, 8000)
    stopped.at = studio.at(10, 20)
    desk.do(booking, "no-show")
    booking.refresh_from_db()
    return booking


def test_a_no_show_owes_its_fee_and_no_money_moves_yet(desk: DeskClient, missed: Booking) -> None:
    html = desk.page(missed).content.decode()

    assert missed.status == BookingStatus.NO_SHOW
    assert sums(missed) == (4000, 8000, 0)
    assert "Waive €40.00" in html


def test_a_fee_is_waived_in_part_with_a_reason(desk: DeskClient, missed: Booking) -> None:
    response = desk.do(missed, "waive", amount="15", reason="Was ill")

    assert response.status_code == 303
    assert sums(missed)[0] == 2500
    event = BookingEvent.objects.filter(booking=missed, kind="money", details__what="waived").get()
    assert (event.reason, event.actor) == ("Was ill", desk.user)


def test_a_double_click_waives_once(desk: DeskClient, missed: Booking) -> None:
    form = desk.form(missed, "waive")

    for _ in range(2):
        desk.send(missed, "waive", form, amount="15", reason="Was ill", named="1500")

    assert sums(missed)[0] == 2500


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "40.01"])
def test_no_other_amount_than_the_fee_is_waived(desk: DeskClient, missed: Booking, amount: str) -> None:
    response = desk.send(missed, "waive", desk.form(missed, "waive"), amount=amount, reason="x")

    assert response.status_code == 422
    assert sums(missed)[0] == 4000


def test_the_sum_that_is_charged_to_a_card_is_the_one_on_the_button(
    desk: DeskClient, studio: Studio, stopped: StoppedClock, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_x", "pk_test_x"
    CancellationPolicy.objects.update(no_show_fee_kind="percent", no_show_fee_value=5000)
    studio.business.currency = "KWD"
    studio.business.save()
    ServiceVariant.objects.update(price_minor=8125)
    booking = journeys.booked(studio, 10)
    journeys.card_kept(booking, cap_minor=8125)
    stopped.at = studio.at(10, 20)
    desk.do(booking, "no-show")

    early = desk.page(booking, "charge").content.decode()
    stopped.at = studio.at(10, 20, days=2)
    asked = desk.page(booking, "charge").content.decode()
    desk.do(booking, "charge")

    assert "nothing is charged before Wed 6 Jan, 10:20" in early
    assert "Charge KWD" not in early

    assert "Charge KWD\xa04.060 to Visa 4242" in asked
    assert Payment.objects.get().amount_minor == 4060
    assert sums(booking)[0] == 4063


def test_a_no_show_taken_back_owes_the_price_again(desk: DeskClient, missed: Booking) -> None:
    desk.do(missed, "came", reason="Was in the other room")

    missed.refresh_from_db()
    assert missed.status == BookingStatus.CONFIRMED
    assert sums(missed) == (8000, 8000, 0)


def test_without_a_fee_there_is_nothing_to_waive(desk: DeskClient, booking: Booking) -> None:
    assert "no fee that could be waived" in desk.page(booking, "waive").content.decode()
