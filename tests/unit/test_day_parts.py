"""The parts of a day under which times are listed."""

import pytest

from core.day_parts import DayPart, day_part


@pytest.mark.parametrize(
    ("clock", "part"),
    [
        ((0, 0), DayPart.MORNING),
        ((11, 59), DayPart.MORNING),
        ((12, 0), DayPart.AFTERNOON),
        ((16, 59), DayPart.AFTERNOON),
        ((17, 0), DayPart.EVENING),
        ((23, 59), DayPart.EVENING),
    ],
)
def test_noon_and_five_part_the_day(clock: tuple[int, int], part: DayPart) -> None:
    assert day_part(clock[0] * 60 + clock[1]) is part
