"""Until when a link keeps a time. Pure: instants in, an instant out."""

from datetime import datetime, timedelta

# If nobody has booked by then, the business has half an hour left to fill the time.
BEFORE_VISIT = timedelta(minutes=30)
# A customer needs this long to read the message and to fill in the page.
SHORTEST = timedelta(minutes=10)


def link_kept_until(starts_at: datetime, *, minutes: int, now: datetime) -> datetime | None:
    """Return until when a link that is sent now keeps a time, at most ``minutes``; None if the visit begins too soon.

    It is a whole minute, as both sides read it.
    """
    until = min(now + timedelta(minutes=minutes), starts_at - BEFORE_VISIT).replace(second=0, microsecond=0)
    return until if until - now >= SHORTEST else None
