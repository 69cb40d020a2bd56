"""The grid of possible starts, and sets of starts as integers. Pure; knows no booking rule.

Bit ``k`` of a set is the start ``k`` of the grid, so that joining two sets is one operation on integers of some hundred
bytes, however many days there are.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import compress, groupby
from zoneinfo import ZoneInfo

from bookings.availability.claims import MAX_CLAIM_MINUTES
from bookings.availability.facts import Busy
from core.intervals import Interval, Intervals
from staff.hours import wall_starts

_TO_FLAGS = bytes.maketrans(b"01", b"\0\1")


class Grid:
    """Ascending starts in epoch minutes with their local days. Spans are relative to a start (see ``claims``)."""

    def __init__(self, minutes: Sequence[int], days: Sequence[int]) -> None:
        self.minutes = minutes
        self.days = days
        self.everything = (1 << len(minutes)) - 1
        reach = 3 * MAX_CLAIM_MINUTES
        # ``_before[m - _base]`` starts lie before the minute m: one list access for every claim instead of a search.
        self._base = minutes[0] - reach if minutes else 0
        self._before = _counts_before(minutes, reach)
        # Claims outside these bounds can't be looked up once a span has shifted them.
        self._low = self._base + MAX_CLAIM_MINUTES
        self._high = self._base + len(self._before) - MAX_CLAIM_MINUTES - 1
        self._runs = _runs(min(1 << len(minutes).bit_length(), 4 * MAX_CLAIM_MINUTES))

    def chosen(self, bits: int) -> list[int]:
        """Return the starts of a set, ascending."""
        return list(compress(self.minutes, self._flags(bits)))

    def count_by_day(self, bits: int) -> Counter[int]:
        return Counter(compress(self.days, self._flags(bits)))

    def on_days(self, is_wanted: Callable[[int], bool]) -> int:
        bits = index = 0
        for day, same in groupby(self.days):
            count = sum(1 for _ in same)
            if is_wanted(day):
                bits |= ((1 << count) - 1) << index
            index += count
        return bits

    def since(self, minute: int) -> int:
        return self.everything & ~((1 << bisect_left(self.minutes, minute)) - 1)

    def fitting(self, hours: Sequence[Interval], spans: Intervals) -> int:
        """Return the starts at which every span lies inside one of the hours."""
        bits = self.everything
        for low, high in spans:
            fits = 0
            for opens, closes in hours:
                first, end = bisect_left(self.minutes, opens - low), bisect_left(self.minutes, closes - high + 1)
                if first < end:
                    fits |= (1 << end) - (1 << first)
            bits &= fits
        return bits

    def meeting(self, busy: Busy, spans: Intervals) -> int:
        """Return the starts at which any span overlaps any of the busy times (each at most ``MAX_CLAIM_MINUTES``)."""
        lows, highs = busy
        if not lows or not self.minutes:
            return 0
        if min(lows) < self._low or max(highs) > self._high:
            return self.meeting_anywhere(zip(lows, highs, strict=True), spans)
        bits = 0
        before, runs = self._before, self._runs
        for low, high in spans:
            # The start t overlaps a claim when claim_low - high < t < claim_high - low.
            to_first, to_end = 1 - high - self._base, -low - self._base
            for claim_low, claim_high in zip(lows, highs, strict=True):
                first = before[claim_low + to_first]
                bits |= runs[before[claim_high + to_end] - first] << first
        return bits

    def meeting_anywhere(self, times: Iterable[Interval], spans: Intervals) -> int:
        """Do the same as ``meeting`` for busy times of any length."""
        bits = 0
        for busy_low, busy_high in times:
            for low, high in spans:
                first = bisect_left(self.minutes, busy_low - high + 1)
                bits |= (1 << bisect_left(self.minutes, busy_high - low)) - (1 << first)
        return bits

    def _flags(self, bits: int) -> bytes:
        return f"{bits:0{len(self.minutes)}b}"[::-1].encode().translate(_TO_FLAGS)


@lru_cache(maxsize=32)
def grid_of_days(zone: ZoneInfo, first_day: int, until_day: int, step: int, opening: tuple[Interval, ...]) -> Grid:
    """Return the starts on the wall clock's grid inside opening hours.

    Cached, because the result depends only on the arguments.
    """
    all_minutes: list[int] = []
    all_days: list[int] = []
    for day in range(first_day, until_day):
        starts = wall_starts(zone, day, step)
        all_minutes += starts
        all_days += [day] * len(starts)
    minutes: list[int] = []
    days: list[int] = []
    for opens, closes in opening:
        first, end = bisect_left(all_minutes, opens), bisect_left(all_minutes, closes)
        minutes += all_minutes[first:end]
        days += all_days[first:end]
    return Grid(minutes, days)


def _counts_before(minutes: Sequence[int], reach: int) -> list[int]:
    counts: list[int] = []
    if minutes:
        previous = minutes[0] - reach - 1
        for index, minute in enumerate(minutes):
            counts += [index] * (minute - previous)
            previous = minute
        counts += [len(minutes)] * reach
    return counts


@lru_cache(maxsize=16)
def _runs(count: int) -> list[int]:
    """Return ``k`` set bits for each ``k`` below the count."""
    return [(1 << length) - 1 for length in range(count)]
