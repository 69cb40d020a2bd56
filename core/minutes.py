"""Instants as whole minutes since the Unix epoch (UTC), in which free and taken time is counted. Pure."""

from datetime import UTC, datetime


def minute_of(at: datetime) -> int:
    """Return the minute in which an instant lies."""
    return int(at.timestamp()) // 60


def instant(minute: int) -> datetime:
    """Return the instant at which a minute begins, in UTC."""
    return datetime.fromtimestamp(minute * 60, UTC)
