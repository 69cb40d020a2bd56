"""Write the demo's catalogue, team and users. Runs in the caller's transaction on an empty database."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from demo import people, studio
from demo.studio import BERLIN, LISBON, clock
from services.models import (
    AddOn,
    BookingPolicy,
    Business,
    CancellationPolicy,
    CancellationTier,
    Category,
    Closure,
    Location,
    OpeningHours,
    Resource,
    ResourceRequirement,
    ResourceType,
    Service,
    ServiceVariant,
)
from staff.enums import TimeOffStatus
from staff.models import Access, Qualification, StaffMember, TimeOff, WorkingHours, WorkingHoursException


@dataclass
class Studio:
    """The locations, services and staff members of the demo, by slug."""

    places: dict[str, Location]
    services: dict[str, Service]
    staff: dict[str, StaffMember]


def make_studio(today: date, password: str) -> Studio:
    """Create all rows except visits. Closures, special days and absences are on dates relative to ``today``."""
    booking_policies = _booking_policies()
    cancellation_policies = _cancellation_policies()
    Business.objects.create(
        id=1,
        booking_policy=booking_policies["Standard"],
        cancellation_policy=cancellation_policies["Free until a day before"],
        **studio.BUSINESS,
    )
    places = _places(today)
    types = _resources(places)
    services = _services(places, types, booking_policies, cancellation_policies)
    staff = _staff(places, services)
    _absences(today, places, staff)
    _sign_ins(password, places, staff)
    return Studio(places, services, staff)


def _booking_policies() -> dict[str, BookingPolicy]:
    rows = [
        BookingPolicy(
            name=name, lead_minutes=lead, horizon_days=horizon, slot_interval_minutes=interval, hold_minutes=hold
        )
        for name, (lead, horizon, interval, hold) in studio.BOOKING_POLICIES.items()
    ]
    return {row.name: row for row in BookingPolicy.objects.bulk_create(rows)}


def _cancellation_policies() -> dict[str, CancellationPolicy]:
    made = {}
    for name, (tiers, values) in studio.CANCELLATION_POLICIES.items():
        made[name] = CancellationPolicy.objects.create(name=name, **values)
        CancellationTier.objects.bulk_create(
            CancellationTier(policy=made[name], until_minutes_before=until, fee_kind=kind, fee_value=value)
            for until, kind, value in tiers
        )
    return made


def _places(today: date) -> dict[str, Location]:
    made = {}
    for position, place in enumerate(studio.PLACES):
        made[place.slug] = Location.objects.create(
            slug=place.slug,
            name=place.name,
            address=place.address,
            arrival_hint=place.arrival_hint,
            directions_url=place.directions_url,
            phone=place.phone,
            time_zone=place.time_zone,
            position=position,
            translations=place.translations,
        )
        OpeningHours.objects.bulk_create(
            OpeningHours(location=made[place.slug], weekday=weekday, start_minute=clock(opens), end_minute=clock(shuts))
            for weekday, intervals in place.opening.items()
            for opens, shuts in intervals
        )
    Closure.objects.create(location=made[BERLIN], on=_next(today, 0, after=7), reason="Public holiday")
    Closure.objects.create(
        location=made[LISBON],
        on=_next(today, 5, after=7),
        start_minute=clock("10:00"),
        end_minute=clock("14:00"),
        reason="Street festival: open until 14:00",
    )
    return made


def _resources(places: dict[str, Location]) -> dict[str, ResourceType]:
    types = {
        key: ResourceType.objects.create(name=name, translations=translations)
        for key, (_, name, translations) in studio.RESOURCE_TYPES.items()
    }
    Resource.objects.bulk_create(
        Resource(kind=studio.RESOURCE_TYPES[key][0], name=name, resource_type=types[key], location=places[place])
        for key, place, names in studio.RESOURCES
        for name in names
    )
    return types


def _services(
    places: dict[str, Location],
    types: dict[str, ResourceType],
    booking_policies: dict[str, BookingPolicy],
    cancellation_policies: dict[str, CancellationPolicy],
) -> dict[str, Service]:
    categories = {
        slug: Category.objects.create(
            slug=slug,
            name=name,
            position=position,
            cancellation_policy=cancellation_policies.get(policy),
            translations=translations,
        )
        for position, (slug, (name, policy, translations)) in enumerate(studio.CATEGORIES.items())
    }
    made = {}
    for position, sold in enumerate(studio.SERVICES):
        service = Service.objects.create(
            slug=sold.slug,
            category=categories[sold.category],
            name=sold.name,
            summary=sold.summary,
            description=sold.description,
            preparation=sold.preparation,
            icon=sold.icon,
            position=position,
            visibility=Service.Visibility.HIDDEN if sold.is_hidden else Service.Visibility.PUBLIC,
            delivery=sold.delivery,
            needs_staff=sold.needs_staff,
            buffer_before_minutes=sold.buffers[0],
            buffer_after_minutes=sold.buffers[1],
            max_party_size=sold.party,
            daily_limit=sold.daily_limit,
            tax_basis_points=studio.TAX_BASIS_POINTS,
            booking_policy=booking_policies.get(sold.booking_policy),
            cancellation_policy=cancellation_policies.get(sold.cancellation_policy),
            payment_mode=sold.pay.mode or "",
            deposit_kind=sold.pay.deposit_kind or "",
            deposit_value=sold.pay.deposit_value,
            needs_answer=sold.needs_answer,
            translations=sold.translations,
        )
        service.locations.set(places[slug] for slug in sold.places)
        _parts_of(service, sold, types)
        made[sold.slug] = service
    return made


def _parts_of(service: Service, sold: studio.ServiceData, types: dict[str, ResourceType]) -> None:
    ServiceVariant.objects.bulk_create(
        ServiceVariant(
            service=service,
            name=variant.name,
            work_minutes=variant.work,
            processing_minutes=variant.processing,
            finish_minutes=variant.finish,
            price_minor=variant.price_minor,
            position=position,
        )
        for position, variant in enumerate(sold.variants)
    )
    AddOn.objects.bulk_create(
        AddOn(
            service=service,
            name=extra.name,
            price_minor=extra.price_minor,
            extra_minutes=extra.minutes,
            is_paid_at_visit=extra.is_paid_at_visit,
            position=position,
            translations=extra.translations,
        )
        for position, extra in enumerate(sold.add_ons)
    )
    ResourceRequirement.objects.bulk_create(
        ResourceRequirement(service=service, resource_type=types[key]) for key in sold.needs
    )


def _staff(places: dict[str, Location], services: dict[str, Service]) -> dict[str, StaffMember]:
    made = {}
    for position, person in enumerate(people.THERAPISTS):
        made[person.slug] = member = StaffMember.objects.create(
            resource=Resource.objects.create(kind="person", name=person.name),
            name=person.name,
            short_name=person.short_name,
            slug=person.slug,
            email=f"{person.slug}@linden.example",
            bio=person.bio,
            meeting_url=person.meeting_url,
            daily_limit=person.daily_limit,
            position=position,
            translations={"de": {"bio": person.bio_de}} if person.bio_de else {},
        )
        Qualification.objects.bulk_create(
            Qualification(staff_member=member, variant=variant, price_minor=own[0], work_minutes=own[1])
            for slug, overrides in person.performs.items()
            for variant in services[slug].variants.all()
            for own in [overrides.get(variant.position, (None, None))]
        )
        WorkingHours.objects.bulk_create(
            WorkingHours(
                staff_member=member,
                location=places[hours.place],
                weekday=weekday,
                start_minute=clock(begins),
                end_minute=clock(ends),
                cycle_weeks=1 if hours.week is None else 2,
                cycle_week=hours.week or 0,
            )
            for hours in person.hours
            for weekday in hours.weekdays
            for begins, ends in hours.intervals
        )
    return made


def _absences(today: date, places: dict[str, Location], staff: dict[str, StaffMember]) -> None:
    """Create special days of two therapists, a holiday, a time-off request and the closure of a room."""
    WorkingHoursException.objects.create(
        staff_member=staff["ana"],
        location=places[BERLIN],
        on=_next(today, 5, after=1),
        start_minute=clock("10:00"),
        end_minute=clock("14:00"),
    )
    WorkingHoursException.objects.create(
        staff_member=staff["greta"], location=places[BERLIN], on=_next(today, 3, after=7)
    )
    berlin, lisbon = (ZoneInfo(places[slug].time_zone) for slug in (BERLIN, LISBON))
    monday = _next(today, 0, after=14)
    _time_off(staff["marek"].resource, berlin, monday, monday + timedelta(days=5), "Holiday in Gdynia")
    _time_off(
        staff["rui"].resource,
        lisbon,
        monday + timedelta(days=9),
        monday + timedelta(days=12),
        "Course in Porto",
        TimeOffStatus.REQUESTED,
    )
    painted = _next(today, 2, after=7)
    room = Resource.objects.get(name="Rowan room")
    _time_off(room, berlin, painted, painted + timedelta(days=1), "Being painted")


def _time_off(
    resource: Resource,
    zone: ZoneInfo,
    first_on: date,
    back_on: date,
    reason: str,
    status: TimeOffStatus = TimeOffStatus.APPROVED,
) -> None:
    during = DateTimeTZRange(datetime.combine(first_on, time(), zone), datetime.combine(back_on, time(), zone))
    TimeOff.objects.create(resource=resource, during=during, reason=reason, status=status)


def _sign_ins(password: str, places: dict[str, Location], staff: dict[str, StaffMember]) -> None:
    # Hashing is slow on purpose, so all demo users share one hash.
    hashed = make_password(password)
    for person in people.SIGN_INS:
        user = User.objects.create(
            email=person.email,
            name=person.name,
            password=hashed,
            is_staff=person.is_admin,
            is_superuser=person.is_admin,
        )
        Access.objects.create(user=user, role=person.role, location=places.get(person.place))
        if person.therapist:
            StaffMember.objects.filter(pk=staff[person.therapist].pk).update(user=user)


def _next(today: date, weekday: int, *, after: int) -> date:
    """Return the first such weekday (Monday is 0) that is at least ``after`` days from today."""
    start = today + timedelta(days=after)
    return start + timedelta(days=(weekday - start.weekday()) % 7)
