"""A therapist's own pages: who is next, what was done last time, notes, follow-ups, hours and time off."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking, FollowUp, SessionNote
from bookings.operations.cancel import cancel_booking
from bookings.operations.session_notes import add_follow_up, save_session_note
from staff.enums import Role, TimeOffStatus
from staff.models import TimeOff, WorkingHours
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import DESK
from tests.web.conftest import StoppedClock


@pytest.fixture
def place(db: None) -> Studio:
    return factories.studio(staff=2)


@pytest.fixture
def booking(place: Studio) -> Booking:
    """Tomorrow at ten with the first of two people."""
    return journeys.booked(place, 10, staff_member_id=place.staff[0].pk)


@pytest.fixture
def me(client: Client, booking: Booking) -> DeskClient:
    return at_desk(client, Role.THERAPIST, None, of=booking)


def page(me: DeskClient, path: str = "/desk/me/", **query: Any) -> str:
    response = me.client.get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def note(booking: Booking, text: str, version: int = 0) -> SessionNote:
    return save_session_note(booking_id=booking.pk, text=text, expected_version=version, actor=DESK, now=NOW)


def write(me: DeskClient, booking: Booking, text: str, version: int = 0, **more: str) -> Any:
    return me.client.post(f"/desk/bookings/{booking.reference}/note", {"text": text, "version": str(version), **more})


def test_the_day_says_who_is_next_and_what_was_done_last_time(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock
) -> None:
    note(journeys.completed(booking), "Wanted more time on the neck")
    journeys.booked(place, 14, staff_member_id=place.staff[0].pk)
    stopped.at = place.at(13, 40)

    html = page(me)

    assert "Next in 20 min" in html
    assert "Wanted more time on the neck" in html
    assert "1 earlier visit" in html


def test_free_time_is_that_of_the_calendar(db: None, client: Client, stopped: StoppedClock) -> None:
    place = factories.studio(buffer_after_minutes=15)
    person = place.staff[0]
    WorkingHours.objects.filter(staff_member=person).update(end_minute=13 * 60)
    for weekday in range(7):
        WorkingHours.objects.create(
            staff_member=person, location=place.location, weekday=weekday, start_minute=14 * 60, end_minute=17 * 60
        )
    first = journeys.booked(place, 10, staff_member_id=person.pk)
    journeys.booked(place, 15, staff_member_id=person.pk)
    me = at_desk(client, Role.THERAPIST, None, of=first)
    stopped.at = place.at(8)

    html = page(me)

    rows = re.findall(r"<small>(\d\d:\d\d)</small></span>\s*<span class=\"me-gap\">([^<]*)<", html)
    assert rows == [("11:15", "Free for 1 h 45 min"), ("14:00", "Free for 1 h")]


def test_only_own_visits_are_there_in_all_views(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock
) -> None:
    other = journeys.booked(
        place,
        12,
        staff_member_id=place.staff[1].pk,
        contact=replace(journeys.JANA, name="Someone Else", email="x@example.com"),
    )
    stopped.at = place.at(8)

    for view in ("day", "week", "list"):
        html = page(me, view=view)
        assert booking.reference in html
        assert other.reference not in html
        assert "Someone Else" not in html
    assert me.client.get(f"/desk/bookings/{other.reference}/visit").status_code == 404
    assert write(me, other, "Not mine").status_code == 404


def test_a_note_is_saved_while_it_is_typed_and_says_so(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock
) -> None:
    stopped.at = place.at(10, 30)

    answer = write(me, booking, "Neck first", autosave="1").json()

    assert answer == {"version": 1, "saved": "Saved 10:30"}
    assert SessionNote.objects.get().text == "Neck first"
    assert write(me, booking, "Neck first, then back", 1).status_code == 303


def test_a_note_that_was_changed_elsewhere_shows_both_texts(me: DeskClient, booking: Booking) -> None:
    note(booking, "From the tablet")

    refused = write(me, booking, "From the phone", autosave="1")
    shown = write(me, booking, "From the phone")

    assert (refused.status_code, shown.status_code) == (409, 409)
    assert "version" not in refused.json()
    html = shown.content.decode()
    assert "From the phone" in html
    assert "From the tablet" in html
    assert SessionNote.objects.get().text == "From the tablet"


def test_the_note_says_whose_unsent_text_may_be_restored(me: DeskClient, booking: Booking) -> None:
    html = page(me, f"/desk/bookings/{booking.reference}/visit")

    assert f'data-user="{me.client.session["_auth_user_id"]}"' in html


@pytest.mark.parametrize("values", [{"version": "x"}, {"version": "-1"}, {"version": "0", "text": "x" * 10_001}, {}])
def test_wrong_input_is_shown_and_saves_nothing(me: DeskClient, booking: Booking, values: dict[str, str]) -> None:
    response = me.client.post(f"/desk/bookings/{booking.reference}/note", values)

    assert response.status_code == 422
    assert not SessionNote.objects.exists()


def test_follow_ups_show_until_they_are_done(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock
) -> None:
    stopped.at = place.at(11)
    url = f"/desk/bookings/{booking.reference}/follow-up"
    assert me.client.post(url, {"text": "", "due_on": ""}).status_code == 422
    due = (stopped.at + timedelta(days=1)).date().isoformat()
    assert me.client.post(url, {"text": "Send the neck exercises", "due_on": due}).status_code == 303
    assert "Send the neck exercises" in page(me)

    done = {"follow_up": str(FollowUp.objects.get().pk), "back": "me"}
    assert me.client.post(f"{url}-done", done)["Location"] == "/desk/me/"

    assert "Send the neck exercises" not in page(me)


def test_the_front_desk_does_not_read_session_notes(client: Client, booking: Booking, place: Studio) -> None:
    note(booking, "Slept badly")
    desk = at_desk(client, Role.FRONT_DESK, place.location)

    assert desk.page(booking, "visit").status_code == 404
    assert write(desk, booking, "x", 1).status_code == 404
    assert "Slept badly" not in desk.page(booking).content.decode()


def test_time_off_is_asked_for_and_blocks_nothing_before_it_is_approved(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock
) -> None:
    stopped.at = place.at(8)
    values = {"starts_at": "2027-01-06T12:00", "ends_at": "2027-01-06T16:00", "reason": "Dentist"}

    assert me.client.post("/desk/me/time-off", values).status_code == 303

    asked = TimeOff.objects.get()
    assert (asked.status, asked.during.lower) == (TimeOffStatus.REQUESTED, place.at(12, days=2))
    html = page(me, "/desk/me/time-off")
    assert "Wed 6 Jan, 12:00–16:00" in html
    assert "On the clock of" not in html
    assert "Dentist" in html
    assert "waiting for approval" in html
    assert journeys.booked(place, 13, staff_member_id=place.staff[0].pk, start_minute=place.minute(13, days=2))


@pytest.mark.parametrize(
    "values",
    [
        {"starts_at": "2027-01-06T16:00", "ends_at": "2027-01-06T12:00"},
        {"starts_at": "2026-01-06T12:00", "ends_at": "2026-01-06T16:00"},
        {"starts_at": "2027-01-06T12:00", "ends_at": "2029-01-06T16:00"},
        {"starts_at": "9999-12-31T23:58-12:00", "ends_at": "9999-12-31T23:59-12:00"},
        {"starts_at": "yesterday", "ends_at": ""},
    ],
)
def test_time_off_that_cannot_be_is_told(
    me: DeskClient, place: Studio, stopped: StoppedClock, values: dict[str, str]
) -> None:
    stopped.at = place.at(8)

    assert me.client.post("/desk/me/time-off", values).status_code == 422
    assert not TimeOff.objects.exists()


def test_time_off_is_typed_on_the_clock_of_the_place_that_is_chosen(
    me: DeskClient, place: Studio, stopped: StoppedClock
) -> None:
    stopped.at = place.at(8)
    alfama = factories.location(name="Alfama", slug="alfama", position=0, time_zone="Europe/Lisbon")
    marek = place.staff[0]
    WorkingHours.objects.create(staff_member=marek, location=alfama, weekday=5, start_minute=540, end_minute=600)
    html = page(me, "/desk/me/time-off")
    # First the clock on which managers read it, though the other place comes first in the business.
    assert html.index("Kreuzberg · Berlin time") < html.index("Alfama · Lisbon time")
    values = {"starts_at": "2027-01-06T12:00", "ends_at": "2027-01-06T16:00", "reason": "Dentist"}

    assert me.client.post("/desk/me/time-off", values).status_code == 422
    me.client.post("/desk/me/time-off", {**values, "clock": "Europe/Lisbon"})

    assert TimeOff.objects.get().during.lower == place.at(13, days=2)
    assert "Wed 6 Jan, 13:00–17:00 · Berlin time" in page(me, "/desk/me/time-off")


def test_somebody_without_own_visits_has_no_such_pages(client: Client, booking: Booking, place: Studio) -> None:
    at_desk(client, Role.OWNER)

    assert client.get("/desk/me/").status_code == 404


def test_the_number_of_statements_does_not_grow_with_the_day(
    me: DeskClient, booking: Booking, place: Studio, stopped: StoppedClock, django_assert_max_num_queries: Any
) -> None:
    stopped.at = place.at(8)
    for hour in (12, 14, 16):
        journeys.booked(place, hour, staff_member_id=place.staff[0].pk)

    with django_assert_max_num_queries(21):
        page(me, view="week")


def test_a_follow_up_without_a_day_stands_on_the_page_of_the_visit(booking: Booking, me: DeskClient) -> None:
    add_follow_up(booking_id=booking.pk, text="Book again", due_on=None, actor=DESK, now=NOW)

    assert "Book again" in page(me, f"/desk/bookings/{booking.reference}/visit")


def test_an_own_booking_opens_what_others_wrote_until_it_is_called_off(
    client: Client, place: Studio, stopped: StoppedClock
) -> None:
    first = journeys.booked(place, 10, staff_member_id=place.staff[1].pk)
    note(journeys.completed(first), "Slept badly")
    add_follow_up(booking_id=first.pk, text="Send the exercises", due_on=None, actor=DESK, now=NOW)
    own = journeys.booked(place, 14, staff_member_id=place.staff[0].pk)
    add_follow_up(booking_id=own.pk, text="Bring oil", due_on=NOW.date(), actor=DESK, now=NOW)
    me = at_desk(client, Role.THERAPIST, None, of=own)
    stopped.at = place.at(12)

    html = page(me, f"/desk/bookings/{own.reference}/visit")
    assert "Slept badly" in html
    assert "Send the exercises" in html
    assert "Bring oil" in page(me)

    cancel_booking(
        booking_id=own.pk,
        expected_sequence=own.ical_sequence,
        expected_fee_minor=0,
        actor=DESK,
        now=stopped.at,
        reason="",
    )
    assert me.page(own, "visit").status_code == 404
    assert write(me, own, "x").status_code == 404
    assert "Bring oil" not in page(me)
