"""When reminders are due and how long they are of use, also over a change of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bookings.messages.kinds import PlannedKind
from bookings.messages.reminders import schedule

BERLIN = ZoneInfo("Europe/Berlin")
DEFAULTS = {PlannedKind.REMINDER: (1440, 60)}
START = datetime(2027, 6, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def planned(*, starts_at: datetime = START, now: datetime, offsets: object = None) -> list[tuple[int, datetime]]:
    found = schedule(starts_at=starts_at, ends_at=starts_at + HOUR, now=now, offsets=offsets or DEFAULTS)  # type: ignore[arg-type]
    return [(each.offset_minutes, each.due_at) for each in found]


def test_a_day_and_an_hour_before() -> None:
    assert planned(now=START - timedelta(days=3)) == [(1440, START - timedelta(days=1)), (60, START - HOUR)]


@pytest.mark.parametrize(
    ("booked_before", "offsets"),
    [
        (timedelta(hours=25), [1440, 60]),
        (timedelta(hours=24, minutes=59), [60]),
        (timedelta(hours=2), [60]),
        (timedelta(hours=1, minutes=59), []),
        (timedelta(minutes=10), []),
        (timedelta(days=-1), []),
    ],
)
def test_what_would_come_within_an_hour_of_booking_is_left_out(booked_before: timedelta, offsets: list[int]) -> None:
    assert [offset for offset, _ in planned(now=START - booked_before)] == offsets


def test_a_day_is_24_hours_also_when_the_clocks_change() -> None:
    for day in (datetime(2027, 3, 28, 10, tzinfo=BERLIN), datetime(2027, 10, 31, 10, tzinfo=BERLIN)):
        starts_at = day.astimezone(UTC)
        [(_, first), _second] = planned(starts_at=starts_at, now=starts_at - timedelta(days=9))

        assert starts_at - first == timedelta(hours=24)
        assert first.astimezone(BERLIN).hour != 10


def test_a_reminder_is_of_use_until_the_next_one_and_the_last_until_the_start() -> None:
    offsets = {PlannedKind.REMINDER: (60, 2880, 1440)}

    found = schedule(starts_at=START, ends_at=START + HOUR, now=START - timedelta(days=9), offsets=offsets)

    assert [each.expires_at for each in found] == [START - timedelta(days=1), START - HOUR, START]


def test_what_follows_a_visit_counts_from_its_end() -> None:
    offsets = {PlannedKind.REVIEW_REQUEST: (180,), PlannedKind.FOLLOW_UP: (7 * 1440,)}

    found = schedule(starts_at=START, ends_at=START + HOUR, now=START - HOUR, offsets=offsets)

    assert [(each.kind, each.due_at - START) for each in found] == [
        (PlannedKind.REVIEW_REQUEST, timedelta(hours=4)),
        (PlannedKind.FOLLOW_UP, timedelta(days=7, hours=1)),
    ]
    assert [each.expires_at - each.due_at for each in found] == [timedelta(days=3), timedelta(days=7)]


# The day before the visit has 23, 25, 23.5 or 24.5 hours: (zone, local start, local due of the reminder a day before).
CLOCK_CHANGES = [
    ("Europe/Berlin", "2027-03-28 10:00", "2027-03-27 09:00"),
    ("Europe/Berlin", "2027-10-31 10:00", "2027-10-30 11:00"),
    ("Australia/Lord_Howe", "2027-10-03 10:00", "2027-10-02 09:30"),
    ("Australia/Lord_Howe", "2027-04-04 10:00", "2027-04-03 10:30"),
]


@pytest.mark.parametrize(("zone", "start", "due"), CLOCK_CHANGES)
def test_reminders_count_elapsed_time_over_a_change_of_clocks(zone: str, start: str, due: str) -> None:
    place = ZoneInfo(zone)
    starts_at = datetime.fromisoformat(start).replace(tzinfo=place).astimezone(UTC)

    [(_, first), (_, second)] = planned(starts_at=starts_at, now=starts_at - timedelta(days=9))

    assert f"{first.astimezone(place):%Y-%m-%d %H:%M}" == due
    assert starts_at - second == HOUR
