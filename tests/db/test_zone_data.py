"""Time-zone data: the doctor reports zones in which PostgreSQL and the application differ, and limits use one clock."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bookings.availability.loading import availability_facts
from bookings.doctor.visits import exceeded_limits
from services.doctor import zones_unlike_database
from tests import factories
from tests.factories import NOW
from tests.journeys import booked
from tests.zone_data import reading_zone_data, write_zone_data

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("zone", "at", "clock"),
    [
        ("America/Edmonton", datetime(2027, 1, 19, 16, 0, tzinfo=UTC), "2027-01-19 10:00"),
        ("America/Vancouver", datetime(2026, 12, 15, 20, 0, tzinfo=UTC), "2026-12-15 13:00"),
        ("Africa/Casablanca", datetime(2027, 1, 20, 8, 0, tzinfo=UTC), "2027-01-20 08:00"),
    ],
)
def test_postgresql_follows_the_law_of_today(zone: str, at: datetime, clock: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_char(%s::timestamptz AT TIME ZONE %s, 'YYYY-MM-DD HH24:MI')", [at, zone])
        assert cursor.fetchone() == (clock,)


def test_the_doctor_finds_both_sides_alike() -> None:
    factories.business()
    for name in ("America/Edmonton", "America/Vancouver", "Africa/Casablanca", "Australia/Lord_Howe", "Europe/Berlin"):
        factories.location(time_zone=name)

    assert zones_unlike_database(NOW) == []


def test_the_doctor_names_a_zone_with_stale_data(tmp_path: Path) -> None:
    factories.business()
    factories.location(time_zone="Europe/Berlin")
    factories.location(time_zone="America/Edmonton")
    write_zone_data(tmp_path, {"America/Edmonton": "America/Vancouver"})

    with reading_zone_data(tmp_path):
        found = zones_unlike_database(NOW)

    assert found == [
        "time zone America/Edmonton is -07:00 in the application and -06:00 in PostgreSQL from 2026-12-05 06:00 UTC on;"
        " update the older zone data"
    ]


def test_the_doctor_names_a_difference_that_begins_later(tmp_path: Path) -> None:
    factories.business(booking_policy=factories.booking_policy(horizon_days=120))
    factories.location(time_zone="Europe/Berlin")
    write_zone_data(tmp_path, {"Europe/Berlin": "Africa/Lagos"})

    with reading_zone_data(tmp_path):
        found = zones_unlike_database(NOW)

    assert len(found) == 1
    assert "from 2027-03-28 01:00 UTC on" in found[0]


def test_the_doctor_names_zones_that_one_side_does_not_know(tmp_path: Path) -> None:
    factories.business()
    factories.location(time_zone="Nowhere/Here")
    factories.location(time_zone="Nowhere/There")
    write_zone_data(tmp_path, {"Nowhere/There": "Europe/Berlin"})

    with reading_zone_data(tmp_path):
        found = zones_unlike_database(NOW)

    assert found == [
        "time zone Nowhere/Here is not in the package tzdata of the application",
        "time zone Nowhere/There is not known to PostgreSQL; update its zone data",
    ]


def counted(place: Any) -> dict[tuple[int, int], int]:
    facts = availability_facts(
        variant_ids=[place.variant.id], from_on=factories.MONDAY, until_on=factories.MONDAY.replace(day=14), now=NOW
    )
    return {(service, day - factories.MONDAY.toordinal()): n for (service, day), n in facts.counts.services.items()}


def test_a_limit_counts_by_the_days_that_are_offered_whatever_postgresql_thinks(tmp_path: Path) -> None:
    """Berlin's 00:30 is the day before in London. PostgreSQL has Berlin's clock, the application that of London."""
    place = factories.studio(daily_limit=1)
    place.location.opening_hours.update(start_minute=0, end_minute=1440)
    place.staff[0].working_hours.update(start_minute=0, end_minute=1440)
    write_zone_data(tmp_path, {"Europe/Berlin": "Europe/London"})
    service = place.variant.service_id

    with reading_zone_data(tmp_path):
        booked(place, start_minute=place.minute(23, 30, days=1))
        assert counted(place) == {(service, 1): 1}
        booked(place, start_minute=place.minute(0, 30, days=2))
        assert counted(place) == {(service, 1): 1, (service, 2): 1}
        assert exceeded_limits(NOW) == []
