"""Moving and reassigning at the desk: choose, see the effects, confirm; by the rules, or against them with a reason."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from bookings.models import Booking, BookingEvent
from bookings.operations.cancel import cancel_booking
from bookings.operations.visit_progress import start_visit
from bookings.rules.moving import UNDO_TIME
from core import clock
from notifications.operations import send_due
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import DESK


@pytest.fixture
def place(db: None) -> Studio:
    return factories.studio(staff=2)


@pytest.fixture
def desk(client: Client, place: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, place.location)


@pytest.fixture
def booking(place: Studio) -> Booking:
    """Tomorrow at ten with the first of two people."""
    return journeys.booked(place, 10, staff_member_id=place.staff[0].pk)


def times(desk: DeskClient, booking: Booking, **query: Any) -> list[str]:
    """The times that the page offers, as they are written."""
    html = desk.page(booking, "move", **query).content.decode()
    return re.findall(r"<b>(\d\d:\d\d)</b>", html)


def to(place: Studio, hour: int, minute: int = 0, person: int = 0, **more: Any) -> dict[str, Any]:
    return {"start": place.minute(hour, minute), "who": place.staff[person].pk, **more}


def stands(booking: Booking) -> tuple[Any, int | None]:
    booking.refresh_from_db()
    return booking.starts_at, booking.lines.get().staff_member_id


def test_the_page_offers_the_free_times_of_its_day_without_its_own(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    journeys.booked(place, 14, staff_member_id=place.staff[0].pk)

    found = times(desk, booking, who=place.staff[0].pk)

    assert "09:00" in found
    assert "11:00" in found
    assert not {"10:00", "13:30", "14:00", "14:30"} & set(found)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-01-01", "9999-12-31"])
def test_a_day_of_another_age_opens_the_usual_day(desk: DeskClient, booking: Booking, day: str) -> None:
    assert times(desk, booking, on=day) == times(desk, booking)
    assert desk.page(booking, "move", on=day, at="23:59").status_code == 200


def test_only_people_who_work_at_the_place_or_perform_the_visit_can_be_chosen(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    elsewhere = factories.location(name="Alfama", slug="alfama")
    stranger = factories.staff_member(place.variant, at=elsewhere, name="Rui Costa")
    place.staff[0].working_hours.all().delete()

    page = desk.page(booking, "move").content.decode()
    asked = desk.page(booking, "move", start=place.minute(10), who=stranger.pk).content.decode()

    assert [each.name in page for each in (*place.staff, stranger)] == [True, True, False]
    assert "This person does not perform this service." in asked


def test_moving_says_from_when_to_when_and_who_is_told_then_does_it(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    page = desk.page(booking, "move", **to(place, 15)).content.decode()
    assert "From Tue 5 Jan, 10:00 to Tue 5 Jan, 15:00." in page
    assert "Move to Tue 5 Jan, 15:00" in page
    assert stands(booking)[0] == place.at(10)

    response = desk.do(booking, "move", query=to(place, 15), reason="Asked by phone")

    assert response.status_code == 303
    assert stands(booking) == (place.at(15), place.staff[0].pk)
    event = BookingEvent.objects.filter(booking=booking, kind="moved").get()
    assert (event.reason, event.channel, event.actor_name) == ("Asked by phone", "desk", str(desk.user))
    send_due(now=clock.now() + UNDO_TIME, limit=50)
    assert any("15:00" in message.body for message in mail.outbox if "jana@example.com" in message.to)


def test_the_same_time_goes_to_somebody_else_who_is_free(desk: DeskClient, booking: Booking, place: Studio) -> None:
    other = place.staff[1]
    assert "Same time, another therapist" in desk.page(booking, "move").content.decode()

    desk.do(booking, "move", query=to(place, 10, person=1))

    assert stands(booking) == (place.at(10), other.pk)
    assert "Same time, another therapist" in desk.page(booking, "move").content.decode()


def test_a_time_that_is_taken_leads_back_to_those_that_are_free(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    journeys.booked(place, 14, staff_member_id=place.staff[0].pk)

    html = desk.page(booking, "move", **to(place, 14)).content.decode()

    assert "Tue 5 Jan, 14:00 is not free." in html
    assert 'name="request_key"' not in html


def test_a_time_that_is_taken_while_the_page_is_open_is_told_and_nothing_moves(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    form = desk.form(booking, "move", **to(place, 14))
    journeys.booked(place, 14, staff_member_id=place.staff[0].pk)

    response = desk.send(booking, "move", form)

    assert response.status_code == 409
    assert stands(booking) == (place.at(10), place.staff[0].pk)


def test_a_page_that_is_older_than_the_booking_changes_nothing(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    form = desk.form(booking, "move", **to(place, 15))
    desk.do(booking, "move", query=to(place, 12))

    response = desk.send(booking, "move", form)

    assert response.status_code == 409
    assert stands(booking)[0] == place.at(12)


def test_pressing_twice_moves_once(desk: DeskClient, booking: Booking, place: Studio) -> None:
    form = desk.form(booking, "move", **to(place, 15))

    assert desk.send(booking, "move", form).status_code == 303
    assert desk.send(booking, "move", form).status_code == 303

    assert BookingEvent.objects.filter(booking=booking, kind="moved").count() == 1


def test_outside_working_hours_it_names_the_rule_and_wants_a_reason(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    query = to(place, 19)
    page = desk.page(booking, "move", **query).content.decode()
    assert "does not work then." in page
    form = desk.form(booking, "move", **query)

    assert desk.send(booking, "move", form).status_code == 422
    assert desk.send(booking, "move", form, reason="She stays late").status_code == 303

    assert stands(booking)[0] == place.at(19)
    assert "Exception: outside opening hours, outside working hours" in desk.page(booking).content.decode()


def test_no_reason_takes_time_that_somebody_else_has(desk: DeskClient, booking: Booking, place: Studio) -> None:
    journeys.booked(place, 14, staff_member_id=place.staff[0].pk)
    form = desk.form(booking, "move", **to(place, 15)) | {"start": place.minute(14, 30), "reason": "Please"}

    response = desk.send(booking, "move", form)

    assert response.status_code in {200, 409}
    assert stands(booking)[0] == place.at(10)


def test_a_typed_time_leads_to_what_moving_there_means(desk: DeskClient, booking: Booking, place: Studio) -> None:
    response = desk.page(booking, "move", on="2027-01-06", at="11:30", who=place.staff[0].pk)

    assert response.status_code == 302
    assert f"start={place.minute(11, 30, days=2)}" in response["Location"]


@pytest.mark.parametrize("query", [{"start": "x"}, {"start": "9" * 30}, {"start": "-1"}, {"on": "31.31"}, {"who": "x"}])
def test_wrong_input_shows_the_free_times(desk: DeskClient, booking: Booking, query: dict[str, str]) -> None:
    assert desk.page(booking, "move", **query).status_code == 200


def test_a_mistyped_year_is_seen(desk: DeskClient, booking: Booking, place: Studio) -> None:
    next_year = desk.page(booking, "move", start=place.minute(10, days=366)).content.decode()
    far = desk.page(booking, "move", start=place.minute(10, days=3 * 366)).content.decode()

    assert re.search(r"From Tue 5 Jan, 10:00 to \w+ \d+ Jan 2028, 10:00\.", next_year)
    assert "more than two years ahead" in far
    assert "cannot be read" in desk.page(booking, "move", start="x").content.decode()


def test_a_person_without_the_service_is_not_offered_and_not_taken(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    stranger = factories.staff_member(factories.service(place.location), at=place.location)

    html = desk.page(booking, "move", start=place.minute(15), who=stranger.pk).content.decode()

    assert "This person does not perform this service." in html


def test_what_has_begun_or_is_cancelled_says_so(desk: DeskClient, booking: Booking, place: Studio) -> None:
    other = journeys.booked(place, 12)
    cancel_booking(booking_id=other.pk, expected_fee_minor=0, expected_sequence=0, actor=DESK, now=NOW)
    assert "This booking is cancelled." in desk.page(other, "move").content.decode()

    start_visit(booking_id=booking.pk, expected_sequence=0, actor=DESK, now=place.at(10))
    assert "The visit has begun" in desk.page(booking, "move").content.decode()


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_who_may_not_move_does_not_learn_of_the_page(
    client: Client, booking: Booking, place: Studio, role: Role
) -> None:
    desk = at_desk(client, role, place.location, of=booking if role == Role.THERAPIST else None)

    assert desk.page(booking, "move").status_code == 404
    assert "/move" not in desk.page(booking).content.decode()


def test_the_zone_is_named_where_places_have_several(client: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    desk = at_desk(client, place=studio.location)
    steps = ("move", "cancel", "length")
    before = [desk.page(booking, step).content.decode() for step in steps]
    factories.location(name="Alfama", slug="alfama", position=2, time_zone="Europe/Lisbon")

    after = [desk.page(booking, step).content.decode() for step in steps]

    assert not any("(Berlin time)" in page for page in before)
    assert all("(Berlin time)" in page for page in after)
