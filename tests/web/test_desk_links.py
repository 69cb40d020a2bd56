"""A caller finishes the booking by a link: sending it, the panel in the calendar, and what staff do with the time."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Customer
from bookings.enums import BookingStatus
from bookings.models import Booking, HoldLink
from bookings.operations.hold import expire_holds
from notifications.enums import Channel, SuppressionReason
from notifications.models import Notification
from notifications.operations import send_due
from notifications.suppression import suppress
from staff.enums import Role
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked, confirm
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed
from tests.web.test_desk_book import NEW, form_of, page, press, slot, text

ENDS = NOW + timedelta(hours=2)


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def texts(settings: Any) -> None:
    """The site can send SMS to German numbers."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SMS_FROM = "AC1", "t", "+4915735987654"
    settings.SMS_COUNTRIES = ["DE"]


def held_form(desk: DeskClient, studio: Studio, hour: int = 10) -> HttpResponse:
    return press(desk, page(desk), slot(studio, hour))


def send(desk: DeskClient, studio: Studio, way: str = "email", hour: int = 10, **changes: Any) -> HttpResponse:
    return press(desk, held_form(desk, studio, hour), f"send:{way}", **{**NEW, **changes})


def sent_link(desk: DeskClient, studio: Studio, **changes: Any) -> Booking:
    assert send(desk, studio, **changes).status_code == 303
    return Booking.objects.get(hold_link__isnull=False)


def panel(desk: DeskClient, booking: Booking, **headers: str) -> str:
    query = {"at": "kreuzberg", "on": "2027-01-05", "b": booking.reference}
    return text(desk.client.get("/desk/", query, headers=headers))


def panel_form(desk: DeskClient, booking: Booking, action: str) -> dict[str, Any]:
    """What the form of the panel with this address would send."""
    html = panel(desk, booking)
    [form] = [each for each in re.findall(r"<form.*?</form>", html, re.S) if f'action="{action}"' in each]
    return typed(form)


def act(desk: DeskClient, booking: Booking, step: str, **changes: Any) -> HttpResponse:
    address = f"/desk/holds/{booking.reference}/{step}"
    return desk.client.post(address, {**panel_form(desk, booking, address), **changes})


def said(desk: DeskClient, response: HttpResponse) -> str:
    return text(desk.client.get(response["Location"]))


# --- sending ----------------------------------------------------------------------------------------------------------


def test_the_form_offers_a_link_and_says_how_long_it_keeps_the_time(desk: DeskClient, studio: Studio) -> None:
    html = text(held_form(desk, studio))

    assert "The time stays held until 09:00." in html
    assert 'value="send:email"' in html
    assert 'value="send:text"' not in html


def test_a_link_for_a_new_caller_leads_to_the_held_time_in_the_calendar(desk: DeskClient, studio: Studio) -> None:
    response = send(desk, studio)

    booking = Booking.objects.get()
    assert (response.status_code, booking.hold_expires_at) == (303, ENDS)
    assert response["Location"] == f"/desk/?at=kreuzberg&on=2027-01-05&b={booking.reference}"
    html = said(desk, response)
    assert "The link is on its way to Sofia Kaya. Tue 5 Jan, 10:00 is held until 09:00." in html
    assert "Link sent, waits until 09:00" in html
    assert 'data-start="' not in html
    [message] = Notification.objects.all()
    assert (message.kind, message.address, message.expires_at) == ("hold_link", "sofia@example.com", ENDS)


def test_htmx_leaves_the_form_as_well(desk: DeskClient, studio: Studio) -> None:
    held = held_form(desk, studio)

    response = desk.client.post(
        "/desk/book/", {**form_of(held), **NEW, "do": "send:email"}, headers={"HX-Request": "true"}
    )

    assert (response.status_code, response["HX-Redirect"][:20]) == (204, "/desk/?at=kreuzberg&")


def test_pressing_twice_sends_one_link(desk: DeskClient, studio: Studio) -> None:
    held = held_form(desk, studio)
    press(desk, held, "send:email", **NEW)

    again = press(desk, held, "send:email", **NEW)

    assert again.status_code == 303
    assert "was sent already, to Sofia Kaya. Nothing was sent again." in said(desk, again)
    assert (Booking.objects.count(), Notification.objects.count()) == (1, 1)


def test_the_form_begins_anew_and_leaves_the_time_of_the_link_alone(desk: DeskClient, studio: Studio) -> None:
    """Also after going back in the browser, with the fields of the hold that was sent."""
    held = held_form(desk, studio)
    press(desk, held, "send:email", **NEW)

    other = press(desk, held, slot(studio, 14), **NEW)
    released = press(desk, held, "release", **NEW)

    assert (other.status_code, released.status_code) == (200, 200)
    assert list(Booking.objects.order_by("pk").values_list("status", "starts_at")) == [
        (BookingStatus.HELD, studio.at(10)),
        (BookingStatus.HELD, studio.at(14)),
    ]


