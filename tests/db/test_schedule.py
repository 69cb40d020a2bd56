"""Changes of schedules: what they write, whom they strand, what they refuse."""

import pytest

from bookings.errors import InUse, SlotNotOffered
from bookings.operations.cancel import cancel_booking
from bookings.operations.catalogue_guard import lock_unless_needed
from bookings.queries.dependents import future_bookings_of, stranded_bookings
from services.operations import set_opening_hours
from services.operations import set_special_day as set_special_day_of_location
from staff.enums import TimeOffStatus
from staff.models import TimeOff
from staff.operations import add_time_off, set_special_day, set_working_hours
from tests.factories import MONDAY, NINE, NOW, add_on, requirement, resource_type, room, studio
from tests.journeys import DESK, booked, hold

pytestmark = pytest.mark.django_db

NOON = 12 * 60
EVERY_DAY_TILL_NOON = [(weekday, (NINE, NOON)) for weekday in range(7)]


def test_set_working_hours_replaces_the_hours_at_that_place_and_strands_what_lies_outside() -> None:
    place = studio()
    booked(place, 10)
    afternoon = booked(place, 14)
    resource_id = place.staff[0].resource_id

    set_working_hours(staff_member_id=place.staff[0].pk, location_id=place.location.pk, hours=EVERY_DAY_TILL_NOON)

    assert [each.booking_id for each in stranded_bookings([resource_id], now=NOW)] == [afternoon.pk]
    assert place.staff[0].working_hours.count() == 7
    with pytest.raises(SlotNotOffered) as refused:
        hold(place, 15)
    assert refused.value.data["rule"] == "working_hours"
    assert hold(place, 11).booking


def test_set_opening_hours_and_special_days_shut_the_place() -> None:
    place = studio()

    set_opening_hours(location_id=place.location.pk, hours=EVERY_DAY_TILL_NOON)
    with pytest.raises(SlotNotOffered):
        hold(place, 15)
    set_special_day_of_location(location_id=place.location.pk, on=MONDAY.replace(day=5), hours=[])
    with pytest.raises(SlotNotOffered):
        hold(place, 10)

    assert hold(place, start_minute=place.minute(10, days=2)).booking


def test_a_special_day_of_a_person_replaces_the_weekly_hours() -> None:
    place = studio()

    set_special_day(
        staff_member_id=place.staff[0].pk,
        location_id=place.location.pk,
        on=MONDAY.replace(day=5),
        hours=[(13 * 60, 15 * 60)],
    )

    with pytest.raises(SlotNotOffered):
        hold(place, 10)
    assert hold(place, 13).booking


def test_add_time_off_keeps_bookings_and_only_approved_time_off_blocks() -> None:
    place = studio()
    booking = booked(place, 10)
    resource_id = place.staff[0].resource_id

    add_time_off(resource_id=resource_id, starts_at=place.at(12), ends_at=place.at(13), status=TimeOffStatus.REQUESTED)
    add_time_off(resource_id=resource_id, starts_at=place.at(9), ends_at=place.at(11), reason="ill")

    assert [each.booking_id for each in stranded_bookings([resource_id], now=NOW)] == [booking.pk]
    assert TimeOff.objects.count() == 2
    assert hold(place, 12).booking
    with pytest.raises(ValueError, match="after"):
        add_time_off(resource_id=resource_id, starts_at=place.at(9), ends_at=place.at(9))


def test_what_bookings_ahead_need_cannot_go() -> None:
    place = studio()
    kind = resource_type()
    cabin = room(place.location, kind)
    requirement(place.variant.service, kind)
    towel = add_on(place.variant.service)
    spare = add_on(place.variant.service, name="Tea")
    booking = booked(place, 10, add_on_ids=[towel.pk])
    service = place.variant.service
    needed = [
        place.staff[0],
        place.staff[0].resource,
        cabin,
        kind,
        place.location,
        service,
        service.category,
        place.variant,
        towel,
    ]

    for thing in needed:
        with pytest.raises(InUse) as refused:
            lock_unless_needed(thing, now=NOW)
        assert refused.value.data["references"] == [booking.reference]
        assert refused.value.data["bookings"][0].booking_id == booking.pk
    lock_unless_needed(spare, now=NOW)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )
    for thing in needed:
        lock_unless_needed(thing, now=NOW)


def test_live_holds_count_as_ahead_and_expired_ones_and_past_visits_do_not() -> None:
    place = studio()
    held = hold(place, 10).booking
    booked(place, 12)

    assert future_bookings_of(place.staff[0], now=NOW).count() == 2
    assert held.hold_expires_at
    assert future_bookings_of(place.staff[0], now=held.hold_expires_at).count() == 1
    assert not future_bookings_of(place.staff[0], now=place.at(13)).exists()
    with pytest.raises(TypeError):
        future_bookings_of(held, now=NOW)
