"""Named reads of people's schedules."""

from zoneinfo import ZoneInfo

from django.conf import settings

from services.models import Location, Resource
from staff.models import WorkingHours


def zone_of_resource(resource: Resource | None) -> ZoneInfo:
    """Return the zone in which absences are typed: of the resource's location; for a person, of their first hours."""
    place = resource.location if resource else None
    if resource and place is None:
        hours = WorkingHours.objects.filter(staff_member__resource=resource).select_related("location").order_by("pk")
        first = hours.first()
        place = first.location if first else None
    place = place or Location.objects.first()
    return ZoneInfo(place.time_zone if place else settings.TIME_ZONE)
