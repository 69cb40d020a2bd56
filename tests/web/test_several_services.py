"""The pages of a visit of two services: all of them open, and moving it is explained instead of offered."""

import pytest
from django.test import Client

from bookings.links import LinkRole, hold_token
from bookings.models import Booking
from staff.enums import Role
from tests.desk import at_desk
from tests.factories import Studio
from tests.journeys import confirm, held_two
from tests.web.conftest import StoppedClock, agreed, link, slot

pytestmark = pytest.mark.django_db
EXPLAINED = "This visit has several services"


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return confirm(held_two(studio))


def test_its_details_name_both_services_and_people(client: Client, studio: Studio) -> None:
    html = client.get(f"/h/{hold_token(held_two(studio))}/").content.decode()

    assert "€160.00" in html
    assert html.count("Deep tissue massage, 60 min") >= 2
    assert "Marek Nowak" in html
    assert "Ana Silva" in html


def test_a_hold_that_ran_out_leads_back_to_the_times(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    token = hold_token(held_two(studio))
    stopped.pass_minutes(60)

    page = client.get(f"/h/{token}/")

    assert (page.status_code, page.context["alternatives"], page.context["is_free_again"]) == (200, [], False)
    again = client.post(f"/h/{token}/again")
    assert (again.status_code, "is no longer free" in again.content.decode()) == (409, True)


def test_its_customer_sees_it_and_may_cancel_but_not_move_it(client: Client, studio: Studio, booking: Booking) -> None:
    html = client.get(link(booking)).content.decode()

    assert EXPLAINED in html
    assert "Cancel free of charge" in html
    for path in ("confirmed", "cancel", "coming", "calendar.ics"):
        assert client.get(link(booking, path)).status_code == 200, path
    assert client.get(link(booking, "move")).status_code == 302
    moved = client.post(link(booking, "move"), agreed(booking, slot=slot(studio, 14)))
    assert (moved.status_code, EXPLAINED in moved.content.decode()) == (422, True)
    assert client.get(link(booking, role=LinkRole.STAFF)).status_code == 200


def test_the_desk_shows_it_and_explains_that_it_cannot_be_moved(
    client: Client, studio: Studio, booking: Booking
) -> None:
    desk = at_desk(client, Role.FRONT_DESK, studio.location)

    assert "€160.00" in desk.page(booking).content.decode()
    assert EXPLAINED in desk.page(booking, "move").content.decode()
    day = client.get("/desk/", {"on": studio.at(10).date().isoformat()})
    assert (day.status_code, booking.contact_name in day.content.decode()) == (200, True)
