"""Booking for a customer who calls: one page, one form, without a script."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from accounts.models import Customer
from bookings.enums import BookingChannel, BookingStatus
from bookings.errors import NoWaiverReason, SlotTaken
from bookings.models import Allocation, Booking, BookingEvent
from bookings.operations.confirm import ByStaff, confirm_booking
from bookings.operations.hold import expire_holds
from dashboard.phone_booking import holding
from dashboard.phone_booking.callers import MOST_FOUND
from notifications.models import Notification
from services.models import Service
from staff.enums import Role
from staff.models import Qualification
from tests import factories, journeys
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked, completed, hold
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed

URL = "/desk/book/"
TUESDAY = "2027-01-05"
NEW = {"customer": "new", "name": "Sofia Kaya", "phone": "0151 55501827", "email": "sofia@example.com"}


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def jana(studio: Studio) -> Customer:
    """Somebody who came once, for the second therapist."""
    completed(booked(studio, 9, staff_member_id=studio.staff[1].pk))
    return Customer.objects.get()


def page(desk: DeskClient, **query: Any) -> HttpResponse:
    return desk.client.get(URL, {"at": "kreuzberg", "service": "massage", "on": TUESDAY, **query})


def form_of(response: HttpResponse) -> dict[str, Any]:
    """What the page's form would send as it stands."""
    return typed(response.content.decode(), "booking-form")


def press(desk: DeskClient, response: HttpResponse, do: str, **changes: Any) -> HttpResponse:
    return desk.client.post(URL, {**form_of(response), **changes, "do": do})


def slot(studio: Studio, hour: int, minute: int = 0, *, person: int = 0, days: int = 1) -> str:
    return f"slot:{studio.minute(hour, minute, days=days)}.{studio.staff[person].pk}"


def text(response: HttpResponse) -> str:
    return response.content.decode()


# --- the plain way ----------------------------------------------------------------------------------------------------


