"""The page that says it is booked, and the calendar entry that goes with it."""

from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from tests.factories import Studio
from tests.journeys import LINK, booked
from tests.web.conftest import StoppedClock, link

pytestmark = pytest.mark.django_db


def test_confirmed_page_tells_everything_that_matters_now(client: Client, studio: Studio) -> None:
    booking = booked(studio, staff_member_id=studio.staff[0].pk)

    page = client.get(link(booking, "confirmed", LinkRole.GUEST)).content.decode()

    for words in (
        "You are booked, Jana",
        "jana@example.com",
        "Tue 5 Jan, 10:00",
        "until 11:00 · tomorrow · Berlin time",
        "Deep tissue massage, 60 min",
        "Marek Nowak",
        "Lindenstraße 14, Kreuzberg",
        "https://map.example/linden",
        f"{booking.reference[:3]} {booking.reference[3:]}",
        "Add to my calendar",
        "To pay at the visit",
        "€80.00",
        "Free to cancel until <strong>Mon 4 Jan, 10:00</strong>",
        "Before you come",
        "Eat lightly.",
        "tel:+4930901820",
    ):
        assert words in page, words
    assert page.count("button-main") == 1


def test_visitor_elsewhere_reads_the_own_clock_too(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    client.cookies["zone"] = "Europe%2FLisbon"

    assert "Berlin time · 09:00 in Lisbon" in client.get(link(booking, "confirmed")).content.decode()


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "x" * 300, "Europe/Berlin"])
def test_zone_that_is_none_or_the_same_adds_nothing(client: Client, studio: Studio, zone: str) -> None:
    booking = booked(studio)
    client.cookies["zone"] = zone

    assert "tomorrow · Berlin time</p>" in client.get(link(booking, "confirmed")).content.decode()


def test_calendars_of_others_get_the_visit_and_no_link_of_ours(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    context = client.get(link(booking, "confirmed")).context

    google = parse_qs(urlsplit(context["google_url"]).query)
    outlook = parse_qs(urlsplit(context["outlook_url"]).query)

    assert google["dates"] == ["20270105T090000Z/20270105T100000Z"]
    assert (outlook["startdt"], outlook["enddt"]) == (["2027-01-05T09:00:00Z"], ["2027-01-05T10:00:00Z"])
    for values in (google, outlook):
        assert "/b/" not in str(values)
        assert manage_token(booking, LinkRole.CUSTOMER) not in str(values)


def test_success_page_of_something_else_leads_to_what_is_true(
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

    response = client.get(link(booking, "confirmed"))

    assert (response.status_code, response["Location"]) == (302, link(booking))


def test_calendar_file_has_the_visit_and_the_link_of_whoever_asks(client: Client, studio: Studio) -> None:
    booking = booked(studio)

    response = client.get(link(booking, "calendar.ics", LinkRole.GUEST))

    calendar = icalendar.Calendar.from_ical(response.content)
    event = calendar.walk("VEVENT")[0]
    assert response["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert f'filename="{booking.reference}.ics"' in response["Content-Disposition"]
    assert calendar["METHOD"] == "PUBLISH"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (studio.at(10), studio.at(11))
    assert manage_token(booking, LinkRole.GUEST) in event["DESCRIPTION"]
    assert manage_token(booking, LinkRole.CUSTOMER) not in event["DESCRIPTION"]


def test_calendar_file_of_a_cancelled_booking_takes_the_entry_back(
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

    response = client.get(link(booking, "calendar.ics"))

    calendar = icalendar.Calendar.from_ical(response.content)
    event = calendar.walk("VEVENT")[0]
    booking.refresh_from_db()
    assert response["Content-Type"] == "text/calendar; charset=utf-8; method=CANCEL"
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["SEQUENCE"] == booking.ical_sequence == 1
    assert str(event["UID"]).startswith(f"{booking.reference.lower()}-customer@")
    assert "ATTENDEE" not in event


def test_confirmed_page_asks_the_database_the_same_however_many_bookings(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bookings = [booked(studio, hour) for hour in (9, 10, 11)]
    assert Booking.objects.count() == 3

    for booking in (bookings[0], bookings[-1]):
        with django_assert_num_queries(11):
            client.get(link(booking, "confirmed"))
