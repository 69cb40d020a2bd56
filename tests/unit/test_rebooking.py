"""The habit of a customer, and the times that are offered to book again."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bookings.rules.rebooking import Habit, habit_of, nearest_starts, usual_start

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: str, hour: int = 11, minute: int = 30) -> datetime:
    on = date.fromisoformat(day)
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("visits", "habit"),
    [
        ([], None),
        ([at("2026-11-16")], None),
        ([at("2026-11-16"), at("2026-11-02"), at("2026-10-19")], Habit(0, 690, 2)),
        # The clock went back on 25 October: the same hour on the wall is the same habit.
        ([at("2026-10-19"), at("2026-10-26")], Habit(0, 690, 1)),
        # Once at another hour.
        ([at("2026-11-16"), at("2026-11-03", 9), at("2026-10-19"), at("2026-10-05")], Habit(0, 690, 2)),
        # Never twice on the same day of the week.
        ([at("2026-11-16"), at("2026-11-03"), at("2026-10-21")], None),
        # The same day and hour in fewer than half of the visits.
        ([at("2026-11-16"), at("2026-11-02"), at("2026-10-21"), at("2026-10-13"), at("2026-10-09")], None),
        # Twice on one day still means a week.
        ([at("2026-11-16"), at("2026-11-16")], Habit(0, 690, 1)),
        # Half a year apart is no rhythm.
        ([at("2026-11-16"), at("2026-05-18")], None),
    ],
)
def test_a_habit_is_what_visits_have_in_common(visits: list[datetime], habit: Habit | None) -> None:
    assert habit_of(visits) == habit


def test_the_usual_start_is_a_rhythm_after_the_last_visit_or_as_near_as_it_gets() -> None:
    habit = Habit(0, 690, 2)
    last = date(2026, 11, 30)
    free = [at("2026-12-07"), at("2026-12-14", 12), at("2026-12-21"), at("2026-12-28")]

    assert usual_start(habit, last, [*free, at("2026-12-14")]) == at("2026-12-14")
    assert usual_start(habit, last, free) == at("2026-12-07")
    assert usual_start(habit, last, free[1:]) == at("2026-12-21")
    assert usual_start(habit, last, [at("2026-12-15")]) is None


def test_the_nearest_starts_are_one_a_day_at_the_hour_that_fits_best() -> None:
    free = [at("2026-12-11", hour) for hour in (9, 11, 12)] + [at("2026-12-12", 10), at("2026-12-14"), at("2026-12-15")]

    near = nearest_starts(free, wall=690, count=3, besides=at("2026-12-14"))

    assert near == [at("2026-12-11", 11), at("2026-12-12", 10), at("2026-12-15")]
    assert nearest_starts([], wall=690, count=3) == []
    assert nearest_starts(free[3:], wall=0, count=1) == [at("2026-12-12", 10)]
