"""The page of a link that staff sent: what it shows of the customer, its clock, and booking by it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bookings.enums import BookingStatus
from bookings.links import hold_token
from bookings.models import Booking, HoldLink
from bookings.operations.hold import expire_holds
from bookings.operations.hold_link import send_hold_link
from notifications.enums import Channel
from services.models import Business
from storefront.cookies import HOLD_COOKIE
from tests.db.test_hold_links import SOFIA
from tests.factories import NOW, Studio
from tests.journeys import DESK, hold, paid_studio
from tests.web.conftest import StoppedClock, slot
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db


def linked(studio: Studio, channel: Channel = Channel.EMAIL, **changes: Any) -> Booking:
    held = hold(studio, actor=DESK, **changes).booking
    return send_hold_link(
        booking_id=held.pk,
        contact=SOFIA,
        channel=channel,
        customer_id=None,
        language="en",
        actor=DESK,
        now=NOW,
    )


def path(booking: Booking) -> str:
    return f"/h/{hold_token(booking)}/"


def form_of(client: Client, booking: Booking) -> dict[str, Any]:
    return typed(client.get(path(booking)).content.decode(), "details")


def test_the_page_is_filled_in_and_says_who_holds_the_time(client: Client, studio: Studio) -> None:
    booking = linked(studio)

    html = client.get(path(booking)).content.decode()

    form = typed(html, "details")
    assert (form["name"], form["email"], form["phone"]) == (SOFIA.name, SOFIA.email, SOFIA.phone)
    assert "Linden Studio" in html
    assert "holds this time for you until 09:00. Fill in the rest to book it." in html
    assert "2:00:00" in html


def test_an_end_on_another_day_has_its_day(client: Client, studio: Studio) -> None:
    Business.objects.update(hold_link_minutes=1440)
    booking = linked(studio, start_minute=studio.minute(10, days=3))

    assert "until Tue 5 Jan, 07:00. Fill in" in client.get(path(booking)).content.decode()


def test_a_hold_without_a_link_shows_nothing_of_this(client: Client, studio: Studio) -> None:
    html = client.get(f"/h/{hold(studio).token}/").content.decode()

    assert "Fill in the rest" not in html
    assert HOLD_COOKIE not in client.cookies


def test_the_customer_books_by_the_link(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = linked(studio)
    stopped.pass_minutes(100)

    response = client.post(path(booking), {**form_of(client, booking), "note": "Left shoulder"})

    booking.refresh_from_db()
    assert (response.status_code, booking.status) == (303, BookingStatus.CONFIRMED)
    assert response["Location"].endswith("/confirmed")
    assert (booking.customer_note, booking.contact_email) == ("Left shoulder", SOFIA.email)
    assert not HoldLink.objects.exists()


def test_the_link_leads_to_paying_even_late(client: Client, stopped: StoppedClock, stripe: Any) -> None:
    """The hold is older than an hour by then, and the customer has only just used it."""
    booking = linked(paid_studio())
    stopped.pass_minutes(110)

    response = client.post(path(booking), form_of(client, booking))
    again = client.get(path(booking))

    booking.refresh_from_db()
    assert booking.status == BookingStatus.PENDING_PAYMENT
    assert response["Location"] == again["Location"] == f"/pay/{booking.reference}/"


def test_after_its_end_the_page_offers_the_time_again(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = linked(studio)
    form = form_of(client, booking)
    stopped.pass_minutes(121)
    expire_holds(now=stopped.now())

    late = client.post(path(booking), form)
    taken = client.post(f"{path(booking)}again", form)

    assert late.status_code == 409
    assert "has ended" in late.content.decode()
    assert taken.status_code in {200, 302}
    new = Booking.objects.get(status=BookingStatus.HELD)
    assert (new.starts_at, new.hold_expires_at) == (booking.starts_at, stopped.now() + timedelta(minutes=10))


def test_another_time_from_the_picker_gives_the_held_one_back(client: Client, studio: Studio) -> None:
    booking = linked(studio)
    client.get(path(booking))

    wish = {"variant": studio.variant.pk, "slot": slot(studio, 15), "staff": "", "next": "details"}
    client.post("/s/massage/hold", wish)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    assert Booking.objects.get(status=BookingStatus.HELD).starts_at == studio.at(15)
    assert HoldLink.objects.get().ended_at == NOW


def test_giving_the_time_back_frees_it(client: Client, studio: Studio) -> None:
    booking = linked(studio)

    client.post(f"{path(booking)}release")

    booking.refresh_from_db()
    assert (booking.status, booking.allocations.count()) == (BookingStatus.EXPIRED, 0)
