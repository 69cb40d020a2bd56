"""Changing the time zone of a location with bookings ahead: shown first, decided by the user, customers informed."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bookings.models import Booking
from core.references import spoken
from notifications.operations import send_due
from services.models import Location, SettingsChange
from staff.models import WorkingHours
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import booked, claims
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock, link
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db
ATHENS, LISBON = "Europe/Athens", "Europe/Lisbon"


@pytest.fixture
def place(stopped: StoppedClock) -> Studio:
    """Open all day long; its zone is Berlin's."""
    made = factories.studio()
    made.location.opening_hours.update(start_minute=0, end_minute=1440)
    made.staff[0].working_hours.update(start_minute=0, end_minute=1440)
    return made


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


def change(owner: Client, place: Studio, zone: str, keep: str = "") -> str:
    url = reverse("admin:services_location_change", args=[place.location.pk])
    values: dict[str, Any] = typed(owner.get(url).content.decode(), "location_form") | {"time_zone": zone}
    response = owner.post(url, values | ({"_keep_bookings": keep} if keep else {}), follow=True)
    assert response.status_code == 200
    return response.content.decode()


def told() -> list[str]:
    send_due(now=NOW + timedelta(minutes=1), limit=50)
    return [str(message.body) for message in mail.outbox]


def test_all_bookings_ahead_are_shown_with_both_times_and_nothing_is_saved(owner: Client, place: Studio) -> None:
    late, early = booked(place, 22), booked(place, 10)

    page = change(owner, place, ATHENS)

    assert Location.objects.get().time_zone == "Europe/Berlin"
    assert f"{spoken(late.reference)} · Tue 5 Jan 2027, 22:00 (Berlin) → 23:00 (Athens)" in page
    assert f"{spoken(early.reference)} · Tue 5 Jan 2027, 10:00 (Berlin) → 11:00 (Athens)" in page
    assert page.count('type="radio" name="_keep_bookings"') == 2
    assert not SettingsChange.objects.exists()


def test_the_day_is_named_where_it_becomes_another(owner: Client, place: Studio) -> None:
    booked(place, 22, 45)

    assert "22:45 (Berlin) → Wed 6 Jan 2027, 0:45".replace("0:45", "00:45") in change(owner, place, "Europe/Moscow")


@pytest.mark.parametrize(
    ("zone", "keep", "moved_by", "before", "after"),
    [
        (ATHENS, "instant", 0, "22:00 (Berlin time)", "Tue 5 Jan, 23:00"),
        (ATHENS, "clock", -60, "22:00 (Berlin time)", "Tue 5 Jan, 22:00"),
        (LISBON, "instant", 0, "22:00 (Berlin time)", "Tue 5 Jan, 21:00"),
        (LISBON, "clock", 60, "22:00 (Berlin time)", "Tue 5 Jan, 22:00"),
    ],
)
def test_the_picked_way_is_gone_and_everybody_is_told(
    owner: Client, client: Client, place: Studio, zone: str, keep: str, moved_by: int, before: str, after: str
) -> None:
    booking = booked(place, 22)
    told()
    mail.outbox.clear()
    was = (booking.starts_at, booking.ends_at, booking.ical_sequence)
    claimed = claims()
    by = timedelta(minutes=moved_by)

    page = change(owner, place, zone, keep)

    booking.refresh_from_db()
    line = booking.lines.get()
    assert "1 booking ahead was changed" in page
    assert Location.objects.get().time_zone == zone
    assert (booking.starts_at, booking.ends_at, booking.ical_sequence) == (was[0] + by, was[1] + by, was[2] + 1)
    assert (line.starts_at, line.ends_at) == (booking.starts_at, booking.ends_at)
    assert claims() == [(resource, low + moved_by, high + moved_by) for resource, low, high in claimed]
    history = SettingsChange.objects.get()
    assert (history.field, history.old, history.new, history.actor_name) == (
        "time_zone",
        "Europe/Berlin",
        zone,
        "Olivia",
    )
    assert history.details == {"kept": keep, "bookings": 1}
    bodies = told()
    assert len(bodies) == 2
    for body in bodies:
        assert f"Before: Tue 5 Jan, {before}" in body
        assert after in body
    shown = client.get(link(booking)).content.decode()
    assert f"Tue 5 Jan, {before}" in shown
    assert after in shown


def test_clock_times_that_would_collide_are_refused_with_the_list(owner: Client, place: Studio) -> None:
    """The therapist works at a second place, where the hour is taken that 10:00 in Athens would be."""
    elsewhere = factories.location(opening=(0, 1440), name="Mitte")
    place.variant.service.locations.add(elsewhere)
    person = place.staff[0]
    WorkingHours.objects.bulk_create(
        WorkingHours(staff_member=person, location=elsewhere, weekday=day, start_minute=0, end_minute=1440)
        for day in range(7)
    )
    booking, fine = booked(place, 10), booked(place, 15)
    booked(place, start_minute=place.minute(9), location_id=elsewhere.pk)

    page = change(owner, place, ATHENS, "clock")

    assert "these bookings would meet others or be in the past" in page
    assert spoken(booking.reference) in page
    assert spoken(fine.reference) not in page
    assert Location.objects.get(pk=place.location.pk).time_zone == "Europe/Berlin"
    assert not SettingsChange.objects.exists()


def test_clock_times_that_would_be_over_are_refused(owner: Client, place: Studio) -> None:
    booking = booked(place, start_minute=place.minute(7, 30, days=0))

    page = change(owner, place, ATHENS, "clock")

    assert spoken(booking.reference) in page
    assert "be in the past" in page
    assert Location.objects.get().time_zone == "Europe/Berlin"


def test_neighbours_move_into_the_time_of_one_another(owner: Client, place: Studio) -> None:
    first, second = booked(place, 10), booked(place, 11)

    change(owner, place, ATHENS, "clock")

    starts = {booking.pk: booking.starts_at.astimezone(ZoneInfo(ATHENS)).hour for booking in Booking.objects.all()}
    assert starts == {first.pk: 10, second.pk: 11}


def test_a_place_without_bookings_ahead_changes_at_once(owner: Client, place: Studio) -> None:
    change(owner, place, ATHENS)

    assert Location.objects.get().time_zone == ATHENS
    assert SettingsChange.objects.get().details == {"kept": "instant", "bookings": 0}
