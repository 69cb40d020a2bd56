"""Best times first: which free starts leave the least unusable time behind. Pure.

A start lies in a free stretch of a staff member's day and leaves a gap before and a gap after the visit. A gap shorter
than the shortest popular service cannot be sold any more: it costs what that service earns in as many minutes. See
docs/algorithms/best-times.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bookings.availability.engine import free_starts
from bookings.availability.facts import Facts, QualifiedStaff
from core.intervals import Interval, Intervals, difference, intersection, normalised


class Filler(NamedTuple):
    """The shortest popular service of a staff member: its minutes, buffers included, and its price."""

    minutes: int
    price_minor: int


class Fit(NamedTuple):
    """What a visit leaves around it.

    Minutes that can no longer be booked (negative where the visit fills such a gap), what they cost, and how many of
    the visit's two ends touch another visit or the end of the hours.
    """

    lost_minutes: int
    cost_minor: int
    ends_used: int


class Start(NamedTuple):
    """A free start, its staff member (None for a court), and how it fits into that staff member's day."""

    minute: int
    staff_member_id: int | None
    fit: Fit


NO_FIT = Fit(0, 0, 0)
# Without a popular service no gap is too short.
NO_FILLER = Filler(0, 0)


def fitting_starts(
    facts: Facts,
    variant_id: int,
    location_id: int,
    fillers: Mapping[int, Filler],
    *,
    staff_member_id: int | None = None,
) -> list[Start]:
    """Return each free start of the requested days once, ascending, with the staff member whose day it fits best.

    Between equals, the staff member with more free time that day comes first.
    """
    variant = facts.variants.get(variant_id)
    if variant is None:
        return []
    if not variant.spec.needs_staff:
        return [Start(minute, None, NO_FIT) for minute in free_starts(facts, variant_id).get(location_id, [])]
    best: dict[int, tuple[tuple[int, int, int], Start]] = {}
    for person in variant.staff:
        if staff_member_id in (None, person.staff_member_id):
            for start, free_minutes in _starts_of(facts, variant_id, location_id, person, fillers):
                rank = (start.fit.cost_minor, -start.fit.ends_used, -free_minutes)
                if start.minute not in best or rank < best[start.minute][0]:
                    best[start.minute] = rank, start
    return [start for _, (_, start) in sorted(best.items())]


def best_first(starts: Iterable[Start]) -> list[Start]:
    """Sort by what the gaps cost, then by how many ends touch, then by time."""
    return sorted(starts, key=lambda start: (start.fit.cost_minor, -start.fit.ends_used, start.minute))


def fit_in(stretch: Interval, visit: Interval, filler: Filler) -> Fit:
    """Return what a visit, with its buffers, leaves of the free stretch in which it lies."""
    before, after = visit[0] - stretch[0], stretch[1] - visit[1]
    lost = _lost(before, filler) + _lost(after, filler) - _lost(stretch[1] - stretch[0], filler)
    cost = lost * filler.price_minor // filler.minutes if filler.minutes else 0
    return Fit(lost, cost, (before == 0) + (after == 0))


def _lost(gap: int, filler: Filler) -> int:
    return gap if gap < filler.minutes else 0


def _starts_of(
    facts: Facts, variant_id: int, location_id: int, person: QualifiedStaff, fillers: Mapping[int, Filler]
) -> Iterable[tuple[Start, int]]:
    """Yield the starts of one staff member, each with the free minutes of the stretch in which it lies."""
    stretches = _free_stretches(facts, location_id, person.staff_member_id)
    lows = [low for low, _ in stretches]
    spans = person.spec.staff_spans()
    before, after = spans[0][0], spans[-1][1]
    filler = fillers.get(person.staff_member_id, NO_FILLER)
    for minute in free_starts(facts, variant_id, staff_member_id=person.staff_member_id).get(location_id, []):
        stretch = stretches[bisect_right(lows, minute + before) - 1]
        # A visit with processing time may span another one, which then lies between two stretches.
        fit = fit_in(stretch, (minute + before, minute + after), filler) if minute + after <= stretch[1] else NO_FIT
        yield Start(minute, person.staff_member_id, fit), stretch[1] - stretch[0]


def _free_stretches(facts: Facts, location_id: int, staff_member_id: int) -> Intervals:
    person = facts.staff[staff_member_id]
    working = person.working.get(location_id)
    if working is None:
        return []
    hours = intersection(list(working.intervals), list(facts.locations[location_id].opening.intervals))
    taken: Sequence[Interval] = facts.time_off.get(person.resource_id, ())
    if busy := facts.busy.get(person.resource_id):
        taken = [*taken, *zip(busy.lows, busy.highs, strict=True)]
    return difference(hours, normalised(taken))
