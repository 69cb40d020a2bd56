"""Instants as whole minutes since the Unix epoch (UTC), the unit of availability and claims. Pure."""

from datetime import UTC, datetime


def minute_of(at: datetime) -> int:
    """Return the minute that contains an instant with a time zone."""
    return int(at.timestamp()) // 60


def instant(minute: int) -> datetime:
    """Return the start of a minute, in UTC."""
    return datetime.fromtimestamp(minute * 60, UTC)
