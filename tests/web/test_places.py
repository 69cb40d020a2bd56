"""A service at two places: every time names its place, and all places are shown until one is chosen."""

import pytest
from django.test import Client

from services.enums import Delivery
from services.models import Location, Service
from tests import factories
from tests.factories import Studio
from tests.journeys import hold
from tests.pages import squeezed
from tests.web.conftest import details

pytestmark = pytest.mark.django_db


@pytest.fixture
def alfama(studio: Studio) -> Location:
    """A second place of the same service, at which nobody works."""
    place = factories.location(name="Alfama", slug="alfama")
    studio.variant.service.locations.add(place)
    return place


def page_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


@pytest.mark.usefixtures("alfama")
def test_a_card_names_the_place_also_where_all_its_next_times_are_at_one(client: Client, studio: Studio) -> None:
    assert (
        f'value="{studio.location.pk}.{studio.minute(9, days=0)}"><small>Today</small>09:00<small>Kreuzberg'
        in squeezed(page_of(client, "/"))
    )


def test_a_card_of_a_service_at_one_place_names_none(client: Client, studio: Studio) -> None:
    assert "<small>Kreuzberg" not in page_of(client, "/")


@pytest.mark.usefixtures("alfama")
def test_the_picker_opens_on_all_places_with_the_times_of_the_card(client: Client, studio: Studio) -> None:
    page = page_of(client, "/s/massage/")

    assert 'id="at-all" href="/s/massage/" aria-current="true">Both' in squeezed(page)
    assert f'value="{studio.location.pk}.{studio.minute(9, days=0)}">09:00<small>Kreuzberg</small>' in page
    assert 'href="/s/massage/?at=kreuzberg"' in page


@pytest.mark.usefixtures("alfama")
def test_where_a_week_is_full_another_place_with_times_is_a_link(client: Client, studio: Studio) -> None:
    page = page_of(client, "/s/massage/?at=alfama")

    assert "Free sooner" in page
    assert '<a class="chip" href="/s/massage/?at=kreuzberg">Kreuzberg <span>Mon 4 Jan</span></a>' in page


@pytest.mark.usefixtures("alfama")
def test_an_online_service_names_no_place(client: Client, studio: Studio) -> None:
    Service.objects.update(delivery=Delivery.ONLINE)

    for url in ("/", "/s/massage/"):
        page = page_of(client, url)
        assert "<small>Kreuzberg" not in page
        assert "at-kreuzberg" not in page
    assert "in Kreuzberg" not in page_of(client, details(hold(studio)))


def test_an_online_service_of_two_zones_says_on_the_card_whose_clock_it_is(
    client: Client, studio: Studio, alfama: Location
) -> None:
    Location.objects.filter(pk=alfama.pk).update(time_zone="Europe/Lisbon")
    Service.objects.update(delivery=Delivery.ONLINE)

    page = page_of(client, "/")

    assert "09:00<small>Berlin time</small>" in squeezed(page)


def test_the_strip_of_a_held_time_names_its_place(client: Client, studio: Studio) -> None:
    assert "<strong>Tue 5 Jan, 10:00</strong> in Kreuzberg is held for you" in page_of(client, details(hold(studio)))
