"""The operations of the walk-in queue on a real database."""

from datetime import timedelta

import pytest

from accounts.contact.contact import Contact
from accounts.models import Customer
from bookings import retention
from bookings.enums import ActorKind, BookingChannel, BookingStatus, WalkInState
from bookings.errors import NoWaiverReason, SlotNotOffered, SlotTaken, WalkInOver
from bookings.lifecycle import Actor
from bookings.models import Allocation, Booking, BookingEvent, WalkIn
from bookings.operations.walk_ins import book_walk_in, leave_queue, rejoin_queue
from bookings.privacy import HELD
from bookings.queries.walk_ins import expected_in, queue_at, waiting_count, walk_in_at
from core.personal_data import Person, erase
from notifications.models import Notification
from tests import factories
from tests.factories import NOW, Studio, studio
from tests.journeys import booked, paid_studio, walk_in

pytestmark = pytest.mark.django_db

WALK_IN = Actor(ActorKind.STAFF, BookingChannel.WALK_IN, name="Leyla")
DANA = Contact("Dana Fox", "dana@example.com", "+4915155501827", note="")


def book(
    person: WalkIn, place: Studio, hour: int = 9, minute: int = 0, *, staff: int = 0, **changes: object
) -> Booking:
    values = {
        "walk_in_id": person.pk,
        "start_minute": place.minute(hour, minute, days=0),
        "staff_member_id": place.staff[staff].pk,
        "waiver": "Walk-in",
        "actor": WALK_IN,
        "now": NOW,
    }
    return book_walk_in(**{**values, **changes})  # type: ignore[arg-type]


def test_a_person_is_booked_with_who_they_are_and_pays_at_the_visit() -> None:
    place = studio()
    person = walk_in(place, contact=DANA)

    booking = book(person, place)

    person.refresh_from_db()
    assert (person.state, person.booking, person.ended_at) == (WalkInState.SEATED, booking, NOW)
    assert (booking.status, booking.channel, booking.is_any_staff) == (BookingStatus.CONFIRMED, "walk_in", True)
    assert (booking.contact_name, booking.contact_phone) == ("Dana Fox", "+4915155501827")
    assert booking.customer == Customer.objects.get(name="Dana Fox")
    assert (booking.due_now_minor, booking.is_payment_waived) == (0, False)
    assert Notification.objects.filter(kind="confirmed", recipient_role="customer").exists()


def test_a_known_customer_is_booked_under_the_record_and_its_contact() -> None:
    place = studio()
    known = booked(place, 15).customer
    assert known
    person = walk_in(place, known.name, customer_id=known.pk)

    booking = book(person, place)

    assert (person.phone, person.email) == ("", "")
    assert (booking.customer, booking.contact_email) == (known, known.email)
    assert Customer.objects.count() == 1


def test_notice_is_set_aside_and_the_history_says_so_only_where_there_is_one() -> None:
    place = studio()
    first = book(walk_in(place), place, 9)
    place.business.booking_policy.lead_minutes = 1440
    place.business.booking_policy.save()

    second = book(walk_in(place), place, 10)

    exceptions = [BookingEvent.objects.filter(booking=each)[0].details for each in (first, second)]
    assert exceptions == [{}, {"overrides": ["notice"]}]


@pytest.mark.usefixtures("stripe")
def test_what_the_terms_ask_in_advance_is_waived_with_a_reason_or_refused() -> None:
    place = paid_studio()
    person = walk_in(place)

    with pytest.raises(NoWaiverReason):
        book(person, place, waiver="")
    assert not Booking.objects.exists()
    booking = book(person, place)

    assert (booking.status, booking.is_payment_waived, booking.due_now_minor) == (BookingStatus.CONFIRMED, True, 0)
    assert "Walk-in" in BookingEvent.objects.filter(booking=booking).values_list("reason", flat=True)


@pytest.mark.parametrize("wished", [None, 0])
def test_a_start_that_has_gone_books_nothing_and_nobody_else_instead(wished: int | None) -> None:
    place = studio(staff=2)
    booked(place, 9, staff_member_id=place.staff[0].pk, start_minute=place.minute(9, days=0))
    person = walk_in(place, staff=wished)

    with pytest.raises(SlotTaken):
        book(person, place)

    person.refresh_from_db()
    assert person.state == WalkInState.WAITING
    assert (Booking.objects.count(), Allocation.objects.count()) == (1, 1)


