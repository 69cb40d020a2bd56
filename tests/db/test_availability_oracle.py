"""The query layer and the engine together against the oracle: random worlds written into the database."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.availability.engine import free_starts
from bookings.availability.loading import availability_facts
from bookings.models import Allocation, Booking, BookingLine
from services.models import (
    AddOn,
    BookingPolicy,
    Business,
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
from staff.models import Qualification, StaffMember, TimeOff, WorkingHours, WorkingHoursException
from tests.oracle import Person, Place, Taken, World
from tests.unit.test_availability import assert_same
from tests.worlds import OTHER_SERVICE_ID, OTHER_VARIANT_ID, SERVICE_ID, TYPE_IDS, VARIANT_ID, worlds

pytestmark = pytest.mark.django_db
random_worlds = given(worlds(), st.sampled_from([None, None, 1]))
slow = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@settings(slow, max_examples=60)
@random_worlds
def test_what_is_loaded_gives_what_the_oracle_finds(world: World, person_id: int | None):
    assert_same_from_rows(world, person_id)


@pytest.mark.load
@pytest.mark.timeout(1800)
@settings(slow, max_examples=1500)
@random_worlds
def test_what_is_loaded_gives_what_the_oracle_finds_in_many_worlds(world: World, person_id: int | None):
    assert_same_from_rows(world, person_id)


def assert_same_from_rows(world: World, person_id: int | None) -> None:
    with transaction.atomic():
        write(world)
        values = {
            "variant_ids": [VARIANT_ID],
            "from_on": world.from_on,
            "until_on": world.until_on,
            "now": world.now,
            "add_on_ids": [1, 2, 3],
            "ignore_booking_id": world.ignored,
        }
        facts = availability_facts(**values)
        narrowed = availability_facts(**values, staff_member_id=person_id, location_ids=[world.places[0].id])
        transaction.set_rollback(True)

    assert_same(facts, world, person_id)
    here = free_starts(facts, VARIANT_ID, staff_member_id=person_id).get(world.places[0].id)
    assert free_starts(narrowed, VARIANT_ID, staff_member_id=person_id).get(world.places[0].id) == here


# --- rows ----------------------------------------------------------------------------------------------------------


def write(world: World) -> None:
    """Write the world, and beside it rows that must not count."""
    thing = world.sold
    policy = BookingPolicy.objects.create(
        lead_minutes=thing.lead, horizon_days=thing.horizon, slot_interval_minutes=thing.step
    )
    other_policy = BookingPolicy.objects.create(lead_minutes=9999, horizon_days=1, slot_interval_minutes=720)
    Business.objects.create(id=1, currency="EUR", booking_policy=other_policy, daily_limit=world.business_limit)
    ResourceType.objects.bulk_create(ResourceType(id=type_id, name=str(type_id)) for type_id in TYPE_IDS)
    category = Category.objects.create(slug="all")
    for service_id, variant_id in ((SERVICE_ID, VARIANT_ID), (OTHER_SERVICE_ID, OTHER_VARIANT_ID)):
        Service.objects.create(
            id=service_id,
            category=category,
            slug=str(service_id),
            needs_staff=thing.needs_staff,
            buffer_before_minutes=thing.before,
            buffer_after_minutes=thing.after,
            daily_limit=thing.limit,
            booking_policy=policy,
        )
        ServiceVariant.objects.create(
            id=variant_id,
            service_id=service_id,
            work_minutes=thing.work,
            processing_minutes=thing.processing,
            finish_minutes=thing.finish,
            price_minor=8000,
        )
    AddOn.objects.create(id=1, service_id=SERVICE_ID, extra_minutes=thing.extra)
    AddOn.objects.create(id=2, service_id=OTHER_SERVICE_ID, extra_minutes=40)
    AddOn.objects.create(id=3, service_id=SERVICE_ID, extra_minutes=40, is_active=False)
    ResourceRequirement.objects.bulk_create(
        ResourceRequirement(service_id=SERVICE_ID, resource_type_id=type_id, quantity=count)
        for type_id, count in thing.needs
    )
    for place in world.places:
        write_place(place, is_offered=place.id in thing.place_ids)
    for person in world.people:
        write_person(person)
    write_time_off(world)
    for booking in world.bookings:
        write_booking(booking)


def write_place(place: Place, *, is_offered: bool) -> None:
    Location.objects.create(id=place.id, slug=str(place.id), time_zone=place.zone)
    if is_offered:
        Service.locations.through.objects.create(service_id=SERVICE_ID, location_id=place.id)
    OpeningHours.objects.bulk_create(
        OpeningHours(location_id=place.id, weekday=week.weekday, start_minute=week.start, end_minute=week.end)
        for week in place.weeks
    )
    Closure.objects.bulk_create(
        Closure(location_id=place.id, on=day.on, start_minute=day.start, end_minute=day.end) for day in place.closures
    )
    Resource.objects.bulk_create(
        Resource(id=room, kind="room", name="Room", resource_type_id=kind, location_id=place.id)
        for room, kind in place.rooms
    )
    # An id of its own: numbers from the sequence would meet the others after some worlds.
    Resource.objects.create(id=900 + place.id, kind="room", resource_type_id=1, location_id=place.id, is_active=False)


def write_person(person: Person) -> None:
    Resource.objects.create(id=person.resource_id, kind="person", name="Person")
    StaffMember.objects.create(
        id=person.id, resource_id=person.resource_id, slug=str(person.id), daily_limit=person.limit
    )
    Qualification.objects.create(
        staff_member_id=person.id,
        variant_id=VARIANT_ID if person.is_qualified else OTHER_VARIANT_ID,
        work_minutes=person.own_minutes,
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(
            staff_member_id=person.id,
            location_id=week.location_id,
            weekday=week.weekday,
            start_minute=week.start,
            end_minute=week.end,
            valid_from=week.valid_from,
            valid_until=week.valid_until,
            cycle_weeks=week.cycle_weeks,
            cycle_week=week.cycle_week,
        )
        for week in person.weeks
    )
    WorkingHoursException.objects.bulk_create(
        WorkingHoursException(
            staff_member_id=person.id,
            location_id=day.location_id,
            on=day.on,
            start_minute=day.start,
            end_minute=day.end,
        )
        for day in person.exceptions
    )


def write_time_off(world: World) -> None:
    TimeOff.objects.bulk_create(
        TimeOff(resource_id=resource_id, during=between(low, high)) for resource_id, low, high in world.off
    )
    always = DateTimeTZRange(world.now - timedelta(days=9), world.now + timedelta(days=9))
    TimeOff.objects.bulk_create(
        TimeOff(resource_id=person.resource_id, during=always, status=status)
        for person in world.people
        for status in ("requested", "declined")
    )


def write_booking(booking: Taken) -> None:
    Booking.objects.create(
        id=booking.id,
        reference=f"B{booking.id}",
        status=booking.status,
        hold_expires_at=booking.ends,
        location_id=booking.place_id,
        starts_at=moment(booking.start),
        ends_at=moment(booking.start + 1),
        currency="EUR",
        total_minor=0,
        created_at=moment(booking.start),
    )
    # Two lines of one booking count once.
    BookingLine.objects.bulk_create(
        BookingLine(
            booking_id=booking.id,
            position=position,
            variant_id=VARIANT_ID if booking.is_ours else OTHER_VARIANT_ID,
            staff_member_id=booking.person_id,
            starts_at=moment(booking.start),
            ends_at=moment(booking.start + 1),
            phases=[],
            price_minor=0,
        )
        for position in (0, 1)
    )
    Allocation.objects.bulk_create(
        Allocation(booking_id=booking.id, resource_id=resource_id, busy=between(low, high))
        for resource_id, low, high in booking.claims
    )


def moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def between(low: int, high: int) -> DateTimeTZRange:
    return DateTimeTZRange(moment(low), moment(high))
