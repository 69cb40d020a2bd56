"""Whether the length of a booked visit may be changed, and what its phases are then. Pure."""

from datetime import datetime
from enum import StrEnum

from bookings.availability.claims import WORK, Phase
from bookings.enums import CHANGEABLE, MARKED, BookingStatus

STEP_MINUTES = 5
LONGEST_MINUTES = 1440


class LengthRefusal(StrEnum):
    """Why the length of a visit cannot be changed."""

    CANCELLED = "cancelled"
    NOT_BOOKED = "not_booked"
    STARTED = "started"
    OVER = "over"


def length_refusal(*, status: str, ends_at: datetime, now: datetime) -> LengthRefusal | None:
    """Return why staff cannot change the length of a visit, or None if they can."""
    if status == BookingStatus.CANCELLED:
        return LengthRefusal.CANCELLED
    if status in MARKED:
        return LengthRefusal.STARTED
    if status not in CHANGEABLE:
        return LengthRefusal.NOT_BOOKED
    return LengthRefusal.OVER if now >= ends_at else None


def may_change_variant(status: str) -> bool:
    """Return whether another price may be agreed: not while a payment or an answer is awaited for this one."""
    return status == BookingStatus.CONFIRMED


def shortest_minutes(phases: tuple[Phase, ...]) -> int:
    """Return the shortest length of a visit with these phases: only the last work gets shorter."""
    last = _last_work(phases)
    return sum(phase.minutes for number, phase in enumerate(phases) if number != last) + STEP_MINUTES


def resized(phases: tuple[Phase, ...], minutes: int) -> tuple[Phase, ...]:
    """Return the phases of a visit of ``minutes`` in all: the last work gets longer or shorter.

    :raises ValueError: when that is less than ``shortest_minutes`` or more than ``LONGEST_MINUTES``.
    """
    if not shortest_minutes(phases) <= minutes <= LONGEST_MINUTES:
        raise ValueError(f"A visit of {minutes} minutes is too short or too long.")
    last = _last_work(phases)
    by = minutes - sum(phase.minutes for phase in phases)
    return tuple(
        Phase(phase.kind, phase.minutes + by) if number == last else phase for number, phase in enumerate(phases)
    )


def _last_work(phases: tuple[Phase, ...]) -> int:
    return max(number for number, phase in enumerate(phases) if phase.kind == WORK)
