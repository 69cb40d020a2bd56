"""The link in a staff member's e-mail: first name, service and time, two actions by POST, and an end."""

import pytest
from django.test import Client

from accounts.contact.contact import Contact
from bookings.enums import ActorKind, BookingChannel
from bookings.links import LinkRole
from bookings.models import Booking
from bookings.operations.move import reschedule_booking
from tests.factories import Studio
from tests.journeys import DESK, booked
from tests.web.conftest import StoppedClock, agreed, link, slot

pytestmark = pytest.mark.django_db
STAFF = LinkRole.STAFF
SECRETIVE = Contact(name="Jana Weber", email="jana@example.com", phone="+4915155501827", note="Left shoulder")


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio, contact=SECRETIVE, staff_member_id=studio.staff[0].pk)


def test_pages_show_first_name_service_and_time_and_nothing_else(
    client: Client, studio: Studio, booking: Booking
) -> None:
    pages = [
        client.get(link(booking, page, STAFF)).content.decode()
        for page in ("", "move", "cancel", f"move?slot={slot(studio, 15)}")
    ]

    assert all("Tue 5 Jan, 10:00" in page and "Deep tissue massage" in page for page in pages)
    assert "<b>Jana</b>" in pages[0]
    assert "Cancel the appointment of Jana?" in pages[2]
    assert "Move the appointment of Jana?" in pages[3]
    for secret in ("Weber", "jana@example.com", "5550", "shoulder", "€", "You booked"):
        assert not any(secret in page for page in pages), secret


@pytest.mark.parametrize("page", ["confirmed", "calendar.ics"])
def test_pages_of_the_customer_stay_closed(client: Client, booking: Booking, page: str) -> None:
    assert client.get(link(booking, page, STAFF)).status_code == 404


def test_cancelling_needs_a_reason_and_costs_the_customer_nothing(
    client: Client, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.pass_minutes(600)
    refused = client.post(link(booking, "cancel", STAFF), agreed(booking, reason=" "))
    assert refused.status_code == 422
    assert "Please say why." in refused.content.decode()

    response = client.post(link(booking, "cancel", STAFF), agreed(booking, reason="Marek is ill"))

    booking.refresh_from_db()
    event = booking.events.last()
    assert response.status_code == 303
    assert (booking.status, booking.cancelled_by, booking.cancellation_fee_minor) == ("cancelled", "staff", 0)
    assert event is not None
    assert (event.reason, event.actor_name, event.actor_kind, event.channel) == (
        "Marek is ill",
        "Marek Nowak",
        ActorKind.STAFF,
        BookingChannel.LINK,
    )
    assert "There is nothing left to change here." in client.get(response["Location"]).content.decode()


def test_reason_of_too_many_characters_is_refused(client: Client, booking: Booking) -> None:
    response = client.post(link(booking, "cancel", STAFF), agreed(booking, reason="x" * 201))

    assert response.status_code == 422
    assert "1 character too long; 200 is the most we can keep." in response.content.decode()


def test_staff_moves_past_the_customers_cut_off(
    client: Client, studio: Studio, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.pass_minutes(600)

    response = client.post(link(booking, "move", STAFF), agreed(booking, slot=slot(studio, 15)))

    booking.refresh_from_db()
    assert (response.status_code, booking.starts_at) == (303, studio.at(15))
    assert (booking.customer_move_count, booking.fee_anchor_minor) == (0, 0)


def test_acts_of_staff_prove_no_customer(client: Client, booking: Booking) -> None:
    client.post(link(booking, "cancel", STAFF), agreed(booking, reason="Ill"))

    booking.refresh_from_db()
    assert booking.customer is not None
    assert booking.customer.email_proven_at is None


def test_link_ends_when_somebody_else_gets_the_booking(
    client: Client, studio: Studio, booking: Booking, stopped: StoppedClock
) -> None:
    old = link(booking, role=STAFF)
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=studio.minute(10),
        staff_member_id=studio.staff[1].pk,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=DESK,
        now=stopped.now(),
    )

    assert client.get(old).status_code == 404
    booking.refresh_from_db()
    assert client.get(link(booking, role=STAFF)).status_code == 200


def test_link_ends_with_the_visit(client: Client, booking: Booking, stopped: StoppedClock) -> None:
    stopped.at = booking.ends_at
    stopped.pass_minutes(-1)
    assert client.get(link(booking, role=STAFF)).status_code == 200

    stopped.pass_minutes(1)
    assert client.get(link(booking, role=STAFF)).status_code == 404