def test_booking_the_sent_time_from_an_old_page_says_that_the_link_is_out(desk: DeskClient, studio: Studio) -> None:
    held = held_form(desk, studio)
    press(desk, held, "send:email", **NEW)

    response = press(desk, held, "book", **NEW)

    assert "The link for this time was sent already" in said(desk, response)
    assert Booking.objects.get().status == BookingStatus.HELD


@pytest.mark.parametrize(
    ("way", "changes", "words"),
    [
        ("email", {"name": ""}, "Please type the name."),
        ("email", {"phone": "", "email": ""}, "Type a phone number or an e-mail address."),
        ("email", {"email": ""}, "Type an e-mail address, or send the link by text."),
        ("text", {"phone": ""}, "Type a phone number, or send the link by e-mail."),
        ("text", {"phone": "030 901820"}, "This number gets no texts. Send the link by e-mail."),
        ("text", {"phone": "+7 916 1234567"}, "This number gets no texts. Send the link by e-mail."),
    ],
)
def test_what_is_missing_is_asked_for_and_the_time_stays_held(
    desk: DeskClient, studio: Studio, texts: None, way: str, changes: dict[str, str], words: str
) -> None:
    response = send(desk, studio, way, **changes)

    assert response.status_code == 422
    assert words in text(response)
    assert not HoldLink.objects.exists()
    assert Booking.objects.get().status == BookingStatus.HELD


def test_a_link_by_text_needs_only_a_phone(desk: DeskClient, studio: Studio, texts: None) -> None:
    send(desk, studio, "text", email="")

    [message] = Notification.objects.all()
    assert (message.channel, message.phone) == ("sms", "+4915155501827")


def test_without_texts_nothing_goes_by_text(desk: DeskClient, studio: Studio) -> None:
    response = send(desk, studio, "text")

    assert response.status_code == 200
    assert not Notification.objects.exists()


def test_a_known_caller_is_reached_by_what_the_business_has(desk: DeskClient, studio: Studio, texts: None) -> None:
    completed = booked(studio, 14, contact=JANA)
    Notification.objects.all().delete()
    customer = Customer.objects.get()
    held = press(desk, page(desk, customer=customer.reference), slot(studio, 10))

    assert {'value="send:text"' in text(held), 'value="send:email"' in text(held)} == {True}
    press(desk, held, "send:text")

    linked = Booking.objects.exclude(pk=completed.pk).get()
    assert (linked.customer, linked.contact_name) == (customer, "Jana Weber")
    # What staff did not type does not go to the page of the link.
    assert (linked.contact_phone, linked.contact_email) == (JANA.phone, "")


def test_a_known_caller_without_address_gets_no_link(desk: DeskClient, studio: Studio) -> None:
    customer = Customer.objects.create(name="Old Paul", phone="+4930901820", created_at=NOW)
    held = press(desk, page(desk, customer=customer.reference), slot(studio, 10))

    assert "There is no way to send a link" in text(held)
    assert press(desk, held, "send:email").status_code == 422


def test_a_blocked_customer_gets_no_link_and_staff_read_why(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 14, contact=JANA)
    Customer.objects.update(is_blocked=True)

    response = send(desk, studio, email=JANA.email)

    assert response.status_code == 422
    assert "This customer may not book online, so nothing was sent." in text(response)
    assert not HoldLink.objects.exists()


