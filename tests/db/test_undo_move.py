"""Undoing a move: everything is as it was, nobody hears of a slip, and what has changed since stays."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bookings.errors import ChangedSinceMove, FormerTimeTaken, TooLateToUndo
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from bookings.operations.undo_move import undo_move
from bookings.operations.visit_progress import start_visit
from notifications.models import Notification
from notifications.operations import send_due
from services.models import Service
from tests import factories
from tests.concurrency.racing import violations
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, booked, claims, hold

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(seconds=30)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def place() -> Studio:
    return factories.studio(staff=2)


def move(booking: Booking, start_minute: int, **changes: Any) -> Booking:
    arguments = {
        "booking_id": booking.pk,
        "start_minute": start_minute,
        "staff_member_id": None,
        "expected_sequence": booking.ical_sequence,
        "expected_fee_minor": 0,
        "actor": DESK,
        "now": NOW,
    }
    return reschedule_booking(**{**arguments, **changes})


def undo(booking: Booking, **changes: Any) -> Booking:
    arguments = {"booking_id": booking.pk, "expected_sequence": booking.ical_sequence, "actor": DESK, "now": SOON}
    return undo_move(**{**arguments, **changes})


def told() -> list[tuple[str, str, int]]:
    """The messages that went out: kind, recipient, version."""
    sent = Notification.objects.filter(status="sent").order_by("pk")
    return [(row.kind, _name(row), row.version) for row in sent]


def _name(row: Notification) -> str:
    return row.recipient_ref if row.recipient_role == "staff" else "customer"


def stands(booking: Booking) -> tuple[Any, int | None]:
    booking.refresh_from_db()
    return booking.starts_at, booking.lines.get().staff_member_id


def test_time_staff_room_and_buffers_are_as_they_were() -> None:
    place = factories.studio(staff=2, buffer_after_minutes=15)
    kind = factories.resource_type()
    factories.requirement(place.variant.service, kind)
    rooms = [factories.room(place.location, kind) for _ in range(2)]
    other = booked(place, 10, staff_member_id=place.staff[1].pk)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    before = claims()
    assert rooms[1].pk in {claim[0] for claim in before}
    move(other, place.minute(14))
    cancel_booking(booking_id=other.pk, expected_sequence=1, expected_fee_minor=0, actor=DESK, now=NOW)
    mine = [claim for claim in before if claim[0] in {rooms[1].pk, place.staff[0].resource_id}]

    moved = move(booking, place.minute(16), staff_member_id=place.staff[1].pk, overrides=frozenset({"buffers"}))
    undo(moved)

    assert stands(booking) == (place.at(10), place.staff[0].pk)
    assert claims() == mine
    assert booking.lines.get().buffer_after_minutes == 15
    assert (booking.ical_sequence, booking.staff_link_version) == (2, 1)
    event = booking.events.last()
    assert event
    assert (event.kind, event.actor_name, event.at, event.details["is_undo"]) == ("moved", "Sam", SOON, True)
    assert violations() == {}


def test_nobody_hears_of_a_move_that_is_undone_in_time(place: Studio) -> None:
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    send_due(now=NOW, limit=50)
    before = told()
    moved = move(booking, place.minute(14), staff_member_id=place.staff[1].pk)
    send_due(now=SOON, limit=50)

    undo(moved)
    send_due(now=NOW + 2 * MINUTE, limit=50)

    assert told() == before
    reminders = Notification.objects.filter(kind="reminder").exclude(status="cancelled")
    assert {row.version for row in reminders} == {2}


def test_messages_go_out_when_the_minute_is_over(place: Studio) -> None:
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    send_due(now=NOW, limit=50)
    move(booking, place.minute(14))

    send_due(now=NOW + MINUTE - timedelta(seconds=1), limit=50)
    assert [each for each in told() if each[0] == "moved"] == []
    send_due(now=NOW + MINUTE, limit=50)

    assert told()[2:] == [("moved", "customer", 1), ("moved", f"staff:{place.staff[0].pk}", 1)]


def test_a_confirmation_that_the_move_had_replaced_is_sent_after_all(place: Studio) -> None:
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    moved = move(booking, place.minute(14))
    send_due(now=SOON, limit=50)
    assert told() == []

    undo(moved)
    send_due(now=SOON, limit=50)

    assert told() == [("confirmed", "customer", 0), ("confirmed", f"staff:{place.staff[0].pk}", 0)]


def test_who_has_heard_of_the_move_hears_that_it_is_undone(place: Studio) -> None:
    former, new = place.staff
    booking = booked(place, 10, staff_member_id=former.pk)
    send_due(now=NOW, limit=50)
    moved = move(booking, place.minute(14), staff_member_id=new.pk)
    # A worker whose clock is ahead.
    Notification.objects.filter(version=1, kind="moved").update(not_before=SOON, next_try_at=SOON)
    send_due(now=SOON, limit=50)

    undo(moved)
    send_due(now=SOON, limit=50)

    assert told()[4:] == [
        ("moved", "customer", 2),
        ("moved", f"staff:{former.pk}", 2),
        ("released", f"staff:{new.pk}", 2),
    ]
    booking.refresh_from_db()
    assert booking.staff_link_version == 3


def test_undoing_twice_is_undoing_once(place: Studio) -> None:
    booking = booked(place, 10)
    moved = move(booking, place.minute(14))

    undo(moved)
    again = undo(moved, expected_sequence=1)

    assert again.ical_sequence == 2
    assert booking.events.filter(kind="moved").count() == 2


def test_an_undone_move_is_not_undone_again(place: Studio) -> None:
    booking = booked(place, 10)
    undo(move(booking, place.minute(14)))

    with pytest.raises(ChangedSinceMove):
        undo(booking, expected_sequence=2)
    assert stands(booking)[0] == place.at(10)


def test_a_booking_that_stands_where_it_was_by_another_move_is_not_taken_for_undone(place: Studio) -> None:
    """As after an undo, it is back and its number is one ahead; but somebody moved it there."""
    booking = booked(place, 10)
    moved = move(booking, place.minute(14))
    move(moved, place.minute(10))

    with pytest.raises(ChangedSinceMove):
        undo(booking, expected_sequence=1)
    assert booking.events.filter(kind="moved").count() == 2


def test_what_was_moved_again_cancelled_or_begun_stays(place: Studio) -> None:
    again, off, begun = (booked(place, hour) for hour in (9, 11, 13))
    moved_again = move(move(again, place.minute(15)), place.minute(16))
    cancelled = move(off, place.minute(12))
    cancel_booking(booking_id=off.pk, expected_sequence=1, expected_fee_minor=0, actor=DESK, now=NOW)
    started = move(begun, place.minute(14), now=place.at(13))
    start_visit(booking_id=begun.pk, expected_sequence=1, actor=DESK, now=place.at(13))

    for booking, seen, now in ((moved_again, 1, SOON), (cancelled, 1, SOON), (started, 1, place.at(13))):
        with pytest.raises(ChangedSinceMove):
            undo(booking, expected_sequence=seen, now=now)
    assert [stands(booking)[0] for booking in (again, off, begun)] == [place.at(16), place.at(12), place.at(14)]


def test_after_a_minute_it_is_too_late(place: Studio) -> None:
    booking = booked(place, 10)
    moved = move(booking, place.minute(14))

    with pytest.raises(TooLateToUndo):
        undo(moved, now=NOW + MINUTE)
    assert stands(booking)[0] == place.at(14)
    assert undo(moved, now=NOW + MINUTE - timedelta(milliseconds=1)).starts_at == place.at(10)


def test_a_customers_move_is_not_for_staff_to_undo(place: Studio) -> None:
    booking = booked(place, 10)
    moved = move(booking, place.minute(14), actor=LINK)

    with pytest.raises(ChangedSinceMove):
        undo(moved)


def test_a_former_time_that_is_taken_stays_taken(place: Studio) -> None:
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    moved = move(booking, place.minute(14))
    held = hold(place, 10, 30, staff_member_id=place.staff[0].pk).booking
    before = claims()

    with pytest.raises(FormerTimeTaken):
        undo(moved)

    assert claims() == before
    assert stands(booking)[0] == place.at(14)
    assert not Notification.objects.filter(kind="moved", status="cancelled").exists()
    held.refresh_from_db()
    assert held.status == "held"


def test_the_place_of_the_day_may_be_taken_by_another(place: Studio) -> None:
    Service.objects.update(daily_limit=1)
    booking = booked(place, 10)
    moved = move(booking, place.minute(10, days=2))
    booked(place, 15)

    with pytest.raises(FormerTimeTaken):
        undo(moved)
    assert violations() == {}


def test_time_that_was_blocked_since_the_move_stays_blocked(place: Studio) -> None:
    resource = place.staff[0].resource
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    moved = move(booking, place.minute(14))
    factories.time_off(resource, place.at(9), place.at(12))

    with pytest.raises(FormerTimeTaken):
        undo(moved)


def test_a_booking_goes_back_into_time_off_that_it_was_moved_out_of(place: Studio) -> None:
    resource = place.staff[0].resource
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    factories.time_off(resource, place.at(9), place.at(12))
    moved = move(booking, place.minute(14))

    assert undo(moved).starts_at == place.at(10)


def test_a_late_visit_goes_back_to_a_start_that_is_past(place: Studio) -> None:
    booking = booked(place, 10)
    late = place.at(10) + timedelta(minutes=5)
    moved = move(booking, place.minute(10, 30), now=late)

    assert undo(moved, now=late).starts_at == place.at(10)


# --- two changes within a minute -------------------------------------------------------------------------------------


def test_of_two_moves_in_a_row_one_message_names_the_time_that_the_customer_knows(place: Studio) -> None:
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    send_due(now=NOW, limit=50)
    move(move(booking, place.minute(14)), place.minute(15), now=SOON)

    send_due(now=SOON + MINUTE, limit=50)

    assert told()[2:] == [("moved", "customer", 2), ("moved", f"staff:{place.staff[0].pk}", 2)]
    for row in Notification.objects.filter(version=2, kind="moved"):
        assert datetime.fromisoformat(row.details["previous_starts_at"]) == place.at(10)


def test_a_reassignment_after_an_untold_move_tells_the_new_time_too(place: Studio) -> None:
    first, second = place.staff
    third = factories.staff_member(place.variant, at=place.location)
    booking = booked(place, 10, staff_member_id=first.pk)
    send_due(now=NOW, limit=50)
    moved = move(booking, place.minute(14), staff_member_id=second.pk)
    move(moved, place.minute(14), staff_member_id=third.pk, now=SOON)

    send_due(now=SOON + MINUTE, limit=50)

    assert sorted(told()[2:]) == [
        ("moved", "customer", 2),
        ("moved", f"staff:{third.pk}", 2),
        ("released", f"staff:{first.pk}", 2),
    ]


def test_undoing_the_second_move_tells_of_the_first_one(place: Studio) -> None:
    first, second = place.staff
    booking = booked(place, 10, staff_member_id=first.pk)
    send_due(now=NOW, limit=50)
    moved = move(booking, place.minute(14), staff_member_id=second.pk)
    undo(move(moved, place.minute(15), staff_member_id=first.pk, now=SOON), now=SOON)

    send_due(now=SOON + MINUTE, limit=50)

    assert stands(booking) == (place.at(14), second.pk)
    assert sorted(told()[2:]) == [
        ("moved", "customer", 1),
        ("moved", f"staff:{second.pk}", 1),
        ("released", f"staff:{first.pk}", 1),
    ]
