"""Set arithmetic over half-open integer intervals ``(low, high)``.

All functions take and return lists of sorted, non-overlapping, non-touching, non-empty intervals; ``normalised`` makes
such a list from any intervals. The caller chooses the unit (availability uses whole minutes since the Unix epoch, UTC).
"""

from collections.abc import Iterable

Interval = tuple[int, int]
Intervals = list[Interval]


def overlaps(first: Interval, second: Interval) -> bool:
    return first[0] < second[1] and second[0] < first[1]


def normalised(intervals: Iterable[Interval]) -> Intervals:
    """Sort the intervals, drop empty ones, and join overlapping and touching ones."""
    result: Intervals = []
    for low, high in sorted(intervals):
        if low >= high:
            continue
        if result and low <= result[-1][1]:
            if high > result[-1][1]:
                result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return result


def intersection(first: Intervals, second: Intervals) -> Intervals:
    result: Intervals = []
    i = j = 0
    while i < len(first) and j < len(second):
        low = max(first[i][0], second[j][0])
        high = min(first[i][1], second[j][1])
        if low < high:
            result.append((low, high))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return result


def difference(first: Intervals, second: Intervals) -> Intervals:
    """Return the parts of ``first`` that are not in ``second``."""
    result: Intervals = []
    j = 0
    for start, end in first:
        low = start
        while j < len(second) and second[j][1] <= low:
            j += 1
        k = j
        while k < len(second) and second[k][0] < end:
            if second[k][0] > low:
                result.append((low, second[k][0]))
            low = max(low, second[k][1])
            k += 1
        if low < end:
            result.append((low, end))
    return result


def contains(intervals: Intervals, wanted: Interval) -> bool:
    return any(low <= wanted[0] and wanted[1] <= high for low, high in intervals)
