"""Closed days and special hours at the desk, and the bookings that such a change leaves outside the hours."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.enums import EventKind
from bookings.models import Booking, BookingEvent, OutsideHours
from notifications.models import Notification
from payments.queries import balance
from services.models import Closure, SettingsChange
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import Studio
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed

NEW = "/desk/closures/new"
TUESDAY = {"first_on": "2027-01-05", "reason": "Public holiday"}


@pytest.fixture
def place(studio: Studio) -> Studio:
    return studio


@pytest.fixture
def manager(client: Client, place: Studio) -> DeskClient:
    return at_desk(client, Role.MANAGER, place.location)


def form_of(html: str) -> dict[str, Any]:
    """The page's own form, not the one that signs out."""
    return typed(html.split("<main")[1])


def send(desk: DeskClient, url: str = NEW, **changes: Any) -> HttpResponse:
    """Open the page, change its form and send it."""
    page = desk.client.get(url)
    assert page.status_code == 200
    return desk.client.post(url, {**form_of(page.content.decode()), **changes})


def confirm(desk: DeskClient, asked: HttpResponse, url: str = NEW, **choices: str) -> HttpResponse:
    """Send the page that asked about the bookings, with a decision about each by its reference."""
    assert asked.status_code == 200
    decisions = {f"decide_{reference}": choice for reference, choice in choices.items()}
    return desk.client.post(url, {**form_of(asked.content.decode()), **decisions}, follow=True)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(desk: DeskClient, path: str) -> str:
    response = desk.client.get(path)
    assert response.status_code == 200
    return words(response.content.decode())


def test_a_closed_day_without_bookings_is_saved_at_once(manager: DeskClient, place: Studio) -> None:
    done = send(manager, **TUESDAY)

    assert (done.status_code, done["Location"]) == (303, "/desk/closures/")
    row = Closure.objects.get()
    assert (row.start_minute, row.reason) == (None, "Public holiday")
    listed = page(manager, "/desk/closures/")
    assert "Tue 5 Jan 2027 Closed all day Public holiday" in listed
    assert SettingsChange.objects.get().actor == manager.user


def test_days_in_a_row_are_one_entry_with_their_hours(manager: DeskClient, place: Studio) -> None:
    hours = {"kind": "hours", "from_1": "10:00", "until_1": "12:00", "from_2": "13", "until_2": "26:00"}
    send(manager, first_on="2027-01-05", last_on="2027-01-07", **hours)

    assert Closure.objects.count() == 6
    assert "Tue 5 Jan – Thu 7 Jan 2027 Open 10:00–12:00, 13:00–02:00" in page(manager, "/desk/closures/")


def test_before_saving_the_page_lists_the_bookings_with_a_choice_for_each(manager: DeskClient, place: Studio) -> None:
    kept, cancelled, left = (journeys.booked(place, hour) for hour in (9, 11, 13))
    journeys.arrived(cancelled, 8000)

    asked = send(manager, **TUESDAY)

    shown = words(asked.content.decode())
    assert "3 bookings would be outside the hours" in shown
    assert "Nothing is saved yet." in shown
    assert "€80.00 goes back." in shown
    assert not Closure.objects.exists()
    done = confirm(manager, asked, **{kept.reference: "keep", cancelled.reference: "cancel"})
    assert done.redirect_chain == [("/desk/outside-hours/", 303)]
    shown = words(done.content.decode())
    assert "1 booking is cancelled. 1 booking stays as it is. 1 booking is outside the hours" in shown
    assert f"/desk/bookings/{left.reference}/move" in done.content.decode()
    assert {kept.reference, cancelled.reference}.isdisjoint(re.findall(r"/bookings/(\w+)/", done.content.decode()))
    for booking in (kept, cancelled, left):
        booking.refresh_from_db()
    assert [kept.status, cancelled.status, left.status] == ["confirmed", "cancelled", "confirmed"]
    event = BookingEvent.objects.get(kind=EventKind.KEPT)
    assert (event.booking, event.reason) == (kept, "Public holiday")
    assert balance(f"booking:{cancelled.pk}").refunded_minor == 8000
    told = Notification.objects.filter(subject_ref=f"booking:{cancelled.pk}", kind="cancelled")
    assert told.exists()


