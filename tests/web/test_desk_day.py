"""The day at the desk: whose bookings, in which order, and what is open."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.contact.contact import Contact
from bookings.models import Booking
from dashboard.permissions import Rights
from dashboard.visits import visits_before
from services.enums import Delivery
from services.models import Location, Service
from staff.enums import Role
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.pages import squeezed
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock

TOMORROW = "/desk/?view=list&on=2027-01-05"


def at_desk(client: Client, role: Role = Role.FRONT_DESK, place: Location | None = None, **values: object) -> Client:
    sign_in_staff(client, factories.desk_user(role, place, **values))
    return client


def somebody(name: str) -> Contact:
    return Contact(name=name, email=f"{name.split(maxsplit=1)[0].lower()}@mail.example", phone="", note="")


def names(html: str) -> list[str]:
    return [part.split("<")[0] for part in squeezed(html).split('<span class="booking-words"><b>')[1:]]


def test_the_day_is_in_the_order_of_time_with_what_is_open(client: Client, studio: Studio) -> None:
    journeys.booked(studio, 14, contact=somebody("Ben Adler"))
    journeys.booked(studio, 9, 30, contact=somebody("Amara Okafor"))
    at_desk(client, place=studio.location)

    html = " ".join(client.get(TOMORROW).content.decode().split())

    assert names(html) == ["Amara Okafor", "Ben Adler"]
    assert "Tuesday 5 January" in html
    assert "€80.00 open" in html
    assert "<b>2</b> bookings" in html
    assert "<b>€160</b> expected" in html


def test_the_day_is_that_of_the_place(client: Client, studio: Studio) -> None:
    """Half past midnight in Berlin on the 5th is still the 4th in UTC."""
    booking = journeys.booked(studio, 10)
    Booking.objects.filter(pk=booking.pk).update(starts_at=studio.at(0, 30), ends_at=studio.at(1, 30))
    at_desk(client, place=studio.location)

    assert "Jana Weber" in client.get(TOMORROW).content.decode()
    assert "Jana Weber" not in client.get("/desk/?view=list&on=2027-01-04").content.decode()


def test_today_is_shown_first_and_arrows_lead_to_its_neighbours(client: Client, studio: Studio) -> None:
    at_desk(client, place=studio.location)

    html = client.get("/desk/").content.decode()

    assert "Monday 4 January" in html
    assert "on=2027-01-03" in html
    assert "on=2027-01-05" in html


@pytest.mark.parametrize("asked", ["", "yesterday", "2027-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_today(client: Client, studio: Studio, asked: str) -> None:
    at_desk(client, place=studio.location)

    assert "Monday 4 January" in client.get("/desk/", {"on": asked}).content.decode()


def test_the_line_of_now_stands_before_the_next_booking(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    journeys.booked(studio, 9, contact=somebody("Amara Okafor"))
    journeys.booked(studio, 14, contact=somebody("Ben Adler"))
    stopped.at = studio.at(11, 42)
    at_desk(client, place=studio.location)

    html = client.get("/desk/?view=list").content.decode()

    assert html.index("Amara Okafor") < html.index("<span>11:42</span>") < html.index("Ben Adler")


def test_cancelled_ones_stand_apart_and_are_not_counted(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    Booking.objects.filter(pk=booking.pk).update(status="cancelled")
    at_desk(client, place=studio.location)

    html = client.get(TOMORROW).content.decode()

    assert "Nothing is booked on this day" in html
    assert "1 cancelled" in html


def test_times_that_are_being_picked_are_not_shown(client: Client, studio: Studio) -> None:
    journeys.hold(studio, 10)
    at_desk(client, place=studio.location)

    assert "Nothing is booked on this day" in client.get(TOMORROW).content.decode()


def test_front_desk_of_one_place_sees_nothing_of_another(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    other = factories.location(name="Alfama")
    at_desk(client, place=other)

    assert "Jana" not in client.get(f"{TOMORROW}&at={studio.location.slug}").content.decode()
    assert client.get(f"/desk/bookings/{booking.reference}/").status_code == 404


def test_a_therapist_sees_the_own_bookings_alone(client: Client, studio: Studio) -> None:
    marek, ana = studio.staff
    own = journeys.booked(studio, 10, staff_member_id=marek.pk, contact=somebody("Amara Okafor"))
    other = journeys.booked(studio, 10, staff_member_id=ana.pk, contact=somebody("Ben Adler"))
    at_desk(client, Role.THERAPIST, of=own)

    assert names(client.get(TOMORROW).content.decode()) == ["Amara Okafor"]
    assert client.get(f"/desk/bookings/{own.reference}/").status_code == 200
    assert client.get(f"/desk/bookings/{other.reference}/").status_code == 404


def test_a_therapist_reads_addresses_and_not_the_own_name_on_each_row(client: Client, studio: Studio) -> None:
    Service.objects.update(delivery=Delivery.CUSTOMER)
    contact = Contact("Amara Okafor", "amara@mail.example", "", "", visit_address="Gneisenaustraße 7")
    own = journeys.booked(studio, 10, staff_member_id=studio.staff[0].pk, contact=contact)
    at_desk(client, Role.THERAPIST, of=own)

    page = client.get(TOMORROW).content.decode()

    assert "Gneisenaustraße 7" in page
    assert "Marek Nowak" not in page
    at_desk(client, place=studio.location)
    assert "Marek Nowak" in client.get(TOMORROW).content.decode()


def test_what_the_customer_wrote_stands_above_the_money(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, contact=Contact("Amara Okafor", "amara@mail.example", "", "Left shoulder"))
    at_desk(client, place=studio.location)

    page = client.get(f"/desk/bookings/{booking.reference}/").content.decode()

    assert page.index("Left shoulder") < page.index('id="money-title"')


def test_an_owner_chooses_among_all_places(client: Client, studio: Studio) -> None:
    journeys.booked(studio, 10)
    factories.location(name="Alfama", slug="alfama", position=2, time_zone="Europe/Lisbon")
    at_desk(client, Role.OWNER)

    assert "Jana Weber" in client.get(TOMORROW).content.decode()
    alfama = client.get(f"{TOMORROW}&at=alfama").content.decode()
    assert "Jana Weber" not in alfama
    assert "/desk/?at=alfama&amp;on=2027-01-06" in alfama


def test_visits_before_are_those_of_the_same_mailbox_however_it_is_written(studio: Studio) -> None:
    emails = ["rita@faß.example", "rita@xn--fa-hia.example", "Rita@Faß.example", "rita@fass.example"]
    bookings = [
        journeys.completed(journeys.booked(studio, 9 + number, contact=replace(journeys.JANA, email=email)))
        for number, email in enumerate(emails)
    ]

    assert [visits_before(Rights({None: frozenset({Role.OWNER})}), booking).came for booking in bookings] == [
        0,
        1,
        2,
        0,
    ]


def test_reading_costs_the_same_for_one_and_three_bookings(
    client: Client,
    studio: Studio,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    at_desk(client, place=studio.location)
    journeys.booked(studio, 9, contact=somebody("Amara Okafor"))
    with django_assert_max_num_queries(12) as one:
        client.get(TOMORROW)
    journeys.booked(studio, 11, contact=somebody("Ben Adler"))
    journeys.booked(studio, 13, contact=somebody("Cleo Braun"))

    with django_assert_num_queries(len(one)):
        html = client.get(TOMORROW).content.decode()

    assert len(names(html)) == 3


def test_a_booking_tells_who_comes_and_how_often_before(client: Client, studio: Studio) -> None:
    for days in (7, 14):
        earlier = journeys.booked(studio, 10, start_minute=studio.minute(10, days=days))
        moved = {"starts_at": NOW - timedelta(days=days), "ends_at": NOW - timedelta(days=days) + timedelta(hours=1)}
        journeys.completed(earlier)
        Booking.objects.filter(pk=earlier.pk).update(**moved)
    booking = journeys.booked(studio, 10)
    at_desk(client, place=studio.location)

    html = client.get(f"/desk/bookings/{booking.reference}/").content.decode()

    assert "Jana Weber" in html
    assert "Visit 3 · never missed · since December 2026" in html
    assert "Deep tissue massage, 60 min" in html
    assert "tel:+4915155501827" in html
    assert "Booked <small>Jana Weber, website</small>" in html


def test_a_number_is_written_as_one_reads_it_aloud(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    at_desk(client, place=studio.location)

    html = client.get(f"/desk/bookings/{booking.reference}/").content.decode()

    assert "+49 1515 5501827" in html
    assert 'href="tel:+4915155501827"' in html
