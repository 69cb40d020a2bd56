"""How a visit goes on, as staff mark it at the desk: one press each, from its day on, and each taken back again."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client

from bookings.models import Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import DESK
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed

MARKS = ("arrived", "start", "complete", "not-arrived", "not-started", "not-completed")


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return journeys.booked(studio, 10)


def buttons(desk: DeskClient, booking: Booking) -> dict[str, dict[str, str]]:
    """What each button on the page of the booking sends, by its word; the filled one is first, marked by a star."""
    html = desk.page(booking).content.decode()
    found = {}
    for form in re.findall(r'<form method="post" action="/desk/bookings/.*?</form>', html, re.DOTALL):
        if 'name="seen"' not in form:
            continue
        word = re.sub(r"<[^>]+>", "", form.split("<button")[1].split(">", 1)[1]).strip()
        values = {**typed(form), "url": form.split('action="')[1].split('"')[0]}
        found[("*" if "button-main" in form else "") + unescape(word)] = values
    return found


def press(desk: DeskClient, booking: Booking, word: str) -> HttpResponse:
    values = buttons(desk, booking)[word]
    return desk.client.post(values["url"], values)


def test_one_button_is_filled_and_it_is_what_the_moment_asks_for(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(7, 59)
    assert list(buttons(desk, booking)) == ["Arrived", "Start"]

    stopped.at = studio.at(8)
    assert list(buttons(desk, booking)) == ["*Arrived", "Start"]
    press(desk, booking, "*Arrived")
    assert list(buttons(desk, booking)) == ["*Start", "Not arrived"]

    stopped.at = studio.at(10)
    press(desk, booking, "*Start")
    assert list(buttons(desk, booking)) == ["*Complete", "Not started yet"]
    press(desk, booking, "*Complete")
    assert list(buttons(desk, booking)) == ["Not completed"]
    assert desk.page(booking).content.decode().count("button-main") == 1

    booking.refresh_from_db()
    assert (booking.status, booking.arrived_at) == ("completed", studio.at(8))


def test_a_visit_that_is_over_and_was_not_marked_asks_for_its_end(
    desk: DeskClient, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.at = booking.ends_at

    assert list(buttons(desk, booking)) == ["*Complete", "Arrived", "Start"]


def test_each_mark_is_taken_back(desk: DeskClient, booking: Booking, stopped: StoppedClock) -> None:
    stopped.at = booking.starts_at

    for word in ("*Arrived", "Not arrived", "*Arrived", "*Start", "Not started yet", "*Start", "*Complete"):
        assert press(desk, booking, word).status_code == 303, word
    press(desk, booking, "Not completed")

    booking.refresh_from_db()
    assert booking.status == "started"


def test_before_its_day_a_visit_says_from_when_it_can_be_marked(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(0) - timedelta(seconds=1)
    html = desk.page(booking).content.decode()
    refused = desk.send(booking, "arrived", {"request_key": "k" * 20, "seen": "x"})

    assert "from Tue 5 Jan" in html
    assert buttons(desk, booking) == {}
    assert refused.status_code == 409
    assert "That can be marked from Tue 5 Jan on." in refused.content.decode()

    stopped.at += timedelta(seconds=1)
    assert list(buttons(desk, booking)) == ["Arrived", "Start"]


def test_a_double_press_marks_once(desk: DeskClient, booking: Booking, stopped: StoppedClock) -> None:
    stopped.at = booking.starts_at
    values = buttons(desk, booking)["Start"]

    answers = [desk.client.post(values["url"], values).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert BookingEvent.objects.filter(booking=booking, to_status="started").count() == 1


def test_a_page_older_than_a_move_marks_nothing_and_asks_again(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(9)
    values = buttons(desk, booking)["Start"]
    reschedule_booking(
        booking_id=booking.pk, start_minute=studio.minute(14), staff_member_id=None,
        expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=stopped.at,
    )  # fmt: skip

    response = desk.client.post(values["url"], values)

    assert response.status_code == 409
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_the_list_of_the_day_shows_how_far_a_visit_is(
    desk: DeskClient, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.at = booking.starts_at

    shown = []
    for step in ("arrived", "start", "complete"):
        desk.do(booking, step)
        row = desk.client.get("/desk/?view=list").content.decode().split('class="booking-state">')[1]
        shown.append(re.sub(r"<[^>]+>", "", row.split('<span class="booking-money')[0]).strip())

    assert shown == ["Arrived", "Started", "Completed"]


@pytest.mark.parametrize("step", MARKS)
def test_a_mark_that_does_not_fit_is_refused_and_looking_changes_nothing(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, step: str
) -> None:
    cancel_booking(
        booking_id=booking.pk, expected_fee_minor=0, expected_sequence=booking.ical_sequence, actor=DESK, now=NOW
    )
    stopped.at = booking.starts_at
    before = BookingEvent.objects.count()

    assert desk.page(booking, step).status_code == 200
    assert desk.send(booking, step, {"request_key": "k" * 20, "seen": "x"}).status_code == 409
    assert BookingEvent.objects.count() == before


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.FRONT_DESK, Role.THERAPIST])
def test_who_is_there_marks(
    client: Client, booking: Booking, studio: Studio, stopped: StoppedClock, role: Role
) -> None:
    stopped.at = booking.starts_at
    desk = at_desk(client, role, studio.location, of=booking)

    assert press(desk, booking, "*Arrived").status_code == 303
    assert press(desk, booking, "*Start").status_code == 303


@pytest.mark.parametrize("step", MARKS)
def test_nobody_else_marks(client: Client, booking: Booking, studio: Studio, stopped: StoppedClock, step: str) -> None:
    other = journeys.booked(studio, 10, staff_member_id=studio.staff[1].pk)
    stopped.at = booking.starts_at

    for desk in (
        at_desk(client, Role.AUDITOR, studio.location),
        at_desk(client, Role.MANAGER, factories.location(name="Alfama")),
        at_desk(client, Role.THERAPIST, of=other),
    ):
        assert desk.page(booking, step).status_code == 404
        assert desk.send(booking, step, {}).status_code == 404
