"""The picker: what it offers, what a pressed time does, and what it says when that time is gone."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.hold import HeldSlot
from services.models import Business, Service
from staff.models import StaffMember, WorkingHours
from tests import factories
from tests.factories import Studio
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "picker"}


def picker(studio: Studio) -> str:
    return f"/s/{studio.variant.service.slug}/"


def wish(studio: Studio, hour: int, minute: int = 0, *, days: int = 1, **fields: str) -> dict[str, str]:
    slot = f"{studio.location.pk}.{studio.minute(hour, minute, days=days)}"
    return {"variant": str(studio.variant.pk), "staff": "", "slot": slot, "next": "picker", **fields}


def test_the_nearest_days_come_first_with_eight_times_each(client: Client, studio: Studio) -> None:
    page = client.get(picker(studio)).content.decode()

    assert page.index("Today <span>Mon 4 Jan") < page.index("Tomorrow <span>Tue 5 Jan") < page.index("Wed 6 Jan</h3>")
    assert "All 29 times" in page
    assert page.count('name="slot"') == 5 * 8
    assert "Show the next 5 days" in page


def test_a_chosen_day_shows_all_its_times_by_part_of_the_day(client: Client, studio: Studio) -> None:
    page = client.get(picker(studio), {"day": "2027-01-06"}).content.decode()

    assert "Wednesday 6 January" in page
    assert page.index("Morning") < page.index("09:15") < page.index("Afternoon") < page.index("16:00")
    assert 'aria-current="date"' in page


def test_every_day_of_the_calendar_has_a_word(client: Client, studio: Studio) -> None:
    WorkingHours.objects.filter(weekday=6).delete()

    page = client.get(picker(studio)).content.decode()

    assert page.count("<td>") == 35
    assert 'day=2027-01-05">5<span class="visually-hidden"> January</span><small>free</small>' in page
    assert '<span class="date date-closed">10<span class="visually-hidden"> January</span><small>closed' in page


@pytest.mark.parametrize(
    ("word", "said"), [("Therapist", "Any therapist"), ("Physiotherapeutin", "Any Physiotherapeutin")]
)
def test_a_word_of_the_business_keeps_its_capital(client: Client, studio: Studio, word: str, said: str) -> None:
    Business.objects.update(staff_word=word)

    assert f"{said}</a>" in client.get(picker(studio)).content.decode()


def test_filters_keep_what_else_was_chosen(client: Client, studio: Studio) -> None:
    ana = studio.staff[1]

    page = client.get(picker(studio), {"with": ana.slug, "from": "2027-01-08"}).content.decode()

    chip = f'id="with-{ana.slug}" href="{picker(studio)}?with={ana.slug}&amp;from=2027-01-08" aria-current="true"'
    assert chip in page
    assert f'<input type="hidden" name="staff" value="{ana.pk}">' in page


def test_a_pressed_time_is_held_and_shown_with_what_is_left(client: Client, studio: Studio) -> None:
    response = client.post(f"{picker(studio)}hold", wish(studio, 10))
    page = client.get(response["Location"]).content.decode()

    assert response.status_code == 303
    assert Booking.objects.get().status == BookingStatus.HELD
    assert 'class="hold card card-tint"' in page
    assert "Tue 5 Jan, 10:00" in page
    assert "time-held" in page
    assert ">10:00</span>" in page  # ten minutes left


def test_a_time_pressed_on_the_landing_page_leads_to_the_details(client: Client, studio: Studio) -> None:
    response = client.post(f"{picker(studio)}hold", wish(studio, 10, next="details"))

    assert response.status_code == 303
    assert response["Location"].startswith("/h/")
    assert client.cookies["hold"]["httponly"]
    assert client.cookies["visitor"]["samesite"] == "Lax"


def test_pressing_another_time_gives_the_first_one_back(client: Client, studio: Studio) -> None:
    client.post(f"{picker(studio)}hold", wish(studio, 10))
    client.post(f"{picker(studio)}hold", wish(studio, 11))

    held = Booking.objects.filter(status=BookingStatus.HELD)
    assert [booking.starts_at for booking in held] == [studio.at(11)]


def test_a_held_time_is_gone_for_everybody_else(client: Client, studio: Studio) -> None:
    StaffMember.objects.filter(pk=studio.staff[1].pk).update(is_active=False)
    client.post(f"{picker(studio)}hold", wish(studio, 10))

    own = client.get(picker(studio), {"day": "2027-01-05"}).content.decode()
    others = Client().get(picker(studio), {"day": "2027-01-05"}).content.decode()

    value = wish(studio, 10)["slot"]
    assert value in own
    assert value not in others


def test_a_time_that_was_just_taken_is_named_with_its_neighbours(
    client: Client, studio: Studio, hold: Callable[..., HeldSlot]
) -> None:
    hold(10, staff_member_id=studio.staff[0].pk)
    hold(10, staff_member_id=studio.staff[1].pk)

    response = client.post(f"{picker(studio)}hold", wish(studio, 10))
    page = response.content.decode()

    assert response.status_code == 409
    assert "10:00 was just taken." in page
    assert "09:00, 11:00 and 11:15 are free." in page
    assert f'name="slot" value="{wish(studio, 9)["slot"]}"' in page
    assert Booking.objects.count() == 2


def test_a_time_of_the_past_cannot_be_pressed(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    stopped.pass_minutes(2 * 1440)

    response = client.post(f"{picker(studio)}hold", wish(studio, 10))

    assert response.status_code == 409
    assert "cannot be booked any more" in response.content.decode()
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "broken",
    [
        {"slot": ""},
        {"slot": "1"},
        {"slot": "1.x"},
        {"slot": "1." + "9" * 20},
        {"variant": ""},
        {"variant": "x"},
        {"staff": "anyone"},
        {"staff": "9" * 20},
        {"add_on": "9" * 20},
    ],
)
def test_a_form_that_is_not_ours_is_not_found(client: Client, studio: Studio, broken: dict[str, str]) -> None:
    response = client.post(f"{picker(studio)}hold", {**wish(studio, 10), **broken})

    assert response.status_code == 404
    assert not Booking.objects.exists()


def test_a_variant_of_another_service_cannot_be_held_here(client: Client, studio: Studio) -> None:
    other = factories.service(studio.location)
    factories.staff_member(other, at=studio.location)

    response = client.post(f"{picker(studio)}hold", wish(studio, 10, variant=str(other.pk)))

    assert response.status_code == 409
    assert "This cannot be booked online any more." in response.content.decode()
    assert not Booking.objects.exists()


def test_holding_needs_the_token_of_the_form(stranger: Client, studio: Studio) -> None:
    assert stranger.post(f"{picker(studio)}hold", wish(studio, 10)).status_code == 403
    assert not Booking.objects.exists()


def test_a_get_never_holds(client: Client, studio: Studio) -> None:
    assert client.get(f"{picker(studio)}hold").status_code == 405


def test_htmx_gets_the_part_and_everybody_else_the_page(client: Client, studio: Studio) -> None:
    whole = client.get(picker(studio))
    part = client.get(picker(studio), **HTMX)

    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert b'id="picker"' in part.content
    assert "HX-Request" in whole["Vary"]


def test_a_hold_by_htmx_answers_at_once_and_says_it(client: Client, studio: Studio) -> None:
    response = client.post(f"{picker(studio)}hold", wish(studio, 10, query="?day=2027-01-05"), **HTMX)

    page = response.content.decode()
    assert response.status_code == 200
    assert response["HX-Push-Url"] == f"{picker(studio)}?day=2027-01-05"
    assert "Tue 5 Jan, 10:00 is held for you." in page
    assert "time-held" in page


def test_a_full_day_that_is_only_held_says_when_it_may_come_free(
    client: Client, studio: Studio, hold: Callable[..., HeldSlot], stopped: StoppedClock
) -> None:
    StaffMember.objects.filter(pk=studio.staff[1].pk).update(is_active=False)
    WorkingHours.objects.filter(weekday=1).update(start_minute=600, end_minute=660)
    hold(10)

    page = client.get(picker(studio)).content.decode()

    assert "A time is on hold. It may come free at 07:10." in page


def test_nothing_free_in_these_weeks_names_the_way_to_the_next_time(client: Client, studio: Studio) -> None:
    WorkingHours.objects.update(valid_from="2027-02-20")

    page = client.get(picker(studio)).content.decode()

    assert "Nothing free in these weeks" in page
    assert "from=2027-02-20" in page


def test_nothing_free_at_all_names_the_other_ways(client: Client, studio: Studio) -> None:
    studio.staff[1].working_hours.all().delete()

    page = client.get(picker(studio), {"with": studio.staff[1].slug}).content.decode()

    assert "No free time in the next 60 days" in page
    assert "Look with anyone" in page
    assert "Call +49 30 901820" in page


def test_a_visitor_elsewhere_reads_both_clocks(client: Client, studio: Studio) -> None:
    client.cookies["zone"] = "Europe%2FLisbon"
    client.post(f"{picker(studio)}hold", wish(studio, 10))

    page = client.get(picker(studio)).content.decode()

    assert "Times are Berlin time. You are in Lisbon, one hour behind." in page
    assert "09:00 in Lisbon" in page


@pytest.mark.parametrize("people", [1, 3])
def test_the_number_of_queries_does_not_grow(
    client: Client, studio: Studio, people: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(people - 1):
        factories.staff_member(studio.variant, at=studio.location)
    client.post(f"{picker(studio)}hold", wish(studio, 10))

    with django_assert_max_num_queries(6):
        client.get(picker(studio))


def test_prices_without_tax_say_so_before_anything_is_held(client: Client, studio: Studio) -> None:
    Service.objects.update(tax_basis_points=1900)
    assert "plus tax" not in client.get("/").content.decode()

    Business.objects.update(prices_include_tax=False)
    pages = [client.get(path).content.decode() for path in ("/", f"/s/{studio.variant.service.slug}/")]
    assert ["€80 plus tax" in page for page in pages] == [True, True]

    Service.objects.update(tax_basis_points=0)
    assert "plus tax" not in client.get("/").content.decode()


def test_a_page_with_a_countdown_is_not_kept_by_the_browser(client: Client, studio: Studio) -> None:
    free = client.get(picker(studio))
    client.post(f"{picker(studio)}hold", wish(studio, 10))

    held = client.get(picker(studio))

    assert "no-store" not in free["Cache-Control"]
    assert "data-expires-at" in held.content.decode()
    assert "no-store" in held["Cache-Control"]


def test_a_visitor_elsewhere_reads_both_clocks_until_the_booking_is_made(client: Client, studio: Studio) -> None:
    client.cookies["zone"] = "Europe%2FLisbon"
    client.post(f"{picker(studio)}hold", wish(studio, 10))

    page = client.get(f"/h/{client.cookies['hold'].value}/").content.decode()

    assert "Tue 5 Jan, 10:00 (Berlin time, 09:00 in Lisbon)" in page
    assert "Berlin time, 09:00 in Lisbon" in page
    assert "(Berlin time, 06:10 in Lisbon)" in page
