"""Whether a customer may cancel, and if not, why. Pure."""

from datetime import datetime
from enum import StrEnum

from bookings.enums import CHANGEABLE, MARKED, BookingStatus


class CancelRefusal(StrEnum):
    """Why a booking cannot be cancelled."""

    ALREADY_CANCELLED = "already_cancelled"
    NOT_BOOKED = "not_booked"  # never confirmed: held, declined, expired
    ALREADY_STARTED = "already_started"  # the start has come, or the visit is over


def cancel_refusal(*, status: str, starts_at: datetime, now: datetime, by_staff: bool) -> CancelRefusal | None:
    """Return why this booking cannot be cancelled, or None if it can. From the start on only staff may cancel."""
    if status == BookingStatus.CANCELLED:
        return CancelRefusal.ALREADY_CANCELLED
    if status in MARKED:
        return CancelRefusal.ALREADY_STARTED
    if status not in CHANGEABLE:
        return CancelRefusal.NOT_BOOKED
    if not by_staff and now >= starts_at:
        return CancelRefusal.ALREADY_STARTED
    return None
