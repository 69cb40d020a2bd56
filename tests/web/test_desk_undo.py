"""The notice of a move at the desk, with the button that undoes it within a minute."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from bookings.models import Booking, BookingEvent
from core import clock
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.web.page_forms import typed


@pytest.fixture
def place(db: None) -> Studio:
    return factories.studio(staff=2)


@pytest.fixture
def desk(client: Client, place: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, place.location)


@pytest.fixture
def booking(place: Studio, desk: DeskClient, monkeypatch: pytest.MonkeyPatch) -> Booking:
    """Moved at the desk from ten to two, and from the first to the second therapist."""
    first, second = place.staff
    booking = journeys.booked(place, 10, staff_member_id=first.pk)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    query = {"start": place.minute(14), "who": second.pk}
    assert desk.do(booking, "move", query=query).status_code == 303
    booking.refresh_from_db()
    return booking


def notice(html: str) -> str:
    return html.split("data-undo-until")[1].split("</form>", maxsplit=1)[0] if "data-undo-until" in html else ""


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> datetime:
    moment = NOW + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


def test_the_notice_says_where_the_booking_is_and_undoes_the_move(
    desk: DeskClient, booking: Booking, place: Studio
) -> None:
    html = desk.page(booking).content.decode()
    found = notice(html)
    until, now = (int(re.findall(rf'{name}="(\d+)"', html)[0]) for name in ("data-undo-until", "data-now"))

    assert f"The booking is now on Tue 5 Jan, 14:00 with {place.staff[1].short_name}." in found
    assert until - now == 60_000

    response = desk.send(booking, "undo-move", typed(found))

    assert response.status_code == 303
    booking.refresh_from_db()
    assert (booking.starts_at, booking.lines.get().staff_member_id) == (place.at(10), place.staff[0].pk)
    after = desk.page(booking).content.decode()
    assert "The move is undone. The booking is back on Tue 5 Jan, 10:00 with" in after
    assert "Move undone: back to Tue 5 Jan, 10:00" in after
    assert not notice(after)


def test_pressing_twice_undoes_once(desk: DeskClient, booking: Booking) -> None:
    form = typed(notice(desk.page(booking).content.decode()))

    assert [desk.send(booking, "undo-move", form).status_code for _ in range(2)] == [303, 303]

    assert BookingEvent.objects.filter(booking=booking, kind="moved").count() == 2


def test_opened_by_its_address_it_asks_first(desk: DeskClient, booking: Booking, place: Studio) -> None:
    page = desk.page(booking, "undo-move").content.decode()
    assert "Undo the move?" in page
    assert "It goes back to Tue 5 Jan, 10:00 with" in page

    assert desk.do(booking, "undo-move").status_code == 303

    booking.refresh_from_db()
    assert booking.starts_at == place.at(10)


def test_after_a_minute_there_is_no_button_and_the_form_says_why(
    desk: DeskClient, booking: Booking, monkeypatch: pytest.MonkeyPatch, place: Studio
) -> None:
    form = typed(notice(desk.page(booking).content.decode()))
    later(monkeypatch, 60)

    response = desk.send(booking, "undo-move", form)

    assert response.status_code == 409
    assert "A minute has passed, so the move can no longer be undone" in response.content.decode()
    assert not notice(desk.page(booking).content.decode())
    booking.refresh_from_db()
    assert booking.starts_at == place.at(14)


def test_a_booking_that_was_moved_again_meanwhile_stays(desk: DeskClient, booking: Booking, place: Studio) -> None:
    form = typed(notice(desk.page(booking).content.decode()))
    desk.do(booking, "move", query={"start": place.minute(16), "who": place.staff[1].pk})

    response = desk.send(booking, "undo-move", form)

    assert response.status_code == 409
    assert "has changed since" in response.content.decode()
    booking.refresh_from_db()
    assert booking.starts_at == place.at(16)


def test_a_former_time_that_is_taken_says_so(desk: DeskClient, booking: Booking, place: Studio) -> None:
    form = typed(notice(desk.page(booking).content.decode()))
    journeys.hold(place, 10, staff_member_id=place.staff[0].pk)

    response = desk.send(booking, "undo-move", form)

    assert response.status_code == 409
    assert "The former time is taken by now" in response.content.decode()


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_who_may_not_move_sees_no_button(client: Client, booking: Booking, place: Studio, role: Role) -> None:
    other = at_desk(Client(), role, place.location, of=booking if role == Role.THERAPIST else None)

    assert not notice(other.page(booking).content.decode())
    assert other.page(booking, "undo-move").status_code == 404
    assert other.send(booking, "undo-move", {}).status_code == 404


def test_from_the_calendar_it_leads_back_to_the_calendar(client: Client, desk: DeskClient, place: Studio) -> None:
    booking = journeys.booked(place, 12, staff_member_id=place.staff[0].pk)
    back = f"/desk/?on=2027-01-05&b={booking.reference}"
    query = {"start": place.minute(15), "who": place.staff[0].pk, "back": back}

    moved = desk.do(booking, "move", query=query)
    panel = desk.client.get(moved["Location"]).content.decode()
    undone = desk.send(booking, "undo-move", typed(notice(panel)))

    assert moved["Location"] == back
    assert undone["Location"].startswith("/desk/?")
    assert f"b={booking.reference}" in undone["Location"]
    chosen = desk.page(booking, "move", on="2027-01-05", back=back).content.decode()
    assert chosen.count("back=%2Fdesk%2F%3Fon%3D2027-01-05") > 3
