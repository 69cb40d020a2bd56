"""Changes of schedules: what they write, which bookings they strand, what they refuse."""

import pytest

from bookings.errors import InUse
from bookings.operations.cancel import cancel_booking
from bookings.operations.catalogue_guard import lock_unless_needed
from bookings.queries.dependents import future_bookings_of, stranded_bookings
from staff.enums import TimeOffStatus
from staff.models import TimeOff
from staff.operations import add_time_off
from tests.factories import NOW, add_on, requirement, resource_type, room, studio
from tests.journeys import DESK, booked, hold

pytestmark = pytest.mark.django_db


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
