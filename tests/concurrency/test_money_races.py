"""Two operations change the money of one booking at the same time. Real transactions; PostgreSQL decides the order.

Each test lists the allowed outcomes by name and fails on any other. After the outbox has run, every invariant holds,
including the invariants of payments.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bookings.doctor.visits import CHECKS
from bookings.handlers import payment_succeeded
from bookings.models import Booking
from bookings.operations import desk_payment, desk_refund, request_answer
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import waive_fee
from bookings.operations.hold import expire_holds
from bookings.operations.move_proposal import propose_move
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.pay import begin_payment
from bookings.operations.settle import settle_card, settle_payment
from bookings.refs import subject_ref
from core.outbox import Delivery
from devservers.stripe import Stripe
from payments.doctor import CHECKS as PAYMENT_CHECKS
from payments.enums import Method, Purpose
from payments.models import Payment, Refund
from payments.operations import sync_payment
from payments.queries import balance
from services.models import Service
from tests.concurrency.racing import deadlock_count, race, rounds
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, arrived, begin_and_pay, booked, card_kept, confirm, hold, paid_studio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

EXPIRY = NOW + timedelta(minutes=10)
LATE = NOW + timedelta(minutes=30)
Act = Callable[[], Any]


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def open_studio(mode: str = "full", **policy: Any) -> Studio:
    place = paid_studio(mode, **policy)
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()
    return place


def starts(place: Studio, count: int) -> list[int]:
    """So many full hours, seven days ahead and more, one for each round."""
    return [place.minute(9 + index % 8, days=7 + index // 8) for index in range(count)]


def settling(payment: Payment, now: datetime = NOW) -> Act:
    return partial(settle_payment, payment_id=payment.pk, now=now)


def paid_booking(place: Studio, start: int, amount_minor: int = 8000) -> Booking:
    booking = booked(place, start_minute=start)
    settle_payment(payment_id=arrived_alone(booking, amount_minor).pk, now=NOW)
    booking.refresh_from_db()
    return booking


def arrived_alone(booking: Booking, amount_minor: int, **values: Any) -> Payment:
    """Money that arrived, committed before anything else."""
    from django.db import transaction

    with transaction.atomic():
        return arrived(booking, amount_minor, **values)


def status_of(booking: Booking) -> str:
    booking.refresh_from_db()
    return booking.status


def kept(booking: Booking) -> int:
    return balance(subject_ref(booking)).net_paid_minor


def names(outcomes: list[Any]) -> tuple[str, ...]:
    return tuple(type(each).__name__ for each in outcomes)


@contextmanager
def no_violations(now: datetime = LATE + timedelta(days=1)) -> Iterator[None]:
    """Whatever happens inside, nothing that must always be true is broken afterwards, and nobody waited for ever."""
    deadlocks = deadlock_count()
    yield
    # Holds of other rounds are nobody's business here.
    expire_holds(now=now, limit=10_000)
    settle_due_fees(now=now, limit=10_000)
    found = {check.title: list(check.run(now)) for check in [*CHECKS, *PAYMENT_CHECKS]}
    # No provider here.
    expected = {"Every refund was sent", "Cards are forgotten when their time is up"}
    assert {title: lines for title, lines in found.items() if lines and title not in expected} == {}
    assert deadlock_count() == deadlocks


# --- the end of a hold ---------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_a_payment_settles_while_the_sweep_ends_its_time(rounds: int) -> None:
    """Paid first: it stands. Ended first: late money, and the time is still free. Never neither."""
    place = open_studio()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            payment = arrived_alone(booking, 8000, now=EXPIRY)
            race([settling(payment, EXPIRY), partial(expire_holds, now=EXPIRY)])
            settle_payment(payment_id=payment.pk, now=EXPIRY)
            assert (status_of(booking), kept(booking)) == ("confirmed", 8000)


@rounds(short=10, full=100)
def test_a_payment_settles_while_somebody_takes_the_expired_time(rounds: int) -> None:
    place = open_studio()
    table = {("confirmed", "SlotTaken", 8000), ("expired", "HeldSlot", 0)}
    seen = set()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            payment = arrived_alone(booking, 8000, now=EXPIRY)
            outcomes = race([settling(payment, EXPIRY), partial(hold, place, start_minute=start, now=EXPIRY)])
            seen.add((status_of(booking), type(outcomes[1]).__name__, kept(booking)))
    assert seen <= table


@rounds(short=10, full=100)
def test_a_guest_confirms_while_the_sweep_ends_the_hold(rounds: int) -> None:
    place = open_studio()
    table = {("pending_payment", "Booking"), ("expired", "HoldExpired")}
    seen = set()
    with no_violations():
        for start in starts(place, rounds):
            held = hold(place, start_minute=start).booking
            outcomes = race(
                [partial(confirm, held, now=EXPIRY - timedelta(seconds=1)), partial(expire_holds, now=EXPIRY)]
            )
            seen.add((status_of(held), type(outcomes[0]).__name__))
    assert seen <= table


@rounds(short=10, full=100)
def test_a_card_arrives_while_the_sweep_ends_its_time(rounds: int) -> None:
    place = open_studio("card", no_show_fee_kind="all")
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            card = card_kept(booking)
            race([partial(settle_card, saved_card_id=card.pk, now=EXPIRY), partial(expire_holds, now=EXPIRY)])
            settle_card(saved_card_id=card.pk, now=EXPIRY)
            assert status_of(booking) == "confirmed"


@rounds(short=10, full=100)
def test_two_late_payments_want_one_time_and_one_is_seated_and_one_refunded(rounds: int) -> None:
    place = open_studio()
    with no_violations():
        for start in starts(place, rounds):
            first = booked(place, start_minute=start)
            expire_holds(now=EXPIRY)
            second = booked(place, start_minute=start, now=EXPIRY)
            expire_holds(now=LATE)
            payments = [arrived_alone(each, 8000, now=LATE) for each in (first, second)]
            race([settling(each, LATE) for each in payments])
            for each in payments:
                settle_payment(payment_id=each.pk, now=LATE)
            outcome = sorted((status_of(each), kept(each)) for each in (first, second))
            assert outcome == [("confirmed", 8000), ("expired", 0)]


# --- the same money twice --------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_the_same_news_five_times_at_once_settles_once(rounds: int) -> None:
    place = open_studio()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            payment = arrived_alone(booking, 8000)
            delivery = Delivery(1, "payment.succeeded", "k", {"payment_id": payment.pk}, 1)
            race([partial(payment_succeeded, delivery, now=NOW)] * 5)
            assert status_of(booking) == "confirmed"
            assert booking.events.filter(details__what="paid").count() == 1
            assert booking.events.filter(to_status="confirmed", kind="status").count() == 1


@rounds(short=10, full=100)
def test_tabs_start_to_pay_while_the_payment_of_another_arrives(rounds: int, stripe: Stripe) -> None:
    """They get the one that is there, or are told; never one more to pay."""
    place = open_studio()
    begin = {"expected_minor": 8000, "consent_text": "", "now": NOW}
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            payment = begin_and_pay(booking, stripe, 8000)
            tab = partial(begin_payment, booking_id=booking.pk, **begin)
            arrives = partial(sync_payment, payment_id=payment.pk, now=NOW)
            seen = names(race([tab, arrives, tab, settling(payment), tab]))
            assert set(seen[::2]) <= {"AlreadyPaid", "NothingToPay"}
            assert Payment.objects.filter(subject_ref=subject_ref(booking)).count() == 1
            settle_payment(payment_id=payment.pk, now=NOW)


@rounds(short=10, full=100)
def test_cash_at_the_desk_and_an_online_payment_keep_the_price_once(rounds: int) -> None:
    place = open_studio()
    table = {("confirmed", 8000, "Payment"), ("confirmed", 8000, "AmountTooLarge")}
    seen = set()
    with no_violations():
        for number, start in enumerate(starts(place, rounds)):
            booking = booked(place, start_minute=start)
            payment = arrived_alone(booking, 8000)
            cash = partial(
                desk_payment.record_payment,
                booking_id=booking.pk,
                method=Method.CASH,
                amount_minor=8000,
                note="",
                request_key=f"cash-{number}",
                actor=DESK,
                now=NOW,
            )
            outcomes = race([settling(payment), cash])
            seen.add((status_of(booking), kept(booking), type(outcomes[1]).__name__))
    assert seen <= table


@rounds(short=10, full=100)
def test_two_at_the_desk_refund_and_no_more_goes_back_than_came_in(rounds: int) -> None:
    place = open_studio()
    table = {frozenset({"Refund", "RefundTooLarge"})}
    seen = set()
    with no_violations():
        for number, start in enumerate(starts(place, rounds)):
            booking = paid_booking(place, start)
            payment = Payment.objects.get(subject_ref=subject_ref(booking))
            give = partial(
                desk_refund.refund,
                booking_id=booking.pk,
                payment_id=payment.pk,
                amount_minor=5000,
                method=Method.STRIPE,
                reason="",
                actor=DESK,
                now=NOW,
            )
            outcomes = race([partial(give, request_key=f"{each}-{number}") for each in "ab"])
            seen.add(frozenset(names(outcomes)))
            assert kept(booking) == 3000
    assert seen == table


@rounds(short=10, full=100)
def test_one_form_sent_twice_at_once_refunds_once(rounds: int) -> None:
    place = open_studio()
    with no_violations():
        for number, start in enumerate(starts(place, rounds)):
            booking = paid_booking(place, start)
            payment = Payment.objects.get(subject_ref=subject_ref(booking))
            give = partial(
                desk_refund.refund,
                booking_id=booking.pk,
                payment_id=payment.pk,
                amount_minor=3000,
                method=Method.STRIPE,
                reason="",
                request_key=f"form-{number}",
                actor=DESK,
                now=NOW,
            )
            outcomes = race([give] * 4)
            assert names(outcomes) == ("Refund",) * 4
            assert len({each.pk for each in outcomes}) == 1
            assert kept(booking) == 5000


# --- cancelling ------------------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_a_customer_cancels_while_the_payment_succeeds(rounds: int) -> None:
    """Cancelled first: all goes back. Paid first: the fee of the moment, if the page still says so; here it is free."""
    place = open_studio()
    table = {("cancelled", 0, "Booking")}
    seen = set()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            payment = arrived_alone(booking, 8000)
            cancel = partial(
                cancel_booking,
                booking_id=booking.pk,
                expected_sequence=booking.ical_sequence,
                expected_fee_minor=0,
                actor=LINK,
                now=NOW,
            )
            outcomes = race([cancel, settling(payment)])
            settle_payment(payment_id=payment.pk, now=NOW)
            seen.add((status_of(booking), kept(booking), type(outcomes[0]).__name__))
    assert seen == table


@rounds(short=10, full=100)
def test_a_late_cancellation_meets_the_payment_and_charges_what_was_shown_or_nothing(rounds: int) -> None:
    place = open_studio()
    # Unpaid, cancelling is free; once it is paid the page is stale and nothing happens.
    table = {("cancelled", 0, "Booking"), ("confirmed", 8000, "StalePage")}
    seen = set()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            soon = booking.starts_at - timedelta(hours=10)
            Booking.objects.filter(pk=booking.pk).update(hold_expires_at=soon + timedelta(minutes=5))
            payment = arrived_alone(booking, 8000, now=soon)
            cancel = partial(
                cancel_booking,
                booking_id=booking.pk,
                expected_sequence=booking.ical_sequence,
                expected_fee_minor=0,
                actor=LINK,
                now=soon,
            )
            outcomes = race([cancel, settling(payment, soon)])
            settle_payment(payment_id=payment.pk, now=soon)
            seen.add((status_of(booking), kept(booking), type(outcomes[0]).__name__))
    assert seen <= table


@rounds(short=10, full=100)
def test_a_cancellation_and_a_no_show_at_once_make_one_fee(rounds: int) -> None:
    place = open_studio(no_show_fee_kind="percent", no_show_fee_value=5000)
    table = {
        ("cancelled", 0, "Booking", "CannotMarkMissed"),
        ("no_show", 8000, "TooLateToCancel", "Booking"),
    }
    seen = set()
    with no_violations(NOW + timedelta(days=400)):
        for start in starts(place, rounds):
            booking = paid_booking(place, start)
            moment = booking.starts_at + timedelta(minutes=20)
            outcomes = race(
                [
                    partial(
                        cancel_booking,
                        booking_id=booking.pk,
                        expected_sequence=booking.ical_sequence,
                        expected_fee_minor=0,
                        actor=DESK,
                        now=moment,
                    ),
                    partial(
                        mark_no_show,
                        booking_id=booking.pk,
                        expected_sequence=booking.ical_sequence,
                        actor=DESK,
                        now=moment,
                    ),
                ]
            )
            seen.add((status_of(booking), kept(booking), *names(outcomes)))
    assert seen <= table


@rounds(short=10, full=100)
def test_a_fee_is_waived_while_it_is_being_settled(rounds: int) -> None:
    """Waived first: nothing is kept. Settled first: the fee was kept, and waiving gives it back."""
    place = open_studio(no_show_fee_kind="percent", no_show_fee_value=5000)
    with no_violations(NOW + timedelta(days=400)):
        for start in starts(place, rounds):
            booking = paid_booking(place, start)
            mark_no_show(
                booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at
            )
            over = booking.ends_at + timedelta(hours=24)
            race(
                [
                    partial(settle_due_fees, now=over),
                    partial(waive_fee, booking_id=booking.pk, amount_minor=None, reason="", actor=DESK, now=over),
                ]
            )
            settle_due_fees(now=over)
            assert kept(booking) == 0
            assert (
                sum(
                    Refund.objects.filter(payment__subject_ref=subject_ref(booking)).values_list(
                        "amount_minor", flat=True
                    )
                )
                == 8000
            )


@rounds(short=10, full=100)
def test_a_no_show_is_undone_while_its_fee_is_being_settled(rounds: int) -> None:
    place = open_studio("card", no_show_fee_kind="all")
    with no_violations(NOW + timedelta(days=400)):
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            settle_card(saved_card_id=card_kept(booking).pk, now=NOW)
            booking.refresh_from_db()
            mark_no_show(
                booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at
            )
            over = booking.ends_at + timedelta(hours=24)
            race(
                [
                    partial(settle_due_fees, now=over),
                    partial(
                        undo_no_show,
                        booking_id=booking.pk,
                        expected_sequence=booking.ical_sequence,
                        actor=DESK,
                        now=over,
                    ),
                ]
            )
            assert status_of(booking) == "confirmed"
            assert balance(subject_ref(booking)).owed_minor == 8000
            # One that was charged meanwhile is called off, or goes back when it succeeds.
            charge = Payment.objects.filter(subject_ref=subject_ref(booking), is_off_session=True).first()
            if charge:
                Payment.objects.filter(pk=charge.pk).update(status="cancelled")


# --- moves that are paid first ---------------------------------------------------------------------------------------

MOVES = {"free_move_count": 0, "over_limit": "fee", "change_fee_minor": 500, "reschedule_until_minutes": 0}


@rounds(short=10, full=100)
def test_a_proposed_move_is_paid_while_it_runs_out_and_somebody_wants_its_time(rounds: int) -> None:
    """Moved and the other refused, or taken and the fee returned. The booking always has exactly one time."""
    place = open_studio(**MOVES)
    table = {("moved", "SlotTaken", 8500), ("stayed", "HeldSlot", 8000)}
    seen = set()
    with no_violations():
        for index in range(rounds):
            days = 7 + index
            booking = paid_booking(place, place.minute(9, days=days))
            target = place.minute(14, days=days)
            propose_move(
                booking_id=booking.pk,
                start_minute=target,
                staff_member_id=None,
                expected_sequence=0,
                expected_fee_minor=500,
                actor=LINK,
                now=NOW,
            )
            payment = arrived_alone(booking, 500, purpose=Purpose.MOVE, now=EXPIRY)
            outcomes = race(
                [
                    settling(payment, EXPIRY),
                    partial(hold, place, start_minute=target, now=EXPIRY),
                    partial(expire_holds, now=EXPIRY),
                ]
            )
            settle_payment(payment_id=payment.pk, now=EXPIRY)
            booking.refresh_from_db()
            place_now = "moved" if int(booking.starts_at.timestamp()) // 60 == target else "stayed"
            seen.add((place_now, type(outcomes[1]).__name__, kept(booking)))
            assert booking.allocations.count() == 1
    assert seen <= table


@rounds(short=10, full=100)
def test_a_request_is_accepted_and_declined_at_once(rounds: int) -> None:
    place = open_studio("venue")
    Service.objects.update(needs_answer=True)
    table = {("confirmed", "Booking", "NothingToAnswer"), ("declined", "NothingToAnswer", "Booking")}
    seen = set()
    with no_violations():
        for start in starts(place, rounds):
            booking = booked(place, start_minute=start)
            answer = partial(request_answer.answer_request, booking_id=booking.pk, reason="", actor=DESK, now=NOW)
            outcomes = race([partial(answer, accept=True), partial(answer, accept=False)])
            seen.add((status_of(booking), *names(outcomes)))
    assert seen <= table
