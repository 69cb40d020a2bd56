"""The geometry of a calendar: free gaps, time not worked, lanes of overlapping bookings, and the shown hours.

Pure. Minutes are whole minutes since the Unix epoch (UTC), ends excluded, so that a day on which clocks change has the
23 or 25 hours that it really has.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.intervals import Interval, Intervals, difference, intersection, normalised

ROW_MINUTES = 5
SHORTEST_GAP = 30
MINUTES_OF_HOUR = 60


class OffKind(StrEnum):
    """Why a stretch of a column can't be booked."""

    TIME_OFF = "time_off"
    ELSEWHERE = "elsewhere"
    CLOSED = "closed"
    BREAK = "break"
    DAY_OFF = "day_off"
    BEFORE_OR_AFTER = "before_or_after"


class Reason(NamedTuple):
    """A stretch of time with a text: the reason of an absence, or the name of another place."""

    low: int
    high: int
    text: str


class Off(NamedTuple):
    """Time that is not worked. ``text`` is the reason that staff typed, or empty."""

    low: int
    high: int
    kind: OffKind
    text: str = ""


class Lane(NamedTuple):
    """The position of one of several overlapping spans: lane ``number`` of ``of`` equally wide lanes."""

    number: int
    of: int


def snapped(minute: int) -> int:
    """Return the nearest row in minutes. Spans that touch still touch afterwards."""
    return (minute + ROW_MINUTES // 2) // ROW_MINUTES * ROW_MINUTES


def clipped(intervals: Iterable[Interval], within: Interval) -> Intervals:
    return intersection(normalised(intervals), [within])


def minutes_in(intervals: Iterable[Interval]) -> int:
    """Return the total length of the intervals in minutes."""
    return sum(high - low for low, high in normalised(intervals))


def extent(spans: Iterable[Interval], zone: ZoneInfo) -> Interval:
    """Return the full hours of the local clock that cover all spans. There must be at least one span."""
    lows, highs = zip(*spans, strict=True)
    return _full_hour(min(lows), zone), _full_hour(max(highs) + MINUTES_OF_HOUR - 1, zone)


def hour_marks(within: Interval) -> list[int]:
    """Return the instants to label on the time axis: every real hour, including one that clocks repeat."""
    return list(range(within[0], within[1], MINUTES_OF_HOUR))


def lanes(spans: Sequence[Interval]) -> list[Lane]:
    """Return the lane of each span, in the order given. Overlapping spans get different lanes."""
    result = [Lane(0, 1)] * len(spans)
    cluster: list[tuple[int, int]] = []  # number of the span, its lane
    ends: list[int] = []  # of each lane

    def close() -> None:
        for number, index in cluster:
            result[number] = Lane(index, len(ends))

    for number in sorted(range(len(spans)), key=lambda each: (spans[each][0], -spans[each][1])):
        low, high = spans[number]
        if ends and low >= max(ends):
            close()
            cluster, ends = [], []
        free = next((index for index, end in enumerate(ends) if end <= low), len(ends))
        if free == len(ends):
            ends.append(high)
        else:
            ends[free] = high
        cluster.append((number, free))
    close()
    return result


def gaps(usable: Intervals, taken: Iterable[Interval], *, since: int, shortest: int = SHORTEST_GAP) -> Intervals:
    """Return the free stretches from ``since`` on that are long enough to book, cut to full rows."""
    free = difference(usable, normalised([*taken, (0, since)]))
    inner = ((-(-low // ROW_MINUTES) * ROW_MINUTES, high // ROW_MINUTES * ROW_MINUTES) for low, high in free)
    return [(low, high) for low, high in inner if high - low >= shortest]


def usable_time(
    opening: Intervals, working: Intervals, elsewhere: Iterable[Reason], time_off: Iterable[Reason]
) -> Intervals:
    """Return when a staff member works here: inside opening hours, not absent, not at another place."""
    away = normalised((each.low, each.high) for each in (*elsewhere, *time_off))
    return difference(intersection(opening, working), away)


def time_not_worked(
    within: Interval,
    *,
    opening: Intervals,
    working: Intervals,
    elsewhere: Sequence[Reason] = (),
    time_off: Sequence[Reason] = (),
    closed_because: str = "",
) -> list[Off]:
    """Return the rest of a column in the order of time. Each stretch appears once, with its strongest reason.

    The order of reasons: absence, another place, a closure with a reason (``closed_because``), hours.
    """
    rest = [within]
    found: list[Off] = []
    for kind, reasons in ((OffKind.TIME_OFF, time_off), (OffKind.ELSEWHERE, elsewhere)):
        for each in sorted(reasons):
            own = intersection(rest, [(each.low, each.high)])
            found += [Off(low, high, kind, each.text) for low, high in own]
            rest = difference(rest, own)
    if closed_because:
        shut = difference(rest, opening)
        found += [Off(low, high, OffKind.CLOSED, closed_because) for low, high in shut]
        rest = difference(rest, shut)
    hours = clipped(intersection(opening, working), within)
    if not hours and not found:
        return [Off(*within, OffKind.DAY_OFF)]
    found += [Off(low, high, _kind_of_hours(low, high, hours)) for low, high in difference(rest, hours)]
    return sorted(found)


def _kind_of_hours(low: int, high: int, hours: Intervals) -> OffKind:
    is_between = any(end <= low for _, end in hours) and any(start >= high for start, _ in hours)
    return OffKind.BREAK if is_between else OffKind.BEFORE_OR_AFTER


def _full_hour(minute: int, zone: ZoneInfo) -> int:
    """Return the latest full hour of the local clock at or before ``minute``."""
    return minute - datetime.fromtimestamp(minute * 60, tz=zone).minute
