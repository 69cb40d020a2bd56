"""When a request is due, and from when data counts as old."""

from datetime import UTC, date, datetime

import pytest

from privacy.rules import due_on, months_before


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 11, 29), date(2026, 12, 29)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2027, 10, 31), date(2027, 11, 30)),
    ],
)
def test_a_request_is_due_on_the_same_date_of_the_next_month_or_its_last_day(asked: date, due: date) -> None:
    assert due_on(asked) == due


@pytest.mark.parametrize(
    ("months", "before"),
    [
        (0, datetime(2027, 3, 31, 4, 45, tzinfo=UTC)),
        (1, datetime(2027, 2, 28, 4, 45, tzinfo=UTC)),
        (12, datetime(2026, 3, 31, 4, 45, tzinfo=UTC)),
        (37, datetime(2024, 2, 29, 4, 45, tzinfo=UTC)),
    ],
)
def test_months_count_back_to_the_same_date_or_the_last_day(months: int, before: datetime) -> None:
    assert months_before(datetime(2027, 3, 31, 4, 45, tzinfo=UTC), months) == before
