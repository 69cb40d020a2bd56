"""Many want the same time at the same moment. Real transactions on real PostgreSQL; afterwards every invariant holds.

Outcomes that are allowed are written in each test; anything else, a server error above all, fails it.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from bookings.availability.overrides import RELAXABLE
from bookings.enums import BookingStatus
from bookings.errors import SlotTaken
from bookings.models import Allocation, Booking, BookingLine
from bookings.operations import _time
from bookings.operations import hold as hold_module
from bookings.operations.cancel import cancel_booking
from bookings.operations.hold import HeldSlot, expire_holds, extend_hold
from bookings.operations.move import reschedule_booking
from notifications.models import Notification
from payments.models import Bill
from services.models import Resource
from services.operations import lock_resource_time
from tests.concurrency.racing import deadlock_count, race, rounds, tally, violations
from tests.factories import NOW, Studio, requirement, resource_type, room, service, staff_member, studio
from tests.journeys import DESK, JANA, LINK, booked, confirm, hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

EXPIRY = NOW + timedelta(minutes=10)
_visitors = itertools.count()


def open_studio(**values: Any) -> Studio:
    """A studio that can be booked far enough ahead for a day of its own in every round."""
    place = studio(**values)
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()
    return place


def times(place: Studio, count: int) -> list[int]:
    """So many full hours, one for each round."""
    return [place.minute(9 + index % 8, days=1 + index // 8) for index in range(count)]


def holders(place: Studio, count: int, **changes: Any) -> list[Callable[[], HeldSlot]]:
    """So many customers, each another one, who want the same."""
    return [partial(hold, place, visitor_hash=f"visitor-{next(_visitors)}", **changes) for _ in range(count)]


# --- one time, many customers ----------------------------------------------------------------------------------------


@rounds(short=2, full=20)
def test_a_hundred_customers_want_one_time_and_one_gets_it(rounds: int) -> None:
    place = open_studio()

    for start in times(place, rounds):
        outcomes = race(holders(place, 100, start_minute=start))
        assert tally(outcomes) == {"HeldSlot": 1, "SlotTaken": 99}

    assert Allocation.objects.count() == rounds
    assert violations() == {}


@rounds(short=2, full=20)
def test_a_hundred_customers_want_anyone_of_three_and_three_get_one_each(rounds: int) -> None:
    place = open_studio(staff=3)

    for start in times(place, rounds):
        outcomes = race(holders(place, 100, start_minute=start))
        assert tally(outcomes) == {"HeldSlot": 3, "SlotTaken": 97}

    served = BookingLine.objects.values_list("starts_at", "staff_member")
    assert len(set(served)) == len(served) == 3 * rounds
    assert violations() == {}


@rounds(short=1, full=10)
def test_anyone_of_more_people_than_are_locked_at_once_goes_to_all_of_them(rounds: int) -> None:
    place = open_studio(staff=_time.FEW_PEOPLE + 4)

    for start in times(place, rounds):
        outcomes = race(holders(place, 60, start_minute=start))
        counts = tally(outcomes)
        assert set(counts) <= {"HeldSlot", "SlotTaken"}
        # Whoever was overtaken three times is told so, though somebody may still be free; nobody is booked twice.
        assert _time.BEST_RANKED <= counts["HeldSlot"] <= len(place.staff)

    assert violations() == {}


@rounds(short=2, full=20)
def test_overlapping_times_with_buffers_go_to_customers_who_do_not_overlap(rounds: int) -> None:
    place = open_studio(buffer_before_minutes=10, buffer_after_minutes=15)
    random = Random(7)
    spent = 10 + 60 + 15

    for day in range(1, rounds + 1):
        starts = [place.minute(10, days=day) + 15 * random.randrange(12) for _ in range(50)]
        outcomes = race([partial(hold, place, start_minute=start) for start in starts])
        won = [start for start, outcome in zip(starts, outcomes, strict=True) if isinstance(outcome, HeldSlot)]
        lost = [start for start, outcome in zip(starts, outcomes, strict=True) if isinstance(outcome, SlotTaken)]
        assert won
        assert len(won) + len(lost) == len(starts), tally(outcomes)
        assert all(abs(first - second) >= spent for first, second in itertools.combinations(won, 2))
        assert all(any(abs(start - other) < spent for other in won) for start in lost)

    assert violations() == {}


@rounds(short=2, full=20)
def test_two_services_want_the_only_room_and_one_gets_it(rounds: int) -> None:
    place = open_studio()
    kind = resource_type()
    room(place.location, kind)
    requirement(place.variant.service, kind)
    other = service(place.location)
    requirement(other.service, kind)
    staff_member(other, at=place.location)

    for start in times(place, rounds):
        acts = holders(place, 15, start_minute=start)
        acts += holders(place, 15, variant_id=other.pk, start_minute=start)
        assert tally(race(acts)) == {"HeldSlot": 1, "SlotTaken": 29}

    assert violations() == {}


@rounds(short=2, full=20)
def test_crossing_pairs_of_people_and_rooms_fill_the_rooms_without_a_deadlock(rounds: int) -> None:
    place = open_studio(staff=4)
    rooms, devices = resource_type("Room"), resource_type("Laser")
    for _ in range(3):
        room(place.location, rooms)
    room(place.location, devices)
    requirement(place.variant.service, rooms)
    crossing = service(place.location)
    requirement(crossing.service, devices)
    requirement(crossing.service, rooms)
    for person in reversed(place.staff):
        person.qualifications.create(variant=crossing)
    before = deadlock_count()

    for start in times(place, rounds):
        acts: list[Callable[[], HeldSlot]] = []
        for index in range(40):
            variant = (place.variant, crossing)[index % 2]
            person_id = (None, *(each.pk for each in place.staff))[index % 5]
            acts += holders(place, 1, variant_id=variant.pk, start_minute=start, staff_member_id=person_id)
        assert tally(race(acts)) == {"HeldSlot": 3, "SlotTaken": 37}

    assert deadlock_count() == before
    assert violations() == {}


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limited", "limit"), [("business", 10), ("service", 10), ("staff", 5)])
@rounds(short=1, full=10)
def test_the_last_place_of_a_daily_limit_is_given_once(limited: str, limit: int, rounds: int) -> None:
    """Two therapists have room for 16; so far one fewer than the limit is booked, in the first five hours."""
    place = open_studio(staff=2)
    owner: Any = {"business": place.business, "service": place.variant.service, "staff": place.staff[0]}[limited]
    owner.daily_limit = limit
    owner.save()
    person_id = place.staff[0].pk if limited == "staff" else None
    at_once = limit // 5

    for day in range(1, rounds + 1):
        for index in range(limit - 1):
            start = place.minute(9 + index // at_once, days=day)
            hold(place, start_minute=start, staff_member_id=person_id)
        outcomes = race(
            [
                act
                for hour in (14, 15, 16)
                for act in holders(place, 6, start_minute=place.minute(hour, days=day), staff_member_id=person_id)
            ]
        )
        counts = tally(outcomes)
        assert counts.pop("HeldSlot") == 1
        assert set(counts) <= {"SlotNotOffered", "SlotTaken"}

    assert violations() == {}


# --- expired holds ---------------------------------------------------------------------------------------------------


@rounds(short=5, full=100)
def test_two_take_an_expired_hold_and_one_gets_it(rounds: int) -> None:
    place = open_studio()

    for start in times(place, rounds):
        expired = hold(place, start_minute=start).booking
        outcomes = race(holders(place, 2, start_minute=start, now=EXPIRY))
        assert tally(outcomes) == {"HeldSlot": 1, "SlotTaken": 1}
        expired.refresh_from_db()
        assert expired.status == BookingStatus.EXPIRED

    assert violations() == {}


@rounds(short=5, full=100)
def test_the_owner_confirms_in_the_last_second_while_somebody_takes_the_time(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for start in times(place, rounds):
        own = hold(place, start_minute=start).booking
        outcomes = race(
            [
                partial(confirm, own, now=EXPIRY - timedelta(seconds=1)),
                *holders(place, 1, start_minute=start, now=EXPIRY),
            ]
        )
        own.refresh_from_db()
        seen.add((own.status, *(type(each).__name__ for each in outcomes)))

    assert seen <= {("confirmed", "Booking", "SlotTaken"), ("expired", "HoldExpired", "HeldSlot")}
    assert violations() == {}


@rounds(short=5, full=100)
def test_the_owner_extends_in_the_last_second_while_somebody_takes_the_time(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for start in times(place, rounds):
        own = hold(place, start_minute=start).booking
        outcomes = race(
            [
                partial(extend_hold, booking_id=own.pk, actor=LINK, now=EXPIRY - timedelta(seconds=1)),
                *holders(place, 1, start_minute=start, now=EXPIRY),
            ]
        )
        own.refresh_from_db()
        seen.add((own.status, *(type(each).__name__ for each in outcomes)))

    assert seen <= {("held", "Booking", "SlotTaken"), ("expired", "HoldExpired", "HeldSlot")}
    assert violations() == {}


@rounds(short=5, full=100)
def test_the_sweep_the_owner_and_a_taker_meet(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for start in times(place, rounds):
        own = hold(place, start_minute=start).booking
        outcomes = race(
            [
                partial(expire_holds, now=EXPIRY),
                partial(confirm, own, now=EXPIRY - timedelta(seconds=1)),
                *holders(place, 1, start_minute=start, now=EXPIRY),
            ]
        )
        own.refresh_from_db()
        seen.add((own.status, *(type(each).__name__ for each in outcomes)))
        expire_holds(now=EXPIRY + timedelta(minutes=10))

    assert seen <= {
        ("confirmed", "int", "Booking", "SlotTaken"),
        ("expired", "int", "HoldExpired", "HeldSlot"),
        # The sweep had the row in its hands: for the taker the time counted as taken.
        ("expired", "int", "HoldExpired", "SlotTaken"),
    }
    assert violations() == {}


# --- one booking, several acts ---------------------------------------------------------------------------------------


@rounds(short=5, full=50)
def test_confirming_five_times_at_once_is_one_booking(rounds: int) -> None:
    place = open_studio()

    for start in times(place, rounds):
        held = hold(place, start_minute=start).booking
        outcomes = race([partial(confirm, held)] * 5)
        assert outcomes == [held] * 5

    assert Bill.objects.count() == rounds
    assert Notification.objects.exclude(kind="reminder").count() == 2 * rounds
    assert violations() == {}


@rounds(short=5, full=50)
def test_the_same_click_five_times_is_one_hold(rounds: int) -> None:
    place = open_studio(staff=3)

    for start in times(place, rounds):
        outcomes = race([partial(hold, place, start_minute=start, visitor_hash="v")] * 5)
        assert tally(outcomes) == {"HeldSlot": 5}
        assert Allocation.objects.count() == 1
        live = Booking.objects.get(status=BookingStatus.HELD)
        confirm(live)
        cancel_booking(
            booking_id=live.pk, expected_sequence=live.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
        )

    assert violations() == {}


@rounds(short=5, full=100)
def test_confirming_and_cancelling_at_once(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for start in times(place, rounds):
        held = hold(place, start_minute=start).booking
        outcomes = race(
            [
                partial(confirm, held),
                partial(
                    cancel_booking,
                    booking_id=held.pk,
                    expected_sequence=held.ical_sequence,
                    expected_fee_minor=0,
                    actor=LINK,
                    now=NOW,
                ),
            ]
        )
        held.refresh_from_db()
        seen.add((held.status, *(type(each).__name__ for each in outcomes)))

    assert seen <= {("cancelled", "Booking", "Booking"), ("confirmed", "Booking", "NotBooked")}
    assert violations() == {}


@rounds(short=5, full=50)
def test_cancelling_five_times_at_once_is_done_once(rounds: int) -> None:
    place = open_studio()

    for start in times(place, rounds):
        booking = booked(place, start_minute=start)
        act = partial(
            cancel_booking,
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            expected_fee_minor=0,
            actor=LINK,
            now=NOW,
        )
        assert tally(race([act] * 5)) == {"Booking": 1, "AlreadyCancelled": 4}

    assert Notification.objects.filter(kind="cancelled").count() == 2 * rounds
    assert violations() == {}


# --- moves -----------------------------------------------------------------------------------------------------------


def mover(booking: Booking, start_minute: int) -> Callable[[], Booking]:
    return partial(
        reschedule_booking,
        booking_id=booking.pk,
        start_minute=start_minute,
        staff_member_id=None,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
    )


@rounds(short=5, full=100)
def test_moving_to_a_time_while_others_book_it_and_the_old_one(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for day in range(1, rounds + 1):
        old, new = place.minute(10, days=day), place.minute(13, days=day)
        booking = booked(place, start_minute=old)
        moved, *others = race(
            [
                mover(booking, new),
                *holders(place, 3, start_minute=new),
                partial(hold, place, start_minute=old),
            ]
        )
        booking.refresh_from_db()
        assert tally(others[:3]).get("HeldSlot", 0) == (0 if booking.starts_at == place.at(13, days=day) else 1)
        seen.add((type(moved).__name__, booking.ical_sequence, type(others[3]).__name__))

    assert seen <= {("Booking", 1, "HeldSlot"), ("Booking", 1, "SlotTaken"), ("SlotTaken", 0, "SlotTaken")}
    assert violations() == {}


@rounds(short=5, full=100)
def test_two_bookings_that_want_each_others_time_both_stay(rounds: int) -> None:
    place = open_studio()
    before = deadlock_count()

    for day in range(1, rounds + 1):
        first = booked(place, start_minute=place.minute(10, days=day))
        second = booked(place, start_minute=place.minute(13, days=day))
        outcomes = race([mover(first, place.minute(13, days=day)), mover(second, place.minute(10, days=day))])
        assert tally(outcomes) == {"SlotTaken": 2}

    assert deadlock_count() == before
    assert violations() == {}


@rounds(short=3, full=50)
def test_the_same_move_five_times_at_once_is_one_move(rounds: int) -> None:
    place = open_studio()

    for day in range(1, rounds + 1):
        booking = booked(place, start_minute=place.minute(10, days=day))
        assert race([mover(booking, place.minute(13, days=day))] * 5) == [booking] * 5
        booking.refresh_from_db()
        assert booking.ical_sequence == 1

    assert Notification.objects.filter(kind="moved").count() == 2 * rounds
    assert violations() == {}


# --- schedules -------------------------------------------------------------------------------------------------------


def test_hours_that_change_while_somebody_books_are_seen() -> None:
    place = open_studio()
    is_locked, person = threading.Event(), place.staff[0]

    def shorten() -> str:
        with transaction.atomic():
            lock_resource_time([person.resource_id])
            is_locked.set()
            # The customer is now waiting for the lock, with facts that are about to be wrong.
            wait_for_a_waiter()
            person.working_hours.all().delete()
        return "shortened"

    def book() -> HeldSlot:
        is_locked.wait(10)
        return hold(place)

    outcomes = race([shorten, book])

    assert tally(outcomes) == {"str": 1, "SlotNotOffered": 1}
    assert not Booking.objects.exists()


def wait_for_a_waiter() -> None:
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody came to wait for the lock")


# --- do the races meet at all? ---------------------------------------------------------------------------------------


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations believe that they hold the locks, and take a break between choosing and writing."""
    meeting = threading.Barrier(2)
    pick = _time.pick

    def slow_pick(*args: Any, **kwargs: Any) -> Any:
        chosen = pick(*args, **kwargs)
        meeting.wait(10)
        return chosen

    monkeypatch.setattr(_time, "_lock", lambda ids, wish: set(Resource.objects.values_list("pk", flat=True)))
    monkeypatch.setattr(hold_module, "pick", slow_pick)


