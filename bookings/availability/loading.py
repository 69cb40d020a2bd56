"""Loads the facts of availability: the one query layer of the engine.

Raw SQL, because plain integers and arrays load many times faster than model instances. There are four statements, or
five where a daily limit is set, however many staff members, days or past bookings there are. All are fixed texts with
parameters, so that the server prepares them once per connection.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from bookings.availability.claims import MAX_CLAIM_MINUTES, LineSpec, spec_of
from bookings.availability.facts import (
    Busy,
    Counts,
    Facts,
    HeldClaim,
    Hours,
    LocationFacts,
    QualifiedStaff,
    StaffFacts,
    VariantFacts,
)
from bookings.enums import AGREED, EXPIRING
from bookings.reported_money import HAS_REPORTED_FEE, HAS_RUN_OUT
from core.intervals import Interval, normalised
from core.minutes import minute_of
from core.reads import sql_values
from services.queries import BOOKING_POLICY_ID
from staff.hours import MINUTES_OF_DAY, WeeklyHours, day_of, day_start, hours_between

# Longer than any clock change.
_CLOCK_CHANGE_MINUTES = 180


def availability_facts(
    *,
    variant_ids: Sequence[int],
    from_on: date,
    until_on: date,
    now: datetime,
    location_ids: Sequence[int] | None = None,
    staff_member_id: int | None = None,
    add_on_ids: Sequence[int] = (),
    ignore_booking_id: int | None = None,
    promised: LineSpec | None = None,
) -> Facts:
    """Load everything about booking these variants on the local dates from ``from_on`` to ``until_on`` (excluded).

    ``location_ids`` and ``staff_member_id`` narrow what is loaded. The claims and limit counts of ``ignore_booking_id``
    don't count (a move, a replaced hold). ``promised`` replaces what the catalogue says a visit needs; then variants
    that are no longer sold are loaded as well. Holds and proposals that ended by ``now`` don't block. Takes no locks.
    """
    needs = _variant_needs(variant_ids, add_on_ids, promised)
    window = _Window.around(from_on, until_on, needs)
    locations = _locations(needs, location_ids, window, now)
    window = window.in_zones({location.zone for location in locations.values()})
    people, staff = _people(needs, locations, staff_member_id, window)
    resource_ids = [person.resource_id for person in staff.values()]
    for location in locations.values():
        resource_ids += [resource_id for ids in location.resources.values() for resource_id in ids]
    taken = _taken(resource_ids, window, now, ignore_booking_id)
    business_daily_limit = needs[0].business_daily_limit if needs else None
    is_limited = any(need.service_daily_limit for need in needs) or any(person.daily_limit for person in staff.values())
    return Facts(
        now_minute=-int(-now.timestamp() // 60),
        from_on=from_on,
        until_on=until_on,
        locations=locations,
        variants={need.id: _variant(need, locations, people.get(need.id, [])) for need in needs},
        staff=staff,
        busy=taken.busy,
        time_off=taken.time_off,
        held=taken.held,
        business_daily_limit=business_daily_limit,
        counts=_counts(needs[0].all_zones, from_on, until_on, now, ignore_booking_id)
        if is_limited or business_daily_limit is not None
        else Counts(),
    )


def _rows(sql: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


# --- the catalogue -------------------------------------------------------------------------------------------------

_VARIANTS = f"""
SELECT v.id, v.service_id, v.work_minutes, v.processing_minutes, v.finish_minutes, v.price_minor,
       s.needs_staff, s.buffer_before_minutes, s.buffer_after_minutes, s.daily_limit, s.visibility = 'public',
       p.lead_minutes, p.horizon_days, p.slot_interval_minutes, p.hold_minutes, b.daily_limit,
       ARRAY(SELECT ARRAY[r.resource_type_id, r.quantity] FROM services_resourcerequirement r
             WHERE r.service_id = s.id),
       (SELECT coalesce(sum(a.extra_minutes), 0)::int FROM services_addon a
        WHERE a.service_id = s.id AND a.is_active AND a.id = ANY(%(add_ons)s::bigint[])),
       ARRAY(SELECT l.location_id FROM services_service_locations l WHERE l.service_id = s.id ORDER BY 1),
       (SELECT coalesce(max(q.work_minutes), 0)::int FROM staff_qualification q WHERE q.variant_id = v.id),
       ARRAY(SELECT DISTINCT l.time_zone FROM services_location l)
