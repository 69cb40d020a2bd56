"""The habit of a customer with one service: day of the week, hour and rhythm, and the next time that fits it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

_MOST_WEEKS = 13


@dataclass(frozen=True, slots=True)
class Habit:
    """A visit every ``weeks`` weeks on ``weekday`` (Monday is 0) at ``wall_minute``, minutes since midnight."""

    weekday: int
    wall_minute: int
    weeks: int


def habit_of(visits: Sequence[datetime]) -> Habit | None:
    """Return the habit behind past visits; None where there is none.

    ``visits`` are the starts, in the zone of the location. At least two of them, and at least half of all, have to be
    on the same day of the week at the same hour, and the usual distance must not be longer than a quarter of a year.
    """
    if len(visits) < 2:
        return None
    starts = sorted(visits)
    (weekday, minute), times = Counter((each.weekday(), wall_minute(each)) for each in starts).most_common(1)[0]
    days = [(after.date() - before.date()).days for before, after in pairwise(starts)]
    weeks = max(1, round(median(days) / 7))
    if times < 2 or times * 2 < len(starts) or weeks > _MOST_WEEKS:
        return None
    return Habit(weekday, minute, weeks)


def usual_start(habit: Habit, last: date, free: Sequence[datetime]) -> datetime | None:
    """Return the free start that continues the habit: its day and hour, nearest to a rhythm after ``last``.

    ``free`` are local starts. Of two that are equally near the earlier one is returned.
    """
    due = last + timedelta(weeks=habit.weeks)
    fitting = [each for each in free if (each.weekday(), wall_minute(each)) == (habit.weekday, habit.wall_minute)]
    return min(fitting, key=lambda each: (abs((each.date() - due).days), each), default=None)


def nearest_starts(
    free: Sequence[datetime], *, wall: int, count: int, besides: datetime | None = None
) -> list[datetime]:
    """Return one start of each of the next ``count`` days with free times: the one nearest to the wall minute.

    ``besides`` is offered already, so its day is left out.
    """
    best: dict[date, datetime] = {}
    for each in free:
        if besides is not None and each.date() == besides.date():
            continue
        known = best.get(each.date())
        if known is None or (_distance(each, wall), each) < (_distance(known, wall), known):
            best[each.date()] = each
    return [best[day] for day in sorted(best)[:count]]


def wall_minute(moment: datetime) -> int:
    """Return the minutes since midnight on the wall clock of a local datetime."""
    return moment.hour * 60 + moment.minute


def _distance(moment: datetime, wall: int) -> int:
    return abs(wall_minute(moment) - wall)
