"""Accepting or declining a booking request."""

from datetime import datetime

from bookings.booked import demand_of
from bookings.enums import BookingStatus, EventKind
from bookings.errors import (
    NothingToAnswer,
)
from bookings.lifecycle import Actor, transition
from bookings.messages import money
from bookings.models import Booking
from bookings.operations._agreement import agree, ask_for_payment, link_until
from bookings.operations._allocations import release
from bookings.operations._bill import lines_of
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.operations.desk_payment import LINK_AT_LEAST
from bookings.queries.bookings import lead_minutes_of


@booking_transaction
def answer_request(*, booking_id: int, accept: bool, reason: str, actor: Actor, now: datetime) -> Booking:
    """Accept or decline a request.

    An accepted request is confirmed, or waits for the payment of the terms, for which the customer gets a link and a
    day. The same answer twice returns the same booking. Locks: the booking.

    :raises NothingToAnswer: when it is no longer a request, or was not answered in time.
    """
    booking = locked_booking(booking_id)
    if _was_answered(booking, accept):
        return booking
    if booking.status != BookingStatus.REQUESTED:
        raise NothingToAnswer
    if booking.hold_expires_at is None or booking.hold_expires_at <= now:
        raise NothingToAnswer
    if accept:
        _accept(booking, reason, actor, now)
    else:
        transition(
            booking,
            BookingStatus.DECLINED,
            actor=actor,
            now=now,
            reason=reason,
            values={"hold_expires_at": None},
        )
        release(booking)
        money.announce_declined(booking, now=now)
    return booking


def _accept(booking: Booking, reason: str, actor: Actor, now: datetime) -> None:
    lines = lines_of(booking)
    if not demand_of(booking, lines).needs_stripe:
        agree(booking, lines, actor=actor, now=now, reason=reason)
        return
    until = link_until(booking, lead_minutes=lead_minutes_of(booking), at_least=LINK_AT_LEAST, now=now)
    ask_for_payment(booking, lines, until=until, remind_at=now, actor=actor, now=now)


def _was_answered(booking: Booking, accept: bool) -> bool:
    """Return whether this same answer was given before and still holds."""
    if not accept:
        return booking.status == BookingStatus.DECLINED
    is_accepted = booking.status in {BookingStatus.CONFIRMED, BookingStatus.PENDING_PAYMENT}
    answers = booking.events.filter(kind=EventKind.STATUS, from_status=BookingStatus.REQUESTED)
    return is_accepted and answers.exists()
