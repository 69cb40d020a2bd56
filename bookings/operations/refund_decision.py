"""Staff approve, lower or decline a refund that waits for approval, once.

What is kept of a refund becomes a fee with a reason, so that the bill stays right and staff can waive it like any
other.
"""

from datetime import datetime

from bookings.bill_lines import kept_lines
from bookings.enums import MoneyEvent
from bookings.errors import NoSuchPayment
from bookings.lifecycle import Actor, record_money
from bookings.messages import money
from bookings.models import Booking
from bookings.operations._bill import balance_of, lines_of, record_refund, write_lines
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.refs import subject_ref
from bookings.rules.settlement import Settlement, excess_of
from payments import operations as payments
from payments.enums import RefundStatus
from payments.models import Refund
from services.queries import the_business


def waiting_part(booking: Booking, outcome: Settlement, *, actor: Actor) -> int:
    """Return how much of a refund waits for approval, in minor units.

    When a customer cancels, that is all but what was paid beyond the price. A refund that staff cause never waits.
    """
    rest = outcome.refund_minor - excess_of(outcome, total_minor=booking.total_minor)
    if not rest or actor.is_business:
        return 0
    return rest if the_business().refunds_need_approval else 0


@booking_transaction
def decide_refund(
    *,
    booking_id: int,
    refund_id: int,
    expected_minor: int,
    amount_minor: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Refund:
    """Decide on a refund that waits for approval: refund ``amount_minor``, which is all of it, less, or nothing.

    The customer is informed. ``expected_minor`` is the amount that staff saw. What is kept becomes a fee with
    ``reason``. The customer reads the reason; without one nothing is kept. Locks: the booking, the bill, the payment,
    the refund.

    :raises NoSuchPayment: when the refund is not of this booking.
    :raises RefundDecided: when another staff member was faster, or the amount has changed.
    :raises RefundTooLarge, RefundNotPossible: as their sentences say.
    """
    booking = locked_booking(booking_id)
    if not Refund.objects.filter(pk=refund_id, payment__subject_ref=subject_ref(booking)).exists():
        raise NoSuchPayment
    refund = payments.decide_refund(
        refund_id=refund_id,
        expected_minor=expected_minor,
        amount_minor=amount_minor,
        reason=reason,
        actor_id=actor.user_id,
        actor_name=actor.name,
        now=now,
    )
    if amount_minor == expected_minor:
        record_refund(booking, refund, actor=actor, now=now)
        money.announce_refunds(booking, [refund], now=now)
        return refund
    kept = _keep(booking, expected_minor - amount_minor, refund.decision, now)
    _record_less(booking, refund, asked_minor=expected_minor, kept_minor=kept, actor=actor, now=now)
    money.announce_refund_lowered(booking, refund_id=refund.pk, now=now)
    return refund


def _keep(booking: Booking, amount_minor: int, reason: str, now: datetime) -> int:
    """Turn what is not refunded into a fee and return the amount; the fee never leaves the customer with a debt."""
    kept = min(amount_minor, balance_of(booking).excess_minor)
    write_lines(booking, kept_lines(booking, lines_of(booking), kept, reason), now=now)
    booking.cancellation_fee_minor = (booking.cancellation_fee_minor or 0) + kept
    booking.save(update_fields=["cancellation_fee_minor", "updated_at"])
    return kept


def _record_less(
    booking: Booking, refund: Refund, *, asked_minor: int, kept_minor: int, actor: Actor, now: datetime
) -> None:
    record_money(
        booking,
        MoneyEvent.REFUND_DECLINED if refund.status == RefundStatus.DECLINED else MoneyEvent.REFUND_LOWERED,
        amount_minor=refund.amount_minor,
        payment_id=refund.payment_id,
        refund_id=refund.pk,
        actor=actor,
        now=now,
        reason=refund.decision,
        more={"asked_minor": asked_minor, "kept_minor": kept_minor},
    )
