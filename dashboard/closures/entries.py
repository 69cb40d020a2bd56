"""Closed days and special hours of locations, put together as staff speak of them: "24 to 26 December, both". Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from core.intervals import Interval


class Row(NamedTuple):
    """One stored row: hours of a date at a location, or none for a closed date."""

    id: int
    location_id: int
    on: date
    span: Interval | None
    reason: str


class _Day(NamedTuple):
    id: int
    location_id: int
    on: date
    spans: tuple[Interval, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Days in a row with the same hours and reason at the same locations. Without ``spans`` they are closed.

    ``id`` is that of its first row.
    """

    id: int
    location_ids: tuple[int, ...]
    first_on: date
    last_on: date
    spans: tuple[Interval, ...]
    reason: str

    @property
    def days(self) -> range:
        return range(self.first_on.toordinal(), self.last_on.toordinal() + 1)


def entries_of(rows: Iterable[Row]) -> list[Entry]:
    """Return the entries in the order of their first day."""
    runs: dict[tuple[date, date, tuple[Interval, ...], str], list[_Day]] = {}
    for run in _runs(_days(rows)):
        key = run[0].on, run[-1].on, run[0].spans, run[0].reason
        runs.setdefault(key, []).append(run[0])
    entries = [
        Entry(min(day.id for day in days), tuple(day.location_id for day in days), *key) for key, days in runs.items()
    ]
    return sorted(entries, key=lambda entry: (entry.first_on, entry.last_on, entry.id))


def _days(rows: Iterable[Row]) -> list[_Day]:
    ordered = sorted(rows, key=lambda row: (row.location_id, row.on, row.span or (0, 0), row.id))
    days = []
    for (location_id, on), group in groupby(ordered, key=lambda row: (row.location_id, row.on)):
        of_day = list(group)
        spans = tuple(row.span for row in of_day if row.span)
        days.append(_Day(min(row.id for row in of_day), location_id, on, spans, of_day[0].reason))
    return days


def _runs(days: Sequence[_Day]) -> list[list[_Day]]:
    """Return the days of each location in runs of consecutive days that are alike."""
    runs: list[list[_Day]] = []
    for day in days:
        last = runs[-1][-1] if runs else None
        if last and _continues(last, day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _continues(last: _Day, day: _Day) -> bool:
    is_next = (last.location_id, last.on.toordinal() + 1) == (day.location_id, day.on.toordinal())
    return is_next and (last.spans, last.reason) == (day.spans, day.reason)
