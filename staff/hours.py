"""Converts wall-clock hours to UTC. Pure: rows in, minutes since the Unix epoch out.

A day is ``date.toordinal()``. Hours are minutes from its local midnight; values past 1440 are on the next day. A local
time that the clock skips moves forward by the skipped time; a local time that the clock repeats means the first of the
two. Both are the standard library's ``fold=0``, and the rule of RFC 5545.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.intervals import Interval, Intervals, normalised
from core.minutes import minute_of

MINUTES_OF_DAY = 1440
_MONDAY_5_JANUARY_1970 = 719167
_ALWAYS = 4_000_000  # later than date.max.toordinal()


class WeeklyHours(NamedTuple):
    """Hours of one weekday (Monday is 0), in their period (last day included) and their weeks of the cycle."""

    weekday: int
    start_minute: int
    end_minute: int
    valid_from: int = 0
    valid_until: int = _ALWAYS
    cycle_weeks: int = 1
    cycle_week: int = 0


def hours_between(
    zone: ZoneInfo,
    first_day: int,
    until_day: int,
    weekly: Iterable[WeeklyHours],
    special: Mapping[int, Sequence[Interval]],
) -> Intervals:
    """Return the hours of the days from ``first_day`` to ``until_day`` (excluded) in epoch minutes, merged and sorted.

    Days in ``special`` have their own hours, perhaps none, in place of the weekly ones. Hours that a clock change
    leaves empty (02:30 to 03:00 in a night that skips them) are dropped.
    """
    of_weekday: list[list[WeeklyHours]] = [[] for _ in range(7)]
    for hours in weekly:
        of_weekday[hours.weekday].append(hours)
    found: Intervals = []
    for day in range(first_day, until_day):
        if day in special:
            pairs: Sequence[Interval] = special[day]
        else:
            rows = of_weekday[(day - 1) % 7]
            pairs = [(row.start_minute, row.end_minute) for row in rows if _counts_on(row, day)] if rows else ()
        if not pairs:
            continue
        midnight = _even_midnight(zone, day)
        if midnight is None:
            found.extend((_instant(zone, day, start), _instant(zone, day, end)) for start, end in pairs)
        else:
            found.extend((midnight + start, midnight + end) for start, end in pairs)
    return normalised(found)


def day_start(zone: ZoneInfo, day: int) -> int:
    """Return the epoch minute at which the local day begins (01:00 if the clock skips midnight)."""
    midnight = _even_midnight(zone, day)
    return _instant(zone, day, 0) if midnight is None else midnight


def clock_minute(zone: ZoneInfo, on: date, at: time) -> int:
    """Return the epoch minute of a local time: moved forward if skipped, the first one if repeated."""
    return _instant(zone, on.toordinal(), at.hour * 60 + at.minute)


def local_day(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of a local day and of the next day. They are 23 or 25 hours apart when clocks change."""
    first, end = (day_start(zone, on.toordinal() + days) for days in (0, 1))
    return datetime.fromtimestamp(first * 60, tz=zone), datetime.fromtimestamp(end * 60, tz=zone)


def day_of(zone: ZoneInfo, epoch_minute: int) -> int:
    """Return the local day of an instant.

    A visit counts for the day on which it begins, in limits, day lists and the morning mail, even if it is part of a
    shift that began the evening before.
    """
    return datetime.fromtimestamp(epoch_minute * 60, tz=zone).toordinal()


@lru_cache(maxsize=2048)
def wall_starts(zone: ZoneInfo, day: int, step: int) -> Sequence[int]:
    """Return the instants (epoch minutes, ascending) of a local day whose minute of the day is a multiple of ``step``.

    In a repeated hour both instants are returned, each once. A skipped time has no instant.
    """
    midnight = day_start(zone, day)
    if day_start(zone, day + 1) == midnight + MINUTES_OF_DAY:
        return range(midnight, midnight + MINUTES_OF_DAY, step)
    found = set()
    for minute in range(0, MINUTES_OF_DAY, step):
        wall = datetime.fromordinal(day) + timedelta(minutes=minute)
        for fold in (0, 1):
            instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
                found.add(minute_of(instant))
    return sorted(found)


def _counts_on(hours: WeeklyHours, day: int) -> bool:
    if not hours.valid_from <= day <= hours.valid_until:
        return False
    if hours.cycle_weeks == 1:
        return True
    return (day - _MONDAY_5_JANUARY_1970) // 7 % hours.cycle_weeks == hours.cycle_week


@lru_cache(maxsize=8192)
def _even_midnight(zone: ZoneInfo, day: int) -> int | None:
    """Return the local midnight if no clock change falls into the two days that hours may reach, else None.

    Cached, because asking the zone for each interval would cost more than the rest of the engine.
    """
    midnight = _instant(zone, day, 0)
    is_even = all(_instant(zone, day, days * MINUTES_OF_DAY) == midnight + days * MINUTES_OF_DAY for days in (1, 2))
    return midnight if is_even else None


def _instant(zone: ZoneInfo, day: int, minute: int) -> int:
    wall = datetime.fromordinal(day) + timedelta(minutes=minute)
    return minute_of(wall.replace(tzinfo=zone, fold=0))