def test_nobody_is_booked_for_another_day_from_the_queue() -> None:
    place = studio()
    person = walk_in(place)

    with pytest.raises(SlotTaken):
        book(person, place, start_minute=place.minute(9, days=1))
    assert not Booking.objects.exists()


def test_a_start_outside_the_hours_or_in_the_past_is_refused() -> None:
    place = studio()
    person = walk_in(place)

    for hour, now in ((8, NOW), (9, place.at(9, 1, days=0))):
        with pytest.raises(SlotNotOffered):
            book(person, place, hour, now=now)
    assert not Booking.objects.exists()


def test_a_person_is_booked_once_and_not_after_leaving() -> None:
    place = studio()
    person, gone = walk_in(place), walk_in(place)
    book(person, place)
    leave_queue(walk_in_id=gone.pk, now=NOW)

    for each in (person, gone):
        with pytest.raises(WalkInOver):
            book(each, place, 12)
    for change in (lambda: leave_queue(walk_in_id=person.pk, now=NOW), lambda: rejoin_queue(walk_in_id=person.pk)):
        with pytest.raises(WalkInOver):
            change()
    assert Booking.objects.count() == 1


def test_who_is_put_back_has_the_old_place() -> None:
    place = studio()
    first, second = walk_in(place), walk_in(place, now=NOW + timedelta(minutes=1))
    for _twice in range(2):
        leave_queue(walk_in_id=first.pk, now=NOW)
    assert queue_at(place.location, NOW) == [second]

    for _twice in range(2):
        rejoin_queue(walk_in_id=first.pk)

    assert queue_at(place.location, NOW) == [first, second]
    assert waiting_count([place.location], NOW) == 2


def test_the_queue_is_that_of_one_place_and_of_its_own_day() -> None:
    place = studio()
    # 23:30 of the day before in Berlin; there the day begins at 23:00 UTC.
    old = walk_in(place, now=NOW - timedelta(hours=7, minutes=30))
    person = walk_in(place, now=NOW - timedelta(hours=6, minutes=30))
    elsewhere = factories.location()

    assert queue_at(place.location, NOW) == [person]
    assert queue_at(elsewhere, NOW) == []
    assert waiting_count([place.location, elsewhere], NOW) == 1
    assert [walk_in_at(ids, person.pk, NOW) for ids in (None, {elsewhere.pk})] == [person, None]
    assert walk_in_at(None, old.pk, NOW) is None


def test_expected_times_follow_the_bookings_of_now() -> None:
    place = studio()
    queue = [walk_in(place), walk_in(place)]

    def starts() -> list[int]:
        return [turn.start_minute for turn in expected_in(place.location, queue, NOW) if turn]

    assert starts() == [place.minute(9, days=0), place.minute(10, days=0)]
    booked(place, start_minute=place.minute(9, 30, days=0))
    assert starts() == [place.minute(10, 30, days=0), place.minute(11, 30, days=0)]


def test_a_day_later_nothing_says_who_it_was() -> None:
    place = studio()
    waiting, left, seated = walk_in(place, contact=DANA), walk_in(place, contact=DANA), walk_in(place, contact=DANA)
    leave_queue(walk_in_id=left.pk, now=NOW)
    booking = book(seated, place)

    assert retention.forget_walk_ins(now=NOW + timedelta(hours=23)) == 0
    assert retention.forget_walk_ins(now=NOW + timedelta(hours=25)) == 3
    assert retention.forget_walk_ins(now=NOW + timedelta(hours=25)) == 0

    rows = WalkIn.objects.order_by("pk").values_list("name", "phone", "email", "customer", "state", "booking")
    assert list(rows) == [
        ("", "", "", None, "left", None),
        ("", "", "", None, "left", None),
        ("", "", "", None, "seated", booking.pk),
    ]
    assert waiting.pk == WalkIn.objects.earliest("pk").pk


def test_erasing_a_customer_clears_their_rows() -> None:
    place = studio()
    booking = book(walk_in(place, contact=DANA), place)
    other = walk_in(place, "Sofia Kaya")

    erase(HELD, Person(customer_id=booking.customer_id, refs=(f"booking:{booking.pk}",)), using="default")

    assert list(WalkIn.objects.order_by("pk").values_list("name", "email")) == [("", ""), ("Sofia Kaya", "")]
    assert other.state == WalkInState.WAITING
