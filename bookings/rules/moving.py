"""Whether a customer may move a booking, until when, and what the move costs. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from bookings.enums import CHANGEABLE, MARKED, BookingStatus
from bookings.rules.fees import cancellation_fee, free_until, is_fee_free
from bookings.rules.terms import Terms
from services.enums import OverLimit


class RescheduleRefusal(StrEnum):
    """Why a booking cannot be moved."""

    CANCELLED = "cancelled"
    NOT_BOOKED = "not_booked"
    ALREADY_STARTED = "already_started"
    TOO_LATE = "too_late"
    MOVE_LIMIT_REACHED = "move_limit_reached"


def reschedule_until(terms: Terms, starts_at: datetime, *, confirmed_at: datetime | None = None) -> datetime | None:
    """Return the last instant (included) at which a customer may move the booking; None if moving is never possible."""
    if terms.reschedule_until_minutes is not None:
        return starts_at - timedelta(minutes=terms.reschedule_until_minutes)
    return free_until(terms, starts_at, confirmed_at=confirmed_at)


def reschedule_refusal(
    terms: Terms,
    *,
    status: str,
    starts_at: datetime,
    move_count: int,
    now: datetime,
    by_staff: bool,
    confirmed_at: datetime | None = None,
) -> RescheduleRefusal | None:
    """Say why this booking cannot be moved, or None if it can. Cut-off and limit bind customers, not staff, and only
    once the booking is agreed.

    ``move_count`` counts the customer's own confirmed moves.
    """
    if status == BookingStatus.CANCELLED:
        return RescheduleRefusal.CANCELLED
    if status in MARKED:
        return RescheduleRefusal.ALREADY_STARTED
    if status not in CHANGEABLE:
        return RescheduleRefusal.NOT_BOOKED
    if by_staff:
        return None
    if now >= starts_at:
        return RescheduleRefusal.ALREADY_STARTED
    if is_fee_free(status):
        return None
    until = reschedule_until(terms, starts_at, confirmed_at=confirmed_at)
    if until is None or now > until:
        return RescheduleRefusal.TOO_LATE
    if _is_over_limit(terms, move_count) and terms.over_limit == OverLimit.BLOCKED:
        return RescheduleRefusal.MOVE_LIMIT_REACHED
    return None


def move_fee(terms: Terms, *, status: str, move_count: int, by_staff: bool) -> int:
    """Return what the next move costs after ``move_count`` moves of the customer's own; nothing before it is agreed."""
    if by_staff or is_fee_free(status) or not _is_over_limit(terms, move_count) or terms.over_limit != OverLimit.FEE:
        return 0
    return terms.change_fee_minor


def anchor_after_move(
    terms: Terms,
    *,
    starts_at: datetime,
    confirmed_at: datetime | None,
    now: datetime,
    total_minor: int,
    anchor_minor: int,
    deposit_minor: int = 0,
) -> int:
    """Return the least that cancelling costs after a customer's move at ``now`` away from ``starts_at``.

    Moving when already late must not be a way around the fee that cancelling would have cost then.
    """
    return cancellation_fee(
        terms,
        starts_at=starts_at,
        confirmed_at=confirmed_at,
        now=now,
        total_minor=total_minor,
        anchor_minor=anchor_minor,
        deposit_minor=deposit_minor,
    )


def _is_over_limit(terms: Terms, move_count: int) -> bool:
    return terms.free_move_count is not None and move_count >= terms.free_move_count
