"""Extras on the details page: they change price and end at once, or say why they don't fit; nothing typed is lost."""

import pytest
from django.test import Client

from bookings.models import Booking
from tests import factories
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.conftest import StoppedClock, details, filled

pytestmark = pytest.mark.django_db


def test_extra_is_added_and_taken_out_again(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)

    added = client.post(details(held, "extras"), {**filled(held), "add": towel.pk})
    booking = Booking.objects.get()
    assert (booking.total_minor, booking.ends_at) == (8800, studio.at(11, 10))
    page = added.content.decode()
    assert added.status_code == 200
    assert "10:00–11:10" in page
    assert "Hot towel wrap, +10 min" in page
    assert 'value="Jana Weber"' in page

    client.post(details(held, "extras"), {**filled(held), "remove": towel.pk})
    booking.refresh_from_db()
    assert (booking.total_minor, booking.ends_at) == (8000, studio.at(11))


def test_adding_twice_is_adding_once(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)

    for _ in range(2):
        client.post(details(held, "extras"), {"add": towel.pk})

    assert Booking.objects.get().total_minor == 8800


def test_extra_that_does_not_fit_is_refused_with_a_sentence(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    marek = studio.staff[0].pk
    booked(studio, 11, staff_member_id=marek)
    held = hold(studio, 10, staff_member_id=marek)

    response = client.post(details(held, "extras"), {**filled(held), "add": towel.pk})

    assert response.status_code == 409
    assert "That extra does not fit." in response.content.decode()
    assert 'value="Jana Weber"' in response.content.decode()
    assert Booking.objects.get(pk=held.booking.pk).total_minor == 8000


def test_htmx_swaps_the_summary_alone(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)

    response = client.post(details(held, "extras"), {"add": towel.pk}, headers={"hx-request": "true"})

    page = response.content.decode()
    assert response.status_code == 200
    assert page.lstrip().startswith('<section class="card card-flush" id="summary"')
    assert "€88.00" in page
    assert "<html" not in page


def test_htmx_refusal_stands_in_the_summary(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)
    stopped.pass_minutes(11)

    response = client.post(details(held, "extras"), {"add": towel.pk}, headers={"hx-request": "true"})

    assert response.status_code == 409
    assert "has run out" in response.content.decode()


def test_with_nothing_typed_it_goes_back_to_the_details(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)

    response = client.post(details(held, "extras"), {"add": towel.pk})

    assert (response.status_code, response["Location"]) == (302, details(held))


def test_extra_that_is_no_longer_sold_can_be_taken_out(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio, add_on_ids=[towel.pk])
    towel.is_active = False
    towel.save()

    client.post(details(held, "extras"), {"remove": towel.pk})

    assert Booking.objects.get().total_minor == 8000
