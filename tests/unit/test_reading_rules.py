"""What counts as unusual reading: tables of cases, and properties against a plain count."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.enums import Reading
from privacy.enums import UnusualReading
from privacy.reading_rules import Limits, Read, Unusual, night_of, unusual

BERLIN = ZoneInfo("Europe/Berlin")
# Seven on a Monday morning in Berlin.
MONDAY = datetime(2027, 1, 4, 6, tzinfo=UTC)
NIGHT = (21 * 60, 6 * 60)
HOUR = timedelta(hours=1)


def viewed(minute: float, reference: str, act: str = Reading.VIEWED) -> Read:
    return Read(MONDAY + timedelta(minutes=minute), act, reference)


def downloaded(minute: float, rows: int) -> Read:
    return Read(MONDAY + timedelta(minutes=minute), Reading.EXPORTED, "", rows)


def found(readings: list[Read], *, hour=None, night=None, refused=None, is_open=False) -> list[tuple[str, str, int]]:
    limits = Limits(hour, night, refused, NIGHT)
    rows = unusual(readings, limits, zone=BERLIN, is_open=lambda at: is_open)
    return [(row.rule, row.on.isoformat(), row.count) for row in rows]


@pytest.mark.parametrize(
    ("readings", "count"),
    [
        ([], 0),
        ([viewed(0, "A")], 1),
        # The same record again, and changing it, is no second record.
        ([viewed(0, "A"), viewed(1, "A"), viewed(2, "A", Reading.CHANGED)], 1),
        ([viewed(0, "A"), viewed(59, "B")], 2),
        # The hour is over.
        ([viewed(0, "A"), viewed(60, "B")], 1),
        ([viewed(0, "A"), viewed(30, "B"), viewed(61, "C")], 2),
        # Read again later: the first time has left the hour, the second has not.
        ([viewed(0, "A"), viewed(30, "A"), viewed(61, "B")], 2),
        # Each row of a download counts.
        ([downloaded(0, 40)], 40),
        ([downloaded(0, 40), viewed(10, "A"), downloaded(20, 2)], 43),
        ([downloaded(0, 40), downloaded(60, 30)], 40),
        # Searches and refusals show no record.
        ([viewed(0, "", Reading.SEARCHED), viewed(1, "A", Reading.REFUSED)], 0),
    ],
)
def test_records_in_an_hour(readings: list[Read], count: int) -> None:
    expected = [("many", "2027-01-04", count)] if count else []

    assert found(readings, hour=0) == expected
    assert found(readings, hour=count) == []
    assert found(readings) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2027-01-04 20:59", None),
        ("2027-01-04 21:00", "2027-01-04"),
        ("2027-01-05 00:00", "2027-01-04"),
        ("2027-01-05 05:59", "2027-01-04"),
        ("2027-01-05 06:00", None),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(at: str, expected: str | None) -> None:
    on = night_of(datetime.fromisoformat(at), NIGHT)

    assert (on.isoformat() if on else None) == expected


@pytest.mark.parametrize(("at", "expected"), [("00:59", False), ("01:00", True), ("04:59", True), ("05:00", False)])
def test_a_night_may_begin_after_midnight(at: str, expected: bool) -> None:
    on = night_of(datetime.fromisoformat(f"2027-01-05 {at}"), (60, 300))

    assert on == (date(2027, 1, 5) if expected else None)


def test_a_night_counts_over_midnight_and_not_while_the_business_is_open() -> None:
    evening = [viewed(15 * 60 + each, f"A{each}") for each in range(3)]  # from 22:00
    morning = [viewed(18 * 60, "B"), viewed(18 * 60 + 1, "A0")]  # 1:00 on Tuesday
    by_day = [viewed(5 * 60 + each, f"D{each}") for each in range(9)]

    assert found([*evening, *morning, *by_day], night=3) == [("night", "2027-01-04", 4)]
    assert found([*evening, *morning], night=4) == []
    assert found([*evening, *morning], night=0, is_open=True) == []


def test_refused_records_count_once_a_day() -> None:
    refused = [viewed(minute, each, Reading.REFUSED) for minute, each in enumerate(["A", "B", "A", "", "C"])]
    tomorrow = [viewed(24 * 60, "D", Reading.REFUSED)]

    assert found([*refused, *tomorrow, viewed(3, "Z")], refused=2) == [("refused", "2027-01-04", 3)]
    assert found([*refused, *tomorrow], refused=3) == []


def test_each_rule_and_day_is_found_once() -> None:
    readings = [downloaded(0, 9), downloaded(90, 7), downloaded(25 * 60, 8), viewed(0, "A", Reading.REFUSED)]

    assert found(readings, hour=5, night=5, refused=0) == [
        ("many", "2027-01-04", 9),
        ("many", "2027-01-05", 8),
        ("refused", "2027-01-04", 1),
    ]


# --- properties -----------------------------------------------------------------------------------------------------

reads = st.builds(
    lambda minute, act, reference, rows: (
        Read(MONDAY + timedelta(minutes=minute), act, "", rows)
        if act == Reading.EXPORTED
        else Read(MONDAY + timedelta(minutes=minute), act, reference)
    ),
    st.integers(0, 3 * 24 * 60),
    st.sampled_from(list(Reading)),
    st.sampled_from("ABCDEFG"),
    st.integers(0, 9),
)


def plainly(readings: list[Read]) -> dict[date, int]:
    """The rule of the hour, counted anew for each reading that ends an hour."""
    most: dict[date, int] = {}
    shown = [read for read in readings if read.act in {"viewed", "changed", "exported"}]
    for end in shown:
        within = [read for read in shown if end.at - HOUR < read.at <= end.at]
        count = len({read.reference for read in within if read.reference}) + sum(read.rows for read in within)
        on = end.at.astimezone(BERLIN).date()
        most[on] = max(most.get(on, 0), count)
    return {on: count for on, count in most.items() if count > 2}


@given(st.lists(reads, max_size=40))
def test_the_window_counts_as_plainly(readings: list[Read]) -> None:
    rows = unusual(readings, Limits(2, None, None, NIGHT), zone=BERLIN, is_open=lambda at: False)

    assert {row.on: row.count for row in rows} == plainly(readings)


@given(st.lists(reads, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(readings: list[Read], chance: object) -> None:
    limits = Limits(1, 1, 1, NIGHT)
    mixed = list(readings)
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert all_found(mixed, limits) == all_found(readings, limits)


@given(st.lists(reads, max_size=30), reads)
def test_one_reading_more_never_hides_anything(readings: list[Read], more: Read) -> None:
    limits = Limits(2, 1, 1, NIGHT)
    before = {(row.rule, row.on): row.count for row in all_found(readings, limits)}
    after = {(row.rule, row.on): row.count for row in all_found([*readings, more], limits)}

    assert all(after.get(key, 0) >= count for key, count in before.items())


@given(st.lists(reads, max_size=30), st.integers(0, 9))
def test_a_higher_limit_finds_no_more(readings: list[Read], limit: int) -> None:
    low, high = (all_found(readings, Limits(each, each, each, NIGHT)) for each in (limit, limit + 1))

    assert set(high) <= set(low)
    assert all(row.count > limit for row in low)


@given(st.lists(reads, max_size=30))
def test_nothing_is_at_night_while_the_business_is_open(readings: list[Read]) -> None:
    rows = unusual(readings, Limits(0, 0, 0, NIGHT), zone=BERLIN, is_open=lambda at: True)

    assert UnusualReading.NIGHT not in {row.rule for row in rows}


def all_found(readings: list[Read], limits: Limits) -> list[Unusual]:
    return unusual(readings, limits, zone=BERLIN, is_open=lambda at: False)