def test_a_visit_that_begins_too_soon_is_booked_at_the_desk(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(9, 30, days=0)
    held = press(desk, page(desk, on="2027-01-04"), slot(studio, 10, days=0))

    assert "This visit begins too soon to send a link." in text(held)
    assert 'value="send:' not in text(held)
    response = press(desk, held, "send:email", **NEW)
    assert (response.status_code, HoldLink.objects.exists()) == (422, False)


def test_a_hold_that_has_expired_is_taken_again_before_the_link_goes(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    held = held_form(desk, studio)
    stopped.pass_minutes(30)

    press(desk, held, "send:email", **NEW)

    linked = Booking.objects.get(hold_link__isnull=False)
    assert (linked.status, linked.hold_expires_at) == (BookingStatus.HELD, ENDS + timedelta(minutes=30))


# --- the panel --------------------------------------------------------------------------------------------------------


def test_the_panel_shows_who_is_waited_for_and_whether_the_link_arrived(desk: DeskClient, studio: Studio) -> None:
    booking = sent_link(desk, studio)
    send_due(now=NOW, limit=10)

    html = panel(desk, booking)

    for words in ("Sofia Kaya", "Waits until <b>09:00</b>", "2:00:00", "sofia@example.com", "Finish it here"):
        assert words in html, words
    assert "By e-mail · sent 07:00 · Sam Front Desk" in html
    assert "Booking link sent by e-mail" in html


def test_a_link_that_did_not_arrive_is_said_with_what_to_do(desk: DeskClient, studio: Studio) -> None:
    suppress(channel=Channel.EMAIL, address=NEW["email"], reason=SuppressionReason.BOUNCED, now=NOW)
    booking = sent_link(desk, studio)

    send_due(now=NOW, limit=10)

    html = panel(desk, booking)
    assert "By e-mail · did not arrive · Sam Front Desk" in html
    assert "Ask the customer for the right address" in html


def test_the_panel_costs_a_fixed_number_of_queries(
    desk: DeskClient, studio: Studio, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    booking = sent_link(desk, studio)
    query = {"at": "kreuzberg", "on": "2027-01-05", "b": booking.reference}

    with django_assert_max_num_queries(16):
        desk.client.get("/desk/", query, headers={"HX-Request": "true", "HX-Target": "panel"})


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_who_may_not_book_sees_the_block_and_no_panel(
    desk: DeskClient, studio: Studio, role: Role, client: Client
) -> None:
    booking = sent_link(desk, studio)
    reader = at_desk(client, role, of=booking) if role is Role.THERAPIST else at_desk(client, role, studio.location)

    day = text(reader.client.get("/desk/", {"at": "kreuzberg", "on": "2027-01-05", "view": "day"}))

    assert "Link sent, waits until 09:00" in day
    assert f"b={booking.reference}" not in day
    assert reader.client.get("/desk/", {"view": "day", "b": booking.reference}).status_code == 404
    assert reader.client.post(f"/desk/holds/{booking.reference}/free").status_code == 404


def test_another_place_knows_nothing_of_it(desk: DeskClient, studio: Studio, client: Client) -> None:
    booking = sent_link(desk, studio)
    elsewhere = at_desk(client, Role.FRONT_DESK, factories.location(slug="mitte"))

    assert elsewhere.client.get("/desk/", {"b": booking.reference}).status_code == 404
    for step in ("again", "free", "done"):
        assert elsewhere.client.post(f"/desk/holds/{booking.reference}/{step}").status_code == 404


def test_the_link_is_sent_again_once_for_each_press(desk: DeskClient, studio: Studio) -> None:
    booking = sent_link(desk, studio)
    address = f"/desk/holds/{booking.reference}/again"
    form = panel_form(desk, booking, address)

    first, second = desk.client.post(address, form), desk.client.post(address, form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert HoldLink.objects.get().sent_count == 2
    assert Notification.objects.count() == 2
    booking.refresh_from_db()
    assert booking.hold_expires_at == ENDS


def test_after_the_last_sending_the_button_is_gone(desk: DeskClient, studio: Studio) -> None:
    booking = sent_link(desk, studio)
    address = f"/desk/holds/{booking.reference}/again"
    form = panel_form(desk, booking, address)
    for number in range(2):
        act(desk, booking, "again", request_key=f"key-of-one-press-{number}")

    assert address not in panel(desk, booking)
    response = desk.client.post(address, {**form, "request_key": "key-of-another-press"})
    assert "This link was sent several times already." in said(desk, response)


@pytest.mark.parametrize(("tells", "messages"), [("1", 2), (None, 1)])
def test_staff_free_the_time(desk: DeskClient, studio: Studio, tells: str | None, messages: int) -> None:
    booking = sent_link(desk, studio)
    form = {"tells": tells} if tells else {}
    fields = panel_form(desk, booking, f"/desk/holds/{booking.reference}/free")
    fields.pop("tells")

    response = desk.client.post(f"/desk/holds/{booking.reference}/free", {**fields, **form})

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    assert "The time is free again." in said(desk, response)
    assert Notification.objects.count() == messages
    assert "Booking not finished" not in text(desk.client.get("/desk/hands/"))


def test_a_panel_that_is_old_says_what_has_happened(desk: DeskClient, studio: Studio) -> None:
    booking = sent_link(desk, studio)
    address = f"/desk/holds/{booking.reference}/free"
    form = panel_form(desk, booking, address)
    confirm(booking, contact=JANA)

    response = desk.client.post(address, form)

    assert "Jana Weber has booked it meanwhile. Nothing was changed." in said(desk, response)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_an_old_panel_of_a_time_that_ran_out_says_so(desk: DeskClient, studio: Studio, stopped: StoppedClock) -> None:
    booking = sent_link(desk, studio)
    address = f"/desk/holds/{booking.reference}/again"
    form = panel_form(desk, booking, address)
    stopped.pass_minutes(121)
    expire_holds(now=stopped.now())

    response = desk.client.post(address, form)

    assert "This time is free again already. Nothing was changed." in said(desk, response)
