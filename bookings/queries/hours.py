"""When staff members, rooms and devices may be used at a location, and the claims of bookings ahead. Reads only."""

import copy
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from bookings.enums import CLAIMING, EXPIRING
from bookings.models import Allocation
from bookings.rules.hours import Claim
from core.intervals import Interval, Intervals, difference, intersection, normalised
from core.minutes import minute_of
from services.models import Closure, Location, OpeningHours, Resource
from staff.enums import TimeOffStatus
from staff.hours import WeeklyHours, day_of, hours_between
from staff.models import StaffMember, TimeOff, WorkingHours, WorkingHoursException

# Special hours by date: a date without intervals is closed.
Dates = Mapping[int, Sequence[Interval]]
# Special hours by location id and date. None: the weekly hours apply.
SpecialHours = Mapping[tuple[int, int], Sequence[Interval] | None]


def claims_ahead(
    *,
    now: datetime,
    resource_ids: Collection[int] | None = None,
    location_ids: Collection[int] | None = None,
    within: Interval | None = None,
) -> list[Claim]:
    """Return the claims of bookings and live holds that are not over, of some resources or at some locations.

    One query.

    ``within`` narrows them to claims that overlap these epoch minutes.
    """
    live = ~Q(booking__status__in=EXPIRING) | Q(booking__hold_expires_at__gt=now)
    wanted = live & Q(high_minute__gt=minute_of(now), booking__status__in=CLAIMING)
    if resource_ids is not None:
        wanted &= Q(resource__in=resource_ids)
    if location_ids is not None:
        wanted &= Q(booking__location__in=location_ids)
    if within is not None:
        wanted &= Q(low_minute__lt=within[1], high_minute__gt=within[0])
    rows = Allocation.objects.filter(wanted)
    columns = ("booking_id", "resource_id", "booking__location_id", "low_minute", "high_minute")
    return [Claim(*row) for row in rows.values_list(*columns)]


def hours_around(
    claims: Iterable[Claim], hours: Callable[[int, int, int, int], Intervals]
) -> dict[tuple[int, int], Intervals]:
    """Return the hours of each resource and location of the claims, from its first claim to its last.

    ``hours`` is a method of ``Schedule``: ``worked`` or ``free``.
    """
    spans: defaultdict[tuple[int, int], list[Interval]] = defaultdict(list)
    for claim in claims:
        spans[claim.key].append(claim.span)
    return {
        (resource_id, location_id): hours(
            resource_id, location_id, min(low for low, _ in taken), max(high for _, high in taken)
        )
        for (resource_id, location_id), taken in spans.items()
    }


class Schedule:
    """The rows of hours and absences of some resources at some locations, loaded once. Eight queries at most."""

    def __init__(self, resource_ids: Collection[int], location_ids: Collection[int]) -> None:
        places = list(Location.objects.filter(pk__in=location_ids).values_list("pk", "time_zone", "is_active"))
        self.zones = {pk: ZoneInfo(name) for pk, name, _ in places}
        self._closed = {pk for pk, _, is_active in places if not is_active}
        team = list(StaffMember.objects.filter(resource__in=resource_ids).values_list("resource_id", "pk", "is_active"))
        self._staff_of = {resource_id: pk for resource_id, pk, _ in team}
        gone = Resource.objects.filter(pk__in=resource_ids, is_active=False).values_list("pk", flat=True)
        self._gone = {*gone, *(resource_id for resource_id, _, is_active in team if not is_active)}
        people = self._staff_of.values()
        self._opening = _by(OpeningHours.objects.filter(location__in=location_ids), "location_id")
        closures = _by(Closure.objects.filter(location__in=location_ids), "location_id")
        self._special = {location_id: _dates(closures[location_id]) for location_id in self.zones}
        self._working = _by(WorkingHours.objects.filter(staff_member__in=people), "staff_member_id")
        self._exceptions = _by(WorkingHoursException.objects.filter(staff_member__in=people), "staff_member_id")
        self._time_off = _by(
            TimeOff.objects.filter(resource__in=resource_ids, status=TimeOffStatus.APPROVED), "resource_id"
        )

    def but(self, special: SpecialHours) -> "Schedule":
        """Return the schedule as it is after some dates of locations have got special hours, or lost them."""
        changed = copy.copy(self)
        changed._special = {location_id: dict(dates) for location_id, dates in self._special.items()}
        for (location_id, day), spans in special.items():
            if spans is None:
                changed._special[location_id].pop(day, None)
            else:
                changed._special[location_id][day] = spans
        return changed

    def worked(self, resource_id: int, location_id: int, low: int, high: int) -> Intervals:
        """Return the hours around ``low`` to ``high``: opening hours, and the working hours of a staff member.

        Whether something is switched off does not matter here, and time off does not either.
        """
        zone = self.zones[location_id]
        days = (day_of(zone, low) - 2, day_of(zone, high) + 1)
        opening = hours_between(zone, *days, map(_weekly, self._opening[location_id]), self._special[location_id])
        staff_id = self._staff_of.get(resource_id)
        if staff_id is None:
            return opening
        weekly = [_weekly(row) for row in self._working[staff_id] if row.location_id == location_id]
        dates = _dates(self._exceptions[staff_id], location_id)
        return intersection(opening, hours_between(zone, *days, weekly, dates))

    def free(self, resource_id: int, location_id: int, low: int, high: int) -> Intervals:
        """Return the part of ``worked`` that is no time off; nothing for what is switched off."""
        if resource_id in self._gone or location_id in self._closed:
            return []
        away = normalised(
            (minute_of(row.during.lower), minute_of(row.during.upper)) for row in self._time_off[resource_id]
        )
        return difference(self.worked(resource_id, location_id, low, high), away)


def _dates(rows: Iterable[Any], location_id: int | None = None) -> dict[int, Sequence[Interval]]:
    """Read rows of single dates, which replace the weekly hours of their whole date.

    A row of another location than ``location_id`` leaves the date without hours here.
    """
    dates: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in rows:
        here = dates[row.on.toordinal()]
        if row.start_minute is not None and location_id in {None, row.location_id}:
            here.append((row.start_minute, row.end_minute))
    return dict(dates)


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
