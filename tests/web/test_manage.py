"""The page behind the customer's link: what stands, what changes cost, and what it says when all is over."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.lifecycle import Actor, transition
from bookings.links import LinkRole
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from tests.factories import Studio
from tests.journeys import DESK, LINK, booked
from tests.web.conftest import StoppedClock, link

pytestmark = pytest.mark.django_db
DAY = 1440


@pytest.mark.parametrize("role", [LinkRole.CUSTOMER, LinkRole.GUEST])
def test_page_shows_status_moves_and_both_sums_of_cancelling(client: Client, studio: Studio, role: LinkRole) -> None:
    booking = booked(studio, staff_member_id=studio.staff[0].pk)

    page = client.get(link(booking, role=role)).content.decode()

    for words in (
        "Confirmed",
        "Tue 5 Jan, 10:00",
        "You can move it until <strong>Mon 4 Jan, 10:00</strong>.",
        "Next with Marek",
        "See all times",
        "Cancel now",
        "<b>Free</b>",
        "After Mon 4 Jan, 10:00",
        "€40.00 fee",
        "Cancel free of charge",
        "To pay at the visit",
        "Call Linden Studio",
        "You booked",
        "on this website",
    ):
        assert words in page, words
    assert page.index("Move to another time") < page.index("Cancel now")
    assert page.count("button-main") == 1


def test_next_times_are_near_the_booked_hour_on_the_following_days(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    booked(studio, 10, start_minute=studio.minute(10, days=2), staff_member_id=studio.staff[0].pk)
    booked(studio, 10, start_minute=studio.minute(10, days=2), staff_member_id=studio.staff[1].pk)

    times = client.get(link(booking)).context["next_times"]

    assert [(day, time) for _, day, time in times] == [("Wed 6", "09:00"), ("Thu 7", "10:00"), ("Fri 8", "10:00")]


def test_after_the_deadline_the_fee_stands_and_moving_is_over(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    stopped.pass_minutes(181)

    page = client.get(link(booking)).content.decode()

    assert "It could be moved online until Mon 4 Jan, 10:00. Please contact us." in page
    assert "Cancel for €40.00" in page
    assert "See all times" not in page


def test_boundary_is_the_same_minute_on_the_page_and_in_the_charge(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    stopped.pass_minutes(180)
    assert client.get(link(booking, "cancel")).context["cancel"].fee_minor == 0

    stopped.pass_minutes(1 / 60)
    assert client.get(link(booking, "cancel")).context["cancel"].fee_minor == 4000


def test_cancelled_booking_says_so_and_offers_to_book_again(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=LINK,
        now=stopped.now(),
    )

    page = client.get(link(booking)).content.decode()

    assert "You cancelled this appointment. There is nothing to pay." in page
    assert 'href="/s/massage/"' in page
    assert "Cancel now" not in page
    assert page.count("button-main") == 1


def test_cancelled_late_names_the_open_fee(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    stopped.pass_minutes(600)
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=4000,
        actor=LINK,
        now=stopped.now(),
    )

    page = client.get(link(booking)).content.decode()

    assert "A fee of €40.00 is open." in page
    assert "Left to pay" in page


def test_cancelled_by_the_business_names_it_and_the_reason(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=Actor(ActorKind.STAFF, BookingChannel.LINK, name="Marek"),
        now=stopped.now(),
        reason="Marek is <ill>",
    )

    page = client.get(link(booking)).content.decode()

    assert "Linden Studio cancelled this appointment. There is nothing to pay." in page
    assert "Linden Studio cancelled: Marek is &lt;ill&gt;" in page


def test_a_note_that_the_desk_wrote_for_itself_is_not_shown(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=studio.minute(15),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=DESK,
        now=stopped.now(),
        reason="Always late",
    )
    moved = client.get(link(booking)).content.decode()
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=1,
        expected_fee_minor=0,
        actor=DESK,
        now=stopped.now(),
        reason="Rude on the phone",
    )
    cancelled = client.get(link(booking)).content.decode()

    assert "Linden Studio moved it from" in moved
    assert "Always late" not in moved
    assert "Linden Studio cancelled" in cancelled
    assert "Rude" not in cancelled


@pytest.mark.parametrize("status", [BookingStatus.COMPLETED, BookingStatus.NO_SHOW])
def test_after_the_visit_the_page_only_reads(
    client: Client, studio: Studio, stopped: StoppedClock, status: BookingStatus
) -> None:
    booking = booked(studio)
    stopped.pass_minutes(2 * DAY)
    transition(booking, status, actor=DESK, now=stopped.now())

    page = client.get(link(booking)).content.decode()

    assert "Book again" in page
    assert "<form" not in page
    for path in ("move", "cancel"):
        assert client.get(link(booking, path))["Location"] == link(booking)
        assert client.post(link(booking, path), {"slot": "1.1"}).status_code == 422
    assert Booking.objects.get().status == status


def test_visit_that_nobody_has_marked_yet_is_past_not_confirmed(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    before = client.get(link(booking)).content.decode()
    stopped.pass_minutes(2 * DAY)

    page = client.get(link(booking)).content.decode()

    assert "Confirmed</span>" in before.replace("\n", "")
    assert "Past</span>" in page.replace("\n", "")
    assert "Confirmed</span>" not in page.replace("\n", "")


def test_link_reads_for_thirty_days_after_the_visit_and_then_is_gone(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    booking = booked(studio)
    stopped.at = booking.ends_at
    stopped.pass_minutes(30 * DAY - 1)
    assert client.get(link(booking)).status_code == 200

    stopped.pass_minutes(1)
    for page in ("", "confirmed", "move", "cancel", "calendar.ics"):
        assert client.get(link(booking, page)).status_code == 404


@pytest.mark.parametrize("booking_count", [1, 3])
def test_page_asks_the_database_the_same_however_many_bookings(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries, booking_count: int
) -> None:
    booking, *_ = [booked(studio, 9 + number) for number in range(booking_count)]

    with django_assert_num_queries(16):
        client.get(link(booking))
