"""Moving a booking: what changes, what stays, what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.errors import (
    AlreadyCancelled,
    MoveLimitReached,
    NotBooked,
    SameTime,
    SlotNotOffered,
    SlotTaken,
    StaffFixed,
    StalePage,
    TooLateToMove,
)
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from notifications.models import Notification
from payments.models import BillLine
from payments.queries import balance
from services.models import Service, ServiceVariant
from tests.factories import NOW, cancellation_policy, requirement, resource_type, room, studio
from tests.journeys import DESK, LINK, booked, claims, hold

pytestmark = pytest.mark.django_db


def move(booking: Booking, start_minute: int, **changes: Any) -> Booking:
    arguments = {
        "booking_id": booking.pk,
        "start_minute": start_minute,
        "staff_member_id": None,
        "expected_sequence": booking.ical_sequence,
        "expected_fee_minor": 0,
        "actor": LINK,
        "now": NOW,
    }
    return reschedule_booking(**{**arguments, **changes})


def test_buffers_that_were_set_aside_for_one_time_count_again_at_the_next() -> None:
    place = studio(buffer_after_minutes=15)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    resource_id = place.staff[0].resource_id

    moved = move(booking, place.minute(16), actor=DESK, overrides=frozenset({"buffers"}), reason="Cleans up tomorrow")
    assert claims() == [(resource_id, place.minute(16), place.minute(17))]
    move(moved, place.minute(13))

    assert claims() == [(resource_id, place.minute(13), place.minute(14, 15))]
    assert booking.lines.get().buffer_after_minutes == 15


def test_a_move_changes_the_time_and_nothing_that_was_promised() -> None:
    place = studio(buffer_after_minutes=15)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    ServiceVariant.objects.update(price_minor=1, work_minutes=30)
    Service.objects.update(buffer_after_minutes=0, tax_basis_points=0)

    move(booking, place.minute(13), reason="school run")

    booking.refresh_from_db()
    line = booking.lines.get()
    assert (booking.starts_at, booking.ends_at) == (place.at(13), place.at(14))
    assert (line.starts_at, line.ends_at) == (place.at(13), place.at(14))
    assert (booking.status, booking.total_minor, line.price_minor) == ("confirmed", 8000, 8000)
    assert (booking.ical_sequence, booking.customer_move_count, booking.fee_anchor_minor) == (1, 1, 0)
    assert (booking.link_version, booking.staff_link_version) == (1, 1)
    assert claims() == [(place.staff[0].resource_id, place.minute(13), place.minute(14, 15))]
    event = booking.events.last()
    assert event
    assert (event.kind, event.from_status, event.to_status, event.reason) == (
        "moved",
        "confirmed",
        "confirmed",
        "school run",
    )
    assert event.details == {
        "from": {"starts_at": "2027-01-05T09:00:00+00:00", "staff_member_id": place.staff[0].pk},
        "to": {"starts_at": "2027-01-05T12:00:00+00:00", "staff_member_id": place.staff[0].pk},
        "fee_minor": 0,
    }
    moved = Notification.objects.filter(kind="moved").values_list("recipient_role", "version")
    assert set(moved) == {("customer", 1), ("staff", 1)}


def test_a_move_onto_part_of_its_own_time_works() -> None:
    place = studio()
    booking = booked(place, 10)

    move(booking, place.minute(10, 30))

    assert claims() == [(place.staff[0].resource_id, place.minute(10, 30), place.minute(11, 30))]


def test_a_move_of_something_no_longer_sold_works() -> None:
    place = studio()
    booking = booked(place, 10)
    Service.objects.update(visibility=Service.Visibility.ARCHIVED)
    ServiceVariant.objects.update(is_active=False)

    move(booking, place.minute(13))

    booking.refresh_from_db()
    assert booking.starts_at == place.at(13)


def test_a_move_with_anyone_keeps_the_person_who_is_free() -> None:
    place = studio(staff=3)
    booking = booked(place, 10)
    person = booking.lines.get().staff_member

    for hour in (12, 14, 16):
        move(booking, place.minute(hour))
        booking.refresh_from_db()
        assert booking.lines.get().staff_member == person

    assert booking.staff_link_version == 1


def test_a_move_with_anyone_goes_to_another_person_if_need_be() -> None:
    place = studio(staff=2)
    booking = booked(place, 10)
    first = booking.lines.get().staff_member
    assert first
    hold(place, 13, staff_member_id=first.pk)

    move(booking, place.minute(13))

    booking.refresh_from_db()
    second = booking.lines.get().staff_member
    assert second in set(place.staff) - {first}
    assert booking.staff_link_version == 2
    told = Notification.objects.filter(version=1).exclude(kind="reminder")
    assert set(told.values_list("kind", "address")) == {
        ("moved", "jana@example.com"),
        ("moved", second.email),
        ("released", first.email),
    }


def test_a_move_with_a_certain_person_never_goes_to_another() -> None:
    place = studio(staff=2)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)
    hold(place, 13, staff_member_id=place.staff[0].pk)

    with pytest.raises(SlotTaken) as taken:
        move(booking, place.minute(13))
    with pytest.raises(StaffFixed):
        move(booking, place.minute(13), staff_member_id=place.staff[1].pk)

    assert [start for _, start in taken.value.data["alternatives"]] == [
        place.minute(11, 45),
        place.minute(12),
        place.minute(14),
    ]
    assert_unmoved(booking)


def test_the_business_may_give_a_booking_to_another_person_at_the_same_time() -> None:
    place = studio(staff=2)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk)

    move(booking, place.minute(10), staff_member_id=place.staff[1].pk, actor=DESK)

    booking.refresh_from_db()
    assert booking.lines.get().staff_member == place.staff[1]
    assert (booking.starts_at, booking.staff_link_version, booking.customer_move_count) == (place.at(10), 2, 0)
    assert claims() == [(place.staff[1].resource_id, place.minute(10), place.minute(11))]
    kinds = Notification.objects.filter(version=1).values_list("kind", "address")
    assert ("reassigned", place.staff[1].email) in set(kinds)
    assert ("released", place.staff[0].email) in set(kinds)


def test_a_move_takes_its_room_along() -> None:
    place = studio()
    kind = resource_type()
    cabin = room(place.location, kind)
    requirement(place.variant.service, kind)
    booking = booked(place, 10)

    move(booking, place.minute(13))

    low, high = place.minute(13), place.minute(14)
    assert claims() == sorted([(place.staff[0].resource_id, low, high), (cabin.pk, low, high)])


def test_the_same_submission_twice_moves_once() -> None:
    place = studio()
    booking = booked(place, 10)

    move(booking, place.minute(13))
    again = move(booking, place.minute(13))

    assert again.ical_sequence == 1
    assert again.events.filter(kind="moved").count() == 1
    assert Notification.objects.filter(kind="moved").count() == 2


def test_a_page_older_than_the_truth_is_told_the_truth() -> None:
    place = studio()
    booking = booked(place, 10)
    move(booking, place.minute(13))

    with pytest.raises(StalePage) as stale:
        move(booking, place.minute(15))

    assert stale.value.data == {"fee_minor": 0, "sequence": 1, "starts_at": place.at(13)}


def test_a_move_to_the_same_time_is_refused() -> None:
    place = studio()
    booking = booked(place, 10)

    with pytest.raises(SameTime):
        move(booking, place.minute(10))

    assert_unmoved(booking)


@pytest.mark.parametrize(("hour", "minute", "error"), [(10, 7, SlotNotOffered), (17, 0, SlotNotOffered)])
def test_a_move_to_what_is_not_offered_changes_nothing(hour: int, minute: int, error: type[Exception]) -> None:
    place = studio()
    booking = booked(place, 10)

    with pytest.raises(error):
        move(booking, place.minute(hour, minute))

    assert_unmoved(booking)


def test_a_customer_cannot_move_when_it_is_too_late_but_the_business_can() -> None:
    policy = cancellation_policy((0, "none", 0), reschedule_until_minutes=120, grace_minutes=0)
    place = studio(cancellation_policy=policy)
    booking = booked(place, 10)
    late = place.at(8) + timedelta(seconds=1)

    with pytest.raises(TooLateToMove):
        move(booking, place.minute(13), now=late)
    assert_unmoved(booking)

    move(booking, place.minute(13), now=late, actor=DESK)
    booking.refresh_from_db()
    assert (booking.customer_move_count, booking.fee_anchor_minor) == (0, 0)


def test_moves_beyond_the_limit_are_blocked() -> None:
    place = studio(cancellation_policy=cancellation_policy(free_move_count=1))
    booking = booked(place, 10)
    move(booking, place.minute(13))
    booking.refresh_from_db()

    with pytest.raises(MoveLimitReached):
        move(booking, place.minute(15))

    booking.refresh_from_db()
    assert booking.starts_at == place.at(13)


def test_moves_beyond_the_limit_cost_the_fee_that_was_shown() -> None:
    policy = cancellation_policy(free_move_count=0, over_limit="fee", change_fee_minor=1000)
    place = studio(cancellation_policy=policy)
    booking = booked(place, 10)

    with pytest.raises(StalePage) as stale:
        move(booking, place.minute(13))
    assert stale.value.data["fee_minor"] == 1000
    assert_unmoved(booking)

    move(booking, place.minute(13), expected_fee_minor=1000)

    line = BillLine.objects.get(kind="change_fee")
    assert (line.net_minor, line.tax_minor, line.gross_minor) == (840, 160, 1000)
    assert balance(f"booking:{booking.pk}").owed_minor == 9000


def test_moving_when_late_keeps_what_cancelling_would_have_cost() -> None:
    policy = cancellation_policy(
        (2880, "none", 0), (1440, "percent", 5000), reschedule_until_minutes=0, grace_minutes=0
    )
    place = studio(cancellation_policy=policy)
    booking = booked(place, start_minute=place.minute(10, days=3))
    moment = booking.starts_at - timedelta(hours=30)

    move(booking, place.minute(10, days=10), now=moment)
    booking.refresh_from_db()
    assert booking.fee_anchor_minor == 4000

    with pytest.raises(StalePage) as stale:
        cancel_booking(
            booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=moment
        )
    assert stale.value.data["fee_minor"] == 4000
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=4000, actor=LINK, now=moment
    )


def test_what_is_cancelled_or_only_held_cannot_be_moved() -> None:
    place = studio(staff=2)
    held = hold(place, 10).booking
    with pytest.raises(NotBooked):
        move(held, place.minute(13))

    booking = booked(place, 10)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    with pytest.raises(AlreadyCancelled):
        move(booking, place.minute(13))


def test_a_move_counts_against_the_limit_of_the_new_day_only() -> None:
    place = studio(daily_limit=1)
    monday = booked(place, 10, start_minute=place.minute(10, days=1))
    booked(place, 10, start_minute=place.minute(10, days=2))

    move(monday, place.minute(13, days=1))
    monday.refresh_from_db()
    with pytest.raises(SlotNotOffered) as refused:
        move(monday, place.minute(13, days=2))

    assert refused.value.data["rule"] == "service_limit"


def assert_unmoved(booking: Booking) -> None:
    sequence, starts_at = booking.ical_sequence, booking.starts_at
    stored = Booking.objects.get(pk=booking.pk)
    assert (stored.ical_sequence, stored.starts_at, stored.customer_move_count) == (sequence, starts_at, 0)
    assert stored.lines.get().starts_at == starts_at
    assert stored.allocations.count() == 1
    assert not stored.events.filter(kind="moved").exists()
    assert not Notification.objects.filter(kind="moved").exists()
