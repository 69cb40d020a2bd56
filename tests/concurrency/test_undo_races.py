"""Undoing a move while others want the former time, or move the booking themselves."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from bookings.models import Booking, BookingEvent
from bookings.operations.move import reschedule_booking
from bookings.operations.undo_move import undo_move
from tests.concurrency.racing import deadlock_count, race, rounds, tally, violations
from tests.concurrency.test_booking_races import open_studio
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, booked, hold

pytestmark = pytest.mark.django_db(transaction=True)

SOON = NOW + timedelta(seconds=30)


def moved(place: Studio, day: int) -> Booking:
    """A booking that staff moved from ten to one."""
    booking = booked(place, start_minute=place.minute(10, days=day))
    return reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(13, days=day),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=DESK,
        now=NOW,
    )


def undoing(booking: Booking) -> Callable[[], Booking]:
    return partial(undo_move, booking_id=booking.pk, expected_sequence=1, actor=DESK, now=SOON)


@rounds(short=8, full=100)
def test_the_former_time_goes_to_the_booking_or_to_a_customer_never_to_both(rounds: int) -> None:
    place = open_studio()
    before = deadlock_count()
    seen = set()

    for day in range(1, rounds + 1):
        booking = moved(place, day)
        outcomes = race(
            [undoing(booking), partial(hold, place, start_minute=place.minute(10, days=day), now=SOON)],
        )
        booking.refresh_from_db()
        is_back = booking.starts_at == place.at(10, days=day)
        seen.add((*(type(each).__name__ for each in outcomes), is_back))

    assert seen <= {("Booking", "SlotTaken", True), ("FormerTimeTaken", "HeldSlot", False)}
    assert deadlock_count() == before
    assert violations() == {}


@rounds(short=8, full=100)
def test_a_customer_who_moves_at_the_same_moment_is_not_moved_back(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for day in range(1, rounds + 1):
        booking = moved(place, day)
        own = partial(
            reschedule_booking,
            booking_id=booking.pk,
            start_minute=place.minute(15, days=day),
            staff_member_id=None,
            expected_sequence=1,
            expected_fee_minor=0,
            actor=LINK,
            now=SOON,
        )
        outcomes = race([undoing(booking), own])
        booking.refresh_from_db()
        assert booking.ical_sequence == 2
        [hour] = [hour for hour in (10, 13, 15) if booking.starts_at == place.at(hour, days=day)]
        seen.add((*(type(each).__name__ for each in outcomes), hour))

    assert seen <= {("Booking", "StalePage", 10), ("ChangedSinceMove", "Booking", 15)}
    assert violations() == {}


@rounds(short=4, full=50)
def test_five_presses_at_once_undo_once(rounds: int) -> None:
    place = open_studio()

    for day in range(1, rounds + 1):
        booking = moved(place, day)
        assert tally(race([undoing(booking)] * 5)) == {"Booking": 5}
        assert BookingEvent.objects.filter(booking=booking, kind="moved").count() == 2

    assert violations() == {}
