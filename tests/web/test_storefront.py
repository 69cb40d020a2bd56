"""The landing page: what is offered with its next times, in every state a business can be in."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from services.models import Business, Location, Service
from tests import factories
from tests.factories import Studio
from tests.pages import squeezed
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db


def page_of(client: Client, url: str = "/") -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_installation_says_that_it_is_being_set_up(client: Client, stopped: StoppedClock) -> None:
    assert "Nothing to book yet" in page_of(client)


def test_a_business_without_services_still_shows_its_name(client: Client, stopped: StoppedClock) -> None:
    factories.business()

    page = page_of(client)

    assert "Linden Studio" in page
    assert "Nothing to book yet" in page


def test_a_card_shows_price_people_and_three_times_some_way_apart(client: Client, studio: Studio) -> None:
    page = page_of(client)

    assert "60 min <b>€80</b>" in page
    assert "Ana, Marek" in page
    for hour in (9, 10, 11):
        time = f'value="{studio.location.pk}.{studio.minute(hour, days=0)}"><small>Today</small>{hour:02d}:00'
        assert time in squeezed(page)
    assert "09:15" not in page


def test_the_next_free_time_stands_first(client: Client, studio: Studio) -> None:
    page = page_of(client)

    assert "Next free today" in page
    assert "Ana or Marek" in page
    assert "Opens today at 09:00" in page


def lisbon_too(studio: Studio) -> None:
    place = factories.location(name="Alfama", time_zone="Europe/Lisbon")
    offered = factories.service(place, name="Hot stones")
    factories.staff_member(offered, at=place, name="Rui Teixeira")


def test_next_free_times_of_places_in_several_zones_name_them_and_stand_in_order_of_time(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    """Half past one in Lisbon is an hour after half past one in Berlin."""
    lisbon_too(studio)

    page = " ".join(page_of(client).split())

    first, second = (part.split("</form>")[0] for part in page.split('class="next-row"')[1:])
    assert "<b>09:00</b>" in first
    assert "Berlin time</small>" in first
    assert "<b>09:00</b>" in second
    assert "Lisbon time</small>" in second


def test_times_on_the_landing_page_show_the_clock_of_a_visitor_elsewhere(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as asked:
        here = page_of(client)
    client.cookies["zone"] = "America%2FNew_York"

    with django_assert_num_queries(len(asked)):
        page = page_of(client)

    assert "Berlin time" not in here
    assert page.count("Berlin time, 03:00 in New York</small>") == 2  # the card and the next free time


def test_hidden_services_and_inactive_lengths_stay_out(client: Client, studio: Studio) -> None:
    hidden = factories.service(studio.location, name="Secret wrap")
    Service.objects.filter(pk=hidden.service_id).update(visibility=Service.Visibility.HIDDEN)
    factories.variant(studio.variant.service, minutes=97, is_active=False)

    page = page_of(client)

    assert "Secret wrap" not in page
    assert "97 min" not in page
    assert client.get(f"/s/{hidden.service.slug}/").status_code == 404


def test_a_service_with_nobody_to_do_it_is_left_out_and_says_so_itself(client: Client, studio: Studio) -> None:
    alone = factories.service(studio.location, name="Reiki", category=factories.category(name="Energy"))

    landing = page_of(client)
    assert "Reiki" not in landing
    assert "Energy" not in landing
    assert "This cannot be booked online at the moment" in page_of(client, f"/s/{alone.service.slug}/")


def test_a_service_without_the_room_it_needs_is_left_out(client: Client, studio: Studio) -> None:
    service, kind = studio.variant.service, factories.resource_type()
    service.requirements.create(resource_type=kind, quantity=1)
    room = factories.room(studio.location, kind, is_active=False)
    title = f'<h3><a href="/s/{service.slug}/">'
    assert title not in page_of(client)

    room.is_active = True
    room.save()

    assert title in page_of(client)


def test_a_service_that_is_full_says_for_how_long(client: Client, studio: Studio) -> None:
    for person in studio.staff:
        person.working_hours.all().delete()

    assert "Nothing free in the next 60 days." in page_of(client)


def test_while_booking_is_paused_no_time_is_offered(client: Client, studio: Studio) -> None:
    Business.objects.update(is_booking_paused=True, paused_message="We move house. Back on Monday.")

    for url in ("/", f"/s/{studio.variant.service.slug}/"):
        page = page_of(client, url)
        assert "We move house. Back on Monday." in page
        assert 'name="slot"' not in page


def test_visitors_are_not_remembered_before_they_hold_something(client: Client, studio: Studio) -> None:
    page_of(client)

    assert set(client.cookies) <= {"csrf"}


@pytest.mark.parametrize("services", [1, 3])
def test_the_number_of_queries_does_not_grow(
    client: Client, studio: Studio, services: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(services - 1):
        factories.staff_member(factories.service(studio.location), at=studio.location)

    with django_assert_max_num_queries(8):
        page_of(client)


def test_search_engines_are_asked_to_leave_out_bookings_and_the_desk(client: Client) -> None:
    response = client.get("/robots.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        *(f"Disallow: {path}" for path in ("/b/", "/h/", "/pay/", "/u/", "/desk/", "/admin/")),
    ]


def test_a_post_code_does_not_break_and_one_language_is_no_choice(client: Client, studio: Studio) -> None:
    Location.objects.update(address="Rua da Adiça 3, 1100-443 Lisboa")

    page = page_of(client)

    assert 'Rua da Adiça 3, <span class="unbroken">1100-443</span> Lisboa' in page
    # With one language the only entry is the account.
    assert page.split('aria-label="Language and account"')[1].split("</nav>")[0].count("<a ") == 1


def test_the_colours_are_a_style_sheet_that_may_be_kept(client: Client) -> None:
    response = client.get("/brand.css?c=1d4ed8")

    assert (response.status_code, response["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "--brand:#1d4ed8" in response.content.decode()
    assert "immutable" in response["Cache-Control"]


@pytest.mark.parametrize("colour", ["red", "0f766e;}", "12345", ""])
def test_a_colour_that_is_none_is_not_found(client: Client, colour: str) -> None:
    assert client.get("/brand.css", {"c": colour}).status_code == 404


def test_nothing_on_the_page_needs_an_inline_style_or_script(client: Client, studio: Studio) -> None:
    for url in ("/", f"/s/{studio.variant.service.slug}/"):
        page = page_of(client, url)
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page