FROM services_servicevariant v
JOIN services_service s ON s.id = v.service_id
JOIN services_business b ON b.id = 1
JOIN services_bookingpolicy p ON p.id = {BOOKING_POLICY_ID}
WHERE v.id = ANY(%(variants)s::bigint[])
  AND (%(is_promised)s::boolean OR (v.is_active AND s.visibility <> 'archived'))
ORDER BY v.id
"""  # noqa: S608 (our own text)


class _Need(NamedTuple):
    """A variant of the catalogue. ``longest_own_minutes`` is the longest first phase of any staff member."""

    id: int
    service_id: int
    work_minutes: int
    processing_minutes: int
    finish_minutes: int
    price_minor: int
    needs_staff: bool
    buffer_before: int
    buffer_after: int
    service_daily_limit: int | None
    is_public: bool
    lead_minutes: int
    horizon_days: int
    slot_interval_minutes: int
    hold_minutes: int
    business_daily_limit: int | None
    requirements: list[tuple[int, int]]
    add_on_minutes: int
    location_ids: list[int]
    longest_own_minutes: int
    all_zones: list[str]
    promised: LineSpec | None = None

    def spec(self, own_work_minutes: int | None = None) -> LineSpec:
        return self.promised or spec_of(
            work_minutes=self.work_minutes,
            processing_minutes=self.processing_minutes,
            finish_minutes=self.finish_minutes,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            requirements=[(type_id, quantity) for type_id, quantity in self.requirements],
            needs_staff=self.needs_staff,
            add_on_minutes=self.add_on_minutes,
            own_work_minutes=own_work_minutes,
        )


def _variant_needs(variant_ids: Sequence[int], add_on_ids: Sequence[int], promised: LineSpec | None) -> list[_Need]:
    parameters = {"variants": list(variant_ids), "add_ons": list(add_on_ids), "is_promised": promised is not None}
    return [_Need(*row)._replace(promised=promised) for row in _rows(_VARIANTS, parameters)]


def _variant(need: _Need, locations: Mapping[int, LocationFacts], people: list[QualifiedStaff]) -> VariantFacts:
    return VariantFacts(
        id=need.id,
        service_id=need.service_id,
        spec=need.spec(),
        price_minor=need.price_minor,
        lead_minutes=need.lead_minutes,
        horizon_days=need.horizon_days,
        slot_interval_minutes=need.slot_interval_minutes,
        hold_minutes=need.hold_minutes,
        service_daily_limit=need.service_daily_limit,
        is_public=need.is_public,
        location_ids=tuple(location_id for location_id in need.location_ids if location_id in locations),
        staff=tuple(people),
    )


# --- days and minutes to load --------------------------------------------------------------------------------------


class _Window(NamedTuple):
    """The days whose hours, and the minutes whose claims, can matter for a start on the requested days."""

    from_on: date
    until_on: date
    minutes_before: int
    minutes_after: int
    low_minute: int = 0
    high_minute: int = 0

    @classmethod
    def around(cls, from_on: date, until_on: date, needs: Iterable[_Need]) -> "_Window":
        specs = [spec for need in needs for spec in (need.spec(), need.spec(need.longest_own_minutes))]
        before = max((spec.buffer_before for spec in specs), default=0)
        after = max((spec.duration_minutes + spec.buffer_after for spec in specs), default=0)
        return cls(from_on, until_on, min(before, MAX_CLAIM_MINUTES), min(after, MAX_CLAIM_MINUTES))

    def in_zones(self, zones: Iterable[ZoneInfo]) -> "_Window":
        starts = [day_start(zone, self.from_on.toordinal()) for zone in zones]
        ends = [day_start(zone, self.until_on.toordinal()) for zone in zones]
        return self._replace(
            low_minute=min(starts, default=0) - self.minutes_before,
            high_minute=max(ends, default=0) + self.minutes_after,
        )

    @property
    def first_day(self) -> int:
        """The first day to load: hours of a day may reach to the end of the next one."""
        return self.from_on.toordinal() - 1 - _days_touched(self.minutes_before)

    @property
    def until_day(self) -> int:
        return self.until_on.toordinal() + _days_touched(self.minutes_after)


def _days_touched(minutes: int) -> int:
    return (minutes + _CLOCK_CHANGE_MINUTES) // MINUTES_OF_DAY + 1 if minutes else 0


# --- locations -----------------------------------------------------------------------------------------------------

_LOCATIONS = """
SELECT l.id, l.time_zone,
       ARRAY(SELECT ARRAY[o.weekday, o.start_minute, o.end_minute] FROM services_openinghours o
             WHERE o.location_id = l.id),
       ARRAY(SELECT ARRAY[c."on" - DATE '0001-01-01' + 1, c.start_minute, c.end_minute] FROM services_closure c
             WHERE c.location_id = l.id AND c."on" >= %(first_on)s::date AND c."on" < %(until_on)s::date),
       ARRAY(SELECT ARRAY[r.resource_type_id, r.id] FROM services_resource r
             WHERE r.location_id = l.id AND r.is_active AND r.resource_type_id = ANY(%(types)s::bigint[])
             ORDER BY r.id)
