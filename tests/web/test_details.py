"""The details page: what it asks, what it keeps, what it refuses, and that pressing twice books once."""

from collections.abc import Callable

import pytest
from django.test import Client

from bookings.enums import BookingStatus
from bookings.models import Booking, BookingEvent
from bookings.operations.hold import HeldSlot
from core.models import OutboxMessage
from notifications.models import Notification
from tests.factories import Studio
from tests.web.conftest import TYPED, StoppedClock

pytestmark = pytest.mark.django_db
Hold = Callable[..., HeldSlot]


def total_of(held: HeldSlot) -> dict[str, str]:
    return {"expected_total": str(held.booking.total_minor)}


def test_details_show_what_is_held_and_what_it_costs(client: Client, hold: Hold) -> None:
    response = client.get(f"/h/{hold().token}/")

    page = response.content.decode()
    assert response.status_code == 200
    for words in ("Tue 5 Jan, 10:00", "Marek Nowak", "Lindenstraße 14", "€80.00", "Includes 19 % tax", "€12.77", "10:00</span>"):
        assert words in page


def test_confirm_books_and_leads_to_the_confirmed_page(client: Client, hold: Hold) -> None:
    held = hold()

    response = client.post(f"/h/{held.token}/", {**TYPED, **total_of(held)})

    booking = Booking.objects.get(pk=held.booking.pk)
    assert (response.status_code, booking.status) == (303, BookingStatus.CONFIRMED)
    assert (booking.contact_name, booking.contact_email) == ("Jana Weber", "jana@example.com")
    assert (booking.contact_phone, booking.customer_note) == ("+4915155501827", "Left shoulder")
    assert "You are booked, Jana" in client.get(response["Location"]).content.decode()
