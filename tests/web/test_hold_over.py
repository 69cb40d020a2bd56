"""A hold that ran out: the page says so, one tap takes the time again, and what was typed stays."""

import pytest
from django.test import Client

from bookings.enums import BookingStatus
from bookings.models import Booking
from tests import factories
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.conftest import StoppedClock, details, filled, slot

pytestmark = pytest.mark.django_db
TEN_MINUTES = 10


def test_ended_hold_offers_the_same_time(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES)

    response = client.get(details(held))

    page = response.content.decode()
    assert response.status_code == 200
    assert "The hold on Tue 5 Jan, 10:00 has ended" in page
    assert "Take Tue 5 Jan, 10:00 again" in page
    assert "Book Tue" not in page


def test_a_second_before_the_end_it_can_still_be_booked(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES - 1 / 60)

    assert client.post(details(held), filled(held)).status_code == 303


def test_booking_an_ended_hold_keeps_what_was_typed(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES)

    response = client.post(details(held), filled(held))

    page = response.content.decode()
    assert response.status_code == 409
    assert "Nothing was booked, and the time is still free." in page
    assert 'value="Jana Weber"' in page
    assert Booking.objects.get().status != BookingStatus.CONFIRMED


def test_one_tap_takes_the_time_again_with_what_was_typed(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio, add_on_ids=[towel.pk])
    stopped.pass_minutes(TEN_MINUTES)

    response = client.post(details(held, "again"), filled(held))

    page = response.content.decode()
    new = Booking.objects.get(status=BookingStatus.HELD, hold_expires_at__gt=stopped.now())
    assert response.status_code == 200
    assert (new.starts_at, new.total_minor) == (held.booking.starts_at, 8800)
    assert 'value="Jana Weber"' in page
    assert "Book Tue 5 Jan, 10:00" in page
    token = response.cookies["hold"].value
    assert f'action="/h/{token}/"' in page
    assert client.post(f"/h/{token}/", filled(held)).status_code == 303


def test_reload_after_taking_it_again_goes_on_with_the_own_hold(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    studio.staff[1].delete()
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES)
    first = client.post(details(held, "again"), filled(held))

    second = client.post(details(held, "again"), filled(held))

    assert second.status_code == 200
    assert f'action="/h/{first.cookies["hold"].value}/"' in second.content.decode()
    assert Booking.objects.filter(status=BookingStatus.HELD, hold_expires_at__gt=stopped.now()).count() == 1


def test_taken_meanwhile_shows_the_three_nearest(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio, staff_member_id=studio.staff[0].pk)
    stopped.pass_minutes(TEN_MINUTES)
    booked(studio, staff_member_id=studio.staff[0].pk, now=stopped.now())

    response = client.post(details(held, "again"), filled(held))

    page = response.content.decode()
    assert response.status_code == 409
    assert "Tue 5 Jan, 10:00 is no longer free" in page
    assert 'value="Jana Weber"' in page
    assert [each.time for each in response.context["alternatives"]] == ["09:00", "11:00", "11:15"]


def test_one_tap_takes_one_of_the_nearest(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio, staff_member_id=studio.staff[0].pk)
    stopped.pass_minutes(TEN_MINUTES)
    booked(studio, staff_member_id=studio.staff[0].pk, now=stopped.now())

    response = client.post(details(held, "again"), {**filled(held), "slot": slot(studio, 11)})

    new = Booking.objects.get(status=BookingStatus.HELD, starts_at=studio.at(11))
    assert response.status_code == 200
    assert "Book Tue 5 Jan, 11:00" in response.content.decode()
    assert 'value="Jana Weber"' in response.content.decode()
    assert new.lines.get().staff_member == studio.staff[0]


@pytest.mark.parametrize("hour", [3, 23])
def test_a_time_that_is_not_offered_is_refused(
    client: Client, studio: Studio, stopped: StoppedClock, hour: int
) -> None:
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES)

    response = client.post(details(held, "again"), {**filled(held), "slot": slot(studio, hour)})

    assert response.status_code == 409
    assert not Booking.objects.filter(status=BookingStatus.HELD, hold_expires_at__gt=stopped.now()).exists()


@pytest.mark.parametrize("value", ["", "1", "1.x", "x.1", "٣.٤", "1.1.1", "-1.5"])
def test_what_is_no_time_is_no_page(client: Client, studio: Studio, value: str) -> None:
    held = hold(studio)

    assert client.post(details(held, "again"), {"slot": value}).status_code == 404


def test_with_nothing_typed_it_goes_to_a_clean_address(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio)
    stopped.pass_minutes(TEN_MINUTES)

    response = client.post(details(held, "again"))

    assert response.status_code == 302
    assert response["Location"] == f"/h/{response.cookies['hold'].value}/"
