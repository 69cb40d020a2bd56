"""The customer confirms, when a reminder asks, that they are coming."""

from datetime import datetime

from bookings.enums import BookingStatus, EventKind
from bookings.errors import StalePage, WrongStatus
from bookings.lifecycle import Actor, record
from bookings.models import Booking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.queries.bookings import has_said_coming


@booking_transaction
def say_coming(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Record that the customer is coming to the visit as the page showed it. Repeating it changes nothing.

    Locks: the booking.

    :raises WrongStatus: when the visit is not ahead: cancelled, begun, or never confirmed.
    :raises StalePage: when the booking has changed since the page was shown.
    """
    booking = locked_booking(booking_id)
    if booking.status != BookingStatus.CONFIRMED or booking.starts_at <= now:
        raise WrongStatus(from_status=booking.status, to_status=BookingStatus.CONFIRMED)
    if booking.ical_sequence != expected_sequence:
        raise StalePage
    if not has_said_coming(booking):
        details = {"starts_at": booking.starts_at.isoformat()}
        record(booking, EventKind.COMING, actor=actor, now=now, details=details)
    return booking
