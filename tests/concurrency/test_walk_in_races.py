"""One person of the walk-in queue, and one time, are booked once, whoever presses the button when."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from bookings.enums import ActorKind, BookingChannel, BookingStatus, WalkInState
from bookings.lifecycle import Actor
from bookings.models import Allocation, Booking, WalkIn
from bookings.operations.walk_ins import book_walk_in, leave_queue
from core.minutes import instant
from tests.concurrency.racing import race, rounds, tally, violations
from tests.factories import NOW, Studio, studio
from tests.journeys import GUEST, confirm, hold, walk_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def press(place: Studio, person: WalkIn, start: int, name: str = "Leyla") -> Booking:
    actor = Actor(ActorKind.STAFF, BookingChannel.WALK_IN, name=name)
    staff_id = place.staff[0].pk
    return book_walk_in(
        walk_in_id=person.pk, start_minute=start, staff_member_id=staff_id, waiver="", actor=actor, now=_before(start)
    )


def online(place: Studio, start: int) -> Booking:
    now = _before(start)
    held = hold(place, start_minute=start, actor=GUEST, visitor_hash="visitor", now=now).booking
    return confirm(held, now=now)


def _before(start: int) -> datetime:
    """Four hours before a start, which is the same day, and enough notice for visitors of the website."""
    return instant(start) - timedelta(hours=4)


@rounds(4, 40)
def test_two_at_the_desk_book_one_person_once(rounds: int) -> None:
    place = _open_long()
    for number in range(rounds):
        person, start = walk_in(place), _start(place, number)

        outcomes = race([partial(press, place, person, start, name) for name in ("Leyla", "Jonas", "Leyla")])

        assert tally(outcomes) == {"Booking": 1, "WalkInOver": 2}
    _assert_whole(rounds)


@rounds(4, 40)
def test_two_people_of_the_queue_and_a_visitor_get_one_time_once(rounds: int) -> None:
    place = _open_long()
    for number in range(rounds):
        first, second, start = walk_in(place), walk_in(place), _start(place, number)

        outcomes = race(
            [partial(press, place, first, start), partial(press, place, second, start), partial(online, place, start)]
        )

        assert tally(outcomes) == {"Booking": 1, "SlotTaken": 2}
    assert Allocation.objects.count() == Booking.objects.filter(status=BookingStatus.CONFIRMED).count() == rounds
    assert violations() == {}


@rounds(4, 40)
def test_who_leaves_while_they_are_booked_is_one_of_the_two(rounds: int) -> None:
    place = _open_long()
    booked = 0
    for number in range(rounds):
        person, start = walk_in(place), _start(place, number)

        outcomes = race([partial(press, place, person, start), partial(leave_queue, walk_in_id=person.pk, now=NOW)])

        person.refresh_from_db()
        is_seated = person.state == WalkInState.SEATED
        booked += is_seated
        assert tally(outcomes) == ({"Booking": 1, "WalkInOver": 1} if is_seated else {"WalkInOver": 1, "NoneType": 1})
    _assert_whole(booked)


def _open_long() -> Studio:
    place = studio()
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()
    return place


def _start(place: Studio, number: int) -> int:
    return place.minute(9 + 2 * (number % 4), days=1 + number // 4)


def _assert_whole(booked: int) -> None:
    assert Booking.objects.filter(status=BookingStatus.CONFIRMED).count() == booked
    assert Booking.objects.count() == Allocation.objects.count() == booked
    assert WalkIn.objects.filter(state=WalkInState.SEATED).count() == booked
    assert violations() == {}
