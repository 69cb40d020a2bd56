"""No-shows: staff mark a visit as missed, and may waive the fee before any money moves.

The bill owes the fee at once; refund and charge wait until the time for waiving is over.
"""

from datetime import datetime, timedelta

from accounts.contact.mailboxes import normalised_email
from bookings.bill_lines import no_show_lines, undone_no_show_lines
from bookings.booked import fee_facts
from bookings.enums import BookingStatus, EventKind, MoneyEvent
from bookings.errors import CannotMarkMissed, CannotUndoMissed
from bookings.lifecycle import SYSTEM, Actor, record_money, transition
from bookings.messages import money
from bookings.models import Booking
from bookings.operations._bill import give_back, lines_of, sum_of, write_lines
from bookings.operations._lock import locked_booking, require_sequence
from bookings.operations._transaction import booking_transaction
from bookings.operations.fees import move_money, settled
from bookings.queries import bookings
from bookings.refs import subject_ref
from bookings.rules.no_shows import no_show_fee, no_show_refusal, undo_no_show_refusal, waiver_until
from bookings.rules.terms import Terms
from payments.enums import PaymentStatus, Purpose, RefundReason
from payments.models import BillLine, Payment
from payments.operations import call_off_payments
from payments.operations.refunding import left_of


@booking_transaction
def mark_no_show(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime, reason: str = "") -> Booking:
    """Mark a visit as missed. The bill then owes the fee of the terms; money moves after the time for waiving it.

    The customer is informed of the reason and of how to object. A repeated call returns the same booking. Locks: the
    booking, then the bill.

    :raises CannotMarkMissed: too early, too late, or not a confirmed booking (``data["why"]``).
    :raises StalePage: when the booking was moved and ``expected_sequence`` is no longer its number.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.NO_SHOW:
        return booking
    facts = fee_facts(booking)
    refusal = no_show_refusal(facts, now)
    if refusal:
        raise CannotMarkMissed(why=str(refusal))
    require_sequence(booking, expected_sequence)
    fee = no_show_fee(facts, is_first=_is_first(booking, facts.terms))
    call_off_payments(subject_ref=subject_ref(booking), now=now)
    write_lines(booking, no_show_lines(booking, lines_of(booking), fee), now=now)
    outcome = settled(booking)
    has_money = bool(outcome.refund_minor or outcome.charge_minor)
    transition(
        booking,
        BookingStatus.NO_SHOW,
        actor=actor,
        now=now,
        reason=reason,
        details={"fee_minor": fee},
        values={"missed_at": now, "fee_settles_at": waiver_until(facts.terms, now) if has_money else None},
    )
    money.announce_missed(booking, now=now)
    return booking


@booking_transaction
def undo_no_show(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime, reason: str = "") -> Booking:
    """Undo a no-show: the bill owes the price again, and a fee that was paid is refunded.

    A repeated call returns the same booking. Locks: the booking, then the bill.

    :raises CannotUndoMissed: when it is too late, or the visit was never marked (``data["why"]``).
    :raises StalePage: when ``expected_sequence`` is no longer the booking's number.
    """
    booking = locked_booking(booking_id)
    undone = booking.events.filter(kind=EventKind.STATUS, from_status=BookingStatus.NO_SHOW)
    if booking.status == BookingStatus.CONFIRMED and undone.exists():
        return booking
    refusal = undo_no_show_refusal(status=booking.status, starts_at=booking.starts_at, now=now)
    if refusal:
        raise CannotUndoMissed(why=str(refusal))
    require_sequence(booking, expected_sequence)
    fee, waived = sum_of(booking, BillLine.Kind.NO_SHOW_FEE), -sum_of(booking, BillLine.Kind.WAIVER)
    lines = undone_no_show_lines(booking, lines_of(booking), fee_minor=fee, waived_minor=waived)
    write_lines(booking, lines, now=now)
    call_off_payments(subject_ref=subject_ref(booking), now=now)
    transition(
        booking,
        BookingStatus.CONFIRMED,
        actor=actor,
        now=now,
        reason=reason,
        details={"fee_minor": -fee},
        values={"missed_at": None, "fee_settles_at": None},
    )
    left = fee - waived
    record_money(booking, MoneyEvent.NO_SHOW_UNDONE, amount_minor=left, actor=actor, now=now, reason=reason)
    money.take_back_missed(booking)
    refunds = give_back(booking, _paid_fees(booking), reason=RefundReason.STAFF, actor=actor, note=reason, now=now)
    money.announce_refunds(booking, refunds, now=now)
    return booking


def settle_due_fees(*, now: datetime, limit: int = 100) -> int:
    """Settle up to ``limit`` missed visits whose time for waiving is over; return how many.

    Each runs in its own transaction, so that a failure does not stop the others.
    """
    due = Booking.objects.filter(fee_settles_at__lte=now).order_by("fee_settles_at").values_list("pk", flat=True)
    return sum(_settle_fee(booking_id=pk, now=now) for pk in due[:limit])


@booking_transaction
def _settle_fee(*, booking_id: int, now: datetime) -> bool:
    """Settle one fee. Returns False when another worker was faster. Locks: the booking, then the bill."""
    booking = locked_booking(booking_id)
    if booking.fee_settles_at is None or booking.fee_settles_at > now or booking.status != BookingStatus.NO_SHOW:
        return False
    outcome = settled(booking, may_charge=Terms.from_json(booking.terms).charges_fees_automatically)
    booking.fee_settles_at = None
    booking.save(update_fields=["fee_settles_at", "updated_at"])
    refunds = move_money(booking, outcome, reason=RefundReason.POLICY, actor=SYSTEM, now=now)
    money.announce_refunds(booking, refunds, now=now)
    return True


def _is_first(booking: Booking, terms: Terms) -> bool:
    """Return whether the same address missed no other visit within ``first_no_show_free_days`` before this one."""
    if terms.first_no_show_free_days is None or not booking.contact_email:
        return False
    since = booking.starts_at - timedelta(days=terms.first_no_show_free_days)
    missed = bookings.missed_visits(normalised_email(booking.contact_email)).exclude(pk=booking.pk)
    return not missed.filter(starts_at__gt=since, starts_at__lte=booking.starts_at).exists()


def _paid_fees(booking: Booking) -> int:
    """Return what was paid as a fee and not refunded yet, in minor units."""
    paid = Payment.objects.filter(subject_ref=subject_ref(booking), purpose=Purpose.FEE, status=PaymentStatus.SUCCEEDED)
    return sum(left_of(payment) for payment in paid)
