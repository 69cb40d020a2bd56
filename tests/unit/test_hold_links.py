"""Until when a link keeps a time, and how what is left of it reads."""

from datetime import UTC, datetime, timedelta

import pytest

from bookings.rules.hold_links import link_kept_until
from core.formats import countdown_text

NOW = datetime(2027, 1, 4, 6, 0, 40, tzinfo=UTC)


def minutes_left(*, visit_in: int, minutes: int = 120) -> float | None:
    """How many minutes a link of ``minutes`` keeps a time that begins ``visit_in`` minutes after the full minute."""
    until = link_kept_until(NOW.replace(second=0) + timedelta(minutes=visit_in), minutes=minutes, now=NOW)
    return until and (until - NOW.replace(second=0)) / timedelta(minutes=1)


@pytest.mark.parametrize(
    ("visit_in", "minutes", "left"),
    [
        (5000, 120, 120),
        (150, 120, 120),
        (149, 120, 119),
        (60, 120, 30),
        (41, 120, 11),
        # Nine minutes and twenty seconds are too few to read a message and fill in a page.
        (40, 120, None),
        (30, 120, None),
        (-5, 120, None),
        (5000, 15, 15),
        (5000, 1440, 1440),
    ],
)
def test_a_link_ends_after_its_minutes_or_half_an_hour_before_the_visit(
    visit_in: int, minutes: int, left: float | None
) -> None:
    assert minutes_left(visit_in=visit_in, minutes=minutes) == left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (-3, "0:00"), (59, "0:59"), (462, "7:42"), (3599, "59:59"), (3600, "1:00:00"), (7182, "1:59:42")],
)
def test_a_countdown_has_hours_only_from_an_hour_on(seconds: int, text: str) -> None:
    assert countdown_text(seconds) == text
