"""Renewing the manage links of a booking, and sending the confirmation again."""

from datetime import datetime

from bookings.enums import BookingStatus, EventKind
from bookings.errors import NotBooked
from bookings.lifecycle import Actor, record
from bookings.messages import visits
from bookings.models import Booking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction


@booking_transaction
def renew_links(*, booking_id: int, actor: Actor, now: datetime, reason: str = "") -> Booking:
    """Revoke every manage link of a booking and the page of its hold, and send customer and staff new links.

    For a mail that went to the wrong person. Locks: the booking.

    :raises NotBooked: when it is held, or was never confirmed.
    """
    booking = _agreed(booking_id)
    booking.link_version += 1
    booking.staff_link_version += 1
    booking.hold_token_hash = None
    booking.save(update_fields=["link_version", "staff_link_version", "hold_token_hash", "updated_at"])
    record(booking, EventKind.LINK, actor=actor, now=now, reason=reason)
    visits.announce_again(booking, to_staff=True, now=now)
    return booking


@booking_transaction
def resend_confirmation(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Send the customer the confirmation again, as the booking stands now. Locks: the booking.

    :raises NotBooked: when there is nothing to confirm: held, cancelled, or over.
    """
    booking = _agreed(booking_id)
    if booking.status != BookingStatus.CONFIRMED or booking.ends_at <= now:
        raise NotBooked
    visits.announce_again(booking, to_staff=False, now=now)
    return booking


def _agreed(booking_id: int) -> Booking:
    booking = locked_booking(booking_id)
    if booking.confirmed_at is None:
        raise NotBooked
    return booking
