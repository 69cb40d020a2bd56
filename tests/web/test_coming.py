"""Where a reminder leads: looking writes nothing, one press says "I'm coming", and a move makes the answer void."""

from dataclasses import replace

import pytest
from django.test import Client

from bookings.enums import EventKind
from bookings.links import LinkRole
from bookings.models import Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from tests.factories import Studio
from tests.journeys import DESK, JANA, LINK, booked
from tests.web.conftest import StoppedClock, agreed, link

pytestmark = pytest.mark.django_db


def said(booking: Booking) -> int:
    return BookingEvent.objects.filter(booking=booking, kind=EventKind.COMING).count()


@pytest.mark.parametrize("role", [LinkRole.CUSTOMER, LinkRole.GUEST])
def test_page_asks_and_offers_the_other_two_ways(client: Client, studio: Studio, role: LinkRole) -> None:
    booking = booked(studio)

    page = client.get(link(booking, "coming", role)).content.decode()

    for words in ("Are you coming?", "Tue 5 Jan, 10:00", "I’m coming", "I need to move it", "I can’t come"):
        assert words in page, words
    assert page.count("button-main") == 1
    assert said(booking) == 0


def test_answer_is_kept_once_and_shown_to_both_sides(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    answers = [client.post(link(booking, "coming"), agreed(booking)) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, link(booking, "coming"))] * 2
    assert said(booking) == 1
    page = client.get(link(booking, "coming")).content.decode()
    assert "We expect you" in page
    assert "button-main" not in page
    assert "You said that you are coming" in client.get(link(booking)).content.decode()


def test_answer_by_the_mailed_link_proves_the_mailbox_and_the_one_on_the_screen_does_not(
    client: Client, studio: Studio
) -> None:
    proven, unproven = booked(studio, 10), booked(studio, 14, contact=replace(JANA, email="tom@example.com"))

    client.post(link(proven, "coming"), agreed(proven))
    client.post(link(unproven, "coming", LinkRole.GUEST), agreed(unproven))

    proven.refresh_from_db()
    unproven.refresh_from_db()
    assert proven.customer is not None
    assert proven.customer.email_proven_at is not None
    assert unproven.customer is None or unproven.customer.email_proven_at is None


def test_after_a_move_the_question_is_open_again(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    client.post(link(booking, "coming"), agreed(booking))
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=studio.minute(15),
        expected_sequence=booking.ical_sequence,
        staff_member_id=None,
        expected_fee_minor=0,
        actor=DESK,
        now=stopped.now(),
    )

    assert "Are you coming?" in client.get(link(booking, "coming")).content.decode()


def test_answer_to_an_older_page_is_refused(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    Booking.objects.filter(pk=booking.pk).update(ical_sequence=3)

    response = client.post(link(booking, "coming"), {"expected_sequence": "0"})

    assert response.status_code == 409
    assert "This booking has changed" in response.content.decode()
    assert said(booking) == 0


@pytest.mark.parametrize("typed", ["", "x", "-1", "9" * 30])
def test_what_is_no_number_is_refused(client: Client, studio: Studio, typed: str) -> None:
    booking = booked(studio)

    assert client.post(link(booking, "coming"), {"expected_sequence": typed}).status_code == 409
    assert said(booking) == 0


def test_called_off_and_begun_visits_say_what_is_true_instead(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    off, begun = booked(studio, 10), booked(studio, 14)
    cancel_booking(
        booking_id=off.pk, expected_sequence=off.ical_sequence, expected_fee_minor=0, actor=LINK, now=stopped.now()
    )
    off.refresh_from_db()

    assert client.get(link(off, "coming"))["Location"] == link(off)
    assert client.post(link(off, "coming"), agreed(off))["Location"] == link(off)
    stopped.pass_minutes(31 * 60)
    assert client.get(link(begun, "coming"))["Location"] == link(begun)
    assert client.post(link(begun, "coming"), agreed(begun)).status_code == 422
    assert said(off) == said(begun) == 0


def test_strangers_and_therapists_find_nothing(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    for path in (link(booking, "coming", LinkRole.STAFF), "/b/no-such-token/coming"):
        assert client.get(path).status_code == 404
        assert client.post(path, agreed(booking)).status_code == 404
    assert said(booking) == 0


def test_without_the_token_against_forgery_nothing_happens(stranger: Client, studio: Studio) -> None:
    booking = booked(studio)

    assert stranger.post(link(booking, "coming"), agreed(booking)).status_code == 403
    assert said(booking) == 0
