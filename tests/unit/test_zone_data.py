"""The application's clocks come from the pinned package, whatever the system has."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.zones import is_repeated, offset_changes, offset_text
from tests.zone_data import write_zone_data

ROOT = Path(__file__).resolve().parents[2]
# Zones whose law changed in 2026: what the clock shows, and how far it is from UTC.
TODAYS_LAW = [
    ("America/Edmonton", datetime(2027, 1, 19, 16, 0, tzinfo=UTC), "2027-01-19T10:00:00-06:00"),
    ("America/Vancouver", datetime(2026, 12, 15, 20, 0, tzinfo=UTC), "2026-12-15T13:00:00-07:00"),
    ("Africa/Casablanca", datetime(2027, 1, 20, 8, 0, tzinfo=UTC), "2027-01-20T08:00:00+00:00"),
    ("Europe/Berlin", datetime(2027, 1, 19, 16, 0, tzinfo=UTC), "2027-01-19T17:00:00+01:00"),
]


@pytest.mark.parametrize(("zone", "at", "local"), TODAYS_LAW)
def test_clocks_follow_the_law_of_today(zone: str, at: datetime, local: str) -> None:
    assert at.astimezone(ZoneInfo(zone)).isoformat() == local


@pytest.mark.parametrize("start", ["import config.settings", "import config.wsgi", "from config.celery import app"])
def test_stale_data_of_the_system_is_not_read_by_any_process(start: str, tmp_path: Path) -> None:
    write_zone_data(tmp_path, {"America/Edmonton": "Europe/Berlin"})
    ask = (
        "from datetime import UTC, datetime; from zoneinfo import ZoneInfo;"
        "print(datetime(2027, 1, 19, 16, tzinfo=UTC).astimezone(ZoneInfo('America/Edmonton')).isoformat())"
    )
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings_test"}

    def said(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert said(ask) == "2027-01-19T17:00:00+01:00"
    assert said(f"{start}; {ask}") == "2027-01-19T10:00:00-06:00"


@pytest.mark.parametrize(
    ("zone", "clock", "expected"),
    [
        ("Europe/Berlin", "2027-10-31 02:30", True),
        ("Europe/Berlin", "2027-10-31 01:59", False),
        ("Europe/Berlin", "2027-10-31 03:00", False),
        ("Europe/Berlin", "2027-03-28 02:30", False),
        ("Australia/Lord_Howe", "2027-04-04 01:45", True),
        ("Australia/Lord_Howe", "2027-04-04 01:15", False),
    ],
)
def test_a_repeated_hour_is_known(zone: str, clock: str, expected: bool) -> None:
    assert is_repeated(datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone))) is expected


def test_changes_of_the_offset_are_found_to_the_hour() -> None:
    from_at, until_at = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 11, 30, tzinfo=UTC)

    found = offset_changes(ZoneInfo("Europe/Berlin"), from_at, until_at)

    assert found == [
        (from_at, 3600),
        (datetime(2027, 3, 28, 1, tzinfo=UTC), 7200),
        (datetime(2027, 10, 31, 1, tzinfo=UTC), 3600),
    ]
    assert [offset_text(seconds) for seconds in (-25200, 20700, 0)] == ["-07:00", "+05:45", "+00:00"]
