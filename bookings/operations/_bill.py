"""Operations on the bill of a booking: lines, refunds and the history of its money.

All of them run under the booking's lock.
"""

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

# Staff may charge a fee for 14 days after the visit; it is paid or waived within as many more.
CARD_LIFE = timedelta(days=30)
FEE_KINDS = (BillLine.Kind.CANCELLATION_FEE, BillLine.Kind.NO_SHOW_FEE)
# A card is saved only in these modes.
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
    """Return what a booking owes, and what was paid and refunded for it; zeros without a bill."""
    return payments.balance(subject_ref(booking))


def sum_of(booking: Booking, *kinds: BillLine.Kind) -> int:
    """Return the sum of the lines of these kinds, in minor units."""
    lines = BillLine.objects.filter(subject_ref=subject_ref(booking), kind__in=kinds)
    return sum(lines.values_list("gross_minor", flat=True))


def move_fees(booking: Booking) -> int:
    """Return the sum of the fees for moving the booking, in minor units."""
    return sum_of(booking, BillLine.Kind.CHANGE_FEE) if booking.customer_move_count else 0


def settled_excess(booking: Booking) -> int:
    """Return what the customer paid beyond what the booking owes, in minor units.

    Payments that are not settled yet do not count: the worker that settles them decides about their excess.
    """
    # Read before the unsettled payments: the worker that settles a payment arriving in between decides about it.
    excess = balance_of(booking).excess_minor
    return max(0, excess - sum(left_of(payment) for payment in unsettled_payments(booking)))


def keep_card_after(booking: Booking) -> None:
    """Keep the saved card of a booking, if there is one, until no fee can follow the visit."""
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
    """Request refunds of ``amount_minor`` of what was paid for a booking, and record them in its history.

    Stripe cannot refund every amount in every currency, so a refund may be rounded up. If the booking owes a fee, a
    waiver line covers that difference. With ``answer_by`` the refunds wait for approval by staff; the customer is
    promised an answer by then.
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
    """Waive the part of a fee that was refunded only because the refund had to be rounded."""
    if amount_minor > 0:
        write_lines(booking, rounding_lines(booking, lines_of(booking), amount_minor), now=now)


def fee_left(booking: Booking) -> int:
    """Return the fee for cancelling or not coming, less the parts that were waived, in minor units."""
    return sum_of(booking, *FEE_KINDS, BillLine.Kind.WAIVER)


def owe_less(booking: Booking, amount_minor: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Lower what a booking owes by ``amount_minor``, at most to zero: its price, or its fee if it owes one.

    Fees for moves stay: the customer agreed to them and paid them before. A booking that owes neither price nor fee
    stays as it is.
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
