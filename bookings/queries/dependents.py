"""Which bookings ahead depend on an object that a user is about to change or delete. Reads only.

Ahead means: claims time, and is not over. Expired holds don't count.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from bookings.enums import CLAIMING, EXPIRING
from bookings.models import Allocation, Booking
from bookings.queries.bookings import is_bookable
from core.commitments import Commitment
from core.formats import full_day_text, time_text
from core.intervals import Interval, Intervals, contains, difference, intersection, normalised
from core.minutes import minute_of
from core.references import spoken
from services.models import (
    AddOn,
    Category,
    Closure,
    Location,
    OpeningHours,
    Resource,
    ResourceType,
    Service,
    ServiceVariant,
)
from staff.enums import TimeOffStatus
from staff.hours import WeeklyHours, day_of, hours_between
from staff.models import StaffMember, TimeOff, WorkingHours, WorkingHoursException


def bookings_ahead(objs: Iterable[Model], *, now: datetime) -> list[Commitment]:
    """Return the bookings ahead that need any of ``objs`` (services, staff members, locations …), the soonest first."""
    found = {pk for obj in objs for pk in _needing(obj, now)}
    return _commitments(Booking.objects.filter(pk__in=found)) if found else []


def stranded_bookings(resource_ids: Collection[int], *, now: datetime) -> list[Commitment]:
    """Return the bookings ahead that can no longer take place as planned, the soonest first.

    They claim these resources outside their hours or in time off, or the resource, its staff member or the location is
    switched off. Runs at most ten queries, however many bookings there are.
    """
    live = ~Q(booking__status__in=EXPIRING) | Q(booking__hold_expires_at__gt=now)
    rows = Allocation.objects.filter(
        live, resource__in=resource_ids, high_minute__gt=minute_of(now), booking__status__in=CLAIMING
    ).values_list("booking_id", "resource_id", "booking__location_id", "low_minute", "high_minute")
    claims: defaultdict[tuple[int, int], list[tuple[int, Interval]]] = defaultdict(list)
    for booking_id, resource_id, location_id, low, high in rows:
        claims[resource_id, location_id].append((booking_id, (low, high)))
    if not claims:
        return []
    hours = _Hours(resource_ids, {location_id for _, location_id in claims})
    lost = set()
    for (resource_id, location_id), taken in claims.items():
        first, last = min(low for _, (low, _) in taken), max(high for _, (_, high) in taken)
        free = hours.free(resource_id, location_id, first, last)
        lost |= {booking_id for booking_id, claim in taken if not contains(free, claim)}
    return _commitments(Booking.objects.filter(pk__in=lost))


class _Hours:
    """When resources may be used at all: the rows of hours and absences, loaded once."""

    def __init__(self, resource_ids: Collection[int], location_ids: Collection[int]) -> None:
        places = list(Location.objects.filter(pk__in=location_ids).values_list("pk", "time_zone", "is_active"))
        self.zones = {pk: ZoneInfo(name) for pk, name, _ in places}
        self.closed = {pk for pk, _, is_active in places if not is_active}
        team = list(StaffMember.objects.filter(resource__in=resource_ids).values_list("resource_id", "pk", "is_active"))
        self.staff_of = {resource_id: pk for resource_id, pk, _ in team}
        gone = Resource.objects.filter(pk__in=resource_ids, is_active=False).values_list("pk", flat=True)
        self.gone = {*gone, *(resource_id for resource_id, _, is_active in team if not is_active)}
        people = self.staff_of.values()
        self.opening = _by(OpeningHours.objects.filter(location__in=location_ids), "location_id")
        self.closures = _by(Closure.objects.filter(location__in=location_ids), "location_id")
        self.working = _by(WorkingHours.objects.filter(staff_member__in=people), "staff_member_id")
        self.exceptions = _by(WorkingHoursException.objects.filter(staff_member__in=people), "staff_member_id")
        self.time_off = _by(
            TimeOff.objects.filter(resource__in=resource_ids, status=TimeOffStatus.APPROVED), "resource_id"
        )

    def free(self, resource_id: int, location_id: int, low: int, high: int) -> Intervals:
        """Return the epoch minutes around ``low`` to ``high`` in which the resource may be used at the location."""
        if resource_id in self.gone or location_id in self.closed:
            return []
        zone = self.zones[location_id]
        days = (day_of(zone, low) - 2, day_of(zone, high) + 1)
        free = _between(zone, days, self.opening[location_id], self.closures[location_id])
        if staff_id := self.staff_of.get(resource_id):
            weekly = [row for row in self.working[staff_id] if row.location_id == location_id]
            special = self.exceptions[staff_id]
            free = intersection(free, _between(zone, days, weekly, special, location_id))
        away = normalised(
            (minute_of(row.during.lower), minute_of(row.during.upper)) for row in self.time_off[resource_id]
        )
        return difference(free, away)


def _between(
    zone: ZoneInfo, days: tuple[int, int], weekly: Sequence[Any], special: Sequence[Any], location_id: int | None = None
) -> Intervals:
    """Return the hours of these days.

    ``special`` rows replace their whole date; a special row of another location leaves the date empty here.
    """
    dates: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in special:
        here = dates[row.on.toordinal()]
        if row.start_minute is not None and location_id in {None, row.location_id}:
            here.append((row.start_minute, row.end_minute))
    return hours_between(zone, *days, [_weekly(row) for row in weekly], dates)


def _weekly(row: Any) -> WeeklyHours:
    hours = WeeklyHours(row.weekday, row.start_minute, row.end_minute)
    if not isinstance(row, WorkingHours):
        return hours
    if row.valid_from:
        hours = hours._replace(valid_from=row.valid_from.toordinal())
    if row.valid_until:
        hours = hours._replace(valid_until=row.valid_until.toordinal())
    return hours._replace(cycle_weeks=row.cycle_weeks, cycle_week=row.cycle_week)


def _by(rows: Iterable[Any], name: str) -> defaultdict[int, list[Any]]:
    groups: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups


def _needing(obj: Model, now: datetime) -> Iterable[int]:
    return future_bookings_of(obj, now=now).values_list("pk", flat=True) if is_bookable(obj) else ()


def _commitments(bookings: QuerySet[Booking]) -> list[Commitment]:
    rows = bookings.order_by("starts_at", "pk").select_related("location").prefetch_related("lines__staff_member")
    return [
        Commitment(booking.pk, _text(booking), reverse("admin:bookings_booking_change", args=[booking.pk]))
        for booking in rows
    ]


def _text(booking: Booking) -> str:
    local = booking.starts_at.astimezone(ZoneInfo(booking.location.time_zone))
    parts = [spoken(booking.reference), f"{full_day_text(local.date())}, {time_text(local)}"]
    for line in booking.lines.all():
        parts.append(line.service_name)
        if line.staff_member:
            parts.append(line.staff_member.short_name)
    return " · ".join([*parts, booking.location.name])


def future_bookings_of(thing: Model, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings and live holds, not over at ``now``, that need ``obj``.

    ``obj`` is a staff member, resource, resource type, location, category, service, variant or extra.

    :raises TypeError: for anything else.
    """
    live = ~Q(status__in=EXPIRING) | Q(hold_expires_at__gt=now)
    ahead = Booking.objects.filter(live, status__in=CLAIMING, ends_at__gt=now).order_by("starts_at")
    return ahead.filter(_needs(thing)).distinct()


def _needs(thing: Model) -> Q:
    match thing:
        case StaffMember():
            return Q(lines__staff_member=thing)
        case Resource():
            return Q(allocations__resource=thing)
        case ResourceType():
            return Q(lines__requirements__contains=[{"resource_type_id": thing.pk}])
        case Location():
            return Q(location=thing)
        case Category():
            return Q(lines__variant__service__category=thing)
        case Service():
            return Q(lines__variant__service=thing)
        case ServiceVariant():
            return Q(lines__variant=thing)
        case AddOn():
            return Q(lines__add_ons__contains=[{"id": thing.pk}])
        case _:
            raise TypeError(f"{type(thing).__name__} has no bookings.")
