"""The facts of the calendar, read in a fixed number of statements whatever the number of staff, days and bookings.

Raw SQL, because plain integers load many times faster than model instances, and because no encrypted column is needed.
Minutes are whole minutes since the Unix epoch. Each read is limited to places and staff that the reader may see.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from bookings.enums import CALLED_OFF, EXPIRING
from bookings.refs import booking_ref
from bookings.reported_money import HAS_REPORTED_FEE, HAS_RUN_OUT
from core.intervals import Interval
from core.reads import sql_values
from core.texts import text_of
from dashboard.calendar.facts import (
    BookingFacts,
    CalendarFacts,
    LineFacts,
    PersonFacts,
    PlaceFacts,
    RoomFacts,
    Sight,
    Taken,
    TimeOffRequest,
)
from dashboard.calendar.grid import Reason
from payments.queries import Balance, balances
from services.models import Location
from staff.enums import TimeOffStatus
from staff.hours import WeeklyHours, hours_between
from staff.models import StaffMember, WorkingHours


def calendar_facts(
    places: Sequence[Location],
    sight: Sight,
    *,
    from_on: date,
    until_on: date,
    now: datetime,
    staff_member_id: int | None = None,
) -> CalendarFacts:
    """Read the dates from ``from_on`` to ``until_on`` (excluded) at some places. Five statements at most.

    ``staff_member_id`` narrows staff and bookings to one staff member.
    """
    hours = _places(from_on, until_on)
    last_on = date.fromordinal(until_on.toordinal() - 1)
    asked = [hours[place.pk] for place in places if place.pk in hours]
    windows = {place.id: (place.midnight(from_on), place.business_day(last_on)[1]) for place in asked}
    bookings = _bookings(windows, sight, staff_member_id, now)
    people = _people(hours, windows, sight, staff_member_id, bookings.values(), _days_around(from_on, until_on))
    rooms = _rooms(windows, sight)
    taken = _taken([*(person.resource_id for person in people), *(room.id for room in rooms)], windows, now)
    return CalendarFacts(sight, windows, hours, people, rooms, bookings, taken)


def _all(sql: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


# --- where ---------------------------------------------------------------------------------------------------------

# All places, because a column names the other places where its staff member works that day.
_PLACES = """
SELECT l.id, l.slug, l.name, l.translations, l.time_zone,
       (SELECT json_agg(json_build_array(o.weekday, o.start_minute, o.end_minute)) FROM services_openinghours o
        WHERE o.location_id = l.id),
       (SELECT json_agg(json_build_array(c."on" - DATE '0001-01-01' + 1, c.start_minute, c.end_minute, c.reason))
        FROM services_closure c
        WHERE c.location_id = l.id AND c."on" >= %(first_on)s::date AND c."on" < %(until_on)s::date)
FROM services_location l
"""


def _places(from_on: date, until_on: date) -> dict[int, PlaceFacts]:
    first, until = _days_around(from_on, until_on)
    parameters = {"first_on": date.fromordinal(first), "until_on": date.fromordinal(until)}
    found = {}
    for place_id, slug, name, translations, zone_name, weekly, closures in _all(_PLACES, parameters):
        zone = ZoneInfo(zone_name)
        special = _special((day, start, end) for day, start, end, _ in closures or ())
        found[place_id] = PlaceFacts(
            id=place_id,
            slug=slug,
            name=text_of({"name": name, "translations": _json(translations)}, "name"),
            zone=zone,
            opening=hours_between(zone, first, until, [WeeklyHours(*row) for row in weekly or ()], special),
            closures={day: reason for day, _, _, reason in closures or ()},
        )
    return found


def _days_around(from_on: date, until_on: date) -> tuple[int, int]:
    """Return the day numbers to read hours for. The hours of a day may reach into the next one."""
    return from_on.toordinal() - 1, until_on.toordinal() + 1


def _special(rows: Iterable[tuple[int, int | None, int | None]]) -> dict[int, list[Interval]]:
    """Read rows of day, start and end. A row without times closes the whole day."""
    days: dict[int, list[Interval]] = {}
    for day, start, end in rows:
        hours = days.setdefault(day, [])
        if start is not None and end is not None:
            hours.append((start, end))
    return days


def _json(value: Any) -> Any:
    """Parse JSON. Outside of models Django returns JSON columns as text."""
    return json.loads(value) if isinstance(value, str) else value


# --- who -----------------------------------------------------------------------------------------------------------

_APPROVED = TimeOffStatus.APPROVED
_SHOWN = frozenset({_APPROVED, TimeOffStatus.REQUESTED})
_ABSENCES = f"""(
    SELECT json_agg(json_build_array(t.status, floor(extract(epoch FROM lower(t.during)) / 60)::int,
        ceil(extract(epoch FROM upper(t.during)) / 60)::int, t.reason, t.id))
    FROM staff_timeoff t
    WHERE t.resource_id = {{resource}} AND t.status IN {sql_values(_SHOWN)}
      AND t.during && tstzrange(to_timestamp(%(low)s::int * 60.0), to_timestamp(%(high)s::int * 60.0)))"""  # noqa: S608
_PEOPLE = f"""
SELECT m.id, m.slug, m.name, m.short_name, m.resource_id, m.is_active,
    (SELECT json_agg(json_build_array(w.location_id, w.weekday, w.start_minute, w.end_minute,
        coalesce(w.valid_from - DATE '0001-01-01' + 1, 0), coalesce(w.valid_until - DATE '0001-01-01' + 1, 4000000),
        w.cycle_weeks, w.cycle_week))
     FROM staff_workinghours w WHERE w.staff_member_id = m.id),
    (SELECT json_agg(json_build_array(e.location_id, e."on" - DATE '0001-01-01' + 1, e.start_minute, e.end_minute))
     FROM staff_workinghoursexception e
     WHERE e.staff_member_id = m.id AND e."on" >= %(first_on)s::date AND e."on" < %(until_on)s::date),
    {_ABSENCES.format(resource="m.resource_id")}
