"""Cancelling by link: asked once more in exact words, done by POST alone, refused when the page is old."""

import pytest
from django.test import Client

from accounts.models import Customer
from bookings.enums import BookingStatus
from bookings.links import LinkRole
from bookings.models import Allocation, Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from notifications.models import Notification
from tests.factories import Studio
from tests.journeys import LINK, booked
from tests.web.conftest import StoppedClock, agreed, link

pytestmark = pytest.mark.django_db


def test_page_asks_once_more_with_the_sum(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    stopped.pass_minutes(600)

    page = client.get(link(booking, "cancel")).content.decode()

    for words in (
        "Cancel your appointment?",
        "Tue 5 Jan, 10:00",
        "Cancelling now costs",
        "€40.00",
        "Keep the appointment",
    ):
        assert words in page, words
    assert 'name="expected_fee" value="4000"' in page
    assert page.count("button-main") == 1


def test_post_cancels_frees_the_time_and_tells_both_sides(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    response = client.post(link(booking, "cancel"), agreed(booking))

    booking.refresh_from_db()
    assert (response.status_code, response["Location"]) == (303, link(booking))
    assert (booking.status, booking.cancelled_by, booking.cancellation_fee_minor) == ("cancelled", "customer", 0)
    assert not Allocation.objects.exists()
    assert Notification.objects.filter(kind="cancelled").count() == 2
    assert "You cancelled this appointment." in client.get(link(booking)).content.decode()


def test_second_press_sees_the_result_of_the_first(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    sent = agreed(booking)

    answers = [client.post(link(booking, "cancel"), sent) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, link(booking))] * 2
    assert BookingEvent.objects.filter(to_status=BookingStatus.CANCELLED).count() == 1


def test_fee_that_grew_since_the_page_is_told_first(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    seen_while_free = agreed(booking, 0)
    stopped.pass_minutes(600)

    response = client.post(link(booking, "cancel"), seen_while_free)

    page = response.content.decode()
    assert response.status_code == 409
    assert "has changed since you opened the page" in page
    assert 'name="expected_fee" value="4000"' in page
    assert Booking.objects.get().status == BookingStatus.CONFIRMED


def test_booking_that_moved_since_the_page_is_told_first(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = booked(studio)
    seen = agreed(booking)
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=studio.minute(15),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=LINK,
        now=stopped.now(),
    )

    response = client.post(link(booking, "cancel"), seen)

    assert response.status_code == 409
    assert "Tue 5 Jan, 15:00" in response.content.decode()
    assert Booking.objects.get().status == BookingStatus.CONFIRMED


@pytest.mark.parametrize("forged", [{}, {"expected_fee": "x"}, {"expected_fee": "-1"}, {"expected_fee": "9" * 30}])
def test_post_that_no_page_of_ours_sent_changes_nothing(client: Client, studio: Studio, forged: dict[str, str]) -> None:
    booking = booked(studio)

    response = client.post(link(booking, "cancel"), {"expected_sequence": "0", **forged})

    assert response.status_code == 409
    assert Booking.objects.get().status == BookingStatus.CONFIRMED


def test_link_in_the_mail_proves_the_address_and_the_one_on_the_screen_does_not(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    on_screen, by_mail = booked(studio, 10), booked(studio, 12)

    client.post(link(on_screen, "cancel", LinkRole.GUEST), agreed(on_screen))
    assert Customer.objects.get().email_proven_at is None

    client.post(link(by_mail, "cancel"), agreed(by_mail))
    customer = Customer.objects.get()
    by_mail.refresh_from_db()
    assert customer.email_proven_at == stopped.now()
    assert by_mail.customer == by_mail.bill.customer == customer


def test_history_says_by_which_way_it_was_cancelled(client: Client, studio: Studio) -> None:
    on_screen, by_mail = booked(studio, 10), booked(studio, 12)

    client.post(link(on_screen, "cancel", LinkRole.GUEST), agreed(on_screen))
    client.post(link(by_mail, "cancel"), agreed(by_mail))

    channels = [booking.events.last().channel for booking in (on_screen, by_mail)]
    assert channels == ["web", "link"]


def test_forms_of_others_cannot_cancel(stranger: Client, studio: Studio) -> None:
    booking = booked(studio)

    assert stranger.post(link(booking, "cancel"), agreed(booking)).status_code == 403
    assert Booking.objects.get().status == BookingStatus.CONFIRMED


@pytest.mark.parametrize("more", [{}, {"confirm": "yes"}, {"_method": "POST"}, {"csrfmiddlewaretoken": "x"}])
def test_get_never_cancels_whatever_its_query_says(client: Client, studio: Studio, more: dict[str, str]) -> None:
    booking = booked(studio)
    before = BookingEvent.objects.count()

    query, override = {**agreed(booking), "reason": "Ill", **more}, {"X-HTTP-Method-Override": "POST"}
    for role in (LinkRole.CUSTOMER, LinkRole.STAFF):
        for method in (client.get, client.head):
            answer = method(link(booking, "cancel", role), query, headers=override)
            assert answer.status_code == 200
    assert Booking.objects.get().status == BookingStatus.CONFIRMED
    assert BookingEvent.objects.count() == before


def test_post_for_a_cancelled_booking_leads_to_what_is_true(
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

    for page in ("cancel", "move"):
        response = client.post(link(booking, page), agreed(booking))
        assert (response.status_code, response["Location"]) == (303, link(booking))
