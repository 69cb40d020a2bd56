"""Reads of schedules: their time zones, and who works where."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet

from services.models import Location, Resource
from staff.enums import TimeOffStatus
from staff.models import StaffMember, TimeOff, WorkingHours, WorkingHoursException


def people_at(location_id: int) -> QuerySet[StaffMember]:
    """Return the staff members with hours at a location, weekly ones or those of a single date."""
    weekly = WorkingHours.objects.filter(location_id=location_id)
    dated = WorkingHoursException.objects.filter(location_id=location_id, start_minute__isnull=False)
    return StaffMember.objects.filter(
        Q(pk__in=weekly.values("staff_member_id")) | Q(pk__in=dated.values("staff_member_id"))
    )


def time_off_meeting(claims: Iterable[tuple[int, Any]]) -> set[int]:
    """Return the ids of approved absences that meet one of these times, given as (resource id, range). One query."""
    meets = Q(pk__in=[])
    for resource_id, busy in claims:
        meets |= Q(resource_id=resource_id, during__overlap=busy)
    return set(TimeOff.objects.filter(meets, status=TimeOffStatus.APPROVED).values_list("pk", flat=True))


def zone_of_resource(resource: Resource | None) -> ZoneInfo:
    """Return the zone in which a resource's absences are typed.

    It is the zone of the resource's location; for a staff member, of the location of their first working hours; else of
    the first location.
    """
    place = resource.location if resource else None
    if resource and place is None:
        hours = WorkingHours.objects.filter(staff_member__resource=resource).select_related("location").order_by("pk")
        first = hours.first()
        place = first.location if first else None
    place = place or Location.objects.first()
    return ZoneInfo(place.time_zone if place else settings.TIME_ZONE)


def zones_of_resources(resource_ids: Iterable[int]) -> dict[int | None, ZoneInfo]:
    """Return the zones of many resources by the rule of ``zone_of_resource``, in at most three queries."""
    wanted = set(resource_ids)
    if not wanted:
        return {}
    placed = Resource.objects.filter(pk__in=wanted, location__isnull=False)
    of_places = placed.values_list("pk", "location__time_zone")
    zones: dict[int | None, ZoneInfo] = {pk: ZoneInfo(name) for pk, name in of_places}
    if people := {pk for pk in wanted if pk not in zones}:
        hours = WorkingHours.objects.filter(staff_member__resource__in=people).order_by("-pk")
        for pk, name in hours.values_list("staff_member__resource_id", "location__time_zone"):
            zones[pk] = ZoneInfo(name)
    if others := [pk for pk in wanted if pk not in zones]:
        zones.update(dict.fromkeys(others, zone_of_resource(None)))
    return zones