@pytest.fixture
def no_constraint() -> Iterator[None]:
    constraint = next(each for each in Allocation._meta.constraints if each.name == "bookings_allocation_no_overlap")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Allocation, constraint)
    yield
    Allocation.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Allocation, constraint)


@pytest.mark.control
@pytest.mark.usefixtures("unlocked", "no_constraint")
def test_without_locks_and_constraint_there_is_a_double_booking_and_the_doctor_sees_it() -> None:
    place = open_studio()

    outcomes = race(holders(place, 2))

    assert tally(outcomes) == {"HeldSlot": 2}
    assert set(violations()) == {"No time of a resource is taken twice"}


@pytest.mark.control
@pytest.mark.usefixtures("unlocked")
def test_without_locks_the_constraint_alone_refuses_the_second() -> None:
    place = open_studio()

    outcomes = race(holders(place, 2))

    assert tally(outcomes) == {"HeldSlot": 1, "SlotTaken": 1}
    assert violations() == {}


@pytest.mark.control
@pytest.mark.usefixtures("no_constraint")
def test_without_the_constraint_the_locks_alone_refuse_the_others() -> None:
    place = open_studio()

    outcomes = race(holders(place, 30))

    assert tally(outcomes) == {"HeldSlot": 1, "SlotTaken": 29}
    assert violations() == {}


