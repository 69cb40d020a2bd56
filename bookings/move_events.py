"""Reads and writes what the rows of a booking's history say about moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings.enums import EventKind
from bookings.models import Booking, BookingEvent, BookingLine


@dataclass(frozen=True, slots=True)
class Left:
    """What a booking left when staff moved it, beyond its start and its staff member: for the way back.

    ``resource_ids`` are its rooms and devices with the resource of its staff member; ``time_off_ids`` the absences that
    it lay in; ``sequence`` its number after the move.
    """

    sequence: int
    buffers: tuple[int, int]
    resource_ids: tuple[int, ...]
    time_off_ids: tuple[int, ...]
    staff_link_version: int

    def to_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "buffers": self.buffers,
            "resources": self.resource_ids,
            "time_off": self.time_off_ids,
            "staff_link_version": self.staff_link_version,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Left":
        before, after = value["buffers"]
        return cls(
            sequence=value["sequence"],
            buffers=(before, after),
            resource_ids=tuple(value["resources"]),
            time_off_ids=tuple(value["time_off"]),
            staff_link_version=value["staff_link_version"],
        )


@dataclass(frozen=True, slots=True)
class StaffMove:
    """The last move of a booking, made by staff: where it was before, and when it was moved."""

    starts_at: datetime
    staff_member_id: int | None
    at: datetime
    left: Left


def move_details(
    booking: Booking, line: BookingLine, *, before: tuple[datetime, int | None], fee_minor: int = 0, **more: Any
) -> dict[str, Any]:
    """Return the details of a move. ``booking`` and ``line`` show the new time, ``before`` is the old one."""
    starts_at, staff_member_id = before
    return {
        "from": {"starts_at": starts_at.isoformat(), "staff_member_id": staff_member_id},
        "to": {"starts_at": booking.starts_at.isoformat(), "staff_member_id": line.staff_member_id},
        "fee_minor": fee_minor,
        **more,
    }


def last_staff_move(events: Iterable[BookingEvent]) -> StaffMove | None:
    """Return the last move of a history (the oldest row first) if staff made it and it was not undone."""
    event = _last_move(events)
    if event is None or "left" not in event.details:
        return None
    before = event.details["from"]
    return StaffMove(
        starts_at=datetime.fromisoformat(before["starts_at"]),
        staff_member_id=before["staff_member_id"],
        at=event.at,
        left=Left.from_json(event.details["left"]),
    )


def is_last_move_undone(events: Iterable[BookingEvent]) -> bool:
    """Return whether the last move of a history is one that undid another."""
    event = _last_move(events)
    return event is not None and is_undo(event)


def is_undo(event: BookingEvent) -> bool:
    """Return whether this move undid the one before it."""
    return bool(event.details.get("is_undo"))


def _last_move(events: Iterable[BookingEvent]) -> BookingEvent | None:
    return next((event for event in reversed(list(events)) if event.kind == EventKind.MOVED), None)
