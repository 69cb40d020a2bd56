"""Changing the length of a visit at the desk: choose, see the effects, confirm."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking, BookingEvent
from bookings.operations.visit_progress import start_visit
from services.models import ServiceVariant
from staff.enums import Role
from staff.models import Qualification
from tests import factories, journeys
from tests.desk import DeskClient, at_desk, by_card
from tests.factories import Studio
from tests.journeys import DESK
from tests.web.conftest import StoppedClock


@pytest.fixture
def place(db: None, stopped: StoppedClock) -> Studio:
    made = factories.studio(staff=2)
    stopped.at = made.at(7)
    return made


@pytest.fixture
def desk(client: Client, place: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, place.location)


@pytest.fixture
def booking(place: Studio) -> Booking:
    return journeys.booked(place, 10, staff_member_id=place.staff[0].pk, now=place.at(7))


@pytest.fixture
def ninety(place: Studio) -> ServiceVariant:
    made = factories.variant(place.variant.service, minutes=90, price_minor=11000)
    Qualification.objects.bulk_create(Qualification(staff_member=each, variant=made) for each in place.staff)
    return made


def html_of(desk: DeskClient, booking: Booking, **query: Any) -> str:
    return " ".join(desk.page(booking, "length", **query).content.decode().split())


def test_the_page_offers_the_variants_with_their_prices_and_a_field(
    desk: DeskClient, booking: Booking, ninety: ServiceVariant
) -> None:
    factories.variant(ninety.service, minutes=45, price_minor=6000)  # nobody performs it
    html = html_of(desk, booking)

    assert re.findall(r"<b>(\d.*?)</b> <small>(.*?)</small>", html) == [("90 min", "€110.00")]
    assert f"/length?variant={ninety.pk}" in html
    assert 'name="minutes" value="60" min="5" max="1440" step="5"' in html
    assert f"/desk/bookings/{booking.reference}/length" in desk.page(booking).content.decode()


def test_a_variant_says_its_price_before_it_is_confirmed(
    desk: DeskClient, booking: Booking, ninety: ServiceVariant
) -> None:
    page = html_of(desk, booking, variant=ninety.pk)
    assert "The price goes from €80.00 to €110.00. The customer gets an e-mail with the new end." in page
    assert "From 10:00–11:00 to 10:00–11:30." in page
    assert "€30.00 more is due at the visit." in page
    assert f"{booking.lines.get().staff_member.short_name} gets an e-mail." in page  # type: ignore[union-attr]

    response = desk.do(booking, "length", query={"variant": ninety.pk})

    assert response.status_code == 303
    booking.refresh_from_db()
    assert (booking.total_minor, booking.ends_at - booking.starts_at) == (11000, timedelta(minutes=90))
    after = desk.page(booking).content.decode()
    assert "The visit takes 90 min now." in after
    assert "Length changed from 60 min to 90 min, price from €80.00 to €110.00" in after


def test_variants_with_names_are_named(desk: DeskClient, booking: Booking, ninety: ServiceVariant) -> None:
    booking.lines.update(variant_name="Legs")
    ServiceVariant.objects.filter(pk=ninety.pk).update(name="Whole body")

    assert "Whole body · 90 min" in html_of(desk, booking)
    assert "From Legs to Whole body." in html_of(desk, booking, variant=ninety.pk)


def test_of_a_lower_price_the_page_says_what_goes_back(desk: DeskClient, booking: Booking, place: Studio) -> None:
    short = factories.variant(place.variant.service, minutes=30, price_minor=5000)
    Qualification.objects.create(staff_member=place.staff[0], variant=short)
    by_card(booking, 8000)

    assert "€30.00 goes back." in html_of(desk, booking, variant=short.pk)


def test_minutes_by_hand_need_a_reason(desk: DeskClient, booking: Booking, ninety: ServiceVariant) -> None:
    page = html_of(desk, booking, minutes=90)
    assert "The price stays €80.00." in page
    assert "The service has a variant of 90 min for €110.00" in page
    form = desk.form(booking, "length", minutes=75)

    assert desk.send(booking, "length", form).status_code == 422
    assert desk.send(booking, "length", form, reason="Back pain").status_code == 303

    event = BookingEvent.objects.get(booking=booking, kind="length")
    assert (event.reason, event.details["to"]["minutes"]) == ("Back pain", 75)


def test_what_is_in_the_way_is_named(desk: DeskClient, booking: Booking, place: Studio) -> None:
    journeys.booked(place, 11, staff_member_id=place.staff[0].pk, now=place.at(7))

    html = html_of(desk, booking, minutes=75)

    assert "75 min do not fit:" in html
    assert "has Jana Weber, 11:00–12:00." in html
    assert 'name="request_key"' not in html


def test_outside_working_hours_it_names_the_rules_and_keeps_them_in_the_history(
    desk: DeskClient, place: Studio
) -> None:
    booking = journeys.booked(place, 16, staff_member_id=place.staff[0].pk, now=place.at(7))

    assert "does not work then." in html_of(desk, booking, minutes=90)
    desk.do(booking, "length", query={"minutes": 90}, reason="She stays")

    assert "Exception: outside opening hours, outside working hours" in desk.page(booking).content.decode()


def test_a_time_that_is_taken_while_the_page_is_open_changes_nothing(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    form = desk.form(booking, "length", minutes=90)
    journeys.booked(place, 11, staff_member_id=place.staff[0].pk, now=place.at(7))

    response = desk.send(booking, "length", form, reason="x")

    assert response.status_code == 409
    assert "does not fit with this length" in response.content.decode()


def test_a_price_that_has_changed_is_asked_about_again(
    desk: DeskClient, booking: Booking, ninety: ServiceVariant
) -> None:
    form = desk.form(booking, "length", variant=ninety.pk)
    ServiceVariant.objects.filter(pk=ninety.pk).update(price_minor=12000)

    response = desk.send(booking, "length", form)

    assert response.status_code == 200
    assert "€120.00" in response.content.decode()
    booking.refresh_from_db()
    assert booking.total_minor == 8000


def test_pressing_twice_changes_once(desk: DeskClient, booking: Booking) -> None:
    form = desk.form(booking, "length", minutes=90) | {"reason": "x"}

    assert [desk.send(booking, "length", form).status_code for _ in range(2)] == [303, 303]
    assert BookingEvent.objects.filter(booking=booking, kind="length").count() == 1


@pytest.mark.parametrize("query", [{"minutes": "x"}, {"minutes": "0"}, {"minutes": "9" * 20}, {"variant": "x"}])
def test_wrong_input_shows_what_is_possible(desk: DeskClient, booking: Booking, query: dict[str, str]) -> None:
    html = html_of(desk, booking, **query)

    assert "Choose another length, from 5 to 1440 minutes." in html


def test_what_has_begun_says_so(desk: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock) -> None:
    stopped.at = place.at(10)
    start_visit(booking_id=booking.pk, expected_sequence=0, actor=DESK, now=place.at(10))

    assert "The visit has begun, so its length stays." in desk.page(booking, "length").content.decode()
    assert "/length" not in desk.page(booking).content.decode()


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_who_may_not_change_it_does_not_learn_of_the_page(
    client: Client, booking: Booking, place: Studio, role: Role
) -> None:
    other = at_desk(client, role, place.location, of=booking if role == Role.THERAPIST else None)

    assert other.page(booking, "length").status_code == 404
    assert "/length" not in other.page(booking).content.decode()


def test_many_variants_need_no_more_queries(
    desk: DeskClient,
    booking: Booking,
    place: Studio,
    ninety: ServiceVariant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    desk.page(booking, "length")
    with django_assert_max_num_queries(31) as one:
        desk.page(booking, "length")
    for minutes in (45, 75, 105):
        made = factories.variant(place.variant.service, minutes=minutes)
        Qualification.objects.create(staff_member=place.staff[0], variant=made)

    with django_assert_num_queries(len(one)):
        desk.page(booking, "length")
