"""A booking above the limits: the page that asks the customer to open the e-mail, and the link in it."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Consent, Customer
from bookings.enums import BookingStatus
from bookings.links import LinkRole
from bookings.models import Booking
from bookings.operations.hold import HeldSlot
from notifications.operations import send_due
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.conftest import StoppedClock, details, filled, link

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client: Client, studio: Studio, settings: Any) -> HeldSlot:
    settings.UNPROVEN_BOOKINGS_PER_EMAIL = 1
    booked(studio, 9)
    held = hold(studio, 11)
    response = client.post(details(held), filled(held))
    assert (response.status_code, response["Location"]) == (303, details(held))
    held.booking.refresh_from_db()
    return held


def test_page_says_that_a_mail_was_sent_and_the_address_can_be_changed(client: Client, asked: HeldSlot) -> None:
    page = client.get(details(asked)).content.decode()
    form = client.get(f"{details(asked)}?edit=1").content.decode()

    assert "Check your e-mail" in page
    assert "jana@example.com" in page
    assert 'name="email"' in form


def test_mail_greets_nobody_by_name_and_its_button_books(
    client: Client, stranger: Client, asked: HeldSlot, stopped: StoppedClock
) -> None:
    send_due(now=stopped.now(), limit=50)
    sent = next(each for each in mail.outbox if each.subject.startswith("Confirm your booking"))
    path = link(asked.booking, "book")

    assert path in sent.body
    assert "Jana" not in sent.body
    page = client.get(path)
    assert Booking.objects.get(pk=asked.booking.pk).status == BookingStatus.HELD
    assert "Nothing is booked before you press the button" in page.content.decode()
    assert stranger.post(path, {"expected_total": "8000"}).status_code == 403

    response = client.post(path, {"expected_total": "8000"}, follow=True)

    assert "You are booked, Jana" in response.content.decode()
    booking = Booking.objects.get(pk=asked.booking.pk)
    assert (booking.status, booking.contact_phone) == (BookingStatus.CONFIRMED, "+4915155501827")
    assert Customer.objects.get(email_normalised="jana@example.com").email_proven_at == stopped.now()
    assert Consent.objects.filter(subject_ref=f"booking:{booking.pk}").count() == 1
    assert client.post(path, {"expected_total": "8000"}).status_code == 303


def test_nothing_is_booked_at_another_total_than_was_shown(client: Client, asked: HeldSlot) -> None:
    response = client.post(link(asked.booking, "book"), {"expected_total": "1"})

    assert response.status_code == 409
    assert Booking.objects.get(pk=asked.booking.pk).status == BookingStatus.HELD


def test_link_after_the_time_ran_out_says_so(client: Client, asked: HeldSlot, stopped: StoppedClock) -> None:
    stopped.pass_minutes(31)

    pages = [client.get(link(asked.booking, "book")), client.post(link(asked.booking, "book"), {})]

    for page in pages:
        assert "Nothing was booked" in page.content.decode()
    assert Booking.objects.get(pk=asked.booking.pk).status == BookingStatus.HELD


@pytest.mark.parametrize("role", [LinkRole.GUEST, LinkRole.STAFF])
def test_only_the_link_that_was_mailed_books(client: Client, asked: HeldSlot, role: LinkRole) -> None:
    assert client.get(link(asked.booking, "book", role)).status_code == 404
    assert client.post(link(asked.booking, "book", role), {"expected_total": "8000"}).status_code == 404


def test_own_visit_at_the_same_time_is_asked_about_once(client: Client, studio: Studio) -> None:
    first, second = hold(studio, 10, visitor_hash="v"), hold(studio, 10, 30, visitor_hash="v")
    client.post(details(first), filled(first))

    response = client.post(details(second), filled(second))
    page = response.content.decode()

    assert response.status_code == 409
    assert "You already have an appointment at this time" in page
    assert '<input type="hidden" name="second" value="yes">' in page
    assert client.post(details(second), filled(second, second="yes")).status_code == 303
    assert Booking.objects.filter(status=BookingStatus.CONFIRMED).count() == 2
