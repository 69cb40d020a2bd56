"""Check of time zones: the application and PostgreSQL agree on the clock of each zone in use."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import DataError, connection, transaction
from django.db.models import Max

from accounts.models import QuietHours
from core.doctor import Check
from core.zones import OffsetChange, offset_changes, offset_text
from services.models import BookingPolicy, Location

# Past visits of this period are still shown, counted and named in messages.
LOOK_BACK = timedelta(days=30)

_OFFSETS = """
SELECT at, seconds FROM (
    SELECT at, seconds, lag(seconds) OVER (ORDER BY at) AS before FROM (
        SELECT at, extract(epoch FROM at AT TIME ZONE %(zone)s - at AT TIME ZONE 'UTC')::int AS seconds
        FROM generate_series(%(from)s::timestamptz, %(until)s::timestamptz, interval '1 hour') AS at
        WHERE at < %(until)s::timestamptz
    ) hours
) changes WHERE before IS DISTINCT FROM seconds ORDER BY at
"""


def zones_unlike_database(now: datetime) -> list[str]:
    """Zones in use whose UTC offset differs between the application and PostgreSQL, at any hour that can be booked."""
    horizon = BookingPolicy.objects.aggregate(days=Max("horizon_days"))["days"] or 0
    from_at = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - LOOK_BACK
    until_at = now + timedelta(days=horizon + 1)
    return [line for name in _zones_in_use() if (line := _difference(name, from_at, until_at))]


def _zones_in_use() -> list[str]:
    of_places = Location.objects.values_list("time_zone", flat=True)
    of_people = QuietHours.objects.values_list("time_zone", flat=True)
    return sorted({*of_places, *of_people})


def _difference(name: str, from_at: datetime, until_at: datetime) -> str:
    try:
        here = offset_changes(ZoneInfo(name), from_at, until_at)
    except (ZoneInfoNotFoundError, ValueError):
        return f"time zone {name} is not in the package tzdata of the application"
    try:
        there = _database_changes(name, from_at, until_at)
    except DataError:
        return f"time zone {name} is not known to PostgreSQL; update its zone data"
    for at in sorted({at for at, _ in (*here, *there)}):
        ours, theirs = _offset_at(here, at), _offset_at(there, at)
        if ours != theirs:
            return (
                f"time zone {name} is {offset_text(ours)} in the application and {offset_text(theirs)} in PostgreSQL"
                f" from {at:%Y-%m-%d %H:%M} UTC on; update the older zone data"
            )
    return ""


def _database_changes(name: str, from_at: datetime, until_at: datetime) -> list[OffsetChange]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_OFFSETS, {"zone": name, "from": from_at, "until": until_at})
        return [(at, seconds) for at, seconds in cursor.fetchall()]


def _offset_at(changes: Iterable[OffsetChange], at: datetime) -> int:
    return [seconds for since, seconds in changes if since <= at][-1]


CHECKS = [
    Check("I33", "Application and PostgreSQL have the same time-zone data", zones_unlike_database),
]
