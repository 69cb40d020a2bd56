"""Opening hours of a week as users type them: what is read, what is refused, and what overlaps."""

import pytest
from django.core.exceptions import ValidationError

from services.week import day_text, days_that_overlap, read_day


@pytest.mark.parametrize(
    ("typed", "intervals"),
    [
        ("", []),
        ("  ", []),
        ("09:00–18:00", [[540, 1080]]),
        ("9-18", [[540, 1080]]),
        ("14:00–18:00, 09:00–13:00", [[540, 780], [840, 1080]]),
        ("9:00 - 13:00; 14:00 - 18:00", [[540, 780], [840, 1080]]),
        ("22:00–26:00", [[1320, 1560]]),
        ("00:00–24:00", [[0, 1440]]),
        ("09:00–13:00, 13:00–18:00", [[540, 780], [780, 1080]]),
    ],
)
def test_hours_of_a_day(typed: str, intervals: list[list[int]]) -> None:
    assert read_day(typed) == intervals


@pytest.mark.parametrize("typed", ["closed", "09:00", "9–", "–18", "9–13–18", "09:00–25:99", "09:00–18:00 and later"])
def test_texts_that_are_no_hours(typed: str) -> None:
    with pytest.raises(ValidationError):
        read_day(typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("18:00–09:00", "18:00. For past midnight type 33:00."),
        ("09:00–09:00", "does not come after 09:00"),
        ("24:00–26:00", "Start before 24:00"),
        ("09:00–13:00, 12:00–18:00", "09:00–13:00 and 12:00–18:00 overlap."),
        ("1-2,3-4,5-6,7-8,9-10,11-12,13-14", "at most 6 intervals"),
    ],
)
def test_hours_that_cannot_be_are_explained(typed: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_day(typed)

    assert said in refused.value.messages[0]


def test_text_is_read_back() -> None:
    assert day_text(read_day("9-13, 14-26")) == "09:00–13:00, 14:00–26:00"
    assert day_text([]) == ""


def test_nights_run_into_the_next_day_and_sunday_into_monday() -> None:
    assert days_that_overlap({0: [[540, 1080]], 1: [[540, 1080]]}) is None
    assert days_that_overlap({4: [[1320, 1560]], 5: [[60, 600]]}) == (4, 5)
    assert days_that_overlap({4: [[1320, 1560]], 5: [[120, 600]]}) is None
    assert days_that_overlap({6: [[1320, 1560]], 0: [[60, 600]]}) == (0, 6)
