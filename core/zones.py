"""Time zones: when their clocks differ from UTC by how much, and the hour that a change of clocks repeats.

"What time is it there" is answered by the pinned package ``tzdata`` alone (see ``config.zone_data``). SQL gets instants
that Python computed; it never converts to local time, because PostgreSQL has zone data of its own.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# (instant, seconds east of UTC from then on)
OffsetChange = tuple[datetime, int]


def city(zone: ZoneInfo) -> str:
    """The place a zone is named after: Europe/Lisbon is Lisbon."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def is_repeated(local: datetime) -> bool:
    """Whether the clock of ``local``, which has a zone, shows this time twice that night."""
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def repeated_name(local: datetime) -> str:
    """The name of the clock (CEST, CET, UTC+10:30) that tells the two times of a repeated hour apart; else empty."""
    if not is_repeated(local):
        return ""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{offset_text(int((local.utcoffset() or timedelta()).total_seconds()))}"


def offset_changes(zone: ZoneInfo, from_at: datetime, until_at: datetime) -> list[OffsetChange]:
    """Return the offset at ``from_at`` and each later one with the full hour since which it is seen."""
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
