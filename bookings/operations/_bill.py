"""What operations do with the bill of a booking, under the booking's lock: lines, refunds, history of money."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bookings.bill_lines import reduction_lines, rounding_lines, waiver_lines
from bookings.enums import FEE_OWING, STANDING, MoneyEvent
from bookings.lifecycle import Actor, record_money
from bookings.models import Booking, BookingLine
from bookings.queries.bookings import unsettled_payments
from bookings.refs import subject_ref
from core.reads import read_rows
from payments import queries as payments
from payments.enums import RefundReason, RefundStatus
from payments.models import BillLine, Refund
from payments.operations import NewLine, add_line, request_refunds
from payments.operations.cards import forget_card_after
from payments.operations.refunding import left_of
from payments.queries import Balance
from services.enums import PaymentMode

# Fees may be charged for 14 days after the visit, and are waived or paid within as many more.
CARD_LIFE = timedelta(days=30)
FEE_KINDS = (BillLine.Kind.CANCELLATION_FEE, BillLine.Kind.NO_SHOW_FEE)
# Only with these a card may have been kept.
_MAY_KEEP_CARD = frozenset({PaymentMode.CARD, PaymentMode.DEPOSIT, PaymentMode.FULL})


def bill_id_of(booking: Booking) -> int:
    if booking.bill_id is None:
        raise ValueError(f"Booking {booking.pk} has no bill.")
    return booking.bill_id


def lines_of(booking: Booking) -> list[BookingLine]:
    return read_rows(BookingLine, "WHERE booking_id = %s ORDER BY position", [booking.pk])


def write_lines(booking: Booking, lines: Iterable[NewLine], *, now: datetime) -> None:
    """Add lines to the bill of a booking, which must have one."""
    for line in lines:
        add_line(bill_id=bill_id_of(booking), line=line, subject_ref=subject_ref(booking), now=now)


def balance_of(booking: Booking) -> Balance:
    """Return what a booking owes and what moved for it; nothing of either without a bill."""
    return payments.balance(subject_ref(booking))


def sum_of(booking: Booking, *kinds: BillLine.Kind) -> int:
    """Return the sum of the lines of these kinds, in minor units."""
    lines = BillLine.objects.filter(subject_ref=subject_ref(booking), kind__in=kinds)
    return sum(lines.values_list("gross_minor", flat=True))


def move_fees(booking: Booking) -> int:
    """Return what moving the booking has cost so far."""
    return sum_of(booking, BillLine.Kind.CHANGE_FEE) if booking.customer_move_count else 0


def settled_excess(booking: Booking) -> int:
    """Return what was paid beyond what is owed, without payments that nobody has settled yet: whoever does so decides
    about those.
    """
    # Read before those payments: one that comes in between is left to whoever settles it.
    excess = balance_of(booking).excess_minor
    return max(0, excess - sum(left_of(payment) for payment in unsettled_payments(booking)))


def keep_card_after(booking: Booking) -> None:
    """Keep the card of a booking, if there is one, as long after the visit as a fee may come."""
    if booking.payment_mode in _MAY_KEEP_CARD:
        forget_card_after(subject_ref=subject_ref(booking), at=booking.ends_at + CARD_LIFE)


def give_back(
    booking: Booking,
    amount_minor: int,
    *,
    reason: RefundReason,
    actor: Actor,
    note: str = "",
    answer_by: datetime | None = None,
    now: datetime,
) -> list[Refund]:
    """Ask for refunds of so much of what was paid for a booking, and write them into its history.

    Where the provider cannot write the sum a little more goes back: of a fee the customer is let off that.
    With ``answer_by`` they wait until somebody approves them, which the customer is promised by then.
    """
    if amount_minor <= 0:
        return []
    refunds = request_refunds(
        bill_id=bill_id_of(booking),
        subject_ref=subject_ref(booking),
        amount_minor=amount_minor,
        reason=reason,
        note=note,
        actor_id=actor.user_id,
        actor_name=actor.name,
        answer_by=answer_by,
        now=now,
    )
    for refund in refunds:
        record_refund(booking, refund, actor=actor, now=now)
    if booking.status in FEE_OWING:
        let_off(booking, sum(refund.amount_minor for refund in refunds) - amount_minor, now=now)
    return refunds


def let_off(booking: Booking, amount_minor: int, *, now: datetime) -> None:
    """Take off a fee what goes back of it because a refund can only be rounded."""
    if amount_minor > 0:
        write_lines(booking, rounding_lines(booking, lines_of(booking), amount_minor), now=now)


def fee_left(booking: Booking) -> int:
    """Return the fee for cancelling or not coming that was not waived."""
    return sum_of(booking, *FEE_KINDS, BillLine.Kind.WAIVER)


def owe_less(booking: Booking, amount_minor: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Lower what a booking owes by so much, at most to nothing: its price, or the fee where that is what it owes.

    Fees for moves stay: they were agreed to and paid before. What has no price yet stays as it is.
    """
    lines = lines_of(booking)
    if booking.status in FEE_OWING:
        event, amount = MoneyEvent.WAIVED, min(amount_minor, fee_left(booking))
        written = waiver_lines(booking, lines, amount)
    elif booking.status in STANDING:
        event, amount = MoneyEvent.REDUCED, min(amount_minor, booking.total_minor)
        written = reduction_lines(booking, lines, amount)
        booking.total_minor -= amount
        booking.tax_minor += sum(line.tax_minor for line in written)
        booking.save(update_fields=["total_minor", "tax_minor", "updated_at"])
    else:
        return
    if amount:
        write_lines(booking, written, now=now)
        record_money(booking, event, amount_minor=amount, actor=actor, now=now, reason=reason)


def record_refund(booking: Booking, refund: Refund, *, actor: Actor, now: datetime) -> None:
    is_waiting = refund.status == RefundStatus.AWAITING_APPROVAL
    record_money(
        booking,
        MoneyEvent.REFUND_WAITS if is_waiting else MoneyEvent.REFUND,
        amount_minor=refund.amount_minor,
        payment_id=refund.payment_id,
        refund_id=refund.pk,
        actor=actor,
        now=now,
        reason=refund.note,
        more={"reason": str(refund.reason), "method": str(refund.method)},
    )
