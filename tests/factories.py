"""Rows for tests: plain functions with harmless defaults. A test passes every value that it depends on.

``studio()`` is the smallest business that can be booked: Berlin, open every day 9 to 17, a 60-minute service on a
15-minute grid, no notice, and as many therapists as asked.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from bookings.models import Booking
from services.enums import ResourceKind
from services.models import (
    AddOn,
    BookingPolicy,
    Business,
    CancellationPolicy,
    CancellationTier,
    Category,
    Location,
    OpeningHours,
    Resource,
    ResourceRequirement,
    ResourceType,
    Service,
    ServiceVariant,
)
from staff.enums import Role
from staff.models import Access, Qualification, StaffMember, TimeOff, WorkingHours

_numbers = count(1)
NINE, SEVENTEEN = 9 * 60, 17 * 60

# A Monday morning long after any real clock of a test run, in winter time; tests pass it as ``now``.
NOW = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
MONDAY = date(2027, 1, 4)


def booking_policy(**values: Any) -> BookingPolicy:
    return BookingPolicy.objects.create(
        **{
            "name": "Standard",
            "lead_minutes": 0,
            "horizon_days": 60,
            "slot_interval_minutes": 15,
            **values,
        }
    )


def cancellation_policy(*tiers: tuple[int, str, int], **values: Any) -> CancellationPolicy:
    """Tiers are (until_minutes_before, fee kind, fee value)."""
    policy = CancellationPolicy.objects.create(**{"name": "Standard", **values})
    CancellationTier.objects.bulk_create(
        CancellationTier(policy=policy, until_minutes_before=until, fee_kind=kind, fee_value=value)
        for until, kind, value in tiers
    )
    return policy


def business(**values: Any) -> Business:
    if "booking_policy" not in values:
        values["booking_policy"] = booking_policy()
    return Business.objects.create(**{"id": 1, "name": "Linden Studio", "currency": "EUR", **values})


def location(*, opening: tuple[int, int] | None = (NINE, SEVENTEEN), **values: Any) -> Location:
    number = next(_numbers)
    place = Location.objects.create(
        **{
            "name": f"Place {number}",
            "slug": f"place-{number}",
            "time_zone": "Europe/Berlin",
            **values,
        }
    )
    if opening:
        OpeningHours.objects.bulk_create(
            OpeningHours(
                location=place,
                weekday=weekday,
                start_minute=opening[0],
                end_minute=opening[1],
            )
            for weekday in range(7)
        )
    return place


def resource_type(name: str = "Treatment room") -> ResourceType:
    return ResourceType.objects.create(name=name)


def room(place: Location, kind: ResourceType, **values: Any) -> Resource:
    return Resource.objects.create(
        **{
            "kind": ResourceKind.ROOM,
            "name": f"Room {next(_numbers)}",
            "resource_type": kind,
            "location": place,
            **values,
        }
    )


def category(**values: Any) -> Category:
    number = next(_numbers)
    return Category.objects.create(**{"name": "Massage", "slug": f"category-{number}", **values})


def service(*places: Location, minutes: int = 60, price_minor: int = 8000, **values: Any) -> ServiceVariant:
    """Make a service with one variant at the given locations and return the variant."""
    number = next(_numbers)
    if "category" not in values:
        values["category"] = category()
    made = Service.objects.create(
        **{
            "name": "Deep tissue massage",
            "slug": f"service-{number}",
            "tax_basis_points": 1900,
            **values,
        }
    )
    made.locations.set(places)
    return variant(made, minutes=minutes, price_minor=price_minor)


def variant(of: Service, *, minutes: int = 60, price_minor: int = 8000, **values: Any) -> ServiceVariant:
    return ServiceVariant.objects.create(service=of, work_minutes=minutes, price_minor=price_minor, **values)


def add_on(of: Service, **values: Any) -> AddOn:
    return AddOn.objects.create(
        **{
            "service": of,
            "name": "Hot towel wrap",
            "price_minor": 800,
            "extra_minutes": 10,
            **values,
        }
    )


def requirement(of: Service, kind: ResourceType, quantity: int = 1) -> ResourceRequirement:
    return ResourceRequirement.objects.create(service=of, resource_type=kind, quantity=quantity)


def staff_member(
    *variants: ServiceVariant,
    at: Location | None = None,
    hours: tuple[int, int] | None = (NINE, SEVENTEEN),
    **values: Any,
) -> StaffMember:
    """Make a therapist who may perform the variants and works ``hours`` every day at ``at``."""
    number = next(_numbers)
    name = values.pop("name", f"Therapist {number}")
    person = StaffMember.objects.create(
        **{
            "resource": Resource.objects.create(kind=ResourceKind.PERSON, name=name),
            "name": name,
            "short_name": name.split()[0] if "short_name" not in values else values["short_name"],
            "slug": f"staff-{number}",
            "email": f"staff{number}@example.com",
            **values,
        }
    )
    Qualification.objects.bulk_create(Qualification(staff_member=person, variant=each) for each in variants)
    if at and hours:
        WorkingHours.objects.bulk_create(
            WorkingHours(
                staff_member=person,
                location=at,
                weekday=weekday,
                start_minute=hours[0],
                end_minute=hours[1],
            )
            for weekday in range(7)
        )
    return person


def desk_user(role: Role, place: Location | None = None, *, of: Booking | None = None, **values: Any) -> User:
    """Make somebody with a role at the desk, everywhere without a place. A therapist performs the visit ``of``."""
    number = next(_numbers)
    user = User.objects.create(
        **{"email": f"{role}{number}@studio.example", "name": f"Sam {role.label.title()}", **values}
    )
    if role in {Role.OWNER, Role.THERAPIST}:
        place = None
    Access.objects.create(user=user, role=role, location=place)
    if role is Role.THERAPIST and of is not None:
        StaffMember.objects.filter(booking_lines__booking=of).update(user=user)
    return user


def time_off(resource: Resource, starts_at: datetime, ends_at: datetime, **values: Any) -> TimeOff:
    return TimeOff.objects.create(resource=resource, during=DateTimeTZRange(starts_at, ends_at), **values)


@dataclass
class Studio:
    """The smallest business that can be booked."""

    business: Business
    location: Location
    variant: ServiceVariant
    staff: list[StaffMember]

    def at(self, hour: int, minute: int = 0, *, days: int = 1) -> datetime:
        """Local wall time, by default on the day after ``NOW``."""
        day = MONDAY + timedelta(days=days)
        return datetime(
            day.year,
            day.month,
            day.day,
            hour,
            minute,
            tzinfo=ZoneInfo(self.location.time_zone),
        )

    def minute(self, hour: int, minute: int = 0, *, days: int = 1) -> int:
        """The same as whole minutes since the Unix epoch, as the engine counts."""
        return int(self.at(hour, minute, days=days).timestamp()) // 60


def studio(*, staff: int = 1, **service_values: Any) -> Studio:
    firm = business()
    place = location(name="Kreuzberg")
    made = service(place, **service_values)
    return Studio(firm, place, made, [staff_member(made, at=place) for _ in range(staff)])
