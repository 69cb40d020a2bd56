"""A visit gets longer while others want the time after it, or change it themselves."""

from collections.abc import Callable
from functools import partial

import pytest

from bookings.models import Booking, BookingEvent
from bookings.operations.change_length import change_length
from bookings.operations.move import reschedule_booking
from tests.concurrency.racing import deadlock_count, race, rounds, tally, violations
from tests.concurrency.test_booking_races import open_studio
from tests.factories import NOW
from tests.journeys import DESK, LINK, booked, hold

pytestmark = pytest.mark.django_db(transaction=True)


def stretching(booking: Booking, minutes: int) -> Callable[[], Booking]:
    return partial(
        change_length,
        booking_id=booking.pk,
        variant_id=None,
        minutes=minutes,
        expected_sequence=0,
        expected_total_minor=booking.total_minor,
        actor=DESK,
        now=NOW,
        reason="Needs more time",
    )


@rounds(short=8, full=100)
def test_the_time_after_a_visit_goes_to_it_or_to_a_customer_never_to_both(rounds: int) -> None:
    place = open_studio()
    before = deadlock_count()
    seen = set()

    for day in range(1, rounds + 1):
        booking = booked(place, start_minute=place.minute(10, days=day))
        outcomes = race(
            [stretching(booking, 90), partial(hold, place, start_minute=place.minute(11, days=day))],
        )
        booking.refresh_from_db()
        is_longer = booking.ends_at == place.at(11, 30, days=day)
        seen.add((*(type(each).__name__ for each in outcomes), is_longer))

    assert seen <= {("Booking", "SlotTaken", True), ("LengthDoesNotFit", "HeldSlot", False)}
    assert deadlock_count() == before
    assert violations() == {}


@rounds(short=6, full=50)
def test_a_customer_who_moves_at_the_same_moment_wins_or_is_told(rounds: int) -> None:
    place = open_studio()

    for day in range(1, rounds + 1):
        booking = booked(place, start_minute=place.minute(10, days=day))
        own = partial(
            reschedule_booking,
            booking_id=booking.pk,
            start_minute=place.minute(14, days=day),
            staff_member_id=None,
            expected_sequence=0,
            expected_fee_minor=0,
            actor=LINK,
            now=NOW,
        )
        assert tally(race([stretching(booking, 90), own])) == {"Booking": 1, "StalePage": 1}

    assert violations() == {}


@rounds(short=4, full=50)
def test_five_presses_at_once_lengthen_once(rounds: int) -> None:
    place = open_studio()

    for day in range(1, rounds + 1):
        booking = booked(place, start_minute=place.minute(10, days=day))
        assert tally(race([stretching(booking, 90)] * 5)) == {"Booking": 5}
        assert BookingEvent.objects.filter(booking=booking, kind="length").count() == 1

    assert violations() == {}
