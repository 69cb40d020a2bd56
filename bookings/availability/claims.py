"""Which time of which resource a visit claims. Pure: no database, no clock.

Minutes inside a spec count from the line's start; minutes of placed lines and claims count from the Unix epoch (UTC).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.intervals import Intervals, normalised

WORK = "work"
PROCESSING = "processing"
# No claim may be longer (constraint ``bookings_allocation_length``), because availability looks back only this far.
MAX_CLAIM_MINUTES = 2880


class Phase(NamedTuple):
    """A part of the customer's time: ``work`` needs the staff member, ``processing`` leaves them free."""

    kind: str
    minutes: int


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What one line needs, as copied onto a BookingLine. ``requirements`` are (resource type id, quantity)."""

    phases: tuple[Phase, ...]
    buffer_before: int
    buffer_after: int
    requirements: tuple[tuple[int, int], ...]
    needs_staff: bool

    @property
    def duration_minutes(self) -> int:
        """The customer's time, without buffers."""
        return sum(phase.minutes for phase in self.phases)

    def staff_spans(self) -> Intervals:
        """When the staff member is needed, in minutes from the start: buffers and work, not processing.

        Empty for a court.
        """
        if not self.needs_staff:
            return []
        spans = [(-self.buffer_before, 0)]
        minute = 0
        for phase in self.phases:
            if phase.kind == WORK:
                spans.append((minute, minute + phase.minutes))
            minute += phase.minutes
        spans.append((minute, minute + self.buffer_after))
        return normalised(spans)

    def resource_spans(self) -> Intervals:
        """When rooms and devices are needed, in minutes from the start: the whole visit, buffers included."""
        return normalised([(-self.buffer_before, self.duration_minutes + self.buffer_after)])


class PlacedLine(NamedTuple):
    """A line at a time, with the staff member, rooms and devices chosen for it."""

    spec: LineSpec
    start_minute: int
    staff_resource_id: int | None
    resource_ids: tuple[int, ...]


class Claim(NamedTuple):
    """Time of one resource, end excluded: one row of Allocation."""

    resource_id: int
    low_minute: int
    high_minute: int


def claims_for(lines: Sequence[PlacedLine]) -> list[Claim]:
    """Return the claims of a whole visit, joined per resource, sorted by resource and time.

    Consecutive lines with the same staff member or room become one claim, so that their inner buffers don't collide.
    """
    taken: dict[int, Intervals] = {}
    for line in lines:
        if line.staff_resource_id is not None:
            taken.setdefault(line.staff_resource_id, []).extend(_moved(line.spec.staff_spans(), line.start_minute))
        for resource_id in line.resource_ids:
            taken.setdefault(resource_id, []).extend(_moved(line.spec.resource_spans(), line.start_minute))
    return [
        Claim(resource_id, low, high) for resource_id in sorted(taken) for low, high in normalised(taken[resource_id])
    ]


def spec_of(
    *,
    work_minutes: int,
    processing_minutes: int = 0,
    finish_minutes: int = 0,
    buffer_before: int = 0,
    buffer_after: int = 0,
    requirements: Sequence[tuple[int, int]] = (),
    needs_staff: bool = True,
    add_on_minutes: int = 0,
    own_work_minutes: int | None = None,
) -> LineSpec:
    """Return what a variant needs.

    Add-ons lengthen the first work phase. ``own_…`` is the staff member's own length of it.
    """
    parts = (
        Phase(WORK, (own_work_minutes or work_minutes) + add_on_minutes),
        Phase(PROCESSING, processing_minutes),
        Phase(WORK, finish_minutes),
    )
    return LineSpec(
        phases=tuple(phase for phase in parts if phase.minutes),
        buffer_before=buffer_before,
        buffer_after=buffer_after,
        requirements=tuple(sorted(requirements)),
        needs_staff=needs_staff,
    )


def spec_from_copies(
    *,
    phases: Sequence[Sequence[Any]],
    buffer_before: int,
    buffer_after: int,
    requirements: Sequence[Mapping[str, int]],
    needs_staff: bool,
) -> LineSpec:
    """Read back a spec from the copies on a BookingLine (the inverse of ``phases_copy`` and ``requirements_copy``)."""
    return LineSpec(
        phases=tuple(Phase(str(kind), int(minutes)) for kind, minutes in phases),
        buffer_before=buffer_before,
        buffer_after=buffer_after,
        requirements=tuple(sorted((need["resource_type_id"], need["quantity"]) for need in requirements)),
        needs_staff=needs_staff,
    )


def phases_copy(spec: LineSpec) -> list[list[str | int]]:
    """Return ``BookingLine.phases`` as JSON."""
    return [[phase.kind, phase.minutes] for phase in spec.phases]


def requirements_copy(spec: LineSpec) -> list[dict[str, int]]:
    """Return ``BookingLine.requirements`` as JSON."""
    return [{"resource_type_id": type_id, "quantity": quantity} for type_id, quantity in spec.requirements]


def _moved(spans: Intervals, by: int) -> Intervals:
    return [(low + by, high + by) for low, high in spans]
