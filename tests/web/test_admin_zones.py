"""The admin shows instants in the time zone of the location or person of their row."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from bookings.models import Booking
from bookings.operations.links import resend_confirmation
from staff.models import TimeOff
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import DESK, booked
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db
LISBON = ZoneInfo("Europe/Lisbon")


@pytest.fixture
def owner(stopped: StoppedClock) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


@pytest.fixture
def berlin(db: None) -> Studio:
    return factories.studio()


@pytest.fixture
def lisbon(berlin: Studio) -> Studio:
    place = factories.location(name="Alfama", time_zone=LISBON.key)
    made = factories.service(place)
    return Studio(berlin.business, place, made, [factories.staff_member(made, at=place, name="Rui Teixeira")])


def page(owner: Client, model: str, pk: int | None = None, **asked: str) -> str:
    name = f"admin:{model}_changelist" if pk is None else f"admin:{model}_change"
    response = owner.get(reverse(name, args=[] if pk is None else [pk]), asked)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def off(studio: Studio, first: datetime, last: datetime) -> TimeOff:
    return factories.time_off(studio.staff[0].resource, first, last)


def test_time_off_is_shown_as_it_was_typed(owner: Client, lisbon: Studio) -> None:
    noon = off(lisbon, datetime(2027, 1, 12, 12, tzinfo=LISBON), datetime(2027, 1, 12, 15, tzinfo=LISBON))
    off(lisbon, datetime(2027, 1, 13, tzinfo=LISBON), datetime(2027, 1, 14, tzinfo=LISBON))

    listed = page(owner, "staff_timeoff")
    assert "Tue 12 Jan 2027, 12:00" in listed
    assert "Tue 12 Jan 2027, 15:00" in listed
    assert listed.count("Wed 13 Jan 2027") == 2
    assert "Thu 14 Jan 2027" not in listed
    title = "Rui Teixeira, Tue 12 Jan 2027, 12:00 – Tue 12 Jan 2027, 15:00 (Lisbon time)"
    assert title in page(owner, "staff_timeoff", noon.pk)


def test_a_list_with_several_zones_names_them(owner: Client, berlin: Studio, lisbon: Studio) -> None:
    at = datetime(2027, 1, 12, 12, tzinfo=UTC)
    for studio in (berlin, lisbon):
        off(studio, at, at.replace(hour=15))

    listed = page(owner, "staff_timeoff")

    assert "Tue 12 Jan 2027, 12:00 (Lisbon time)" in listed
    assert "Tue 12 Jan 2027, 13:00 (Berlin time)" in listed


@pytest.mark.parametrize("model", ["bookings_allocation", "bookings_bookingline", "bookings_booking"])
def test_times_of_bookings_are_those_of_their_place(owner: Client, berlin: Studio, lisbon: Studio, model: str) -> None:
    for studio in (berlin, lisbon):
        booked(studio, 11)

    listed = page(owner, model)

    assert "Tue 5 Jan 2027, 11:00 (Berlin time)" in listed
    assert "Tue 5 Jan 2027, 11:00 (Lisbon time)" in listed


@pytest.mark.parametrize(
    "model", ["bookings_bookingevent", "notifications_notification", "payments_bill", "payments_billline"]
)
def test_what_happened_is_told_by_the_clock_of_the_booking(
    owner: Client, berlin: Studio, lisbon: Studio, model: str
) -> None:
    for studio in (berlin, lisbon):
        resend_confirmation(booking_id=booked(studio, 11).pk, actor=DESK, now=NOW)

    listed = page(owner, model)

    assert "Mon 4 Jan 2027, 07:00 (Berlin time)" in listed
    assert "Mon 4 Jan 2027, 06:00 (Lisbon time)" in listed


def test_one_booking_is_shown_by_its_own_clock(owner: Client, lisbon: Studio) -> None:
    booking = booked(lisbon, 11)

    shown = page(owner, "bookings_booking", booking.pk)

    # The visit with its end, and what was written at seven in the morning in Berlin.
    assert set(re.findall(r"Jan 2027, (\d\d:\d\d)", shown)) == {"06:00", "11:00", "12:00"}


def test_today_is_the_day_of_each_place(owner: Client, lisbon: Studio, stopped: StoppedClock) -> None:
    lisbon.location.opening_hours.update(start_minute=0, end_minute=1440)
    lisbon.staff[0].working_hours.update(start_minute=0, end_minute=1440)
    late = booked(lisbon, 22)
    # Half past eleven in the evening in Lisbon; half past midnight of the next day in Berlin.
    stopped.at = lisbon.at(23, 30)

    assert late.contact_name in page(owner, "bookings_booking", when="today")
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("model", ["staff_timeoff", "bookings_allocation", "bookings_bookingevent"])
def test_a_list_asks_no_more_for_more_rows(owner: Client, berlin: Studio, lisbon: Studio, model: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(owner, model)
        return len(asked)

    at = datetime(2027, 1, 12, 12, tzinfo=UTC)
    for studio in (berlin, lisbon):
        booked(studio, 11)
        off(studio, at, at.replace(hour=15))
    few = statements()
    for studio in (berlin, lisbon):
        booked(studio, 14)
        off(studio, at.replace(day=13), at.replace(day=13, hour=15))

    assert statements() == few
