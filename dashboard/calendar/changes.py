"""Change detection for open calendars, which poll every few seconds.

Every change of a booking writes a history row, so the newest row shows nearly all changes. What changes the calendar
without such a row is counted: live holds, which run out, and time off, with the requests that wait for an answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from bookings.enums import EXPIRING
from core.reads import sql_values
from staff.enums import TimeOffStatus

# Rows get their ids before they are committed, so a row can appear below the newest. It is noticed as long as at most
# this many rows were written in between.
_LATE_ROWS = 64
_LONGEST_TAG = 100


class State(NamedTuple):
    """The id of the newest history row, the number of rows just below it, the number of live holds, the id of the
    newest time off, and the number of requests for time off. Time off counts for the whole business: it is rare.
    """

    newest: int
    rows: int
    kept: int
    newest_off: int
    asked: int

    @property
    def tag(self) -> str:
        """The state as an entity tag (RFC 9110)."""
        return f'"{"-".join(map(str, self))}"'


@dataclass(frozen=True, slots=True)
class Changes:
    """The current state. ``is_changed``: something visible to the reader has changed since the state they know."""

    state: State
    is_changed: bool


def state_of_tag(tag: str) -> State | None:
    """Parse the tag of a state; None for anything else."""
    parts = tag[:_LONGEST_TAG].removeprefix("W/").strip('"').split("-")
    if len(parts) != len(State._fields) or not all(
        part.isascii() and part.isdecimal() and len(part) < 18 for part in parts
    ):
        return None
    return State(*map(int, parts))


_STATE = f"""
WITH newest AS MATERIALIZED (SELECT coalesce(max(id), 0) AS id FROM bookings_bookingevent)
SELECT n.id,
    (SELECT count(*) FROM bookings_bookingevent e WHERE e.id > n.id - {_LATE_ROWS} AND e.id <= n.id),
    (SELECT count(*) FROM bookings_bookingevent e
        WHERE e.id > %(known)s::bigint - {_LATE_ROWS} AND e.id <= %(known)s::bigint),
    EXISTS (
        SELECT FROM bookings_bookingevent e JOIN bookings_booking b ON b.id = e.booking_id
        WHERE e.id > %(known)s::bigint AND (b.location_id = ANY(%(places)s::bigint[]) OR EXISTS (
            SELECT FROM bookings_bookingline o WHERE o.booking_id = b.id AND o.staff_member_id = %(own)s::bigint))),
    (SELECT count(*) FROM bookings_booking b
        WHERE b.status IN {sql_values(EXPIRING)} AND b.hold_expires_at > %(now)s::timestamptz
          AND b.location_id = ANY(%(places)s::bigint[])),
    (SELECT coalesce(max(id), 0) FROM staff_timeoff),
    (SELECT count(*) FROM staff_timeoff WHERE status = '{TimeOffStatus.REQUESTED}')
FROM newest n
"""  # noqa: S608 (our own text)


def changes_since(known: State | None, place_ids: Collection[int], own_id: int, *, now: datetime) -> Changes:
    """Compare with a state that a page knows, for all bookings of some places and the reader's own. One statement.

    It reads only the end of the history, the live holds and the open requests, however long the history is.
    """
    parameters: dict[str, Any] = {
        "known": known.newest if known else 2**62,
        "places": sorted(place_ids),
        "own": own_id,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATE, parameters)
        newest, rows, rows_then, is_new, kept, *off = cursor.fetchone() or (0, 0, 0, False, 0)
    state = State(newest, rows, kept, *off)
    if known is None:
        return Changes(state, is_changed=True)
    return Changes(state, is_new or rows_then != known.rows or state[2:] != known[2:])