def test_a_new_customer_is_booked_and_both_sides_are_told(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    response = press(desk, held, "book", **NEW, note="Left shoulder")

    booking = Booking.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/desk/bookings/{booking.reference}/")
    assert (booking.status, booking.channel) == (BookingStatus.CONFIRMED, BookingChannel.DESK)
    assert (booking.starts_at, booking.contact_name) == (studio.at(10), "Sofia Kaya")
    assert (booking.contact_phone, booking.contact_email) == ("+4915155501827", "sofia@example.com")
    assert (booking.customer_note, booking.is_any_staff) == ("Left shoulder", True)
    assert "<h2>Note for the visit</h2>" in text(desk.client.get(response["Location"]))
    assert booking.customer == Customer.objects.get()
    kinds = Notification.objects.order_by("pk").values_list("kind", "recipient_role")
    assert set(kinds) == {("confirmed", "customer"), ("confirmed", "staff"), ("reminder", "customer")}


def test_a_pressed_time_is_gone_for_everyone_else(desk: DeskClient, studio: Studio) -> None:
    press(desk, page(desk), slot(studio, 10))

    with pytest.raises(SlotTaken):
        hold(studio, 10, staff_member_id=studio.staff[0].pk)


def test_another_time_gives_the_first_one_back(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    press(desk, held, slot(studio, 14))

    assert Booking.objects.get(status=BookingStatus.HELD).starts_at == studio.at(14)
    assert Allocation.objects.count() == 1


def test_a_held_time_follows_what_is_chosen(desk: DeskClient, studio: Studio) -> None:
    service = studio.variant.service
    longer = factories.variant(service, minutes=90, price_minor=11000)
    Qualification.objects.create(staff_member=studio.staff[0], variant=longer)
    extra = factories.add_on(service)
    held = press(desk, page(desk), slot(studio, 10))

    again = press(desk, held, "show", variant=longer.pk, extra=extra.pk)
    unseen = press(desk, again, "book", **NEW, shown=form_of(held)["shown"])
    response = press(desk, unseen, "book", **NEW)

    booking = Booking.objects.get(status=BookingStatus.CONFIRMED)
    assert (unseen.status_code, response.status_code) == (409, 303)
    assert "for €118.00. Nothing is booked yet" in text(unseen)
    assert (booking.total_minor, booking.ends_at - booking.starts_at) == (11800, timedelta(minutes=100))


def test_a_held_time_that_does_not_fit_another_service_is_given_back_with_a_sentence(
    desk: DeskClient, studio: Studio
) -> None:
    hot_stones = factories.service(studio.location, name="Hot stone massage", minutes=120)
    Qualification.objects.create(staff_member=studio.staff[0], variant=hot_stones)
    held = press(desk, page(desk), slot(studio, 16))

    changed = press(desk, held, "show", service=hot_stones.service.slug)

    assert "16:00 does not fit Hot stone massage and is free again. Choose another time." in text(changed)
    assert "anyway" not in text(changed)
    assert form_of(changed)["held"] == ""
    assert not Booking.objects.filter(status=BookingStatus.HELD).exists()
    assert not Allocation.objects.exists()
    assert form_of(press(desk, changed, slot(studio, 14)))["held"]


def test_an_extra_and_a_person_less_leave_the_booking_and_its_price(desk: DeskClient, studio: Studio) -> None:
    Service.objects.update(max_party_size=3)
    extra = factories.add_on(studio.variant.service)
    held = press(desk, page(desk, extra=extra.pk, party_size=2), slot(studio, 10))
    with_both = Booking.objects.get(status=BookingStatus.HELD)

    alone = press(desk, held, "show", party_size="1")
    response = press(desk, press(desk, alone, "show", extra=[]), "book", **NEW)

    booking = Booking.objects.get(status=BookingStatus.CONFIRMED)
    assert (with_both.party_size, len(with_both.lines.get().add_ons)) == (2, 1)
    assert response.status_code == 303
    assert (booking.party_size, booking.lines.get().add_ons, booking.total_minor) == (1, [], 8000)


def test_a_time_that_is_given_back_is_free(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    response = press(desk, held, "release", **NEW)

    assert Booking.objects.get().status == BookingStatus.EXPIRED
    assert form_of(response)["name"] == "Sofia Kaya"


def test_without_a_time_nothing_is_booked(desk: DeskClient) -> None:
    response = press(desk, page(desk), "book", **NEW)

    assert response.status_code == 422
    assert "Choose a time first." in text(response)
    assert form_of(response)["email"] == "sofia@example.com"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "Please type the name."),
        ({"phone": "", "email": ""}, "Type a phone number or an e-mail address."),
        ({"phone": "12"}, "There is no such number."),
        ({"email": "jana@@x.de"}, "address"),
    ],
)
def test_what_was_typed_stays_where_something_is_wrong(
    desk: DeskClient, studio: Studio, changes: dict[str, str], words: str
) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    response = press(desk, held, "book", **{**NEW, **changes}, note="Left shoulder")

    kept = form_of(response)
    assert response.status_code == 422
    assert words in text(response)
    assert kept["note"] == "Left shoulder"
    assert {name: kept[name] for name in changes} == changes
    assert Booking.objects.get().status == BookingStatus.HELD