FROM services_location l
WHERE l.is_active AND l.id = ANY(%(locations)s::bigint[])
"""


def _locations(
    needs: Sequence[_Need], location_ids: Sequence[int] | None, window: _Window, now: datetime
) -> dict[int, LocationFacts]:
    offered = {location_id for need in needs for location_id in need.location_ids}
    types = {type_id for need in needs for type_id, _ in need.spec().requirements}
    parameters = {
        "locations": sorted(offered if location_ids is None else offered & set(location_ids)),
        "types": sorted(types),
        "first_on": date.fromordinal(window.first_day),
        "until_on": date.fromordinal(window.until_day),
    }
    found = {}
    for location_id, zone_name, weekly, closures, resources in _rows(_LOCATIONS, parameters):
        zone = ZoneInfo(zone_name)
        hours = hours_between(
            zone, window.first_day, window.until_day, [WeeklyHours(*row) for row in weekly], _special(closures)
        )
        by_type: dict[int, list[int]] = {}
        for type_id, resource_id in resources:
            by_type.setdefault(type_id, []).append(resource_id)
        found[location_id] = LocationFacts(
            id=location_id,
            zone=zone,
            today=date.fromordinal(day_of(zone, minute_of(now))),
            opening=Hours(tuple(hours)),
            resources={type_id: tuple(ids) for type_id, ids in by_type.items()},
        )
    return found


def _special(rows: Iterable[tuple[int, int | None, int | None]]) -> dict[int, list[Interval]]:
    """Read (day, start, end) rows; a row without times means that the day is closed."""
    days: dict[int, list[Interval]] = {}
    for day, start, end in rows:
        hours = days.setdefault(day, [])
        if start is not None and end is not None:
            hours.append((start, end))
    return days


# --- staff members -------------------------------------------------------------------------------------------------

# Weekly hours come as text: staff members with the same text have the same week, which is then parsed once.
_PEOPLE = """
WITH people AS MATERIALIZED (
    SELECT m.id, m.resource_id, m.daily_limit, array_agg(q.variant_id) AS variants,
           array_agg(q.price_minor) AS prices, array_agg(q.work_minutes) AS minutes
    FROM staff_qualification q
    JOIN staff_staffmember m ON m.id = q.staff_member_id
    JOIN services_resource r ON r.id = m.resource_id
    WHERE q.variant_id = ANY(%(variants)s::bigint[]) AND m.is_active AND r.is_active
      AND (%(staff_member)s::bigint IS NULL OR m.id = %(staff_member)s::bigint)
    GROUP BY m.id
), weeks AS (
    SELECT w.staff_member_id, array_agg(ARRAY[
               w.location_id, w.weekday, w.start_minute, w.end_minute,
               coalesce(w.valid_from - DATE '0001-01-01' + 1, 0),
               coalesce(w.valid_until - DATE '0001-01-01' + 1, 4000000),
               w.cycle_weeks, w.cycle_week])::text AS hours
    FROM staff_workinghours w
    WHERE w.staff_member_id IN (SELECT id FROM people) AND w.location_id = ANY(%(locations)s::bigint[])
    GROUP BY w.staff_member_id
), exceptions AS (
    SELECT e.staff_member_id, array_agg(
               ARRAY[e.location_id, e."on" - DATE '0001-01-01' + 1, e.start_minute, e.end_minute]) AS days
    FROM staff_workinghoursexception e
    WHERE e.staff_member_id IN (SELECT id FROM people)
      AND e."on" >= %(first_on)s::date AND e."on" < %(until_on)s::date
    GROUP BY e.staff_member_id
)
SELECT p.id, p.resource_id, p.daily_limit, p.variants, p.prices, p.minutes, w.hours, e.days
FROM people p
LEFT JOIN weeks w ON w.staff_member_id = p.id
LEFT JOIN exceptions e ON e.staff_member_id = p.id
ORDER BY p.id
"""


def _people(
    needs: Sequence[_Need], locations: Mapping[int, LocationFacts], staff_member_id: int | None, window: _Window
) -> tuple[dict[int, list[QualifiedStaff]], dict[int, StaffFacts]]:
    """Return the qualified staff members of each variant, and the facts of all staff members."""
    by_id = {need.id: need for need in needs if need.spec().needs_staff}
    if not by_id or not locations:
        return {}, {}
    parameters = {
        "variants": sorted(by_id),
        "staff_member": staff_member_id,
        "locations": sorted(locations),
        "first_on": date.fromordinal(window.first_day),
        "until_on": date.fromordinal(window.until_day),
    }
    people: dict[int, list[QualifiedStaff]] = {}
    staff: dict[int, StaffFacts] = {}
    specs: dict[tuple[int, int | None], LineSpec] = {}
    weeks: dict[str | None, Mapping[int, Hours]] = {}
    for staff_id, resource_id, limit, variants, prices, lengths, week, exceptions in _rows(_PEOPLE, parameters):
        for variant_id, price_minor, minutes in zip(variants, prices, lengths, strict=True):
            need = by_id[variant_id]
            if (variant_id, minutes) not in specs:
                specs[variant_id, minutes] = need.spec(minutes)
            price = need.price_minor if price_minor is None else price_minor
            people.setdefault(variant_id, []).append(QualifiedStaff(staff_id, specs[variant_id, minutes], price))
        if not exceptions and week not in weeks:
            weeks[week] = _working(week, (), locations, window)
        working = _working(week, exceptions, locations, window) if exceptions else weeks[week]
        staff[staff_id] = StaffFacts(staff_id, resource_id, limit, working)
    return people, staff


def _working(
    week: str | None,
    exceptions: Sequence[tuple[int, int, int | None, int | None]],
    locations: Mapping[int, LocationFacts],
    window: _Window,
) -> dict[int, Hours]:
    """Return a staff member's hours by location. A date with exceptions has no weekly hours at any location."""
    weekly: dict[int, list[WeeklyHours]] = {}
    for location_id, *hours in json.loads((week or "{}").replace("{", "[").replace("}", "]")):
        weekly.setdefault(location_id, []).append(WeeklyHours(*hours))
    working = {}
    for location_id, location in locations.items():
        special = _special(
            (day, start, end) if at == location_id else (day, None, None) for at, day, start, end in exceptions
        )
        found = hours_between(location.zone, window.first_day, window.until_day, weekly.get(location_id, ()), special)
        working[location_id] = Hours(tuple(found))
    return working