FROM staff_staffmember m
WHERE (%(person)s::bigint IS NULL OR m.id = %(person)s::bigint)
  AND (m.id = ANY(%(booked)s::bigint[]) OR m.is_active AND (m.id = %(own)s::bigint OR
        EXISTS (SELECT FROM staff_workinghours w
            WHERE w.staff_member_id = m.id AND w.location_id = ANY(%(places)s::bigint[]))
        OR EXISTS (SELECT FROM staff_workinghoursexception e
            WHERE e.staff_member_id = m.id AND e.location_id = ANY(%(places)s::bigint[])
              AND e."on" >= %(first_on)s::date AND e."on" < %(until_on)s::date)))
ORDER BY m.position, m.name, m.id
"""  # noqa: S608 (our own text)


def _people(
    places: Mapping[int, PlaceFacts],
    windows: Mapping[int, Interval],
    sight: Sight,
    staff_member_id: int | None,
    bookings: Iterable[BookingFacts],
    days: tuple[int, int],
) -> list[PersonFacts]:
    """Return the staff of the places, and any other staff member with a booking there."""
    first, until = days
    parameters = {
        "person": staff_member_id,
        "own": sight.own_id,
        "places": sorted(sight.whole_place_ids & set(windows)),
        "booked": sorted({line.staff_member_id for each in bookings for line in each.lines if line.staff_member_id}),
        "first_on": date.fromordinal(first),
        "until_on": date.fromordinal(until),
        **_outer(windows),
    }
    found = []
    for staff_id, slug, name, short_name, resource_id, is_active, *rest in _all(_PEOPLE, parameters):
        weekly, exceptions, absences = rest
        working = {}
        for place_id in {row[0] for row in weekly or ()} | {row[0] for row in exceptions or ()}:
            special = _special(
                (day, start, end) if at == place_id else (day, None, None) for at, day, start, end in exceptions or ()
            )
            rows = [WeeklyHours(*row) for at, *row in weekly or () if at == place_id]
            working[place_id] = hours_between(places[place_id].zone, first, until, rows, special)
        found.append(
            PersonFacts(
                id=staff_id,
                slug=slug,
                name=name,
                short_name=short_name,
                resource_id=resource_id,
                is_active=is_active,
                working=working,
                weekly_at=frozenset(row[0] for row in weekly or ()),
                time_off=_time_off(absences),
                requests=_requests(absences),
            )
        )
    return found


def _time_off(absences: Iterable[Any] | None) -> list[Reason]:
    return [Reason(low, high, reason) for status, low, high, reason, _ in absences or () if status == _APPROVED]


def _requests(absences: Iterable[Any] | None) -> list[TimeOffRequest]:
    rows = [each for each in absences or () if each[0] != _APPROVED]
    return sorted(TimeOffRequest(low, high, pk, reason) for _, low, high, reason, pk in rows)


_ROOMS = f"""
SELECT r.id, r.name, r.location_id, {_ABSENCES.format(resource="r.id")}
FROM services_resource r
WHERE r.location_id = ANY(%(places)s::bigint[]) AND r.is_active
ORDER BY r.kind DESC, r.resource_type_id, r.name, r.id
"""  # noqa: S608 (our own text)


def _rooms(windows: Mapping[int, Interval], sight: Sight) -> list[RoomFacts]:
    shown = sorted(sight.whole_place_ids & set(windows))
    rows = _all(_ROOMS, {"places": shown, **_outer(windows)}) if shown else []
    return [RoomFacts(room_id, name, place_id, _time_off(absences)) for room_id, name, place_id, absences in rows]


def _outer(windows: Mapping[int, Interval]) -> dict[str, int]:
    """Return the minutes around all windows as SQL parameters."""
    return {
        "low": min((low for low, _ in windows.values()), default=0),
        "high": max((high for _, high in windows.values()), default=0),
    }


# --- what is booked ------------------------------------------------------------------------------------------------

# Bookings are at most two days long, so a booking that reaches into the window begins at most two days before it.
_BOOKINGS = f"""
WITH asked AS MATERIALIZED (
    SELECT place, to_timestamp(low * 60.0) AS low, to_timestamp(high * 60.0) AS high
    FROM unnest(%(places)s::bigint[], %(lows)s::int[], %(highs)s::int[]) AS w (place, low, high)
)
SELECT b.id, b.reference, b.status, b.channel, b.location_id,
       (extract(epoch FROM b.starts_at) / 60)::int, (extract(epoch FROM b.ends_at) / 60)::int,
       b.contact_name, b.arrived_at IS NOT NULL, b.ical_sequence, b.currency, b.total_minor,
       CASE WHEN b.status = 'held' AND k.id IS NOT NULL THEN (extract(epoch FROM b.hold_expires_at) / 60)::int END,
       n.staff_member_id, (extract(epoch FROM n.starts_at) / 60)::int, (extract(epoch FROM n.ends_at) / 60)::int,
       n.service_name, n.phases::text
