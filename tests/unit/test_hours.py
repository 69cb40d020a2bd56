"""Wall-clock hours in UTC, in particular in nights with a clock change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staff.hours import WeeklyHours, day_of, day_start, hours_between, local_day, wall_starts

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,
    *map(
        ZoneInfo,
        (
            "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
            "Africa/Casablanca", "Africa/Cairo", "America/Havana", "Pacific/Chatham", "America/St_Johns",
        ),
    ),
]  # fmt: skip


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def on(text: str, start: int, end: int, zone: ZoneInfo = BERLIN) -> list[tuple[int, int]]:
    return hours_between(zone, day(text), day(text) + 1, [], {day(text): [(start, end)]})


def test_weekly_hours_count_on_their_weekday_only():
    weekly = [WeeklyHours(0, 540, 720), WeeklyHours(0, 780, 1020)]

    found = hours_between(BERLIN, day("2027-01-01"), day("2027-01-08"), weekly, {})

    assert found == [
        (epoch("2027-01-04T08:00"), epoch("2027-01-04T11:00")),
        (epoch("2027-01-04T12:00"), epoch("2027-01-04T16:00")),
    ]


def test_special_day_replaces_the_weekly_hours():
    weekly = [WeeklyHours(weekday, 540, 1020) for weekday in range(7)]
    special = {day("2027-01-04"): [(600, 660)], day("2027-01-05"): []}

    found = hours_between(BERLIN, day("2027-01-04"), day("2027-01-06"), weekly, special)

    assert found == [(epoch("2027-01-04T09:00"), epoch("2027-01-04T10:00"))]


@pytest.mark.parametrize(
    ("monday", "counts"), [("2027-01-04", False), ("2027-01-11", True), ("2027-01-18", True), ("2027-01-25", False)]
)
def test_validity_includes_its_last_day(monday: str, counts: bool):
    hours = WeeklyHours(0, 540, 1020, valid_from=day("2027-01-11"), valid_until=day("2027-01-18"))

    assert bool(hours_between(BERLIN, day(monday), day(monday) + 1, [hours], {})) is counts


def test_alternating_weeks_take_turns_since_1970():
    weeks = [[(day("1970-01-05") + 7 * week) for week in range(start, 3000, 2)] for start in (0, 1)]

    for cycle_week in (0, 1):
        hours = [WeeklyHours(0, 540, 600, cycle_weeks=2, cycle_week=cycle_week)]
        assert all(hours_between(BERLIN, monday, monday + 7, hours, {}) for monday in weeks[cycle_week])
        assert not any(hours_between(BERLIN, monday, monday + 7, hours, {}) for monday in weeks[1 - cycle_week])


def test_hours_go_on_after_midnight():
    assert on("2027-01-04", 1320, 1560) == [(epoch("2027-01-04T21:00"), epoch("2027-01-05T01:00"))]


def test_touching_hours_become_one():
    found = hours_between(BERLIN, day("2027-01-04"), day("2027-01-06"), [WeeklyHours(d, 0, 1440) for d in range(7)], {})

    assert found == [(epoch("2027-01-03T23:00"), epoch("2027-01-05T23:00"))]


# Berlin skips 02:00 to 03:00 on 28 March 2027 and repeats 02:00 to 03:00 on 31 October 2027.
@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("2027-03-28", 0, 1440, [("2027-03-27T23:00", "2027-03-28T22:00")]),  # 23 hours
        ("2027-03-28", 150, 300, [("2027-03-28T01:30", "2027-03-28T03:00")]),  # 02:30 is 03:30
        ("2027-03-28", 60, 150, [("2027-03-28T00:00", "2027-03-28T01:30")]),
        ("2027-03-28", 150, 180, []),
        ("2027-03-27", 1320, 1440 + 150, [("2027-03-27T21:00", "2027-03-28T01:30")]),
        ("2027-10-31", 0, 1440, [("2027-10-30T22:00", "2027-10-31T23:00")]),  # 25 hours
        ("2027-10-31", 150, 300, [("2027-10-31T00:30", "2027-10-31T04:00")]),  # the first 02:30
        ("2027-10-31", 60, 150, [("2027-10-30T23:00", "2027-10-31T00:30")]),
        ("2027-10-30", 1320, 1440 + 150, [("2027-10-30T20:00", "2027-10-31T00:30")]),
    ],
)
def test_clock_change_moves_skipped_times_forward_and_takes_the_first_of_repeated_ones(
    text: str, start: int, end: int, expected: list[tuple[str, str]]
):
    assert on(text, start, end) == [(epoch(low), epoch(high)) for low, high in expected]


def test_lord_howe_changes_by_half_an_hour():
    lord_howe = ZoneInfo("Australia/Lord_Howe")

    assert on("2027-10-03", 0, 1440, lord_howe) == [(epoch("2027-10-02T13:30"), epoch("2027-10-03T13:00"))]


def test_skipped_starts_do_not_exist_and_repeated_ones_count_twice():
    assert list(wall_starts(BERLIN, day("2027-03-28"), 60))[:4] == [
        epoch(text) for text in ("2027-03-27T23:00", "2027-03-28T00:00", "2027-03-28T01:00", "2027-03-28T02:00")
    ]
    assert len(wall_starts(BERLIN, day("2027-03-28"), 60)) == 23
    assert len(wall_starts(BERLIN, day("2027-10-31"), 60)) == 25
    assert len(set(wall_starts(BERLIN, day("2027-10-31"), 60))) == 25


days = st.integers(day("2024-01-01"), day("2036-12-31"))


@given(st.sampled_from(ZONES), days, st.integers(0, 1439), st.integers(1, 1440))
def test_every_hour_is_what_the_standard_library_says(zone: ZoneInfo, day: int, start: int, length: int):
    def instant(minute: int) -> int:
        wall = datetime.fromordinal(day) + timedelta(minutes=minute)
        return int(wall.replace(tzinfo=zone, fold=0).timestamp()) // 60

    end = start + length

    found = hours_between(zone, day, day + 1, [], {day: [(start, end)]})

    assert found == ([(instant(start), instant(end))] if instant(start) < instant(end) else [])


@given(st.sampled_from(ZONES), days, st.sampled_from([5, 15, 20, 25, 30, 60, 90, 720]))
def test_starts_of_a_day_are_what_the_wall_clock_shows(zone: ZoneInfo, day: int, step: int):
    expected = []
    for minute in range(day_start(zone, day) - 180, day_start(zone, day) + 1440 + 180):
        wall = datetime.fromtimestamp(minute * 60, tz=zone)
        if wall.toordinal() == day and (wall.hour * 60 + wall.minute) % step == 0:
            expected.append(minute)

    assert list(wall_starts(zone, day, step)) == expected
    assert {day_of(zone, minute) for minute in expected} == {day}


LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HAVANA = ZoneInfo("America/Havana")


@pytest.mark.parametrize(
    ("zone", "instant", "of_day"),
    [
        (BERLIN, "2027-01-04T21:59", "2027-01-04"),
        (BERLIN, "2027-01-04T22:59", "2027-01-04"),  # 23:59
        (BERLIN, "2027-01-04T23:00", "2027-01-05"),  # midnight
        (BERLIN, "2027-01-04T23:30", "2027-01-05"),  # 00:30, of a shift that began on the 4th
        (ZoneInfo("Europe/Lisbon"), "2027-01-04T23:30", "2027-01-04"),
        (ZoneInfo("America/New_York"), "2027-01-05T04:59", "2027-01-04"),
        (ZoneInfo("Pacific/Apia"), "2027-01-04T11:00", "2027-01-05"),
        (BERLIN, "2027-03-27T23:30", "2027-03-28"),  # a day of 23 hours
        (BERLIN, "2027-03-28T21:59", "2027-03-28"),
        (BERLIN, "2027-03-28T22:00", "2027-03-29"),
        (BERLIN, "2027-10-31T00:30", "2027-10-31"),  # the first 02:30
        (BERLIN, "2027-10-31T01:30", "2027-10-31"),  # the second
        (BERLIN, "2027-10-31T22:59", "2027-10-31"),  # a day of 25 hours
        (BERLIN, "2027-10-31T23:00", "2027-11-01"),
        (LORD_HOWE, "2027-04-03T14:00", "2027-04-04"),
        (HAVANA, "2019-03-10T04:59", "2019-03-09"),
        (HAVANA, "2019-03-10T05:00", "2019-03-10"),  # 01:00, because midnight is skipped
    ],
)
def test_a_time_belongs_to_the_local_day_on_which_it_begins(zone: ZoneInfo, instant: str, of_day: str):
    minute, found = epoch(instant), day(of_day)

    assert day_of(zone, minute) == found
    assert day_start(zone, found) <= minute < day_start(zone, found + 1)
    first, end = local_day(date.fromisoformat(of_day), zone)
    assert first <= datetime.fromtimestamp(minute * 60, tz=UTC) < end
    assert [int(each.timestamp()) // 60 for each in (first, end)] == [
        day_start(zone, found),
        day_start(zone, found + 1),
    ]


@pytest.mark.parametrize(
    ("shift_on", "start", "end", "instant", "belongs"),
    [
        ("2027-01-04", 1320, 1560, "2027-01-04T21:00", True),  # Monday 22:00 to Tuesday 02:00: its beginning
        ("2027-01-04", 1320, 1560, "2027-01-05T00:30", True),  # 01:30 on Tuesday
        ("2027-01-04", 1320, 1560, "2027-01-05T01:00", False),  # its end
        ("2027-01-05", 1320, 1560, "2027-01-05T00:30", False),  # Tuesday's shift begins in the evening
        ("2027-03-27", 1320, 1560, "2027-03-28T00:30", True),  # 01:30; 02:00 does not exist in that night
        ("2027-10-30", 1320, 1620, "2027-10-31T01:30", True),  # the second 02:30 of a shift until 03:00
    ],
)
def test_a_shift_past_midnight_belongs_to_the_day_on_which_it_began(
    shift_on: str, start: int, end: int, instant: str, belongs: bool
):
    weekly = [WeeklyHours(date.fromisoformat(shift_on).weekday(), start, end)]

    shifts = hours_between(BERLIN, day(shift_on), day(shift_on) + 1, weekly, {})

    assert any(low <= epoch(instant) < high for low, high in shifts) is belongs
