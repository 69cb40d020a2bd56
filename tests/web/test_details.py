"""The details page: what it shows and asks, what it keeps, and that pressing twice books once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from accounts.models import Consent
from bookings.enums import BookingStatus
from bookings.messages.contexts import customer_context
from bookings.models import Booking, BookingEvent
from bookings.operations.extras import change_extras
from bookings.operations.links import renew_links
from notifications.models import Notification
from notifications.operations import send_due
from services.models import Business
from storefront.cookies import has_proven_mailbox
from storefront.views import checkout
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import DESK, GUEST, booked, hold
from tests.pages import squeezed
from tests.web.conftest import StoppedClock, details, filled, link

pytestmark = pytest.mark.django_db


def test_details_show_what_is_held_and_what_it_costs(client: Client, studio: Studio) -> None:
    held = hold(studio, staff_member_id=studio.staff[0].pk)

    response = client.get(details(held))

    page = response.content.decode()
    assert response.status_code == 200
    for words in (
        "Deep tissue massage, 60 min",
        "Tue 5 Jan 2027, 10:00–11:00 · Marek Nowak",
        "Lindenstraße 14",
        "€80.00",
        "Includes 19\xa0% tax",
        "€12.77",
        "To pay at the visit",
        "Free to cancel until <strong>Mon 4 Jan, 10:00</strong>; after that 50\xa0% (€40.00) is due.",
        "Book Tue 5 Jan, 10:00",
        ">10:00</span>",
        "Note for Marek",
        "Step 2 of 3",
    ):
        assert words in page, words


def test_confirm_books_and_leads_to_the_confirmed_page(client: Client, studio: Studio) -> None:
    held = hold(studio)

    response = client.post(details(held), filled(held))

    booking = Booking.objects.get()
    assert (response.status_code, booking.status) == (303, BookingStatus.CONFIRMED)
    assert (booking.contact_name, booking.contact_email) == ("Jana Weber", "jana@example.com")
    assert (booking.contact_phone, booking.customer_note) == ("+4915155501827", "Left shoulder")
    assert "You are booked, Jana" in client.get(response["Location"]).content.decode()


def test_consent_keeps_the_exact_words_of_the_page(client: Client, studio: Studio) -> None:
    held = hold(studio)
    page = client.get(details(held)).content.decode()

    client.post(details(held), filled(held))

    words, rule = Consent.objects.get().text.split(" Free to cancel", 1)
    assert words in page
    assert rule == (
        " until Mon 4 Jan, 10:00; after that 50\xa0% (€40.00) is due. You can move it until Mon 4 Jan, 10:00."
    )


def test_what_not_coming_and_moving_cost_is_read_wherever_it_binds(client: Client, studio: Studio) -> None:
    rules = studio.business.cancellation_policy
    rules.no_show_fee_kind, rules.no_show_fee_value = "percent", 5000
    rules.free_move_count, rules.over_limit, rules.change_fee_minor = 1, "fee", 1000
    rules.save()
    held = hold(studio)
    not_coming = "If you do not come, 50\xa0% (€40.00) is due."
    moving = "1 move is free, each further one costs €10.00."

    before = client.get(details(held)).content.decode()
    answer = client.post(details(held), filled(held))
    send_due(now=NOW, limit=50)

    booking = Booking.objects.get()
    mailed = mail.outbox[0].body
    pages = [before, client.get(answer["Location"]).content.decode(), client.get(link(booking)).content.decode()]
    assert [not_coming in each for each in (*pages, mailed, Consent.objects.get().text)] == [True] * 5
    assert [moving in each for each in (before, Consent.objects.get().text)] == [True] * 2


def test_a_browser_that_came_by_the_mailed_link_counts_for_that_address_alone(client: Client, studio: Studio) -> None:
    client.get(link(booked(studio, 14)))

    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}

    assert has_proven_mailbox(request, "JANA@example.com")
    assert not has_proven_mailbox(request, "john@example.com")
    assert not has_proven_mailbox(request, "")
    assert not has_proven_mailbox(RequestFactory().get("/"), "jana@example.com")


def test_pressing_twice_books_once(client: Client, studio: Studio) -> None:
    held = hold(studio)
    answers = [client.post(details(held), filled(held)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert BookingEvent.objects.filter(to_status=BookingStatus.CONFIRMED).count() == 1
    assert Notification.objects.filter(address="jana@example.com", kind="confirmed").count() == 1


def test_back_after_booking_leads_to_the_booking(client: Client, studio: Studio) -> None:
    held = hold(studio)
    confirmed = client.post(details(held), filled(held))["Location"]

    for page in ("", "extras", "again"):
        response = client.get(details(held, page), follow=True)
        assert response.redirect_chain[-1][0] == confirmed

    response = client.post(details(held, "again"), follow=True)
    assert response.redirect_chain[-1][0] == confirmed


def test_page_of_a_hold_leads_to_its_booking_for_some_minutes_only(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    held = hold(studio)
    client.post(details(held), filled(held))

    stopped.pass_minutes(14)
    assert client.get(details(held)).status_code == 303
    stopped.pass_minutes(2)
    pages = [client.get(details(held)), client.post(details(held), filled(held)), client.post(details(held, "again"))]

    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert "This is booked already" in text
        assert "/b/" not in text
        assert "Jana" not in text


def test_renewed_links_end_the_page_of_the_hold_as_well(client: Client, studio: Studio) -> None:
    held = hold(studio)
    client.post(details(held), filled(held))

    renew_links(booking_id=held.booking.pk, actor=DESK, now=factories.NOW)

    assert client.get(details(held)).status_code == 404


@pytest.mark.parametrize("changed", ["total", "extras", "people"])
def test_what_changed_in_another_tab_is_shown_before_it_is_agreed_to(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """The other tab is faster: what it changes is there after the page compared the totals, before the hold is
    locked.
    """
    studio.variant.service.max_party_size = 2
    studio.variant.service.save()
    price = 800 if changed == "total" else 0
    towel, oil = (factories.add_on(studio.variant.service, name=name, price_minor=price) for name in ("Towel", "Oil"))
    held = hold(studio, add_on_ids=[oil.pk])
    confirm = checkout.confirm_booking

    def overtaken(**values: Any) -> Booking:
        ids, size = ([oil.pk], 2) if changed == "people" else ([oil.pk, towel.pk], 1)
        change_extras(booking_id=held.booking.pk, add_on_ids=ids, party_size=size, actor=GUEST, now=factories.NOW)
        return confirm(**values)

    monkeypatch.setattr(checkout, "confirm_booking", overtaken)

    response = client.post(details(held), filled(held, party_size="1"))

    assert (response.status_code, Booking.objects.get().status) == (409, BookingStatus.HELD)
    assert "Nothing was booked; please check the summary" in response.content.decode()
    assert not Consent.objects.exists()


def test_hold_cookie_goes_when_it_is_booked(client: Client, studio: Studio) -> None:
    held = hold(studio)
    client.cookies["hold"] = held.token

    response = client.post(details(held), filled(held))

    assert response.cookies["hold"]["max-age"] == 0


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(client: Client, studio: Studio) -> None:
    held = hold(studio)

    response = client.post(details(held), filled(held, name=" ", phone="123", note="<b>Sore</b> & stiff"))

    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="id_name-error"' in page
    assert 'aria-describedby="id_name-error"' in page
    assert 'aria-describedby="id_phone-error id_phone-help"' in page
    assert "Please tell us your name." in page
    assert 'value="123"' in page
    assert 'value="jana@example.com"' in page
    assert "&lt;b&gt;Sore&lt;/b&gt; &amp; stiff" in page
    assert Booking.objects.get().status == BookingStatus.HELD


def test_a_page_with_errors_says_so_in_its_title_and_focuses_on_them(client: Client, studio: Studio) -> None:
    held = hold(studio)

    two = client.post(details(held), filled(held, name="", email="x")).content.decode()
    one = client.post(details(held), filled(held, name="")).content.decode()

    assert "<title>Error: Your details" in two
    assert '<div class="alert alert-bad" role="alert" tabindex="-1" autofocus>' in two
    assert 'aria-invalid="true" autofocus' in one
    assert "<title>Your details" in client.get(details(held)).content.decode()


def test_unfinished_address_is_offered_finished(client: Client, studio: Studio) -> None:
    held = hold(studio)

    asked = client.post(details(held), filled(held, email="jana.weber@gmail"))
    mended = client.post(details(held), filled(held, email="jana.weber@gmail", use_email="jana.weber@gmail.com"))

    assert asked.status_code == 422
    assert 'name="use_email" value="jana.weber@gmail.com"' in squeezed(asked.content.decode())
    assert mended.status_code == 200
    assert 'value="jana.weber@gmail.com"' in mended.content.decode()
    assert 'value="Jana Weber"' in mended.content.decode()
    assert Booking.objects.get().status == BookingStatus.HELD


def test_likely_slip_is_asked_about_once(client: Client, studio: Studio) -> None:
    held = hold(studio)

    asked = client.post(details(held), filled(held, email="jana@gmial.com"))
    page = asked.content.decode()
    assert asked.status_code == 422
    assert 'value="jana@gmail.com"' in page
    assert '<input type="hidden" name="email_seen" value="jana@gmial.com">' in page

    response = client.post(details(held), filled(held, email="jana@gmial.com", email_seen="jana@gmial.com"))
    assert (response.status_code, Booking.objects.get().contact_email) == (303, "jana@gmial.com")


def test_price_that_changed_since_the_page_is_told_first(client: Client, studio: Studio) -> None:
    towel = factories.add_on(studio.variant.service)
    held = hold(studio)
    other_tab = filled(held)
    client.post(details(held, "extras"), {"add": towel.pk})

    response = client.post(details(held), other_tab)

    page = response.content.decode()
    assert response.status_code == 409
    assert "The total is now €88.00. Nothing was booked" in page
    assert 'name="expected_total" value="8800"' in page
    assert 'value="Jana Weber"' in page
    assert Booking.objects.get().status == BookingStatus.HELD


def test_values_that_are_not_asked_for_are_ignored(client: Client, studio: Studio) -> None:
    held = hold(studio, staff_member_id=studio.staff[0].pk)
    forged = {
        "price_minor": "1",
        "total_minor": "1",
        "status": "completed",
        "staff": str(studio.staff[1].pk),
        "is_staff": "1",
        "duration": "5",
        "starts_at": "2027-01-01T10:00",
    }

    client.post(details(held), filled(held) | forged)

    booking = Booking.objects.get()
    assert (booking.status, booking.total_minor, booking.starts_at) == ("confirmed", 8000, held.booking.starts_at)
    assert booking.lines.get().staff_member == studio.staff[0]


def test_last_of_repeated_values_counts(client: Client, studio: Studio) -> None:
    held = hold(studio)
    sent = filled(held) | {"name": ["First", "Second"]}

    client.post(details(held), sent)

    assert Booking.objects.get().contact_name == "Second"


def test_address_is_asked_only_where_the_visit_is_at_the_customers(client: Client, studio: Studio) -> None:
    assert "visit_address" not in client.get(details(hold(studio))).content.decode()

    studio.variant.service.delivery = "customer"
    studio.variant.service.save()
    held = hold(studio, 12)
    missing = client.post(details(held), filled(held))
    given = client.post(details(held), filled(held, visit_address="Ritterstr. 3\r\n10969 Berlin"))

    assert "Please tell us where to come." in missing.content.decode()
    assert given.status_code == 303
    assert Booking.objects.get(pk=held.booking.pk).visit_address == "Ritterstr. 3\n10969 Berlin"


@pytest.mark.parametrize("number", ["0", "-1", "5", "1e9", "1.5", "many", ""])
def test_number_of_people_outside_the_limits_is_refused(client: Client, studio: Studio, number: str) -> None:
    studio.variant.service.max_party_size = 4
    studio.variant.service.save()
    held = hold(studio)

    response = client.post(details(held), filled(held, party_size=number))

    assert response.status_code == 422
    assert "Between 1 and 4 people can come." in response.content.decode()


@pytest.mark.parametrize("number", ["3", "٣"])
def test_number_of_people_is_kept(client: Client, studio: Studio, number: str) -> None:
    studio.variant.service.max_party_size = 4
    studio.variant.service.save()
    held = hold(studio)

    response = client.post(details(held), filled(held, party_size=number))

    assert (response.status_code, Booking.objects.get().party_size) == (303, 3)


def test_numbers_without_country_code_are_read_where_the_business_is(client: Client, studio: Studio) -> None:
    studio.location.phone = "+48 22 628 01 00"
    studio.location.save()
    held = hold(studio)

    client.post(details(held), filled(held, phone="601 234 567"))

    assert Booking.objects.get().contact_phone == "+48601234567"


def test_page_that_was_open_too_long_books_nothing_and_keeps_what_was_typed(stranger: Client, studio: Studio) -> None:
    held = hold(studio)

    response = stranger.post(details(held), filled(held))

    page = response.content.decode()
    assert response.status_code == 403
    assert "Nothing was booked yet; please press the button once more." in page
    assert 'value="Jana Weber"' in page
    assert Booking.objects.get().status == BookingStatus.HELD

    again = filled(held, csrfmiddlewaretoken=str(response.context["csrf_token"]))
    assert stranger.post(details(held), again).status_code == 303


def test_form_passes_the_check_against_forgery(stranger: Client, studio: Studio) -> None:
    held = hold(studio)
    page = stranger.get(details(held))
    token = page.context["csrf_token"]

    response = stranger.post(details(held), filled(held, csrfmiddlewaretoken=str(token)))

    assert response.status_code == 303


def test_queries_of_the_details_page_do_not_grow(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        factories.add_on(studio.variant.service, name=f"Extra {number}")
    alone, last = hold(studio), None
    for hour in (11, 12, 13):
        booked(studio, hour)
    last = hold(studio, 15)

    for held in (alone, last):
        with django_assert_num_queries(6):
            client.get(details(held))


def test_hold_that_is_given_back_is_free_again(client: Client, studio: Studio) -> None:
    held = hold(studio, staff_member_id=studio.staff[0].pk)

    response = client.post(details(held, "release"))

    assert (response.status_code, response["Location"]) == (302, "/s/massage/")
    assert Booking.objects.get().status == BookingStatus.EXPIRED
    assert hold(studio, staff_member_id=studio.staff[0].pk)


def test_release_of_a_booking_changes_nothing(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    held = hold(studio)
    client.post(details(held), filled(held))

    client.post(details(held, "release"))

    assert Booking.objects.get().status == BookingStatus.CONFIRMED


def test_correcting_the_form_gives_five_more_minutes_once(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    held = hold(studio)
    stopped.pass_minutes(9)
    client.post(details(held), filled(held, email="nobody"))
    stopped.pass_minutes(5)
    client.post(details(held), filled(held, email="nobody"))

    kept = client.get(details(held)).content.decode()
    stopped.pass_minutes(1)
    over = client.post(details(held), filled(held))

    assert "Book Tue 5 Jan, 10:00" in kept
    assert over.status_code == 409


def test_a_deadline_that_has_passed_is_told_as_passed_and_so_is_the_consent(client: Client, studio: Studio) -> None:
    held = hold(studio, start_minute=studio.minute(14, days=0))
    page = client.get(details(held)).content.decode()

    client.post(details(held), filled(held) | {"read_at": typed_read_at(page)})

    rule = "Cancelling was free until Sun 3 Jan, 14:00. If you cancel, 50\xa0% (€40.00) is due."
    assert rule in page.replace("<strong>", "").replace("</strong>", "")
    assert "Free to cancel until" not in page
    assert rule in Consent.objects.get().text


def test_a_deadline_that_passes_while_somebody_types_is_shown_before_booking(
    client: Client, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(9, 58, days=0)
    held = hold(studio, start_minute=studio.minute(10, days=1), now=stopped.at)
    read_at = typed_read_at(client.get(details(held)).content.decode())
    stopped.at = studio.at(10, 1, days=0)

    refused = client.post(details(held), filled(held) | {"read_at": read_at})

    assert refused.status_code == 409
    assert "A deadline of the cancellation rule has passed meanwhile" in refused.content.decode()
    assert "Cancelling was free until" in refused.content.decode()
    assert not Consent.objects.exists()
    agreed = client.post(details(held), filled(held) | {"read_at": typed_read_at(refused.content.decode())})
    assert agreed.status_code == 303
    assert "Cancelling was free until Mon 4 Jan, 10:00" in Consent.objects.get().text


@pytest.mark.parametrize("read_at", ["", "x", "-1", "99999999999", "1"])
def test_an_impossible_moment_of_reading_counts_as_now(client: Client, studio: Studio, read_at: str) -> None:
    held = hold(studio)

    client.post(details(held), filled(held) | {"read_at": read_at})

    assert "Free to cancel until Mon 4 Jan, 10:00" in Consent.objects.get().text


def typed_read_at(page: str) -> str:
    return page.partition('name="read_at" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("cookie", "kept", "clocks"),
    [
        ("Europe%2FLisbon", "Europe/Lisbon", "Berlin time, 09:00 in Lisbon"),
        ("Europe%2FParis", "Europe/Paris", "Berlin time"),
        ("Europe%2FNowhere", "", "Berlin time"),
        ("", "", "Berlin time"),
    ],
)
def test_mails_show_the_clock_of_where_the_customer_booked(
    client: Client, studio: Studio, cookie: str, kept: str, clocks: str
) -> None:
    held = hold(studio)
    client.cookies["zone"] = cookie

    client.post(details(held), filled(held))

    booking, business = Booking.objects.get(), Business.objects.get()
    assert booking.visitor_zone == kept
    for kind in ("confirmed", "moved", "reminder"):
        context = customer_context(booking, business, kind=kind, details={}, now=NOW)
        assert context.variables["zone"] == clocks
    send_due(now=NOW + timedelta(minutes=1), limit=50)
    [told] = [str(each.body) for each in mail.outbox if "You are booked" in each.subject]
    assert f"({clocks})\n" in told