FROM asked a
JOIN bookings_booking b ON b.location_id = a.place
    AND b.starts_at > a.low - interval '2 days' AND b.starts_at < a.high AND b.ends_at > a.low
JOIN bookings_bookingline n ON n.booking_id = b.id
LEFT JOIN bookings_holdlink k ON k.booking_id = b.id
WHERE b.status NOT IN {sql_values(CALLED_OFF)}
  AND (b.status <> 'held' OR b.hold_expires_at > %(now)s::timestamptz)
  AND (%(person)s::bigint IS NULL OR EXISTS (
        SELECT FROM bookings_bookingline o WHERE o.booking_id = b.id AND o.staff_member_id = %(person)s::bigint))
  AND (b.location_id = ANY(%(whole)s::bigint[]) OR EXISTS (
        SELECT FROM bookings_bookingline o WHERE o.booking_id = b.id AND o.staff_member_id = %(own)s::bigint))
ORDER BY b.starts_at, b.id, n.position
"""  # noqa: S608 (our own text)


def _bookings(
    windows: Mapping[int, Interval], sight: Sight, staff_member_id: int | None, now: datetime
) -> dict[int, BookingFacts]:
    parameters = {
        "places": list(windows),
        "lows": [low for low, _ in windows.values()],
        "highs": [high for _, high in windows.values()],
        "person": staff_member_id,
        "whole": sorted(sight.whole_place_ids),
        "own": sight.own_id,
        "now": now,
    }
    found: dict[int, BookingFacts] = {}
    for booking_id, *row in _all(_BOOKINGS, parameters):
        *head, staff_id, low, high, service, phases = row
        if booking_id not in found:
            found[booking_id] = BookingFacts(booking_id, *head)
        found[booking_id].lines.append(LineFacts(staff_id, low, high, service, _phases(phases)))
    return found


@lru_cache(maxsize=512)
def _phases(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((str(kind), int(minutes)) for kind, minutes in json.loads(text))


# --- what is taken -------------------------------------------------------------------------------------------------

# A claim is at most 2880 minutes long (constraint ``bookings_allocation_length``).
_TAKEN = f"""
SELECT a.resource_id, a.low_minute, a.high_minute, a.booking_id, b.location_id
FROM bookings_allocation a
LEFT JOIN bookings_booking b ON b.id = a.booking_id
WHERE a.resource_id = ANY(%(resources)s::bigint[])
  AND a.low_minute > %(low)s::int - 2880 AND a.low_minute < %(high)s::int AND a.high_minute > %(low)s::int
  AND (b.id IS NULL OR NOT (b.status IN {sql_values(EXPIRING)}
        AND {HAS_RUN_OUT.format(booking="b", now="%(now)s::timestamptz")}))
  AND (a.move_proposal_id IS NULL OR a.move_proposal_id IN (
        SELECT m.id FROM bookings_moveproposal m
        WHERE m.expires_at > %(now)s::timestamptz OR {HAS_REPORTED_FEE.format(proposal="m")}))
ORDER BY a.low_minute, a.id
"""  # noqa: S608 (our own text)


def _taken(resource_ids: Sequence[int], windows: Mapping[int, Interval], now: datetime) -> list[Taken]:
    if not resource_ids:
        return []
    return [Taken(*row) for row in _all(_TAKEN, {"resources": sorted(resource_ids), "now": now, **_outer(windows)})]


# --- money and the team --------------------------------------------------------------------------------------------


def balances_of(facts: CalendarFacts) -> dict[int, Balance]:
    """Return the balances of all bookings by booking id. One statement."""
    refs = {booking_id: booking_ref(booking_id) for booking_id in facts.bookings}
    found = balances(list(refs.values()))
    return {booking_id: found[ref] for booking_id, ref in refs.items()}


def team_of(places: Sequence[Location], sight: Sight) -> list[StaffMember]:
    """Return the staff members at the places whom the reader may see. One statement."""
    hours = WorkingHours.objects.filter(location__in=[each.pk for each in places if each.pk in sight.whole_place_ids])
    shown = Q(pk__in=hours.values("staff_member_id")) | Q(pk=sight.own_id)
    return list(StaffMember.objects.filter(shown, is_active=True))
