"""Which bookings ahead depend on an object that a user is about to change or delete. Reads only.

Ahead means: claims time, and is not over. Expired holds don't count.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from bookings.enums import CLAIMING, EXPIRING
from bookings.models import Booking
from bookings.queries.bookings import is_bookable
from bookings.queries.hours import Schedule, claims_ahead, hours_around
from bookings.rules.hours import outside
from core.commitments import Commitment
from core.formats import full_day_text, time_text
from core.references import spoken
from services.models import AddOn, Category, Location, Resource, ResourceType, Service, ServiceVariant
from staff.models import StaffMember


def bookings_ahead(objs: Iterable[Model], *, now: datetime) -> list[Commitment]:
    """Return the bookings ahead that need any of ``objs`` (services, staff members, locations …), the soonest first."""
    found = {pk for obj in objs for pk in _needing(obj, now)}
    return _commitments(Booking.objects.filter(pk__in=found)) if found else []


def stranded_bookings(resource_ids: Collection[int], *, now: datetime) -> list[Commitment]:
    """Return the bookings ahead that can no longer take place as planned, the soonest first.

    They claim these resources outside their hours or in time off, or the resource, its staff member or the location is
    switched off. Runs at most ten queries, however many bookings there are.
    """
    claims = claims_ahead(now=now, resource_ids=resource_ids)
    if not claims:
        return []
    schedule = Schedule(resource_ids, {claim.location_id for claim in claims})
    return _commitments(Booking.objects.filter(pk__in=outside(claims, hours_around(claims, schedule.free))))


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
