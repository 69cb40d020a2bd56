"""Several staff members decide about a waiting refund at the same time: one decision counts, Stripe gets one request.

Real transactions, with the stand-in for Stripe.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bookings.doctor.visits import CHECKS
from bookings.models import Booking
from bookings.operations import desk_refund
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import waive_fee
from bookings.operations.refund_decision import decide_refund
from bookings.refs import subject_ref
from core.outbox import drain
from devservers.stripe import Stripe
from payments.doctor import CHECKS as PAYMENT_CHECKS
from payments.enums import AlertKind, Method, RefundStatus
from payments.models import MoneyAlert, Refund
from payments.operations import list_waiting_refunds
from payments.operations.refunding import carry_out, sync_refunds
from payments.queries import balance
from services.models import Business
from tests import money
from tests.concurrency.racing import deadlock_count, race, rounds
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, begin_and_pay, booked, paid_studio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SOON = NOW + timedelta(hours=30)
Act = Callable[[], Any]


@pytest.fixture
def place(stripe: Stripe) -> Studio:
    place = paid_studio("full")
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()
    Business.objects.update(refunds_need_approval=True)
    return place


def starts(place: Studio, count: int) -> list[int]:
    return [place.minute(9 + index % 8, days=7 + index // 8) for index in range(count)]


def waiting(place: Studio, start: int, stripe: Stripe) -> tuple[Booking, Refund]:
    """Paid with 80.00 at Stripe, and cancelled by the customer."""
    booking = booked(place, start_minute=start)
    payment = begin_and_pay(booking, stripe, 8000)
    money.gateway_news(payment)
    money.deliver()
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    return booking, Refund.objects.select_related("payment").get(payment=payment)


def deciding(booking: Booking, refund: Refund, amount_minor: int) -> Act:
    return partial(
        decide_refund,
        booking_id=booking.pk,
        refund_id=refund.pk,
        expected_minor=8000,
        amount_minor=amount_minor,
        reason="" if amount_minor == 8000 else "Cleaning",
        actor=DESK,
        now=SOON,
    )


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in outcomes)


def violations() -> list[str]:
    at = SOON + timedelta(minutes=1)
    return [line for check in (*CHECKS, *PAYMENT_CHECKS) for line in check.run(at)]


@rounds(short=8, full=80)
def test_of_several_decisions_at_once_one_counts_and_stripe_is_asked_once(
    place: Studio, stripe: Stripe, rounds: int
) -> None:
    deadlocks = deadlock_count()
    seen = set()
    for start in starts(place, rounds):
        booking, refund = waiting(place, start, stripe)

        outcomes = race([deciding(booking, refund, amount) for amount in (8000, 0, 5000, 8000)])
        race([partial(drain, now=SOON)] * 2)
        money.deliver(now=SOON)

        refund.refresh_from_db()
        back = refund.amount_minor if refund.status == RefundStatus.SUCCEEDED else 0
        seen.add(back)
        assert names(outcomes) == ["Refund", "RefundDecided", "RefundDecided", "RefundDecided"]
        assert money.refunds_at_stripe(refund.payment) == ([back] if back else [])
        sums = balance(subject_ref(booking))
        assert (sums.returned_minor, sums.owed_minor, sums.open_minor, sums.excess_minor) == (back, 8000 - back, 0, 0)
        told = booking.events.filter(details__refund_id=refund.pk, actor_name="Sam").count()
        assert told == 1
    assert seen <= {8000, 0, 5000}
    assert violations() == []
    assert deadlock_count() == deadlocks


@rounds(short=8, full=80)
def test_approved_while_it_is_listed_sent_waived_refunded_and_read_at_stripe(
    place: Studio, stripe: Stripe, rounds: int
) -> None:
    """Whatever else happens to the booking, nothing goes back twice and no alert stays behind."""
    deadlocks = deadlock_count()
    for number, start in enumerate(starts(place, rounds)):
        booking, refund = waiting(place, start, stripe)
        others: list[Act] = [
            partial(list_waiting_refunds, now=SOON),
            partial(carry_out, refund_id=refund.pk, attempts=1, now=SOON),
            partial(waive_fee, booking_id=booking.pk, amount_minor=None, reason="Ill", actor=DESK, now=SOON),
            partial(sync_refunds, payment_id=refund.payment_id, now=SOON),
            partial(
                desk_refund.refund,
                booking_id=booking.pk,
                payment_id=refund.payment_id,
                amount_minor=5000,
                method=Method.STRIPE,
                reason="Kind",
                request_key=f"form-{number}",
                actor=DESK,
                now=SOON,
            ),
        ]

        race([deciding(booking, refund, (8000, 3000)[number % 2]), *others])
        money.deliver(now=SOON)
        sync_refunds(payment_id=refund.payment_id, now=SOON)

        assert sum(money.refunds_at_stripe(refund.payment)) == balance(subject_ref(booking)).returned_minor <= 8000
        assert not MoneyAlert.objects.filter(kind=AlertKind.REFUND_WAITS, resolved_at=None).exists()
        refund.refresh_from_db()
        assert refund.status == RefundStatus.SUCCEEDED
    assert violations() == []
    assert deadlock_count() == deadlocks


@rounds(short=8, full=80)
def test_a_cancellation_clicked_twice_asks_for_one_approval(place: Studio, stripe: Stripe, rounds: int) -> None:
    for start in starts(place, rounds):
        booking = booked(place, start_minute=start)
        payment = begin_and_pay(booking, stripe, 8000)
        money.gateway_news(payment)
        money.deliver()
        cancel = partial(
            cancel_booking,
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            expected_fee_minor=0,
            actor=LINK,
            now=NOW,
        )

        outcomes = race([cancel] * 3)

        assert names(outcomes) == ["AlreadyCancelled", "AlreadyCancelled", "Booking"]
        assert list(payment.refunds.values_list("status", "amount_minor")) == [("awaiting_approval", 8000)]