def test_one_choice_counts_for_all_that_have_none_of_their_own(manager: DeskClient, place: Studio) -> None:
    first, second, third = (journeys.booked(place, hour) for hour in (9, 11, 13))
    journeys.arrived(first, 8000)
    journeys.arrived(second, 2000)
    asked = send(manager, **TUESDAY)
    assert "€100.00 goes back in all." in words(asked.content.decode())
    form = {**form_of(asked.content.decode()), "decide_all": "cancel", f"decide_{third.reference}": "later"}

    manager.client.post(NEW, form)

    for booking in (first, second, third):
        booking.refresh_from_db()
    assert [first.status, second.status, third.status] == ["cancelled", "cancelled", "confirmed"]


def test_the_form_counts_once(manager: DeskClient, place: Studio) -> None:
    booking = journeys.booked(place, 9)
    asked = send(manager, **TUESDAY)
    form = {**form_of(asked.content.decode()), f"decide_{booking.reference}": "keep"}

    first = manager.client.post(NEW, form)
    Closure.objects.all().delete()
    again = manager.client.post(NEW, form)

    assert (first.status_code, again.status_code) == (303, 303)
    assert not Closure.objects.exists()
    assert BookingEvent.objects.filter(kind=EventKind.KEPT).count() == 1


def test_a_booking_that_came_meanwhile_is_shown_before_anything_is_saved(manager: DeskClient, place: Studio) -> None:
    first = journeys.booked(place, 9)
    asked = send(manager, **TUESDAY)
    second = journeys.booked(place, 14)
    form = {**form_of(asked.content.decode()), f"decide_{first.reference}": "cancel"}

    again = manager.client.post(NEW, form)

    assert again.status_code == 409
    html = again.content.decode()
    assert "Another booking would be outside the hours" in html
    assert f"decide_{second.reference}" in html
    # What was chosen is chosen still.
    assert form_of(html)[f"decide_{first.reference}"] == "cancel"
    assert not Closure.objects.exists()
    first.refresh_from_db()
    assert first.status == "confirmed"


def test_a_booking_that_was_moved_meanwhile_is_left_alone(manager: DeskClient, place: Studio) -> None:
    booking = journeys.booked(place, 9)
    asked = send(manager, **TUESDAY)
    form = form_of(asked.content.decode())
    # The page knew an older state of the booking.
    Booking.objects.filter(pk=booking.pk).update(ical_sequence=3)

    done = manager.client.post(NEW, {**form, f"decide_{booking.reference}": "cancel"}, follow=True)

    booking.refresh_from_db()
    assert booking.status == "confirmed"
    assert "1 booking is outside the hours" in words(done.content.decode())


def test_an_entry_is_changed_and_removed(manager: DeskClient, place: Studio) -> None:
    send(manager, first_on="2027-01-05", last_on="2027-01-07", reason="Flood")
    entry = f"/desk/closures/{Closure.objects.earliest('on').pk}/"
    assert form_of(manager.client.get(entry).content.decode())["last_on"] == "2027-01-07"

    send(manager, entry, first_on="2027-01-06", last_on="", reason="Flood again")

    row = Closure.objects.get()
    assert (row.on.isoformat(), row.reason) == ("2027-01-06", "Flood again")
    send(manager, f"/desk/closures/{row.pk}/", do="remove")
    assert not Closure.objects.exists()
    assert "No closed days ahead" in page(manager, "/desk/closures/")


def test_removing_longer_hours_asks_about_their_bookings(manager: DeskClient, place: Studio) -> None:
    hours = {"kind": "hours", "from_1": "9", "until_1": "17", "from_2": "17", "until_2": "20"}
    send(manager, **TUESDAY, **hours)
    for person in place.staff:
        person.working_hours.filter(weekday=1).update(end_minute=1200)
    booking = journeys.booked(place, 18)
    entry = f"/desk/closures/{Closure.objects.earliest('pk').pk}/"

    asked = send(manager, entry, do="remove")

    assert booking.reference in asked.content.decode()
    assert Closure.objects.count() == 2
    done = confirm(manager, asked, entry)
    assert not Closure.objects.exists()
    assert "Removed. The usual hours apply again. 1 booking is outside the hours" in words(done.content.decode())