def test_an_e_mail_address_is_not_needed(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    press(desk, held, "book", **{**NEW, "email": ""})

    assert Booking.objects.get().status == BookingStatus.CONFIRMED
    assert set(Notification.objects.values_list("recipient_role", flat=True)) == {"staff"}


def test_the_customer_is_not_told_at_once_where_staff_say_so(desk: DeskClient, studio: Studio) -> None:
    form = form_of(press(desk, page(desk), slot(studio, 10)))
    del form["tells"]
    desk.client.post(URL, {**form, **NEW, "do": "book"})

    told = Notification.objects.filter(recipient_role="customer").values_list("kind", flat=True)
    assert set(told) == {"reminder"}


# --- who is calling ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["weber jana", "JANA@", "0151 55501827", "1827"])
def test_a_known_customer_is_found(
    desk: DeskClient, studio: Studio, jana: Customer, stopped: StoppedClock, words: str
) -> None:
    stopped.at = studio.at(12)

    response = press(desk, page(desk), "show", q=words)

    assert f'value="caller:{jana.reference}"' in text(response)
    assert "1 visit · never missed" in text(response)


def test_a_known_customer_begins_with_what_it_was_last_time(
    desk: DeskClient, studio: Studio, jana: Customer, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(12)
    chosen = press(desk, desk.client.get(URL), f"caller:{jana.reference}")
    held = press(desk, chosen, slot(studio, 14, person=1))
    press(desk, held, "book")

    booking = Booking.objects.get(status=BookingStatus.CONFIRMED)
    assert "as last time" in text(chosen)
    assert form_of(chosen)["who"] == studio.staff[1].slug
    assert (booking.customer, booking.contact_email) == (jana, "jana@example.com")
    assert (booking.is_any_staff, booking.lines.get().staff_member) == (False, studio.staff[1])


def test_it_is_said_of_whom_online_bookings_are_refused_and_they_are_booked_all_the_same(
    desk: DeskClient, studio: Studio, jana: Customer
) -> None:
    Customer.objects.update(is_blocked=True, notes="Was rude")
    held = press(desk, press(desk, page(desk), f"caller:{jana.reference}"), slot(studio, 10))
    response = press(desk, held, "book")

    assert "May not book online. You can still book for them." in text(held)
    assert "Was rude" in text(held)
    assert response.status_code == 303


def test_who_was_booked_by_phone_alone_is_found_again(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    press(desk, held, "book", **{**NEW, "email": ""})
    first = Booking.objects.get()

    found = press(desk, page(desk), "show", q="1827")
    held = press(desk, press(desk, found, f"caller:{first.customer.reference}"), slot(studio, 14))
    press(desk, held, "book")

    assert [booking.contact_name for booking in Booking.objects.all()] == ["Sofia Kaya", "Sofia Kaya"]


def test_a_list_of_people_alone_answers_while_typing(desk: DeskClient, jana: Customer) -> None:
    response = desk.client.post(URL, {"q": "web"}, headers={"HX-Request": "true", "HX-Target": "found"})

    assert "<form" not in text(response)
    assert f'value="caller:{jana.reference}"' in text(response)
    assert "New customer “web”" in text(response)


# --- once, and what came between --------------------------------------------------------------------------------------


def test_a_form_that_is_sent_twice_books_once(desk: DeskClient, studio: Studio) -> None:
    form = {**form_of(press(desk, page(desk), slot(studio, 10))), **NEW, "do": "book"}

    answers = [desk.client.post(URL, form) for _ in range(2)]

    booking = Booking.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/desk/bookings/{booking.reference}/"] * 2
    assert BookingEvent.objects.filter(to_status=BookingStatus.CONFIRMED).count() == 1
    assert Notification.objects.filter(kind="confirmed", recipient_role="customer").count() == 1


@pytest.mark.parametrize(("do", "operation"), [("book", "extend_hold"), ("release", "release_hold")])
def test_a_time_that_another_tab_books_at_that_moment_is_said(
    desk: DeskClient, studio: Studio, monkeypatch: pytest.MonkeyPatch, do: str, operation: str
) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    real = getattr(holding, operation)

    def beaten(**values: Any) -> Any:
        journeys.confirm(Booking.objects.get(), actor=journeys.DESK)
        return real(**values)

    monkeypatch.setattr(holding, operation, beaten)
    response = press(desk, held, do, **{**NEW, "name": ""})

    assert response.status_code == 409
    assert "This is already booked. Nothing was changed." in text(response)
    assert Booking.objects.get().status == BookingStatus.CONFIRMED


def test_a_time_that_is_pressed_twice_is_held_once(desk: DeskClient, studio: Studio) -> None:
    first = page(desk)

    tokens = [form_of(press(desk, first, slot(studio, 10)))["held"] for _ in range(2)]

    assert tokens[0] == tokens[1]
    assert Booking.objects.count() == 1


def test_coming_back_after_booking_changes_nothing_of_the_booking(desk: DeskClient, studio: Studio) -> None:
    form = {**form_of(press(desk, page(desk), slot(studio, 10))), **NEW, "do": "book"}
    desk.client.post(URL, form)

    response = desk.client.post(URL, {**form, "name": "Somebody Else"}, follow=True)

    assert Booking.objects.get().contact_name == "Sofia Kaya"
    assert "This is booked already, for Sofia Kaya." in text(response)


def test_two_callers_at_once_have_a_time_each(desk: DeskClient, studio: Studio) -> None:
    one, two = page(desk), page(desk)

    held = [press(desk, one, slot(studio, 10)), press(desk, two, slot(studio, 10))]

    assert form_of(held[0])["held"] != form_of(held[1])["held"]
    assert "Marek is not free any more. Ana is, and is held now." in text(held[1])


def test_a_time_that_was_taken_meanwhile_names_the_nearest_and_loses_nothing(desk: DeskClient, studio: Studio) -> None:
    shown = page(desk, who=studio.staff[0].slug)
    booked(studio, 10, staff_member_id=studio.staff[0].pk)

    response = press(desk, shown, slot(studio, 10), **NEW)

    assert response.status_code == 409
    assert "That time was just taken." in text(response)
    nearest = text(response).split("That time was just taken.")[1].split("</div></div>")[0].split("Who is calling")[0]
    assert [f"slot:{studio.minute(*at)}.0" in nearest for at in ((9,), (11,), (11, 15))] == [True, True, True]
    assert form_of(response)["name"] == "Sofia Kaya"


def test_a_time_that_ran_out_is_booked_if_it_is_still_free(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    stopped.pass_minutes(11)
    expire_holds(now=stopped.at)

    response = press(desk, held, "book", **NEW)

    assert response.status_code == 303
    assert Booking.objects.get(status=BookingStatus.CONFIRMED).starts_at == studio.at(10)


def test_a_time_that_ran_out_and_was_taken_is_refused(desk: DeskClient, studio: Studio, stopped: StoppedClock) -> None:
    held = press(desk, page(desk, who=studio.staff[0].slug), slot(studio, 10))
    stopped.pass_minutes(11)
    booked(studio, 10, staff_member_id=studio.staff[0].pk, now=stopped.at)

    response = press(desk, held, "book", **NEW)

    assert response.status_code == 409
    assert form_of(response)["phone"] == "0151 55501827"
    assert Booking.objects.filter(contact_name="Sofia Kaya").count() == 0


@pytest.mark.parametrize("do", ["slot:1.1", "slot:x", "slot:99999999999.1", "book:x", "", "caller:0", "caller:x"])
def test_what_no_button_sends_books_nothing(desk: DeskClient, do: str) -> None:
    response = press(desk, page(desk), do)

    assert response.status_code in {200, 409, 422}
    assert not Booking.objects.exists()


def test_a_past_time_and_a_person_without_the_qualification_are_refused(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    stranger = factories.staff_member(at=studio.location, name="Rui Costa")
    stopped.at = studio.at(12)

    past = press(desk, page(desk), slot(studio, 10))
    unqualified = press(desk, page(desk), f"slot:{studio.minute(14)}.{stranger.pk}")

    assert past.status_code == 409
    assert Booking.objects.get().lines.get().staff_member_id != stranger.pk
    assert "Rui" not in text(unqualified)


# --- how it is paid ---------------------------------------------------------------------------------------------------


@pytest.fixture
def deposit(studio: Studio, settings: Settings) -> None:
    """The service asks for 20 % in advance."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_x", "pk_test_x"
    policy = factories.cancellation_policy((0, "all", 0), name="Deposit", payment_mode="deposit", deposit_value=2000)
    Service.objects.update(cancellation_policy=policy)


@pytest.mark.usefixtures("deposit")
def test_what_the_rules_ask_is_asked_by_a_link(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    response = press(desk, held, "book", **NEW)

    booking = Booking.objects.get()
    assert "Your rules ask for €16.00 now." in text(held)
    assert response.status_code == 303
    assert (booking.status, booking.due_now_minor) == (BookingStatus.PENDING_PAYMENT, 1600)
    assert booking.hold_expires_at == NOW + timedelta(hours=24)
    assert Notification.objects.get().kind == "payment_required"


@pytest.mark.usefixtures("deposit")
def test_less_than_the_rules_ask_needs_a_reason_for_the_history(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    asked = press(desk, held, "book", **NEW, pay="nothing")
    response = press(desk, asked, "book", waiver="Comes every week")

    event = BookingEvent.objects.get(kind="money")
    assert asked.status_code == 422
    assert "Say why, for the history." in text(asked)
    assert response.status_code == 303
    assert (event.reason, event.details["what"], event.details["amount_minor"]) == (
        "Comes every week",
        "payment_waived",
        1600,
    )
    assert (Booking.objects.get().status, Booking.objects.get().is_payment_waived) == ("confirmed", True)


@pytest.mark.usefixtures("deposit")
def test_a_card_can_be_asked_for_in_the_place_of_a_deposit(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    press(desk, held, "book", **NEW, pay="card", waiver="Comes every week")

    booking = Booking.objects.get()
    assert (booking.status, booking.payment_mode, booking.due_now_minor) == ("pending_payment", "card", 0)


@pytest.mark.usefixtures("deposit")
def test_a_link_needs_somewhere_to_go(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), slot(studio, 10))
    response = press(desk, held, "book", **{**NEW, "email": ""})

    assert response.status_code == 422
    assert "A link needs an e-mail address" in text(response)


def test_a_typed_contact_that_must_prepay_is_named_before_anything_is_waived(
    desk: DeskClient, studio: Studio, deposit: None
) -> None:
    policy = factories.cancellation_policy((0, "all", 0), name="At the visit", payment_mode="venue")
    Service.objects.update(cancellation_policy=policy)
    missed = booked(studio, 15, contact=replace(JANA, email=NEW["email"]))
    Booking.objects.filter(pk=missed.pk).update(status="no_show", starts_at=NOW - timedelta(days=30))
    studio.business.prepay_after_no_shows = 1
    studio.business.save()
    held = press(desk, page(desk), slot(studio, 10))

    named = press(desk, held, "book", **NEW)
    asked = press(desk, named, "book", pay="nothing")
    response = press(desk, asked, "book", waiver="Comes every week")

    assert "Your rules ask" not in text(held)
    assert named.status_code == 409
    assert "Your rules ask for €80.00 now. Nothing is booked yet" in text(named)
    assert (asked.status_code, response.status_code) == (422, 303)
    assert BookingEvent.objects.get(kind="money").reason == "Comes every week"


@pytest.mark.usefixtures("deposit")
def test_nothing_is_waived_without_a_reason(studio: Studio) -> None:
    held = hold(studio, 10, actor=journeys.DESK).booking

    with pytest.raises(NoWaiverReason):
        confirm_booking(
            booking_id=held.pk, contact=JANA, consent_text="-", actor=journeys.DESK, now=NOW, by_staff=ByStaff()
        )


def test_who_is_trusted_is_asked_for_nothing(desk: DeskClient, studio: Studio, jana: Customer, deposit: None) -> None:
    Customer.objects.update(is_prepayment_exempt=True)
    held = press(desk, press(desk, page(desk), f"caller:{jana.reference}"), slot(studio, 10))

    assert form_of(held)["pay"] == "nothing"
    assert press(desk, held, "book").status_code == 303


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_who_books_for_nobody_finds_no_page(client: Client, studio: Studio, role: Role) -> None:
    desk = at_desk(client, role, studio.location, of=booked(studio, 10))

    assert {desk.client.get(URL).status_code, desk.client.post(URL, {"do": "book"}).status_code} == {404}


def test_another_place_is_not_found(desk: DeskClient, studio: Studio) -> None:
    factories.location(name="Alfama", slug="alfama")

    assert desk.client.get(URL, {"at": "alfama"}).status_code == 404
    assert desk.client.post(URL, {"at": "alfama", "do": "show"}).status_code == 404


def test_looking_holds_nothing(desk: DeskClient, studio: Studio) -> None:
    page(desk, start=studio.minute(10), who=studio.staff[0].slug)

    assert not Booking.objects.exists()


def test_a_time_of_a_link_is_held_with_the_first_thing_that_is_chosen(desk: DeskClient, studio: Studio) -> None:
    linked = desk.client.get(URL, {"at": "kreuzberg", "start": studio.minute(10), "who": studio.staff[0].slug})

    chosen = press(desk, linked, "show", service="massage", who=studio.staff[0].slug)

    booking = Booking.objects.get()
    assert (booking.starts_at, booking.lines.get().staff_member) == (studio.at(10), studio.staff[0])
    assert form_of(chosen)["held"]


@pytest.mark.parametrize("who", [0, None])
def test_a_time_of_a_link_outside_the_rules_asks_for_a_reason_at_once(
    desk: DeskClient, studio: Studio, who: int | None
) -> None:
    slug = "" if who is None else studio.staff[who].slug
    variant = studio.variant.pk
    linked = page(desk, variant=variant, who=slug, start=studio.minute(18))
    assert not Booking.objects.exists()

    assert "The place is closed then." in text(linked)
    assert re.search(r"Hold Tomorrow 18:00 anyway|Hold Tue 5 Jan 18:00 anyway", text(linked))
    press(desk, linked, f"anyway:{studio.minute(18)}.{studio.staff[0].pk}", why="A regular")

    assert Booking.objects.get().starts_at == studio.at(18)


def test_a_free_time_of_a_link_is_named(desk: DeskClient, studio: Studio) -> None:
    linked = page(desk, variant=studio.variant.pk, start=studio.minute(10))

    assert "10:00 is held for you with the next thing you choose." in text(linked)


@pytest.mark.parametrize(
    ("typed_words", "filled", "focused"),
    [
        ("", {}, "name"),
        ("Sofia Kaya", {"name": "Sofia Kaya"}, "phone"),
        ("0151 55501827", {"phone": "0151 55501827"}, "name"),
        ("sofia@example.com", {"email": "sofia@example.com"}, "name"),
        ("1827", {}, "name"),
    ],
)
def test_a_new_customer_begins_with_what_was_typed_and_the_first_empty_field(
    desk: DeskClient, studio: Studio, typed_words: str, filled: dict[str, str], focused: str
) -> None:
    response = press(desk, page(desk), "caller:new", q=typed_words)

    fields = {name: form_of(response)[name] for name in ("name", "phone", "email")}
    assert fields == {"name": "", "phone": "", "email": "", **filled}
    assert re.findall(r'<input[^>]* name="(\w+)"[^>]* autofocus', text(response)) == [focused]


def test_the_list_says_where_more_match(desk: DeskClient, studio: Studio) -> None:
    for number in range(7):
        start = studio.minute(9 + number, days=2)
        jana = replace(JANA, name=f"Jana {number}", email=f"jana{number}@example.com")
        booked(studio, 9, start_minute=start, contact=jana)

    all_seven = desk.client.post(URL, {"q": "jana"}, headers={"HX-Request": "true", "HX-Target": "found"})
    one = desk.client.post(URL, {"q": "jana 3"}, headers={"HX-Request": "true", "HX-Target": "found"})

    assert text(all_seven).count('value="caller:') == MOST_FOUND + 1
    assert "1 more matches. Type on." in text(all_seven)
    assert 'href="/desk/customers/?q=jana"' in text(all_seven)
    assert "Type on." not in text(one)


def test_the_number_of_queries_does_not_grow(
    desk: DeskClient, studio: Studio, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        variant = factories.service(studio.location, name=f"Service {number}")
        Qualification.objects.create(staff_member=studio.staff[0], variant=variant)
        journeys.booked(
            studio,
            9 + number % 8,
            start_minute=studio.minute(9 + number % 8, days=2 + number // 8),
            contact=replace(JANA, name=f"Jana {number}", email=f"jana{number}@example.com"),
        )
    held = press(desk, page(desk), slot(studio, 10))

    with django_assert_max_num_queries(25):
        press(desk, held, "show", q="jana")


def test_a_full_day_is_told_from_one_on_which_nobody_works(desk: DeskClient, studio: Studio) -> None:
    ana = studio.staff[1]
    for hour in range(9, 17):
        booked(studio, staff_member_id=ana.pk, start_minute=studio.minute(hour, days=2))
    factories.time_off(ana.resource, studio.at(7), studio.at(19))

    html = " ".join(text(page(desk, who=ana.slug)).split())
    notes = dict(re.findall(r'name="on" value="(2027-[\d-]+)"[^>]*> [^<]*<span>([^<]*)</span>', html))

    assert (notes["2027-01-05"], notes["2027-01-06"]) == ("off", "full")
    assert int(notes["2027-01-07"]) > 0


# --- outside the rules ------------------------------------------------------------------------------------------------


def at_six(desk: DeskClient, studio: Studio) -> HttpResponse:
    """Six in the evening, when the place is closed and nobody works."""
    shown = page(desk, who=studio.staff[1].slug)
    return press(desk, shown, "other", other_on=TUESDAY, other_at="18:00")


def test_a_time_outside_the_rules_is_held_with_a_reason_once_the_rules_were_named(
    desk: DeskClient, studio: Studio
) -> None:
    asked = at_six(desk, studio)
    without_reason = press(desk, asked, f"anyway:{studio.minute(18)}.{studio.staff[1].pk}")
    held = press(desk, without_reason, f"anyway:{studio.minute(18)}.{studio.staff[1].pk}", why="Ana stays longer")
    booked_page = press(desk, held, "book", **NEW)

    booking = Booking.objects.get()
    first = BookingEvent.objects.earliest("pk")
    assert asked.status_code == 409
    assert "The place is closed then." in text(asked)
    assert "Ana does not work then." in text(asked)
    assert (without_reason.status_code, "Say why, for the history." in text(without_reason)) == (422, True)
    assert booked_page.status_code == 303
    assert (booking.starts_at, booking.lines.get().staff_member) == (studio.at(18), studio.staff[1])
    assert (first.reason, first.details["overrides"]) == ("Ana stays longer", ["opening_hours", "working_hours"])


def test_other_rules_than_those_that_were_named_are_asked_about_first(desk: DeskClient, studio: Studio) -> None:
    asked = at_six(desk, studio)
    factories.time_off(studio.staff[1].resource, studio.at(17), studio.at(20))

    again = press(desk, asked, f"anyway:{studio.minute(18)}.{studio.staff[1].pk}", why="Ana stays longer")

    assert again.status_code == 409
    assert "Ana has time off then." in text(again)
    assert not Booking.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-01-01", "9999-12-31"])
def test_a_day_of_another_age_is_no_day(desk: DeskClient, day: str) -> None:
    response = press(desk, page(desk), "other", other_on=day, other_at="23:59")

    assert response.status_code == 422
    assert "Type a day and a time" in text(response)


def test_nobody_is_booked_who_never_works_at_the_place(desk: DeskClient, studio: Studio) -> None:
    elsewhere = factories.location(name="Alfama", slug="alfama")
    stranger = factories.staff_member(studio.variant, at=elsewhere, name="Rui Costa")

    shown = page(desk, who=stranger.slug)
    asked = press(desk, shown, "other", other_on=TUESDAY, other_at="18:00")
    forced = press(desk, asked, f"anyway:{studio.minute(18)}.{stranger.pk}", why="Squeeze in")

    assert "Rui" not in text(shown) + text(asked) + text(forced)
    assert not Booking.objects.filter(lines__staff_member=stranger).exists()


def test_nothing_sets_aside_that_a_time_is_taken(desk: DeskClient, studio: Studio) -> None:
    booked(studio, 10, staff_member_id=studio.staff[1].pk)
    shown = page(desk, who=studio.staff[1].slug)

    refused = press(desk, shown, "other", other_on=TUESDAY, other_at="10:30")
    forced = press(
        desk, refused, f"anyway:{studio.minute(10, 30)}.{studio.staff[1].pk}", why="Squeeze in", broken="staff_free"
    )

    assert (refused.status_code, forced.status_code) == (409, 409)
    assert "That time was just taken." in text(refused)
    assert Booking.objects.count() == 1


def test_a_time_that_is_free_needs_no_reason(desk: DeskClient, studio: Studio) -> None:
    held = press(desk, page(desk), "other", other_on=TUESDAY, other_at="14:00")

    assert Booking.objects.get().starts_at == studio.at(14)
    assert form_of(held)["held"]
