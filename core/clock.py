"""The one place that reads the clock. Views, tasks and commands call ``now``; rules take it as a value."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(tz=UTC)
