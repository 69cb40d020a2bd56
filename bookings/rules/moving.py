"""Whether a booking may be moved, until when, what the move costs, and until when staff may undo it. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from bookings.enums import CHANGEABLE, MARKED, BookingStatus
from bookings.rules.fees import FeeFacts, cancellation_fee, free_by_time_until, is_fee_free
from bookings.rules.terms import Terms
from services.enums import OverLimit

# Staff may undo a move for this long. Messages about the move wait until then, so nobody hears of a slip.
UNDO_TIME = timedelta(minutes=1)


class RescheduleRefusal(StrEnum):
    """Why a booking cannot be moved."""

    CANCELLED = "cancelled"
    NOT_BOOKED = "not_booked"
    ALREADY_STARTED = "already_started"
    TOO_LATE = "too_late"
    MOVE_LIMIT_REACHED = "move_limit_reached"


class UndoRefusal(StrEnum):
    """Why staff cannot undo a move."""

    CHANGED = "changed"
    TOO_LATE = "too_late"


def reschedule_until(facts: FeeFacts) -> datetime | None:
    """Return the last instant (included) at which a customer may move the booking; None if moving is never possible."""
    if facts.terms.reschedule_until_minutes is not None:
        return facts.starts_at - timedelta(minutes=facts.terms.reschedule_until_minutes)
    return free_by_time_until(facts)


def reschedule_refusal(facts: FeeFacts, *, move_count: int, now: datetime, by_staff: bool) -> RescheduleRefusal | None:
    """Return why this booking cannot be moved, or None if it can.

    Cut-off and limit bind customers, not staff, and only once the booking is confirmed. ``move_count`` counts the
    customer's own confirmed moves.
    """
    if facts.status == BookingStatus.CANCELLED:
        return RescheduleRefusal.CANCELLED
    if facts.status in MARKED:
        return RescheduleRefusal.ALREADY_STARTED
    if facts.status not in CHANGEABLE:
        return RescheduleRefusal.NOT_BOOKED
    if by_staff:
        return None
    if now >= facts.starts_at:
        return RescheduleRefusal.ALREADY_STARTED
    if is_fee_free(facts.status):
        return None
    until = reschedule_until(facts)
    if until is None or now > until:
        return RescheduleRefusal.TOO_LATE
    if _is_over_limit(facts.terms, move_count) and facts.terms.over_limit == OverLimit.BLOCKED:
        return RescheduleRefusal.MOVE_LIMIT_REACHED
    return None


def move_fee(facts: FeeFacts, *, move_count: int, by_staff: bool) -> int:
    """Return what the customer's next move costs after ``move_count`` own moves.

    It costs nothing before the booking is confirmed.
    """
    terms = facts.terms
    if by_staff or is_fee_free(facts.status) or not _is_over_limit(terms, move_count):
        return 0
    return terms.change_fee_minor if terms.over_limit == OverLimit.FEE else 0


def anchor_after_move(facts: FeeFacts, now: datetime) -> int:
    """Return the least that cancelling costs after a customer's move at ``now``; ``facts`` are those before it.

    A late move must not be a way around the fee that cancelling would have cost then.
    """
    return cancellation_fee(facts, now)


def undo_until(moved_at: datetime) -> datetime:
    """Return the instant (excluded) until which staff may undo a move, and at which its messages are due."""
    return moved_at + UNDO_TIME


def undo_refusal(*, status: str, is_last_change: bool, moved_at: datetime, now: datetime) -> UndoRefusal | None:
    """Return why staff cannot undo a move, or None if they can.

    ``is_last_change``: neither the time nor the staff member has changed since.
    """
    if not is_last_change or status not in CHANGEABLE:
        return UndoRefusal.CHANGED
    return UndoRefusal.TOO_LATE if now >= undo_until(moved_at) else None


def _is_over_limit(terms: Terms, move_count: int) -> bool:
    return terms.free_move_count is not None and move_count >= terms.free_move_count