# --- allocations ---------------------------------------------------------------------------------------------------

# A claim is at most 2880 minutes long, so a claim that reaches into the window starts at most that long before it.
# Minutes come packed, four bytes each: half the time of arrays, for the server and for us. The parameters stand in
# ``asked``, where the planner doesn't see their values: it then keeps one plan instead of planning each time, which
# takes longer than running.
TAKEN = f"""
WITH asked AS MATERIALIZED (
    SELECT %(resources)s::bigint[] AS resources, %(low)s::int AS low, %(high)s::int AS high, %(now)s::timestamptz AS now
)
SELECT 'busy', a.resource_id,
       string_agg(int4send(a.low_minute), ''), string_agg(int4send(a.high_minute), ''), NULL::bytea
FROM bookings_allocation a
WHERE a.resource_id = ANY((SELECT resources FROM asked)::bigint[])
  AND a.low_minute > (SELECT low FROM asked) - 2880 AND a.low_minute < (SELECT high FROM asked)
  AND a.high_minute > (SELECT low FROM asked)
  AND (a.booking_id IS NULL OR a.booking_id <> %(ignored)s::bigint AND a.booking_id NOT IN (
        SELECT b.id FROM bookings_booking b
        WHERE b.status IN {sql_values(EXPIRING)}
            AND {HAS_RUN_OUT.format(booking="b", now="(SELECT now FROM asked)")}))
  AND (a.move_proposal_id IS NULL OR a.move_proposal_id IN (
        SELECT m.id FROM bookings_moveproposal m
        WHERE m.expires_at > (SELECT now FROM asked) OR {HAS_REPORTED_FEE.format(proposal="m")}))
GROUP BY a.resource_id
UNION ALL
SELECT 'off', t.resource_id,
       string_agg(int4send(floor(extract(epoch FROM lower(t.during)) / 60)::int), ''),
       string_agg(int4send(ceil(extract(epoch FROM upper(t.during)) / 60)::int), ''), NULL
FROM staff_timeoff t
WHERE t.resource_id = ANY((SELECT resources FROM asked)::bigint[]) AND t.status = 'approved'
  AND t.during && (SELECT tstzrange(to_timestamp(low * 60.0), to_timestamp(high * 60.0)) FROM asked)
GROUP BY t.resource_id
UNION ALL
SELECT 'held', h.resource_id,
       string_agg(int4send(h.low_minute), ''), string_agg(int4send(h.high_minute), ''),
       string_agg(int4send(ceil(extract(epoch FROM h.ends_at) / 60)::int), '')
FROM (
    SELECT a.resource_id, a.low_minute, a.high_minute, b.hold_expires_at AS ends_at
    FROM bookings_booking b JOIN bookings_allocation a ON a.booking_id = b.id
    WHERE b.status IN {sql_values(EXPIRING)} AND b.hold_expires_at > (SELECT now FROM asked)
      AND b.id <> %(ignored)s::bigint
    UNION ALL
    SELECT a.resource_id, a.low_minute, a.high_minute, p.expires_at
    FROM bookings_moveproposal p JOIN bookings_allocation a ON a.move_proposal_id = p.id
    WHERE p.expires_at > (SELECT now FROM asked)
) h
WHERE h.resource_id = ANY((SELECT resources FROM asked)::bigint[])
  AND h.low_minute < (SELECT high FROM asked) AND h.high_minute > (SELECT low FROM asked)
GROUP BY h.resource_id
"""  # noqa: S608 (our own text)


