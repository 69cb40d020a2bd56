"""The walk-in queue at the desk: add, book with one press, leave and come back, without a script."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.contact.contact import Contact
from accounts.models import AccessLog, Customer
from bookings.enums import BookingStatus, WalkInState
from bookings.models import Booking, WalkIn
from bookings.operations.walk_ins import leave_queue
from services.models import Service
from staff.enums import Role
from staff.models import Qualification
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import booked, completed, walk_in
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed

URL = "/desk/queue/"


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


def text(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def add(desk: DeskClient, studio: Studio, **changes: Any) -> HttpResponse:
    """Fill in the form of the page as it stands, and send it."""
    form = typed(desk.client.get(URL).content.decode(), "add")
    return desk.client.post(URL, {**form, "name": "Dana Fox", "variant": studio.variant.pk, **changes})


def turn(studio: Studio, hour: int, minute: int = 0, *, person: int = 0) -> dict[str, str]:
    return {"turn": f"{studio.minute(hour, minute, days=0)}.{studio.staff[person].pk}"}


def act(desk: DeskClient, person: WalkIn, step: str, **data: Any) -> HttpResponse:
    return desk.client.post(f"{URL}{person.pk}/{step}", data)


# --- adding -----------------------------------------------------------------------------------------------------------


def test_a_person_is_added_with_a_name_and_a_service_alone(desk: DeskClient, studio: Studio) -> None:
    response = add(desk, studio)

    person = WalkIn.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"{URL}?at=kreuzberg")
    assert (person.name, person.phone, person.staff_member, person.customer) == ("Dana Fox", "", None, None)
    assert (person.state, person.joined_at, person.added_by) == (WalkInState.WAITING, NOW, desk.user)
    page = text(desk.client.get(response["Location"]))
    assert "Dana Fox is on the list." in page
    assert "Deep tissue massage, 60 min, with anyone" in page
    assert re.search(r"09:00 in 2 hours? .*Book 09:00 with (Ana|Marek)", page)


def test_phone_email_and_a_therapist_are_kept(desk: DeskClient, studio: Studio) -> None:
    ana = studio.staff[1]
    add(desk, studio, phone="0151 55501827", email="dana@example.com", who=ana.slug)

    person = WalkIn.objects.get()
    assert (person.phone, person.email, person.staff_member) == ("+4915155501827", "dana@example.com", ana)
    page = text(desk.client.get(URL))
    assert "with Ana here since 07:00 · +49 1515 5501827 · dana@example.com" in page
    assert "Book 09:00 with Ana" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "Please type the name."),
        ({"variant": ""}, "Please choose a service."),
        ({"variant": "999999"}, "This service is not offered here any more."),
        ({"phone": "12"}, "One field needs another look"),
        ({"who": "nobody"}, "One field needs another look"),
    ],
)
def test_what_is_missing_or_invalid_is_said_and_the_rest_is_kept(
    desk: DeskClient, studio: Studio, changes: dict[str, str], sentence: str
) -> None:
    response = add(desk, studio, **{"email": "dana@example.com", **changes})

    assert response.status_code == 422
    assert sentence in text(response)
    assert typed(response.content.decode(), "add")["email"] == "dana@example.com"
    assert not WalkIn.objects.exists()


def test_a_therapist_who_does_not_do_the_service_is_refused(desk: DeskClient, studio: Studio) -> None:
    facial = factories.service(studio.location, name="Facial", minutes=30)
    Qualification.objects.create(staff_member=studio.staff[0], variant=facial)

    response = add(desk, studio, variant=facial.pk, who=studio.staff[1].slug)

    assert response.status_code == 422
    assert "Ana does not do this service. Choose someone else, or anyone." in text(response)


def test_services_away_from_the_location_are_not_offered(desk: DeskClient, studio: Studio) -> None:
    Service.objects.update(delivery="customer")

    assert add(desk, studio).status_code == 422
    assert not WalkIn.objects.exists()


def test_a_form_that_is_sent_twice_adds_one_person(desk: DeskClient, studio: Studio) -> None:
    form = typed(desk.client.get(URL).content.decode(), "add")
    for _twice in range(2):
        desk.client.post(URL, {**form, "name": "Dana Fox", "variant": studio.variant.pk})

    assert WalkIn.objects.count() == 1


def test_a_known_customer_is_offered_and_taken_or_not(desk: DeskClient, studio: Studio) -> None:
    completed(booked(studio, 9))
    jana = Customer.objects.get()

    asked = add(desk, studio, name="jana")
    assert asked.status_code == 422
    assert "Is it one of these customers? Jana Weber" in text(asked).replace("JW ", "")
    assert not WalkIn.objects.exists()
    form = typed(asked.content.decode(), "add")
    desk.client.post(URL, {**form, "customer": jana.reference})
    add(desk, studio, name="Jana", customer="new")

    known, new = WalkIn.objects.order_by("pk")
    assert (known.customer, known.name, known.phone) == (jana, "Jana Weber", "")
    assert (new.customer, new.name) == (None, "Jana")
    assert AccessLog.objects.filter(record="customers").exists()
    assert AccessLog.objects.filter(reference=jana.reference).exists()


# --- booking ----------------------------------------------------------------------------------------------------------


def test_one_press_books_the_expected_time(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio, staff=1)

    response = act(desk, person, "book", **turn(studio, 9, person=1))

    booking = Booking.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"{URL}?at=kreuzberg")
    assert (booking.status, booking.starts_at) == (BookingStatus.CONFIRMED, studio.at(9, days=0))
    page = text(desk.client.get(URL))
    assert "Dana Fox is booked: 09:00 with Ana." in page
    assert "Nobody is waiting" in page
    assert "Earlier today Dana Fox booked for 09:00" in page
    staff_page = text(desk.page(booking))
    assert "walk-in" in staff_page


def test_a_time_that_has_just_gone_is_refused_and_the_new_one_is_shown(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio, staff=1)
    booked(studio, start_minute=studio.minute(9, days=0), staff_member_id=studio.staff[1].pk)

    response = act(desk, person, "book", **turn(studio, 9, person=1))

    assert response.status_code == 409
    assert "09:00 with Ana has just gone. Nothing is booked." in text(response)
    assert "Book 10:00 with Ana" in text(response)
    assert Booking.objects.count() == 1


def test_a_second_press_says_that_it_is_booked_already(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio)
    act(desk, person, "book", **turn(studio, 9))

    response = act(desk, person, "book", **turn(studio, 9))

    assert response.status_code == 303
    assert "Dana Fox is booked already. Nothing was changed." in text(desk.client.get(URL))
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("value", ["", "x", "12", "99999999999999999999.1", "-5.1"])
def test_a_button_that_no_page_has_books_nothing(desk: DeskClient, studio: Studio, value: str) -> None:
    response = act(desk, walk_in(studio), "book", turn=value)

    assert response.status_code in {303, 409}
    assert not Booking.objects.exists()


def test_a_form_without_a_key_counts_each_time(desk: DeskClient, studio: Studio) -> None:
    for name in ("Dana Fox", "Emil Stone"):
        add(desk, studio, name=name, request_key="")

    assert WalkIn.objects.count() == 2


def test_each_in_the_line_is_expected_after_those_ahead(desk: DeskClient, studio: Studio) -> None:
    for minute, name in enumerate(["Dana", "Emil", "Finn"]):
        walk_in(studio, name, now=NOW - timedelta(minutes=9 - minute))

    page = text(desk.client.get(URL))

    assert re.findall(r"Book (\d\d:\d\d) with (?:Ana|Marek)", page) == ["09:00", "09:00", "10:00"]
    assert page.index("Dana") < page.index("Emil") < page.index("Finn")
    assert "here since 06:51, 9 min" in page


def test_a_day_without_time_says_so_and_leads_to_another_day(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(16, 30, days=0)
    walk_in(studio, contact=Contact("Dana Fox", "dana@example.com", "", note=""), staff=1, now=stopped.at)

    response = desk.client.get(URL)
    assert "No time with Ana is left today." in text(response)
    assert "Book 1" not in text(response)
    form = response.content.decode().split('action="/desk/book/"')[1].split("</form>")[0]
    phone = desk.client.post("/desk/book/", {**typed(form), "do": "show"})

    assert phone.status_code == 200
    chosen = typed(phone.content.decode(), "booking-form")
    assert (chosen["service"], chosen["who"], chosen["name"]) == ("massage", studio.staff[1].slug, "Dana Fox")


def test_what_the_rules_ask_in_advance_is_paid_at_the_visit(
    desk: DeskClient, studio: Studio, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_x", "pk_test_x"
    terms = factories.cancellation_policy((0, "all", 0), name="Deposit", payment_mode="deposit", deposit_value=2000)
    Service.objects.update(cancellation_policy=terms)

    act(desk, walk_in(studio), "book", **turn(studio, 9))

    booking = Booking.objects.get()
    assert (booking.status, booking.is_payment_waived) == (BookingStatus.CONFIRMED, True)
    assert "Walk-in, pays at the visit" in text(desk.page(booking))


@pytest.mark.parametrize("view", ["day", "week", "list"])
def test_the_calendar_leads_to_the_queue_and_says_how_many_wait(desk: DeskClient, studio: Studio, view: str) -> None:
    walk_in(studio)
    leave_queue(walk_in_id=walk_in(studio).pk, now=NOW)

    html = desk.client.get("/desk/", {"view": view}).content.decode()

    link = html.split(f'href="{URL}?at=kreuzberg"')[1].split("</a>")[0]
    assert re.sub(r"<[^>]+>|\s+", " ", link).split()[1:] == ["Walk-ins", "1", "waiting"]


# --- leaving ----------------------------------------------------------------------------------------------------------


def test_who_has_left_is_off_the_list_and_can_be_put_back(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio)

    act(desk, person, "left")
    page = text(desk.client.get(URL))
    assert "Nobody is waiting" in page
    assert "Dana Fox left at 07:00" in page
    act(desk, person, "back")

    assert "Book 09:00" in text(desk.client.get(URL))
    person.refresh_from_db()
    assert (person.state, person.ended_at) == (WalkInState.WAITING, None)


def test_who_has_left_is_not_booked_by_an_old_page(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio)
    leave_queue(walk_in_id=person.pk, now=NOW)

    act(desk, person, "book", **turn(studio, 9))

    assert "Dana Fox was taken off the list before. Nothing was booked." in text(desk.client.get(URL))
    assert not Booking.objects.exists()


# --- rights -----------------------------------------------------------------------------------------------------------


def test_another_location_and_its_people_do_not_exist(client: Client, studio: Studio) -> None:
    elsewhere = factories.location(name="Alfama", slug="alfama")
    desk = at_desk(client, Role.FRONT_DESK, elsewhere)
    person = walk_in(studio)

    assert desk.client.get(URL, {"at": "kreuzberg"}).status_code == 404
    assert desk.client.get(f"{URL}changes", {"at": "kreuzberg"}).status_code == 404
    assert "Dana" not in text(desk.client.get(URL))
    for step in ("book", "left", "back"):
        assert act(desk, person, step, **turn(studio, 9)).status_code == 404
    person.refresh_from_db()
    assert person.state == WalkInState.WAITING


def test_people_of_the_day_before_do_not_exist(desk: DeskClient, studio: Studio) -> None:
    person = walk_in(studio, now=NOW - timedelta(hours=12))

    assert act(desk, person, "left").status_code == 404


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_only_those_who_book_by_phone_see_the_queue(client: Client, studio: Studio, role: Role) -> None:
    desk = at_desk(client, role, studio.location)

    assert desk.client.get(URL).status_code == 404
    assert URL not in desk.client.get("/desk/").content.decode()


# --- staying up to date ----------------------------------------------------------------------------------------------


def test_an_open_page_learns_of_changes(desk: DeskClient, studio: Studio) -> None:
    html = desk.client.get(URL).content.decode()
    [known] = re.findall(r'data-state="([^"]+)"', html.replace("&quot;", "'"))
    tag = known.replace("'", '"')

    def look() -> HttpResponse:
        return desk.client.get(f"{URL}changes?at=kreuzberg", headers={"If-None-Match": tag})

    assert look().status_code == 304
    person = walk_in(studio)
    answers = [look()]
    tag = answers[0]["ETag"]
    leave_queue(walk_in_id=person.pk, now=NOW)
    answers.append(look())
    tag = answers[1]["ETag"]
    booked(studio, 10)
    answers.append(look())
    tag = answers[2]["ETag"]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert look().status_code == 304
    assert desk.client.get(f"{URL}changes?at=kreuzberg", headers={"If-None-Match": '"x'}).status_code == 200


def test_an_open_page_reads_only_its_list_again(desk: DeskClient, studio: Studio) -> None:
    walk_in(studio)

    part = desk.client.get(URL, headers={"HX-Request": "true", "HX-Target": "queue"}).content.decode()

    assert "Dana Fox" in part
    assert "<html" not in part
    assert 'id="add"' not in part


def test_the_page_takes_as_many_queries_for_thirty_people_as_for_one(
    desk: DeskClient,
    studio: Studio,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    walk_in(studio)
    leave_queue(walk_in_id=walk_in(studio).pk, now=NOW)
    desk.client.get(URL)
    with django_assert_max_num_queries(24) as one:
        desk.client.get(URL)
    customer = booked(studio, 15).customer
    for number in range(29):
        walk_in(studio, f"Person {number}", staff=number % 2, customer_id=customer.pk if customer else None)

    with django_assert_num_queries(len(one)):
        page = text(desk.client.get(URL))

    assert page.count("Person") > 28
    assert "No time with Ana is left today." in page
