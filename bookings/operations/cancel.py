"""Calling a booking off: the time is free at once, and the bill says what is still owed."""

from collections.abc import Callable
from datetime import datetime

from bookings import messages
from bookings.enums import ActorKind, BookingStatus
from bookings.errors import AlreadyCancelled, NotBooked, StalePage, TooLateToCancel
from bookings.lifecycle import Actor, transition
from bookings.models import Booking
from bookings.operations.claiming import locked_booking, release
from bookings.operations.transactions import booking_transaction
from bookings.policies import CancelRefusal, Terms, cancel_refusal, cancellation_fee
from bookings.records import cancellation_lines
from core.errors import DomainError
from payments.operations import add_line

_REFUSALS: dict[CancelRefusal, Callable[[], DomainError]] = {
    CancelRefusal.ALREADY_CANCELLED: AlreadyCancelled,
    CancelRefusal.NOT_BOOKED: NotBooked,
    CancelRefusal.ALREADY_STARTED: TooLateToCancel,
}


@booking_transaction
def cancel_booking(
    *, booking_id: int, expected_fee_minor: int, actor: Actor, now: datetime, reason: str = ""
) -> Booking:
    """Cancel a booking. A customer pays what the copied terms say at ``now``; when the business cancels, nothing is
    owed.

    Gives the time back, brings the bill to exactly the fee, takes back reminders not sent yet, and tells both sides.

    Locks: the booking, then the bill.

    :raises StalePage: when ``expected_fee_minor``, which the person saw, is not the fee now (in
        ``data["fee_minor"]``).
    :raises AlreadyCancelled: when it is cancelled already, which a double click may take for success.
    :raises TooLateToCancel, NotBooked: as their sentences say.
    """
    booking = locked_booking(booking_id)
    by_staff = actor.kind != ActorKind.CUSTOMER
    refusal = cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=now, by_staff=by_staff)
    if refusal:
        raise _REFUSALS[refusal]()
    fee = 0 if by_staff else _fee(booking, now)
    if fee != expected_fee_minor:
        raise StalePage(fee_minor=fee, sequence=booking.ical_sequence, starts_at=booking.starts_at)
    transition(
        booking,
        BookingStatus.CANCELLED,
        actor=actor,
        now=now,
        reason=reason,
        details={"fee_minor": fee},
        values={
            "cancelled_by": actor.kind,
            "cancelled_at": now,
            "cancellation_fee_minor": fee,
            "hold_expires_at": None,
            "ical_sequence": booking.ical_sequence + 1,
        },
    )
    release(booking)
    if booking.bill_id:
        for line in cancellation_lines(booking, list(booking.lines.all()), fee):
            add_line(bill_id=booking.bill_id, line=line, subject_ref=messages.subject_ref(booking), now=now)
    messages.announce_cancelled(booking, now=now)
    return booking


def _fee(booking: Booking, now: datetime) -> int:
    """Return what a customer owes; what was not agreed yet may be called off for nothing."""
    if booking.status != BookingStatus.CONFIRMED:
        return 0
    return cancellation_fee(
        Terms.from_json(booking.terms),
        starts_at=booking.starts_at,
        confirmed_at=booking.confirmed_at,
        now=now,
        total_minor=booking.total_minor,
        anchor_minor=booking.fee_anchor_minor,
    )
