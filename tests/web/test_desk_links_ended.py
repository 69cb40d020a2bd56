"""How a time that waited for its customer ends: staff finish the booking themselves, or the link was not used."""

import re

import pytest
from django.test import Client

from accounts.models import Customer
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.hold import expire_holds
from notifications.models import Notification
from services.models import BookingPolicy
from staff.enums import Role
from tests.desk import DeskClient, at_desk
from tests.factories import Studio
from tests.journeys import JANA, booked, confirm
from tests.web.conftest import StoppedClock
from tests.web.test_desk_book import NEW, form_of, page, press, slot, text
from tests.web.test_desk_links import held_form, panel_form, said, sent_link


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


def test_staff_finish_the_booking_and_the_link_is_dead(desk: DeskClient, studio: Studio, stranger: Client) -> None:
    booking = sent_link(desk, studio)
    form = panel_form(desk, booking, "/desk/book/")
    link = f"/h/{form['held']}/"

    taken = desk.client.post("/desk/book/", form)
    fields = form_of(taken)
    assert (fields["name"], fields["phone"], fields["email"]) == ("Sofia Kaya", "+4915155501827", "sofia@example.com")
    assert "has ended" in text(stranger.get(link)) or "no longer free" in text(stranger.get(link))
    response = press(desk, taken, "book")

    assert response.status_code == 303
    made = Booking.objects.get(status=BookingStatus.CONFIRMED)
    assert (made.starts_at, made.contact_name, made.pk != booking.pk) == (studio.at(10), "Sofia Kaya", True)
    assert "hold_link_ended" not in Notification.objects.values_list("kind", flat=True)


def test_a_known_customer_is_taken_over_as_well(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 14, contact=JANA)
    customer = Customer.objects.get()
    held = press(desk, page(desk, customer=customer.reference), slot(studio, 10))
    press(desk, held, "send:email")
    booking = Booking.objects.get(hold_link__isnull=False)

    taken = desk.client.post("/desk/book/", panel_form(desk, booking, "/desk/book/"))
    press(desk, taken, "book")

    assert Booking.objects.filter(status=BookingStatus.CONFIRMED, customer=customer).count() == 2


def test_a_time_outside_the_rules_is_taken_over_with_its_reason(desk: DeskClient, studio: Studio) -> None:
    BookingPolicy.objects.update(lead_minutes=5000)
    refused = press(desk, page(desk), slot(studio, 10))
    held = press(desk, refused, f"anyway:{slot(studio, 10).removeprefix('slot:')}", why="Regular guest")
    press(desk, held, "send:email", **NEW)
    booking = Booking.objects.get(hold_link__isnull=False)

    taken = desk.client.post("/desk/book/", panel_form(desk, booking, "/desk/book/"))

    assert "is held" in text(taken)
    new = Booking.objects.get(status=BookingStatus.HELD)
    event = new.events.get()
    assert (new.pk != booking.pk, event.reason, event.details) == (True, "Regular guest", {"overrides": ["notice"]})


def test_who_finishes_too_late_is_led_to_the_booking(desk: DeskClient, studio: Studio) -> None:
    booking = sent_link(desk, studio)
    form = panel_form(desk, booking, "/desk/book/")
    confirm(booking, contact=JANA)

    response = desk.client.post("/desk/book/", form)

    assert response["Location"] == f"/desk/bookings/{booking.reference}/"
    assert "This is booked already, for Jana Weber." in said(desk, response)


# --- what was not used ------------------------------------------------------------------------------------------------


@pytest.fixture
def unused(desk: DeskClient, studio: Studio, stopped: StoppedClock) -> Booking:
    booking = sent_link(desk, studio)
    stopped.pass_minutes(121)
    expire_holds(now=stopped.now())
    return booking


def test_an_unused_link_is_a_to_do_until_it_is_done(desk: DeskClient, unused: Booking) -> None:
    html = text(desk.client.get("/desk/hands/"))

    assert "Booking not finished" in html
    assert "Sofia Kaya" in html
    assert f"/desk/holds/{unused.reference}/done" in html
    desk.client.post(f"/desk/holds/{unused.reference}/done")
    assert "Booking not finished" not in text(desk.client.get("/desk/hands/"))


def test_the_to_do_leads_to_the_same_time(desk: DeskClient, unused: Booking, studio: Studio) -> None:
    html = text(desk.client.get("/desk/hands/"))
    found = re.search(r'href="(/desk/book/\?[^"]+)"[^>]*>\s*Book it again', html)
    assert found

    form = desk.client.get(found[1].replace("&amp;", "&"))
    held = press(desk, form, "show")

    assert "Tue 5 Jan 2027, 10:00" in text(held) or "Tue 5 Jan, 10:00" in text(held)
    assert Booking.objects.get(status=BookingStatus.HELD).starts_at == studio.at(10)


@pytest.mark.parametrize("same", ["email", "phone"])
def test_it_is_no_to_do_once_the_customer_has_booked(
    desk: DeskClient, unused: Booking, studio: Studio, stopped: StoppedClock, same: str
) -> None:
    other = {"email": {"phone": "0151 55501899"}, "phone": {"email": ""}}[same]
    press(desk, held_form(desk, studio, 15), "book", **{**NEW, **other})

    assert "Booking not finished" not in text(desk.client.get("/desk/hands/"))


def test_it_is_no_to_do_after_the_time_or_a_day(desk: DeskClient, unused: Booking, stopped: StoppedClock) -> None:
    stopped.pass_minutes(24 * 60)

    assert "Booking not finished" not in text(desk.client.get("/desk/hands/"))