def test_days_that_have_special_hours_are_replaced_after_a_question(manager: DeskClient, place: Studio) -> None:
    send(manager, **TUESDAY)

    asked = send(manager, first_on="2027-01-05", kind="hours", from_1="10", until_1="12")

    assert "This is replaced: Tue 5 Jan 2027 · Closed all day · Public holiday" in words(asked.content.decode())
    assert Closure.objects.get().start_minute is None
    confirm(manager, asked)
    assert Closure.objects.get().start_minute == 600


@pytest.mark.parametrize(
    ("changes", "words_of_it"),
    [
        ({"first_on": ""}, "required"),
        ({"first_on": "2027-01-06", "last_on": "2027-01-05"}, "before the first day"),
        ({"first_on": "2027-01-01", "last_on": "2027-01-02"}, "That day is over"),
        ({"first_on": "2027-01-05", "last_on": "2027-04-05"}, "longer than two months"),
        ({"kind": "hours"}, "Type the hours"),
        ({"kind": "hours", "from_1": "10"}, "Fill in both times"),
        ({"kind": "hours", "from_1": "10", "until_1": "9"}, "come after the start"),
        ({"kind": "hours", "from_1": "25", "until_1": "26"}, "Start before 24:00"),
        ({"kind": "hours", "from_1": "10", "until_1": "12", "from_2": "11", "until_2": "13"}, "overlaps"),
        ({"kind": "hours", "from_1": "ten", "until_1": "12"}, "Type a time such as"),
        ({"kind": "never"}, "not one of the available choices"),
        ({"places": "999"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_saved_is_told(manager: DeskClient, place: Studio, changes: Any, words_of_it: str) -> None:
    refused = send(manager, **{**TUESDAY, **changes})

    assert refused.status_code == 422
    assert words_of_it in refused.content.decode()
    assert not Closure.objects.exists()


def test_a_manager_decides_only_about_own_locations(client: Client, place: Studio) -> None:
    alfama = factories.location(name="Alfama", slug="alfama", position=2)
    away = Closure.objects.create(location=alfama, on="2027-01-05", reason="Saint Anthony")
    manager = at_desk(client, Role.MANAGER, place.location)

    assert "Saint Anthony" not in page(manager, "/desk/closures/")
    assert manager.client.get(f"/desk/closures/{away.pk}/").status_code == 404
    assert send(manager, **TUESDAY, places=str(alfama.pk)).status_code == 422
    owner = at_desk(client, Role.OWNER)
    send(owner, **TUESDAY, places=[str(place.location.pk), str(alfama.pk)])
    # It replaces what was there only after a question.
    assert Closure.objects.get() == away


def test_all_locations_are_one_entry(client: Client, place: Studio) -> None:
    alfama = factories.location(name="Alfama", slug="alfama", position=2)
    owner = at_desk(client, Role.OWNER)

    send(owner, **TUESDAY, places=[str(place.location.pk), str(alfama.pk)])

    assert "Tue 5 Jan 2027 Closed all day All locations Public holiday" in page(owner, "/desk/closures/")
    entry = f"/desk/closures/{Closure.objects.earliest('pk').pk}/"
    send(owner, entry, places=[str(alfama.pk)])
    assert [row.location for row in Closure.objects.all()] == [alfama]


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.AUDITOR, Role.THERAPIST])
def test_only_managers_close_days(client: Client, place: Studio, role: Role) -> None:
    desk = at_desk(client, role, place.location)

    assert desk.client.get("/desk/closures/").status_code == 404
    assert desk.client.post(NEW, TUESDAY).status_code == 404


# --- bookings outside the hours ------------------------------------------------------------------------------------


@pytest.fixture
def outside(manager: DeskClient, place: Studio) -> Booking:
    """A booking on a day that was closed afterwards."""
    booking = journeys.booked(place, 10)
    confirm(manager, send(manager, **TUESDAY))
    return booking


def test_the_front_desk_keeps_a_booking_with_a_reason(client: Client, place: Studio, outside: Booking) -> None:
    desk = at_desk(client, Role.FRONT_DESK, place.location)
    assert "1 booking is outside the hours" in page(desk, "/desk/hands/")
    assert "Closed all day · Public holiday" in page(desk, "/desk/outside-hours/")

    done = desk.do(outside, "keep", query={"back": "outside-hours"}, reason="She has the keys")

    assert (done.status_code, done["Location"]) == (303, "/desk/outside-hours/")
    assert "Every booking is inside the hours" in page(desk, "/desk/outside-hours/")
    assert "Kept outside the hours: She has the keys" in words(desk.page(outside).content.decode())
    assert "outside the hours" not in page(desk, "/desk/hands/")
    assert "Nobody has to decide" in desk.page(outside, "keep").content.decode()


def test_cancelling_leads_back_to_the_list(client: Client, place: Studio, outside: Booking) -> None:
    desk = at_desk(client, Role.FRONT_DESK, place.location)

    done = desk.do(outside, "cancel", query={"back": "outside-hours"}, who="business", named="business:0")

    assert (done.status_code, done["Location"]) == (303, "/desk/outside-hours/")
    assert outside.reference not in page(desk, "/desk/outside-hours/")


def test_an_auditor_reads_the_list_and_changes_nothing(client: Client, place: Studio, outside: Booking) -> None:
    auditor = at_desk(client, Role.AUDITOR, place.location)

    html = auditor.client.get("/desk/outside-hours/").content.decode()

    assert outside.contact_name in html
    assert "/keep" not in html
    assert "/cancel" not in html
    assert auditor.page(outside, "keep").status_code == 404


def test_bookings_of_other_locations_are_not_listed(client: Client, place: Studio, outside: Booking) -> None:
    elsewhere = at_desk(client, Role.MANAGER, factories.location(name="Alfama", slug="alfama", position=2))

    assert outside.contact_name not in elsewhere.client.get("/desk/outside-hours/").content.decode()
    assert elsewhere.page(outside, "keep").status_code == 404


@pytest.mark.parametrize("path", ["/desk/outside-hours/", "/desk/closures/"])
def test_the_lists_cost_the_same_for_one_and_fifty_bookings(
    client: Client,
    place: Studio,
    stopped: StoppedClock,
    path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    place.variant.work_minutes = 15
    place.variant.save()
    manager = at_desk(client, Role.MANAGER, place.location)

    def close(number: int) -> None:
        on = place.at(9, days=number % 25 + 1)
        journeys.booked(place, start_minute=int(on.timestamp()) // 60)
        asked = send(manager, first_on=on.date().isoformat(), reason=f"Reason {number}")
        confirm(manager, asked)

    close(0)
    with django_assert_max_num_queries(14) as counted:
        page(manager, path)
    # Later requests reset what was captured.
    one = len(counted)
    Closure.objects.all().delete()
    for number in range(1, 26):
        close(number)

    with django_assert_num_queries(one):
        page(manager, path)
    assert OutsideHours.objects.count() == 26


def test_the_question_costs_the_same_for_one_and_fifty_bookings(
    place: Studio, manager: DeskClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    place.variant.work_minutes = 15
    place.variant.save()
    journeys.booked(place, 9, staff_member_id=place.staff[0].pk)
    form = {**form_of(manager.client.get(NEW).content.decode()), **TUESDAY}
    with django_assert_num_queries(22) as counted:
        manager.client.post(NEW, form)
    one = len(counted)
    for number in range(1, 50):
        start = place.minute(9) + number % 25 * 15
        journeys.booked(place, start_minute=start, staff_member_id=place.staff[number // 25].pk)

    with django_assert_num_queries(one):
        asked = manager.client.post(NEW, form)

    assert "50 bookings would be outside the hours" in words(asked.content.decode())
