"""Time zones: their offsets from UTC over time, and the hour that a clock change repeats.

All zone data comes from the pinned package ``tzdata`` (see ``config.zone_data``). SQL gets instants that Python
computed and never converts to local time, because PostgreSQL has its own zone data.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# (instant, seconds east of UTC from then on)
OffsetChange = tuple[datetime, int]


def city(zone: ZoneInfo) -> str:
    """Return the city of a zone's name: Europe/Lisbon gives Lisbon."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def is_repeated(local: datetime) -> bool:
    """Whether a clock change repeats this local time. ``local`` has a zone."""
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def repeated_name(local: datetime) -> str:
    """Return the zone abbreviation (CEST, CET, UTC+10:30) if a clock change repeats this local time, else ""."""
    if not is_repeated(local):
        return ""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{offset_text(int((local.utcoffset() or timedelta()).total_seconds()))}"


def offset_changes(zone: ZoneInfo, from_at: datetime, until_at: datetime) -> list[OffsetChange]:
    """Return the offset at ``from_at`` and each later offset before ``until_at``, in steps of an hour.

    A change is dated with the first step at which it applies.
    """
    changes: list[OffsetChange] = []
    at = from_at.astimezone(UTC)
    while at < until_at:
        offset = at.astimezone(zone).utcoffset() or timedelta()
        seconds = int(offset.total_seconds())
        if not changes or changes[-1][1] != seconds:
            changes.append((at, seconds))
        at += timedelta(hours=1)
    return changes


def offset_text(seconds: int) -> str:
    """Write an offset such as -07:00."""
    hours, rest = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{rest:02d}"
