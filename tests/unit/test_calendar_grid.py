"""The geometry of the calendar: lanes, gaps, time not worked, and nights on which clocks change."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intervals import Interval, difference, normalised, overlaps
from dashboard.calendar.facts import PlaceFacts
from dashboard.calendar.grid import (
    Lane,
    Off,
    OffKind,
    Reason,
    extent,
    gaps,
    hour_marks,
    lanes,
    minutes_in,
    snapped,
    time_not_worked,
    usable_time,
)
from dashboard.calendar.items import Ruler
from staff.hours import WeeklyHours, day_start, hours_between

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)).map(lambda pair: (pair[0], sum(pair))), max_size=12)


def minute(on: date, hour: int, minutes: int = 0, *, fold: int = 0) -> int:
    at = datetime(on.year, on.month, on.day, hour, minutes, tzinfo=BERLIN, fold=fold)
    return int(at.timestamp()) // 60


def test_what_does_not_overlap_has_the_whole_width() -> None:
    assert lanes([(60, 120), (0, 60), (180, 200)]) == [Lane(0, 1)] * 3


def test_what_overlaps_stands_side_by_side_and_a_freed_lane_is_used_again() -> None:
    assert lanes([(0, 60), (30, 90), (60, 120), (120, 150)]) == [Lane(0, 2), Lane(1, 2), Lane(0, 2), Lane(0, 1)]


@given(SPANS)
def test_spans_in_one_lane_never_overlap(spans: list[Interval]) -> None:
    placed = list(zip(spans, lanes(spans), strict=True))

    for number, (span, lane) in enumerate(placed):
        assert 0 <= lane.number < lane.of
        for other, its in placed[number + 1 :]:
            if overlaps(span, other):
                assert lane.of == its.of
                assert lane.number != its.number


@given(SPANS, SPANS, st.integers(0, 200))
def test_gaps_are_free_long_enough_and_not_past(hours: list[Interval], taken: list[Interval], since: int) -> None:
    usable = normalised(hours)

    for low, high in gaps(usable, taken, since=since):
        assert low >= since
        assert high - low >= 30
        assert low % 5 == high % 5 == 0
        assert not difference([(low, high)], usable)
        assert not any(overlaps((low, high), each) for each in taken)


def test_a_gap_that_has_begun_is_as_long_as_what_is_left_of_it() -> None:
    assert gaps([(0, 100)], [(100, 130)], since=52) == [(55, 100)]
    assert gaps([(0, 100)], [], since=71) == []


@given(SPANS, SPANS, SPANS, SPANS)
def test_a_column_is_hours_and_the_rest_of_it_once(
    opening: list[Interval], working: list[Interval], off: list[Interval], elsewhere: list[Interval]
) -> None:
    within = (0, 300)
    reasons = ([Reason(low, high, "Dentist") for low, high in off], [Reason(*each, "Alfama") for each in elsewhere])
    usable = usable_time(normalised(opening), normalised(working), reasons[1], reasons[0])
    rest = time_not_worked(
        within,
        opening=normalised(opening),
        working=normalised(working),
        time_off=reasons[0],
        elsewhere=reasons[1],
        closed_because="Festival",
    )

    assert minutes_in((each.low, each.high) for each in rest) == sum(each.high - each.low for each in rest)
    assert normalised([*usable, *((each.low, each.high) for each in rest)]) == [within]


def test_reasons_are_told_from_the_strongest_on() -> None:
    rest = time_not_worked(
        (0, 100),
        opening=[(10, 90)],
        working=[(20, 40), (50, 95)],
        time_off=[Reason(60, 70, "Dentist")],
        elsewhere=[Reason(0, 15, "Alfama"), Reason(65, 75, "Alfama")],
    )

    assert rest == [
        Off(0, 15, OffKind.ELSEWHERE, "Alfama"),
        Off(15, 20, OffKind.BEFORE_OR_AFTER),
        Off(40, 50, OffKind.BREAK),
        Off(60, 70, OffKind.TIME_OFF, "Dentist"),
        Off(70, 75, OffKind.ELSEWHERE, "Alfama"),
        Off(90, 100, OffKind.BEFORE_OR_AFTER),
    ]


def test_a_day_without_hours_is_one_day_off() -> None:
    assert time_not_worked((0, 100), opening=[(10, 90)], working=[]) == [Off(0, 100, OffKind.DAY_OFF)]
    assert time_not_worked((0, 100), opening=[], working=[(10, 90)], closed_because="Holiday") == [
        Off(0, 100, OffKind.CLOSED, "Holiday")
    ]


@pytest.mark.parametrize(("on", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2027, 6, 1), 24)])
def test_a_day_has_the_hours_that_it_really_has(on: date, hours: int) -> None:
    whole = (day_start(BERLIN, on.toordinal()), day_start(BERLIN, on.toordinal() + 1))

    shown = extent([whole], BERLIN)

    assert shown == whole
    assert len(hour_marks(shown)) == hours


def test_both_hours_of_the_autumn_night_are_written_and_stand_apart() -> None:
    ruler = Ruler(minute(AUTUMN, 0), BERLIN)
    summer, winter = minute(AUTUMN, 2, 30), minute(AUTUMN, 2, 30, fold=1)

    assert (ruler.clock(summer), ruler.clock(winter)) == ("02:30 CEST", "02:30 CET")
    assert ruler.row(winter) - ruler.row(summer) == 60
    assert ruler.row(minute(AUTUMN, 12)) == 13 * 60


@pytest.mark.parametrize("on", [SPRING, AUTUMN])
def test_days_of_a_week_stand_beside_each_other_by_the_clock_on_the_wall(on: date) -> None:
    ruler = Ruler(8 * 60, BERLIN, wall_day=on.toordinal())

    assert ruler.row(minute(on, 12)) == 4 * 60
    assert ruler.sized(minute(on, 12), minute(on, 13, 30)).spot == "h4 m0 d1 e30"


def test_shown_hours_are_full_hours_of_the_local_clock() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead
    nine = int(datetime(2027, 1, 5, 9, 10, tzinfo=kathmandu).timestamp()) // 60

    low, high = extent([(nine, nine + 60)], kathmandu)

    assert (nine - low, high - nine) == (10, 110)


def test_lengths_that_touch_still_do_on_rows() -> None:
    assert [snapped(each) for each in (0, 2, 3, 62, 63, 65)] == [0, 0, 5, 60, 65, 65]


def place(*weekly: WeeklyHours) -> PlaceFacts:
    friday = date(2027, 1, 8).toordinal()
    opening = hours_between(BERLIN, friday - 2, friday + 3, weekly, {})
    return PlaceFacts(1, "kreuzberg", "Kreuzberg", BERLIN, opening, {})


def test_a_shift_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    friday, saturday = date(2027, 1, 8), date(2027, 1, 9)
    late = place(WeeklyHours(4, 510, 1470), WeeklyHours(5, 540, 1020))

    assert late.business_day(friday) == (minute(friday, 0), minute(saturday, 0, 30))
    assert late.business_day(saturday) == (minute(saturday, 0, 30), minute(date(2027, 1, 10), 0))


def test_days_of_a_place_that_never_closes_begin_at_midnight() -> None:
    friday, saturday = date(2027, 1, 8), date(2027, 1, 9)
    always = place(*(WeeklyHours(weekday, 0, 1440) for weekday in range(7)))

    assert always.business_day(friday) == (minute(friday, 0), minute(saturday, 0))
