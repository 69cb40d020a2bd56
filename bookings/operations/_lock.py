"""Locking a booking and the owners of daily limits.

Lock order everywhere: booking rows, owners of limits, resources by id, bill.
"""

from datetime import datetime

from bookings.enums import BookingStatus
from bookings.errors import HoldExpired, HoldOver, StalePage
from bookings.models import Booking
from bookings.refs import booking_id_of
from core.reads import read_rows
from services.models import Business, Service


def locked_booking(booking_id: int) -> Booking:
    """Read a booking and lock its row. This is the first lock of every operation on a booking.

    :raises Booking.DoesNotExist: when there is none.
    """
    rows = read_rows(Booking, "WHERE id = %s FOR NO KEY UPDATE", [booking_id])
    if not rows:
        raise Booking.DoesNotExist
    return rows[0]


def require_sequence(booking: Booking, expected: int) -> None:
    """Check that the booking has not been moved since the page was shown; every move raises ``ical_sequence``.

    :raises StalePage: when it was moved.
    """
    if booking.ical_sequence != expected:
        raise StalePage(sequence=booking.ical_sequence, starts_at=booking.starts_at)


def locked_subject(subject_ref: str) -> Booking | None:
    """Lock the booking that a reference from payments names (``booking:17``).

    Returns None when there is no such booking.
    """
    booking_id = booking_id_of(subject_ref)
    if booking_id is None:
        return None
    try:
        return locked_booking(booking_id)
    except Booking.DoesNotExist:
        return None


def require_live_hold(booking: Booking, now: datetime) -> None:
    """Check that a booking is a hold that has not run out.

    :raises HoldExpired: when it has run out, even if its time is still free: limits no longer count it.
    :raises HoldOver: when it has become a booking.
    """
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        raise HoldOver
    if booking.status == BookingStatus.EXPIRED or booking.hold_expires_at is None or booking.hold_expires_at <= now:
        raise HoldExpired


def lock_limits(*, service_id: int | None, has_business_limit: bool) -> None:
    """Lock the owners of daily limits, so that no other transaction counts against them at the same time.

    The daily limit of a staff member is guarded by the lock on the staff member's resource.
    """
    if has_business_limit:
        list(Business.objects.select_for_update(no_key=True).values_list("pk"))
    if service_id is not None:
        list(Service.objects.select_for_update(no_key=True).filter(pk=service_id).values_list("pk"))
