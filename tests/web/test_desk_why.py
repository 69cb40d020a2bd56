"""Why a time is free or not: the engine's answer to one question, with what would change it."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from bookings.models import Booking
from services.models import Location
from staff.enums import Role
from staff.models import Qualification
from staff.operations import add_time_off
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.page_forms import typed

URL = "/desk/why/"
TUESDAY = "2027-01-05"


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


def ask(desk: DeskClient, studio: Studio, time: str = "10:00", *, person: int | None = 0, **query: Any) -> HttpResponse:
    who = "" if person is None else studio.staff[person].slug
    wish = {"at": "kreuzberg", "variant": studio.variant.pk, "who": who, "on": TUESDAY, "time": time}
    return desk.client.get(URL, {**wish, **query})


def text(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def refused(response: HttpResponse) -> list[str]:
    """The questions that were answered with no."""
    parts = text(response).split('<li class="why-row is-no">')[1:]
    return [part.split('why-name">')[1].split("</span>")[0] for part in parts]


def test_every_rule_says_yes_to_a_free_time_and_a_link_books_it(desk: DeskClient, studio: Studio) -> None:
    response = ask(desk, studio)

    assert "Tue 5 Jan, 10:00 is free." in text(response)
    assert (refused(response), text(response).count("why-yes")) == ([], 14)
    query = {"at": "kreuzberg", "service": "massage", "variant": studio.variant.pk, "on": TUESDAY}
    query |= {"start": studio.minute(10), "who": studio.staff[0].slug}
    assert f"/desk/book/?{urlencode(query)}".replace("&", "&amp;") in text(response)


def test_a_length_without_a_name_is_called_by_its_minutes(desk: DeskClient, studio: Studio) -> None:
    response = ask(desk, studio)

    assert "Deep tissue massage, 60 min</option>" in text(response)
    assert "Deep tissue massage, 60 min</span>" in text(response)


def test_a_booking_in_the_way_is_named_and_can_be_opened(desk: DeskClient, studio: Studio) -> None:
    booking = booked(studio, 10, staff_member_id=studio.staff[0].pk)
    response = ask(desk, studio, "10:30")

    assert "Tue 5 Jan, 10:30 is not free." in text(response)
    assert refused(response) == ["Is Marek free for all of it?"]
    assert f'href="/desk/bookings/{booking.reference}/"' in text(response)
    assert booking.contact_name in text(response)
    assert "Book it anyway" not in text(response)


def test_a_time_that_somebody_holds_has_no_booking_to_open(desk: DeskClient, studio: Studio) -> None:
    hold(studio, 10, staff_member_id=studio.staff[0].pk)
    response = ask(desk, studio)

    assert refused(response) == ["Is Marek free for all of it?"]
    assert Booking.objects.get().reference not in text(response)


def test_time_off_and_hours_are_named_and_may_be_set_aside(desk: DeskClient, studio: Studio) -> None:
    add_time_off(
        resource_id=studio.staff[0].resource_id, starts_at=studio.at(9), ends_at=studio.at(11), reason="Dentist"
    )

    off, late = ask(desk, studio), ask(desk, studio, "18:00")

    assert refused(off) == ["Is Marek without time off then?"]
    assert 'href="/desk/time-off/"' in text(off)
    assert "Does Marek work then?" in refused(late)
    assert all("Book it anyway, with a reason" in text(each) for each in (off, late))


def test_anyone_gets_one_line_for_each_therapist(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 10, staff_member_id=studio.staff[0].pk)
    response = ask(desk, studio, person=None)

    assert refused(response) == ["Marek"]
    assert "Tue 5 Jan, 10:00 is free." in text(response)
    assert f"who={studio.staff[1].slug}" in text(response)


def test_the_nearest_free_times_include_the_same_time_with_another(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 10, staff_member_id=studio.staff[0].pk)
    response = ask(desk, studio)

    nearest = text(response).split("why-nearest")[2]
    assert "Tue 5 Jan, 10:00 <small>Ana</small>" in nearest
    assert nearest.count("<small>Marek</small>") == 2


def test_a_therapist_who_does_not_perform_the_service_is_said(desk: DeskClient, studio: Studio) -> None:
    other = factories.staff_member(factories.service(studio.location), at=studio.location, name="Nele Berg")
    response = ask(desk, studio, who=other.slug)

    assert refused(response) == ["Does Nele perform this service?"]
    assert "Not asked" in text(response)


def test_a_time_between_the_starts_is_said(desk: DeskClient, studio: Studio) -> None:
    assert refused(ask(desk, studio, "10:07")) == ["Is it one of the start times?"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"variant": "999999"}, "Choose a service of this location."),
        ({"who": "nobody"}, "Choose a therapist of this location."),
        ({"on": "2026-12-01"}, "This day is past."),
        ({"on": "9999-12-31"}, "2100"),
        ({"on": "yesterday"}, "Enter a valid date."),
        ({"time": "25:00"}, "Type a time, such as 14:30."),
        ({"on": "2027-03-28", "time": "02:30"}, "The clock skips this time on that day."),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(
    desk: DeskClient, studio: Studio, query: dict[str, str], sentence: str
) -> None:
    response = ask(desk, studio, **query)

    assert response.status_code == 422
    assert sentence in text(response)


def test_the_page_opens_with_what_a_link_names(desk: DeskClient, studio: Studio) -> None:
    query = {"variant": studio.variant.pk, "who": studio.staff[1].slug, "on": TUESDAY}
    values = typed(desk.client.get(URL, query).content.decode())

    assert (values["variant"], values["who"], values["on"]) == (str(studio.variant.pk), query["who"], TUESDAY)


def test_the_pages_where_a_time_is_missed_lead_here(desk: DeskClient, studio: Studio) -> None:
    slug, variant = studio.staff[0].slug, studio.variant.pk
    calendar = desk.client.get("/desk/", {"at": "kreuzberg", "on": TUESDAY, "who": slug})
    phone = desk.client.get("/desk/book/", {"at": "kreuzberg", "service": "massage", "on": TUESDAY, "who": slug})
    move = desk.page(booked(studio, 10, staff_member_id=studio.staff[0].pk), "move")

    assert f'href="/desk/why/?at=kreuzberg&amp;who={slug}&amp;on={TUESDAY}"' in text(calendar)
    assert f'href="/desk/why/?at=kreuzberg&amp;variant={variant}&amp;who={slug}&amp;on={TUESDAY}"' in text(phone)
    assert f'href="/desk/why/?at=kreuzberg&amp;variant={variant}&amp;on={TUESDAY}"' in text(move)


def test_another_place_is_not_found(desk: DeskClient, studio: Studio) -> None:
    other: Location = factories.location(name="Alfama", slug="alfama")
    assert ask(desk, studio, at=other.slug).status_code == 404


def test_a_therapist_finds_no_page(client: Client, studio: Studio) -> None:
    assert ask(at_desk(client, Role.THERAPIST, studio.location), studio).status_code == 404


def test_who_books_for_nobody_sees_the_answer_without_ways_to_book(client: Client, studio: Studio) -> None:
    response = ask(at_desk(client, Role.AUDITOR, studio.location), studio)

    assert "is free." in text(response)
    assert "/desk/book/" not in text(response)


@pytest.mark.parametrize("person", [0, None])
def test_the_number_of_queries_does_not_grow(
    desk: DeskClient, studio: Studio, person: int | None, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        factories.staff_member(studio.variant, at=studio.location, name=f"Therapist {number}")
        booked(studio, 9 + number % 6, staff_member_id=studio.staff[number % 2].pk, start_minute=_start(studio, number))

    with django_assert_max_num_queries(22):
        assert ask(desk, studio, person=person).status_code == 200


def _start(studio: Studio, number: int) -> int:
    return studio.minute(9 + number // 2, days=1 + number // 12)


def test_a_room_that_is_taken_is_named_with_the_booking(desk: DeskClient, studio: Studio) -> None:
    kind = factories.resource_type()
    room = factories.room(studio.location, kind)
    factories.requirement(studio.variant.service, kind)
    booking = booked(studio, 10, staff_member_id=studio.staff[1].pk)
    response = ask(desk, studio)

    assert refused(response) == ["Are enough rooms and devices free?"]
    assert f"{room.name} is taken" in text(response)
    assert f'href="/desk/bookings/{booking.reference}/"' in text(response)


def test_a_time_that_only_buffers_refuse_says_so(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 10, staff_member_id=studio.staff[0].pk)
    variant = factories.service(studio.location, buffer_before_minutes=15)
    Qualification.objects.create(staff_member=studio.staff[0], variant=variant)
    response = ask(desk, studio, "11:00", variant=variant.pk)

    assert "The time before and after the visit does not fit." in text(response)
    assert "Book it anyway, with a reason" in text(response)


def test_a_court_is_asked_about_without_a_therapist(desk: DeskClient, studio: Studio) -> None:
    court = factories.service(studio.location, name="Court", needs_staff=False)
    response = ask(desk, studio, variant=court.pk, person=None)

    assert (refused(response), "is free." in text(response)) == ([], True)
    assert "Rule by rule" in text(response)
    assert "the person" not in text(response)