@rounds(short=3, full=20)
def test_requests_without_cookies_from_one_address_hold_only_so_many_times(rounds: int, settings: Settings) -> None:
    settings.HOLDS_PER_ADDRESS = 3
    place = open_studio(staff=12)

    for number, start in enumerate(times(place, rounds)):
        outcomes = race(holders(place, 12, start_minute=start, address_hash=f"address-{number}"))
        assert tally(outcomes) == {"HeldSlot": 3, "TooManyHolds": 9}

    assert violations() == {}


@rounds(short=3, full=20)
def test_a_form_that_is_sent_several_times_at_once_leads_to_one_live_hold(rounds: int) -> None:
    place = open_studio(staff=5)

    for number, start in enumerate(times(place, rounds)):
        outcomes = race([partial(hold, place, start_minute=start, visitor_hash=f"visitor-{number}")] * 5)
        assert tally(outcomes) == {"HeldSlot": 5}
        assert len({each.token for each in outcomes}) == 1

    assert Booking.objects.count() == rounds
    assert violations() == {}


@rounds(short=2, full=20)
def test_parallel_confirmations_stand_unproven_only_up_to_the_limit(rounds: int, settings: Settings) -> None:
    settings.UNPROVEN_BOOKINGS_PER_EMAIL, settings.UNPROVEN_BOOKINGS_PER_PHONE = 3, 3
    place = open_studio(staff=3)

    for number in range(rounds):
        start = place.minute(9, days=1 + number)
        who = replace(JANA, email=f"jana{number}@example.com", phone=f"+4915155501{number:03d}")
        held = [hold(place, start_minute=start + step).booking for step in (0, 0, 0, 60, 60, 60)]
        outcomes = race([partial(confirm, each, contact=who) for each in held])
        statuses = sorted(getattr(each, "status", type(each).__name__) for each in outcomes)
        assert statuses == ["confirmed"] * 3 + ["held"] * 3

    assert violations() == {}


@rounds(short=5, full=100)
def test_the_desk_moves_a_booking_past_the_rules_while_customers_take_the_time(rounds: int) -> None:
    place = open_studio()
    seen = set()

    for day in range(1, rounds + 1):
        new = place.minute(13, days=day)
        booking = booked(place, start_minute=place.minute(10, days=day))
        by_desk = partial(mover(booking, new), actor=DESK, overrides=RELAXABLE, reason="Asked by phone")
        moved, *others = race([by_desk, *holders(place, 3, start_minute=new)])
        seen.add((type(moved).__name__, tally(others).get("HeldSlot", 0)))

    assert seen <= {("Booking", 0), ("SlotTaken", 1)}
    assert violations() == {}


@rounds(short=5, full=100)
def test_two_at_the_desk_move_one_booking_and_the_second_is_told(rounds: int) -> None:
    place = open_studio()

    for day in range(1, rounds + 1):
        booking = booked(place, start_minute=place.minute(10, days=day))
        wishes = [partial(mover(booking, place.minute(hour, days=day)), actor=DESK) for hour in (12, 15)]
        assert tally(race(wishes)) == {"Booking": 1, "StalePage": 1}

    assert violations() == {}
