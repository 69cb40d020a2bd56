"""Which bookings a change of hours leaves outside them: a table of cases, and a slow reading of every minute."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules.hours import Claim, HoursEffect, effect_of, outside
from core.intervals import Interval, Intervals
from staff.hours import WeeklyHours, day_start, hours_between

HERE = (1, 7)


def claim(low: int, high: int, *, booking: int = 1, resource: int = 1) -> Claim:
    return Claim(booking, resource, 7, low, high)


def effect(before: Intervals, after: Intervals, *claims: Claim) -> tuple[set[int], set[int]]:
    found = effect_of(claims, {HERE: before}, {HERE: after})
    return set(found.hit), set(found.freed)


@pytest.mark.parametrize(
    ("before", "after", "hit", "freed"),
    [
        ([(0, 100)], [(0, 100)], set(), set()),
        ([(0, 100)], [], {1}, set()),
        ([(0, 100)], [(0, 59)], {1}, set()),
        # The end of the hours is the end of the booking.
        ([(0, 100)], [(40, 60)], set(), set()),
        ([], [(0, 100)], set(), {1}),
        # It was partly outside, and stays so, by the same minutes.
        ([(0, 50)], [(0, 50), (70, 90)], set(), set()),
        # A change that takes more of it hits it again.
        ([(0, 50)], [(0, 45)], {1}, set()),
        # Other minutes, though as many.
        ([(40, 50)], [(50, 60)], {1}, set()),
    ],
)
def test_a_booking_from_40_to_60(before: Intervals, after: Intervals, hit: set[int], freed: set[int]) -> None:
    assert effect(before, after, claim(40, 60)) == (hit, freed)


def test_a_booking_is_hit_by_one_of_its_claims_and_freed_by_all_of_them() -> None:
    both = [claim(40, 60), claim(40, 60, resource=2)]
    inside, shut = {HERE: [(0, 100)], (2, 7): [(0, 100)]}, {HERE: [(0, 100)], (2, 7): []}

    assert effect_of(both, inside, shut) == HoursEffect(frozenset({1}), frozenset())
    assert effect_of(both, shut, inside) == HoursEffect(frozenset(), frozenset({1}))
    assert effect_of(both, {}, shut) == HoursEffect(frozenset(), frozenset())


def test_hours_that_are_unknown_are_none() -> None:
    assert outside([claim(40, 60)], {}) == {1}
    assert outside([claim(40, 60), claim(10, 20, booking=2)], {HERE: [(30, 90)]}) == {2}


# --- every minute of days on which clocks change ------------------------------------------------------------------

# Clocks change on the last Sundays of March and October in Berlin, at other times in New York and on Lord Howe (by half
# an hour), never in Kolkata.
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")]
FIRST_DAYS = [date(2027, 3, 12), date(2027, 3, 26), date(2027, 10, 1), date(2027, 10, 29), date(2027, 6, 10)]
DAYS = 4
# Up to 32:00, so that hours run past midnight.
SPANS = st.tuples(st.integers(0, 1435), st.integers(5, 480)).map(lambda pair: (pair[0], sum(pair)))
SPECIAL = st.dictionaries(st.integers(0, DAYS - 1), st.lists(SPANS, max_size=2), max_size=2)
CLAIMS = st.lists(
    st.tuples(st.integers(1, 5), st.integers(-120, DAYS * 1440), st.integers(5, 240)), min_size=1, max_size=8
)


@given(
    zone=st.sampled_from(ZONES),
    first=st.sampled_from(FIRST_DAYS),
    weekly=SPANS,
    before=SPECIAL,
    changed=SPECIAL,
    claims=CLAIMS,
)
def test_a_booking_is_hit_if_a_minute_was_open_and_is_no_longer(
    zone: ZoneInfo,
    first: date,
    weekly: Interval,
    before: dict[int, list[Interval]],
    changed: dict[int, list[Interval]],
    claims: list[tuple[int, int, int]],
) -> None:
    day = first.toordinal()
    rows = [WeeklyHours(weekday, *weekly) for weekday in range(7)]

    def open_with(special: dict[int, list[Interval]]) -> Intervals:
        dates = {day + number: spans for number, spans in special.items()}
        return hours_between(zone, day - 2, day + DAYS + 1, rows, dates)

    was, now = open_with(before), open_with({**before, **changed})
    start = day_start(zone, day)
    taken = [claim(start + low, start + low + length, booking=pk) for pk, low, length in claims]

    found = effect_of(taken, {HERE: was}, {HERE: now})

    open_before, open_now = minutes(was), minutes(now)
    assert found.hit == {each.booking_id for each in taken if minutes([each.span]) & open_before - open_now}
    lost_before = {each.booking_id for each in taken if minutes([each.span]) - open_before}
    assert found.freed == lost_before - outside(taken, {HERE: now})
    assert effect_of(taken, {HERE: now}, {HERE: was}).hit == {
        each.booking_id for each in taken if minutes([each.span]) & open_now - open_before
    }


def minutes(intervals: Intervals) -> set[int]:
    return {minute for low, high in intervals for minute in range(low, high)}
