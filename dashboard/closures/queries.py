"""Reads of special days, of the bookings that a change would hit, and of those that wait for a decision."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet

from bookings.enums import CHANGEABLE
from bookings.models import Booking, BookingLine
from bookings.queries.outside_hours import left_outside_hours
from dashboard.closures.entries import Entry, Row, entries_of
from dashboard.permissions import Act, Rights, bookings_run_by, locations_for
from services.models import Closure, Location

MOST_LISTED = 100


def places_run_by(rights: Rights) -> list[Location]:
    """Return the locations whose special days the user decides. One query."""
    return list(locations_for(rights, Act.EDIT_HOURS))


def earliest_today(places: Iterable[Location], now: datetime) -> date:
    """Return the date now, at the place where it is earliest: a day that is not over everywhere can be changed."""
    return min((now.astimezone(ZoneInfo(place.time_zone)).date() for place in places), default=now.date())


def entries_ahead(places: Collection[Location], today: date) -> list[Entry]:
    """Return the special days of places that are not over, in the order of time. One query."""
    rows = Closure.objects.filter(location__in=places, on__gte=today).values_list(
        "pk", "location_id", "on", "start_minute", "end_minute", "reason"
    )
    return entries_of(
        Row(pk, location_id, on, None if start is None or end is None else (start, end), reason)
        for pk, location_id, on, start, end, reason in rows
    )


def days_set_already(entries: Iterable[Entry], hours: Collection[tuple[int, int]], but: Entry | None) -> list[Entry]:
    """Return the entries that new hours of (location id, date) would replace. ``but`` is the one that is edited."""
    taken = set(hours)
    return [
        entry
        for entry in entries
        if entry != but and any((place, day) in taken for place in entry.location_ids for day in entry.days)
    ]


def bookings_of(ids: Collection[int]) -> list[Booking]:
    """Return the bookings that can still be moved or cancelled, in the order of time. Two queries at most."""
    return list(_with_lines(Booking.objects.filter(pk__in=ids, status__in=CHANGEABLE))) if ids else []


@dataclass(frozen=True, slots=True)
class Waiting:
    """Bookings outside the hours, in the order of time. ``is_cut``: more than ``MOST_LISTED`` wait."""

    bookings: Sequence[Booking]
    is_cut: bool


def waiting(rights: Rights, now: datetime) -> Waiting:
    """Return the bookings at the user's locations that are outside the hours until staff decide. Two queries."""
    found = list(_with_lines(left_outside_hours(now) & bookings_run_by(rights))[: MOST_LISTED + 1])
    return Waiting(found[:MOST_LISTED], len(found) > MOST_LISTED)


def special_reasons(bookings: Collection[Booking]) -> dict[tuple[int, date], list[Closure]]:
    """Return the special days on which the bookings begin, by location id and date. One query."""
    days = {(booking.location_id, _on(booking)) for booking in bookings}
    rows = Closure.objects.filter(location__in={at for at, _ in days}, on__in={on for _, on in days})
    found: dict[tuple[int, date], list[Closure]] = {}
    for row in rows:
        if (row.location_id, row.on) in days:
            found.setdefault((row.location_id, row.on), []).append(row)
    return found


def _on(booking: Booking) -> date:
    return booking.starts_at.astimezone(ZoneInfo(booking.location.time_zone)).date()


def _with_lines(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    lines = BookingLine.objects.select_related("staff_member")
    return bookings.select_related("location").prefetch_related(Prefetch("lines", lines)).order_by("starts_at", "pk")