class _Taken(NamedTuple):
    busy: dict[int, Busy]
    time_off: dict[int, tuple[Interval, ...]]
    held: list[HeldClaim]


def _taken(resource_ids: Sequence[int], window: _Window, now: datetime, ignore_booking_id: int | None) -> _Taken:
    taken = _Taken({}, {}, [])
    if not resource_ids:
        return taken
    parameters = {
        "resources": sorted(resource_ids),
        "low": window.low_minute,
        "high": window.high_minute,
        "ignored": ignore_booking_id or 0,
        "now": now,
    }
    for kind, resource_id, *packed in _rows(TAKEN, parameters):
        lows, highs, ends = map(_unpacked, packed)
        if kind == "busy":
            taken.busy[resource_id] = Busy(lows, highs)
        elif kind == "off":
            taken.time_off[resource_id] = tuple(normalised(zip(lows, highs, strict=True)))
        else:
            taken.held.extend(HeldClaim(resource_id, *claim) for claim in zip(lows, highs, ends, strict=True))
    return taken


def _unpacked(packed: bytes | None) -> Sequence[int]:
    """Unpack what ``int4send`` wrote: big-endian."""
    minutes = array("i", packed or b"")
    if sys.byteorder == "little":
        minutes.byteswap()
    return minutes


# --- daily limits --------------------------------------------------------------------------------------------------

