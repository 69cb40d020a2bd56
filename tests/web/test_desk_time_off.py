"""Time off at the desk: asked for by therapists, answered by managers, blocked by the front desk."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.test import Client

from bookings.errors import SlotNotOffered
from services.models import Location
from staff.enums import Role, TimeOffStatus
from staff.models import Access, TimeOff, WorkingHours
from staff.operations import add_time_off, answer_time_off
from tests import factories, journeys
from tests.factories import Studio
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock


@pytest.fixture
def place(db: None, stopped: StoppedClock) -> Studio:
    made = factories.studio()
    stopped.at = made.at(7)
    return made


def asked(place: Studio, starts: datetime, ends: datetime) -> TimeOff:
    return add_time_off(
        resource_id=place.staff[0].resource_id,
        starts_at=starts,
        ends_at=ends,
        reason="Dentist",
        status=TimeOffStatus.REQUESTED,
    )


def sign_in(client: Client, role: Role, place: Studio | None = None) -> None:
    sign_in_staff(client, factories.desk_user(role, place.location if place else None))


def test_a_manager_sees_what_a_request_hits_and_approves_it(client: Client, place: Studio) -> None:
    booking = journeys.booked(place, 10)
    request = asked(place, place.at(9), place.at(12))
    sign_in(client, Role.MANAGER, place)
    waiting = client.get("/desk/hands/").content.decode()
    assert "1 request for time off" in waiting
    assert int(waiting.split('class="desk-count">')[1].split("<")[0]) == 1
    assert "Nothing needs hands" not in waiting
    page = client.get("/desk/time-off/").content.decode()
    assert "1 booking lies in this time" in page
    assert f"/desk/bookings/{booking.reference}/move" in page

    response = client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "approve"})

    assert response.status_code == 303
    request.refresh_from_db()
    booking.refresh_from_db()
    assert (request.status, booking.status) == (TimeOffStatus.APPROVED, "confirmed")
    with pytest.raises(SlotNotOffered):
        journeys.hold(place, 11, now=place.at(7))


def test_a_request_counts_only_for_those_who_answer_it(client: Client, place: Studio) -> None:
    asked(place, place.at(9), place.at(12))
    sign_in(client, Role.FRONT_DESK, place)
    assert "desk-count" not in client.get("/desk/hands/").content.decode()


def test_a_declined_request_blocks_nothing_and_the_first_answer_stays(client: Client, place: Studio) -> None:
    request = asked(place, place.at(9), place.at(12))
    sign_in(client, Role.OWNER)

    client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "decline"})
    client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "approve"})
    client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "perhaps"})

    request.refresh_from_db()
    assert request.status == TimeOffStatus.DECLINED
    assert journeys.hold(place, 10, now=place.at(7))


def test_the_front_desk_blocks_time_and_frees_it_again(client: Client, place: Studio) -> None:
    booking = journeys.booked(place, 10)
    sign_in(client, Role.FRONT_DESK, place)
    values = {
        "resource": str(place.staff[0].resource_id),
        "starts_at": "2027-01-05T10:00",
        "ends_at": "2027-01-05T14:00",
        "reason": "Team meeting",
    }

    done = client.post("/desk/time-off/", values, follow=True).content.decode()

    assert "1 booking lies in this time: decide" in done
    assert booking.reference in done
    with pytest.raises(SlotNotOffered):
        journeys.hold(place, 12, now=place.at(7))
    client.post(f"/desk/time-off/{TimeOff.objects.get().pk}/remove")
    assert journeys.hold(place, 12, now=place.at(7))


def test_the_front_desk_does_not_answer_requests(client: Client, place: Studio) -> None:
    request = asked(place, place.at(9), place.at(12))
    sign_in(client, Role.FRONT_DESK, place)

    assert "Approve" not in client.get("/desk/time-off/").content.decode()
    assert client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "approve"}).status_code == 404


def test_people_of_another_location_are_not_theirs(client: Client, place: Studio) -> None:
    request = asked(place, place.at(9), place.at(12))
    elsewhere = factories.location(name="Alfama", slug="alfama", position=2)
    sign_in_staff(client, factories.desk_user(Role.MANAGER, elsewhere))

    assert "Dentist" not in client.get("/desk/time-off/").content.decode()
    assert client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "approve"}).status_code == 404
    assert client.post(f"/desk/time-off/{request.pk}/remove").status_code == 404
    values = {
        "resource": str(place.staff[0].resource_id),
        "starts_at": "2027-01-05T10:00",
        "ends_at": "2027-01-05T14:00",
    }
    assert client.post("/desk/time-off/", values).status_code == 422


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2027-01-05T14:00", "2027-01-05T10:00"),
        ("2020-01-05T10:00", "2020-01-05T14:00"),
        ("9999-12-31T23:58-12:00", "9999-12-31T23:59-12:00"),
        ("x", ""),
    ],
)
def test_time_that_cannot_be_blocked_is_told(client: Client, place: Studio, starts: str, ends: str) -> None:
    sign_in(client, Role.OWNER)
    values = {"resource": str(place.staff[0].resource_id), "starts_at": starts, "ends_at": ends}

    assert client.post("/desk/time-off/", values).status_code == 422
    assert not TimeOff.objects.exists()


def works_also(place: Studio) -> Location:
    """Let the first person also work at a second location."""
    there = factories.location(name="Alfama", slug="alfama", position=2)
    person = place.staff[0]
    WorkingHours.objects.create(staff_member=person, location=there, weekday=0, start_minute=540, end_minute=600)
    return there


def test_bookings_of_other_locations_are_not_shown(client: Client, place: Studio) -> None:
    booking = journeys.booked(place, 10)
    asked(place, place.at(9), place.at(12))
    sign_in_staff(client, factories.desk_user(Role.MANAGER, works_also(place)))

    page = client.get("/desk/time-off/").content.decode()

    assert "Dentist" in page
    assert booking.reference not in page


def test_only_who_manages_the_location_answers(client: Client, place: Studio) -> None:
    request = asked(place, place.at(9), place.at(12))
    user = factories.desk_user(Role.FRONT_DESK, place.location)
    elsewhere = factories.location(name="Alfama", slug="alfama", position=2)
    Access.objects.create(user=user, role=Role.MANAGER, location=elsewhere)
    sign_in_staff(client, user)

    assert "Approve" not in client.get("/desk/time-off/").content.decode()
    assert client.post(f"/desk/time-off/{request.pk}/answer", {"answer": "approve"}).status_code == 404
    assert client.post(f"/desk/time-off/{request.pk}/remove").status_code == 404
    assert TimeOff.objects.get().status == TimeOffStatus.REQUESTED


def test_an_answer_to_a_removed_request_changes_nothing(place: Studio) -> None:
    request = asked(place, place.at(9), place.at(12))
    TimeOff.objects.all().delete()

    assert not answer_time_off(time_off_id=request.pk, approve=True)


def test_the_same_time_off_sent_twice_is_stored_once(place: Studio) -> None:
    first = asked(place, place.at(9), place.at(12))

    assert asked(place, place.at(9), place.at(12)) == first
    answer_time_off(time_off_id=first.pk, approve=False)
    assert asked(place, place.at(9), place.at(12)) != first


def test_time_is_typed_and_shown_on_the_clock_of_the_resource(client: Client, place: Studio) -> None:
    there = factories.location(name="Alfama", slug="alfama", position=2, time_zone="Europe/Lisbon")
    away = factories.staff_member(at=there)
    sign_in(client, Role.OWNER)
    values = {
        "resource": str(away.resource_id),
        "starts_at": "2027-01-05T10:00",
        "ends_at": "2027-01-05T14:00",
    }

    page = client.post("/desk/time-off/", values, follow=True).content.decode()

    assert TimeOff.objects.get().during.lower == datetime(2027, 1, 5, 10, tzinfo=UTC)
    assert "10:00–14:00 · Lisbon time" in page
    assert f"{place.staff[0].name} · Berlin time" in page


# --- from the calendar ------------------------------------------------------------------------------------------------


def test_the_calendar_fills_in_who_from_when_and_until_when(client: Client, place: Studio) -> None:
    other = factories.staff_member(place.variant, at=place.location, name="Zora Vogel")
    sign_in(client, Role.FRONT_DESK, place)
    query = {"resource": other.resource_id, "start": place.minute(12, 15), "end": place.minute(13, 10)}

    html = client.get("/desk/time-off/", query).content.decode()

    assert f'<option value="{other.resource_id}" selected>Zora Vogel</option>' in html
    assert 'value="2027-01-05T12:15"' in html
    assert 'value="2027-01-05T13:10"' in html


def test_a_time_is_filled_in_by_the_clock_of_whom_it_is_blocked(client: Client, place: Studio) -> None:
    lisbon = factories.location(name="Alfama", slug="alfama", time_zone="Europe/Lisbon")
    rui = factories.staff_member(place.variant, at=lisbon, name="Rui Costa")
    sign_in(client, Role.OWNER)
    query = {"resource": rui.resource_id, "start": place.minute(12), "end": place.minute(13)}

    html = client.get("/desk/time-off/", query).content.decode()

    assert 'value="2027-01-05T11:00"' in html
    assert 'value="2027-01-05T12:00"' in html


@pytest.mark.parametrize("start", ["x", "-1", "9" * 30, "²"])
def test_a_start_that_is_none_fills_in_nothing(client: Client, place: Studio, start: str) -> None:
    sign_in(client, Role.FRONT_DESK, place)

    assert client.get("/desk/time-off/", {"start": start}).status_code == 200


def test_blocked_from_the_calendar_leads_back_there_unless_bookings_lie_in_it(client: Client, place: Studio) -> None:
    journeys.booked(place, 10)
    sign_in(client, Role.FRONT_DESK, place)
    back = "/desk/?at=kreuzberg&on=2027-01-05"
    free, booked = (
        client.post(
            f"/desk/time-off/?{urlencode({'back': back})}",
            {
                "resource": str(place.staff[0].resource_id),
                "starts_at": f"2027-01-05T{hour}:00",
                "ends_at": f"2027-01-05T{hour}:30",
            },
        )
        for hour in (15, 10)
    )

    assert (free.status_code, free["Location"]) == (303, back)
    assert (booked.status_code, booked["Location"]) == (303, "/desk/time-off/")
    evil = client.get("/desk/time-off/", {"back": "https://evil.example/"}).content.decode()
    assert "evil" not in evil


def test_a_notice_names_who_is_blocked_and_offers_to_remove_it(client: Client, place: Studio) -> None:
    sign_in(client, Role.FRONT_DESK, place)
    back = "/desk/?at=kreuzberg&on=2027-01-05"
    values = {
        "resource": str(place.staff[0].resource_id),
        "starts_at": "2027-01-05T15:00",
        "ends_at": "2027-01-05T15:30",
    }

    shown = client.post(f"/desk/time-off/?{urlencode({'back': back})}", values, follow=True).content.decode()

    block = TimeOff.objects.get()
    assert f"{place.staff[0].name}" in shown
    assert "Tue 5 Jan, 15:00–15:30 is blocked. Nobody can book this time." in shown
    assert f'action="/desk/time-off/{block.pk}/remove"' in shown
    removed = client.post(f"/desk/time-off/{block.pk}/remove", {"back": back})
    assert (removed.status_code, removed["Location"]) == (303, back)
    assert not TimeOff.objects.exists()


def test_a_booking_whose_buffer_alone_reaches_into_the_time_off_says_so(
    client: Client, db: None, stopped: StoppedClock
) -> None:
    place = factories.studio(buffer_before_minutes=5, buffer_after_minutes=10)
    stopped.at = place.at(7)
    booking = journeys.booked(place, 10)
    asked(place, booking.ends_at, place.at(12))
    asked(place, place.at(9), booking.starts_at)
    asked(place, place.at(9), place.at(12))
    sign_in(client, Role.MANAGER, place)

    page = client.get("/desk/time-off/").content.decode()

    assert page.count("(only the 10 minutes after it)") == 1
    assert page.count("(only the 5 minutes before it)") == 1
    assert page.count(f'href="/desk/bookings/{booking.reference}/"') == 3
