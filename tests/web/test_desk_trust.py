"""The desk shows a customer's earlier visits next to the state of the booking."""

from datetime import timedelta

import pytest
from django.test import Client

from bookings.models import Booking
from bookings.operations.no_show import mark_no_show
from staff.enums import Role
from tests import journeys
from tests.desk import at_desk
from tests.factories import Studio
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db


def missed(booking: Booking) -> Booking:
    mark_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=journeys.DESK,
        now=booking.ends_at,
    )
    return booking


def test_a_missed_visit_is_counted_as_missed_and_as_no_visit(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    desk = at_desk(client, Role.FRONT_DESK, studio.location)
    first = missed(journeys.booked(studio, 9))
    came = journeys.completed(journeys.booked(studio, 11))
    again = missed(journeys.booked(studio, 13))
    ahead = journeys.booked(studio, 15)
    stopped.at = again.ends_at + timedelta(minutes=1)

    def page(booking: Booking) -> str:
        return desk.client.get(f"/desk/bookings/{booking.reference}/").content.decode()

    assert "No visit before · missed 1" in page(first)
    assert "First visit · missed 1" in page(came)
    assert "1 visit before · missed 2 · since January 2027" in page(again)
    assert "Visit 2 · missed 2" in page(ahead)
    assert "never missed" not in page(first) + page(again)