# Only Python knows when local days begin (``staff.hours.day_start``); SQL gets the instants of each zone, ascending.
COUNTS = f"""
WITH days AS MATERIALIZED (
    SELECT zone, array_agg(starts_at ORDER BY starts_at) AS begin
    FROM unnest(%(zones)s::text[], %(day_starts)s::timestamptz[]) AS d (zone, starts_at)
    GROUP BY zone
)
SELECT s.day, s.service_id, s.staff_member_id, grouping(s.service_id, s.staff_member_id), count(DISTINCT s.booking_id)
FROM (
    SELECT %(first_day)s::int - 1 + width_bucket(b.starts_at, d.begin) AS day, b.id AS booking_id,
           v.service_id, n.staff_member_id
    FROM days d
    JOIN services_location l ON l.time_zone = d.zone
    JOIN bookings_booking b ON b.location_id = l.id
    JOIN bookings_bookingline n ON n.booking_id = b.id
    JOIN services_servicevariant v ON v.id = n.variant_id
    WHERE b.starts_at >= %(low)s::timestamptz AND b.starts_at < %(high)s::timestamptz AND b.id <> %(ignored)s::bigint
      AND (b.status IN {sql_values(AGREED)}
           OR b.status IN {sql_values(EXPIRING)}
               AND NOT ({HAS_RUN_OUT.format(booking="b", now="%(now)s::timestamptz")}))
) s
GROUP BY GROUPING SETS ((s.day), (s.day, s.service_id), (s.day, s.staff_member_id))
"""  # noqa: S608 (our own text)

# Bits of ``grouping``: the right bit is set where the staff member was left out, the left one for the service.
_BY_SERVICE, _BY_STAFF = 0b01, 0b10


def _counts(
    zone_names: Sequence[str], from_on: date, until_on: date, now: datetime, ignore_booking_id: int | None
) -> Counts:
    """Count bookings per local day of their own location: all, by service, by staff member.

    Days outside the requested ones are counted only in part and must not be used.
    """
    days = range(from_on.toordinal(), until_on.toordinal() + 1)
    day_starts = [(name, _instant_of(day_start(ZoneInfo(name), day))) for name in zone_names for day in days]
    if not day_starts:
        return Counts()
    parameters = {
        "zones": [name for name, _ in day_starts],
        "day_starts": [at for _, at in day_starts],
        "first_day": days.start,
        "low": min(at for _, at in day_starts),
        "high": max(at for _, at in day_starts),
        "ignored": ignore_booking_id or 0,
        "now": now,
    }
    business: dict[int, int] = {}
    services: dict[tuple[int, int], int] = {}
    staff: dict[tuple[int, int], int] = {}
    for day, service_id, staff_member_id, columns_left_out, count in _rows(COUNTS, parameters):
        if columns_left_out == _BY_SERVICE:
            services[service_id, day] = count
        elif columns_left_out == _BY_STAFF:
            staff[staff_member_id, day] = count
        else:
            business[day] = count
    return Counts(business, services, staff)


def _instant_of(epoch_minute: int) -> datetime:
    return datetime.fromtimestamp(epoch_minute * 60, tz=UTC)
