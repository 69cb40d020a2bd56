"""No-shows: the fee by the terms, the time to waive it, one payment or refund, and all of it undone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bookings.errors import (
    CannotMarkMissed,
    CannotUndoMissed,
    FeeBeingPaid,
    NothingToPay,
    NothingToWaive,
    TooEarlyToCharge,
)
from bookings.handlers import payment_failed
from bookings.models import Booking
from bookings.operations import fees
from bookings.operations import no_show as missed_visits
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import charge_fee, waive_fee
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.pay import payable
from bookings.operations.settle import settle_card, settle_payment
from bookings.refs import subject_ref
from core.models import OutboxMessage
from core.outbox import Delivery
from notifications.models import Notification
from payments.enums import Purpose
from payments.models import Payment, Refund, SavedCard
from payments.operations import paying
from payments.queries import balance
from tests.factories import NOW
from tests.journeys import DESK, LINK, arrived, booked, card_kept, paid_studio, waiting
from tests.money import deliver

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def agreed(mode: str = "card", *, paid: int = 0, **policy: Any) -> Booking:
    booking = waiting(paid_studio(mode, **{"no_show_fee_kind": "all", **policy}))
    if mode == "card":
        settle_card(saved_card_id=card_kept(booking).pk, now=NOW)
    if paid:
        arrived(booking, paid)
        deliver()
    booking.refresh_from_db()
    assert booking.status == "confirmed"
    return booking


def missed(booking: Booking) -> datetime:
    """Mark it a quarter of an hour after the start, and return when."""
    moment = booking.starts_at + timedelta(minutes=15)
    mark_no_show(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment, reason="Nobody came"
    )
    booking.refresh_from_db()
    return moment


def charges() -> list[int]:
    return list(Payment.objects.filter(is_off_session=True).values_list("amount_minor", flat=True))


def test_a_fee_whose_time_for_waiving_is_not_over_moves_no_money_even_when_it_is_looked_at() -> None:
    """Between the list of fees that are due and the lock, staff may have taken the mark back and set it again."""
    booking = agreed()
    moment = missed(booking)

    assert not missed_visits._settle_fee(booking_id=booking.pk, now=moment + DAY - timedelta(seconds=1))
    assert charges() == []
    booking.refresh_from_db()
    assert booking.fee_settles_at == moment + DAY
    assert missed_visits._settle_fee(booking_id=booking.pk, now=moment + DAY)
    assert charges() == [8000]


def test_a_missed_visit_owes_its_fee_at_once_and_is_charged_after_the_time_to_waive() -> None:
    booking = agreed()

    moment = missed(booking)

    assert (booking.status, booking.missed_at, booking.fee_settles_at) == ("no_show", moment, moment + DAY)
    assert balance(subject_ref(booking)).owed_minor == 8000
    assert charges() == []
    assert payable(booking, moment) is None
    assert settle_due_fees(now=moment + DAY - timedelta(seconds=1)) == 0

    assert settle_due_fees(now=moment + DAY) == 1
    assert settle_due_fees(now=moment + DAY) == 0

    booking.refresh_from_db()
    assert (charges(), booking.fee_settles_at) == ([8000], None)
    assert "missed" in set(Notification.objects.values_list("kind", flat=True))


def test_what_was_paid_beyond_the_fee_goes_back_after_the_time_to_waive() -> None:
    booking = agreed("full", paid=8000, no_show_fee_kind="percent", no_show_fee_value=5000)

    moment = missed(booking)
    assert not Refund.objects.exists()
    settle_due_fees(now=moment + DAY)

    assert Refund.objects.values_list("amount_minor", "reason").get() == (4000, "policy")
    assert balance(subject_ref(booking)).excess_minor == 0


def test_a_fee_without_a_card_stays_open_and_can_be_paid_at_once() -> None:
    booking = agreed("deposit", paid=1600)

    moment = missed(booking)

    assert booking.fee_settles_at is None
    due = payable(booking, moment)
    assert due
    assert (due.purpose, due.why, due.amount_minor) == ("fee", "no_show_fee", 6400)


def test_staff_charge_no_card_while_the_customer_is_promised_that_no_money_moves() -> None:
    booking = agreed()
    moment = missed(booking)

    with pytest.raises(TooEarlyToCharge):
        charge_fee(booking_id=booking.pk, actor=DESK, now=moment + DAY - timedelta(seconds=1))
    assert charges() == []

    assert charge_fee(booking_id=booking.pk, actor=DESK, now=moment + DAY).amount_minor == 8000


def test_a_fee_that_is_not_charged_by_itself_waits_for_staff() -> None:
    booking = agreed(charges_fees_automatically=False)
    moment = missed(booking)
    settle_due_fees(now=moment + DAY)
    assert charges() == []

    first = charge_fee(booking_id=booking.pk, actor=DESK, now=moment + DAY)
    second = charge_fee(booking_id=booking.pk, actor=DESK, now=moment + DAY)

    assert first == second
    assert charges() == [8000]
    assert booking.events.filter(details__what="fee").count() == 1


@pytest.mark.parametrize("left", [{}, {"is_off_session": True, "failure_code": "card_declined"}])
def test_a_payment_that_the_customer_left_is_called_off_before_the_card_is_charged(left: dict[str, Any]) -> None:
    booking = agreed(charges_fees_automatically=False)
    moment = missed(booking) + DAY
    settle_due_fees(now=moment)
    waiting_one = arrived(booking, 8000, purpose=Purpose.FEE, status="open", succeeded_at=None, intent_id=None, **left)
    OutboxMessage.objects.filter(topic="payment.succeeded").delete()

    with pytest.raises(FeeBeingPaid):
        charge_fee(booking_id=booking.pk, actor=DESK, now=moment)
    called_off = OutboxMessage.objects.get(topic="payment.call_off").payload
    paying.call_off(payment_id=called_off["payment_id"], now=moment)
    payment = charge_fee(booking_id=booking.pk, actor=DESK, now=moment)

    assert payment != waiting_one
    assert (payment.is_off_session, payment.amount_minor) == (True, 8000)


def test_charging_where_no_card_is_kept_is_refused() -> None:
    booking = agreed("deposit", paid=1600)
    moment = missed(booking)

    with pytest.raises(NothingToPay):
        charge_fee(booking_id=booking.pk, actor=DESK, now=moment)


def test_the_charge_is_never_more_than_was_consented_to() -> None:
    booking = agreed()
    booking_card = card_cap(booking, 3000)

    moment = missed(booking)
    settle_due_fees(now=moment + DAY)

    assert charges() == [booking_card]
    assert balance(subject_ref(booking)).open_minor == 8000


def card_cap(booking: Booking, cap_minor: int) -> int:
    from payments.models import SavedCard

    SavedCard.objects.filter(subject_ref=subject_ref(booking)).update(cap_minor=cap_minor)
    return cap_minor


@pytest.mark.parametrize(("amount", "left"), [(None, 0), (3000, 5000)])
def test_waiving_in_time_leaves_what_was_not_waived(amount: int | None, left: int) -> None:
    booking = agreed()
    moment = missed(booking)

    waive_fee(booking_id=booking.pk, amount_minor=amount, reason="Ill", actor=DESK, now=moment)
    settle_due_fees(now=moment + DAY)

    assert sum(charges()) == left
    assert balance(subject_ref(booking)).owed_minor == left
    event = booking.events.get(details__what="waived")
    assert (event.reason, event.details["left_minor"]) == ("Ill", left)


def test_waiving_after_the_money_moved_gives_it_back() -> None:
    booking = agreed("full", paid=8000)
    moment = missed(booking)
    settle_due_fees(now=moment + DAY)

    waive_fee(booking_id=booking.pk, amount_minor=5000, reason="", actor=DESK, now=moment + 2 * DAY)

    assert Refund.objects.values_list("amount_minor", "reason").get() == (5000, "staff")


@pytest.mark.parametrize("amount", [0, -1, 8001])
def test_waiving_another_sum_than_the_fee_has_is_refused(amount: int) -> None:
    booking = agreed()
    moment = missed(booking)

    with pytest.raises(NothingToWaive) as refused:
        waive_fee(booking_id=booking.pk, amount_minor=amount, reason="", actor=DESK, now=moment)

    assert refused.value.data["fee_minor"] == 8000
    assert balance(subject_ref(booking)).owed_minor == 8000


def test_waiving_twice_takes_the_fee_off_once() -> None:
    booking = agreed()
    moment = missed(booking)
    waive_fee(booking_id=booking.pk, amount_minor=None, reason="", actor=DESK, now=moment)

    with pytest.raises(NothingToWaive):
        waive_fee(booking_id=booking.pk, amount_minor=None, reason="", actor=DESK, now=moment)

    assert balance(subject_ref(booking)).owed_minor == 0


def test_a_late_cancellation_fee_can_be_waived_too() -> None:
    booking = agreed()
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=4000,
        actor=LINK,
        now=booking.starts_at - timedelta(hours=30),
    )

    waive_fee(booking_id=booking.pk, amount_minor=None, reason="", actor=DESK, now=booking.starts_at)

    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.waived_minor) == (0, 4000)


def test_marking_too_early_or_too_late_is_refused() -> None:
    booking = agreed()

    for moment, why in (
        (booking.starts_at + timedelta(minutes=14), "too_early"),
        (booking.starts_at + timedelta(days=14, seconds=1), "too_late"),
    ):
        with pytest.raises(CannotMarkMissed) as refused:
            mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment)
        assert refused.value.data["why"] == why

    booking.refresh_from_db()
    assert (booking.status, booking.missed_at) == ("confirmed", None)


def test_marking_twice_is_one_fee() -> None:
    booking = agreed()
    missed(booking)
    missed(booking)

    assert balance(subject_ref(booking)).owed_minor == 8000
    assert Notification.objects.filter(kind="missed").count() == 1


def test_the_first_time_is_free_where_the_terms_say_so_and_the_second_is_not() -> None:
    place = paid_studio("venue", no_show_fee_kind="all", first_no_show_free_days=365)
    first, second = booked(place, 10), booked(place, 12)

    missed(first)
    missed(second)

    owed = [balance(subject_ref(each)).owed_minor for each in (first, second)]
    assert owed == [0, 8000]


@pytest.mark.parametrize("is_settled", [False, True])
def test_undoing_owes_the_price_again_and_returns_the_fee(is_settled: bool) -> None:
    booking = agreed()
    moment = missed(booking)
    if is_settled:
        settle_due_fees(now=moment + DAY)
        charged = Payment.objects.get(is_off_session=True)
        Payment.objects.filter(pk=charged.pk).update(status="succeeded", succeeded_at=moment, intent_id="pi_x")

    undo_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=moment + 2 * DAY,
        reason="Was there",
    )
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment + 2 * DAY)

    booking.refresh_from_db()
    sums = balance(subject_ref(booking))
    assert (booking.status, booking.missed_at, booking.fee_settles_at) == ("confirmed", None, None)
    assert (sums.owed_minor, sums.net_paid_minor) == (8000, 0)
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == (8000 if is_settled else 0)
    assert Notification.objects.get(kind="missed").status == "cancelled"


def test_a_fee_charged_while_staff_take_it_back_goes_back() -> None:
    booking = agreed()
    moment = missed(booking)
    settle_due_fees(now=moment + DAY)
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment + 2 * DAY)
    # The bank had it just before.
    charged = Payment.objects.get(is_off_session=True)
    Payment.objects.filter(pk=charged.pk).update(status="succeeded", succeeded_at=moment, intent_id="pi_x")

    for _ in range(2):
        settle_payment(payment_id=charged.pk, now=moment + 2 * DAY)

    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_minor, refund.reason) == (charged, 8000, "excess")
    assert balance(subject_ref(booking)).open_minor == 8000
    assert Notification.objects.filter(kind="refund_approved").count() == 1
    assert not Notification.objects.filter(kind="payment_received").exists()


def test_a_fee_that_went_back_when_staff_took_it_back_goes_back_once() -> None:
    booking = agreed()
    moment = missed(booking)
    settle_due_fees(now=moment + DAY)
    charged = Payment.objects.get(is_off_session=True)
    Payment.objects.filter(pk=charged.pk).update(status="succeeded", succeeded_at=moment, intent_id="pi_x")
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment + 2 * DAY)

    settle_payment(payment_id=charged.pk, now=moment + 2 * DAY)

    assert Refund.objects.get().amount_minor == 8000


@pytest.mark.parametrize("by_staff", [False, True])
def test_a_card_frozen_while_a_fee_is_being_asked_for_leaves_the_fee_open(
    monkeypatch: pytest.MonkeyPatch, by_staff: bool
) -> None:
    booking = agreed(charges_fees_automatically=not by_staff)
    moment = missed(booking) + DAY
    ask = fees.request_charge

    def frozen_first(**values: Any) -> Payment | None:
        SavedCard.objects.update(is_frozen=True)
        return ask(**values)

    monkeypatch.setattr(fees, "request_charge", frozen_first)

    if by_staff:
        settle_due_fees(now=moment)
        with pytest.raises(NothingToPay):
            charge_fee(booking_id=booking.pk, actor=DESK, now=moment)
    else:
        assert settle_due_fees(now=moment) == 1

    assert charges() == []
    assert balance(subject_ref(booking)).open_minor == 8000


def test_a_fee_that_the_customer_begins_to_pay_while_staff_charge_it_is_called_off_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    booking = agreed(charges_fees_automatically=False)
    moment = missed(booking) + DAY
    settle_due_fees(now=moment)
    ask = fees.request_charge

    def begun_first(**values: Any) -> Payment | None:
        arrived(booking, 8000, purpose=Purpose.FEE, status="open", succeeded_at=None, intent_id=None)
        return ask(**values)

    monkeypatch.setattr(fees, "request_charge", begun_first)

    with pytest.raises(FeeBeingPaid):
        charge_fee(booking_id=booking.pk, actor=DESK, now=moment)

    assert OutboxMessage.objects.filter(topic="payment.call_off").count() == 1
    assert not booking.events.filter(details__what="fee").exists()


def test_undoing_takes_a_waiver_back_and_marking_again_is_a_new_fee() -> None:
    booking = agreed()
    moment = missed(booking)
    waive_fee(booking_id=booking.pk, amount_minor=3000, reason="", actor=DESK, now=moment)

    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment)
    assert balance(subject_ref(booking)).owed_minor == 8000
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment)

    assert balance(subject_ref(booking)).owed_minor == 8000


def test_undoing_what_was_never_noted_or_too_late_is_refused() -> None:
    booking = agreed()
    with pytest.raises(CannotUndoMissed):
        undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at)
    missed(booking)
    with pytest.raises(CannotUndoMissed):
        undo_no_show(
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            actor=DESK,
            now=booking.starts_at + timedelta(days=15),
        )


def test_a_charge_that_the_bank_refused_sends_a_link_and_two_reminders_once() -> None:
    booking = agreed()
    moment = missed(booking)
    settle_due_fees(now=moment + DAY)
    charge = Payment.objects.get(is_off_session=True)
    Payment.objects.filter(pk=charge.pk).update(status="open", failure_code="authentication_required")
    delivery = Delivery(1, "payment.failed", "k", {"payment_id": charge.pk}, 1)

    payment_failed(delivery, now=moment + DAY)
    payment_failed(delivery, now=moment + DAY)

    due = Notification.objects.filter(kind="fee_due").order_by("not_before").values_list("not_before", flat=True)
    assert list(due) == [moment + DAY, moment + 2 * DAY, moment + 4 * DAY]
    assert booking.events.filter(details__what="charge_failed").count() == 1
    booking.refresh_from_db()
    offered = payable(booking, moment + DAY)
    assert offered
    assert offered.amount_minor == 8000
