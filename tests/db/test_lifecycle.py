"""``transition``: compare-and-set, one row of history, every pair of statuses."""

from datetime import timedelta

import pytest

from accounts.models import User
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind
from bookings.errors import WrongStatus
from bookings.lifecycle import SYSTEM, Actor, may_become, record, transition
from bookings.models import Booking, BookingEvent
from core.references import new_reference
from tests.factories import NOW, location

pytestmark = pytest.mark.django_db

DESK = Actor(ActorKind.STAFF, BookingChannel.DESK, name="Sam")


def bare_booking(status: str = "held") -> Booking:
    start = NOW + timedelta(days=1)
    return Booking.objects.create(
        reference=new_reference(),
        status=status,
        hold_expires_at=NOW,
        location=location(),
        starts_at=start,
        ends_at=start + timedelta(hours=1),
        currency="EUR",
        total_minor=8000,
        created_at=NOW,
    )


@pytest.mark.parametrize("after", BookingStatus)
@pytest.mark.parametrize("before", BookingStatus)
def test_transition_for_every_pair_writes_one_event_or_nothing(before: BookingStatus, after: BookingStatus) -> None:
    booking = bare_booking(before)

    if may_become(before, after):
        transition(booking, after, actor=SYSTEM, now=NOW)
        expected, events = after, [(before, after)]
    else:
        with pytest.raises(WrongStatus) as refused:
            transition(booking, after, actor=SYSTEM, now=NOW)
        assert refused.value.data == {"from_status": before, "to_status": after}
        expected, events = before, []

    booking.refresh_from_db()
    assert booking.status == expected
    assert list(BookingEvent.objects.values_list("from_status", "to_status")) == events


def test_transition_when_somebody_was_faster_writes_nothing() -> None:
    booking = bare_booking("held")
    stale = Booking.objects.get(pk=booking.pk)
    transition(booking, BookingStatus.EXPIRED, actor=SYSTEM, now=NOW)

    with pytest.raises(WrongStatus):
        transition(stale, BookingStatus.CONFIRMED, actor=SYSTEM, now=NOW)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    assert BookingEvent.objects.count() == 1


def test_transition_writes_further_columns_and_says_who_and_why() -> None:
    booking = bare_booking("confirmed")
    user = User.objects.create_user("sam@example.com")
    sam = Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=user.pk, name="Sam")

    transition(
        booking,
        BookingStatus.CANCELLED,
        actor=sam,
        now=NOW,
        reason="ill",
        details={"fee_minor": 0},
        values={"cancelled_at": NOW, "customer_note": "secret"},
    )

    stored = Booking.objects.get(pk=booking.pk)
    assert (stored.status, stored.cancelled_at, stored.customer_note) == ("cancelled", NOW, "secret")
    assert (booking.status, booking.cancelled_at, booking.customer_note) == ("cancelled", NOW, "secret")
    event = BookingEvent.objects.get()
    assert (event.kind, event.from_status, event.to_status) == ("status", "confirmed", "cancelled")
    assert (event.actor_kind, event.actor, event.actor_name, event.channel) == ("staff", user, "Sam", "desk")
    assert (event.reason, event.details, event.at) == ("ill", {"fee_minor": 0}, NOW)


def test_record_without_change_of_status_keeps_the_chain() -> None:
    booking = bare_booking("confirmed")

    record(booking, EventKind.MOVED, actor=DESK, now=NOW, details={"to": "x"})

    event = BookingEvent.objects.get()
    assert (event.kind, event.from_status, event.to_status) == ("moved", "confirmed", "confirmed")
