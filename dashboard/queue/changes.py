"""Change detection for open pages of the walk-in queue, which poll every few seconds.

The expected times follow from the bookings, so a change in the calendar counts as well.
"""

from datetime import datetime

from bookings.queries.walk_ins import newest_change
from dashboard.calendar.changes import changes_since, state_of_tag
from services.models import Location


def state_tag(place: Location, *, now: datetime) -> str:
    """Return the state of a location's queue and calendar as an entity tag (RFC 9110). Two statements."""
    calendar = changes_since(None, [place.pk], 0, now=now).state.tag
    return _joined(calendar, place, now)


def tag_after(known: str, place: Location, *, now: datetime) -> tuple[str, bool]:
    """Return the tag of now, and whether something that the page shows has changed since ``known``. Two statements."""
    calendar_known, _, queue_known = known.removeprefix("W/").strip('"').rpartition(".")
    calendar = changes_since(state_of_tag(calendar_known), [place.pk], 0, now=now)
    tag = _joined(calendar.state.tag, place, now)
    return tag, calendar.is_changed or tag.strip('"').rpartition(".")[2] != queue_known


def _joined(calendar_tag: str, place: Location, now: datetime) -> str:
    queue = newest_change(place, now)
    return f'"{calendar_tag.strip(chr(34))}.{queue}"'
