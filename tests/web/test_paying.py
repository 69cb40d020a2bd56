"""The paying page: who may open it, what it says at each turn, what it starts, and that looking changes nothing."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Consent
from bookings.enums import BookingStatus
from bookings.links import LinkRole, manage_token
from bookings.models import Booking, HelpMessage
from bookings.operations.help import answer_help, send_help
from bookings.operations.hold import HeldSlot, expire_holds
from bookings.operations.settle import settle_payment
from core.models import OutboxMessage
from core.visitors import visitor_hash
from devservers.stripe import Stripe
from payments.enums import PaymentStatus, Purpose
from payments.models import Payment
from payments.stripe_events import keep_notice
from tests.factories import NOW, Studio
from tests.journeys import DESK, JANA, arrived, booked, card_kept, hold, paid_studio, waiting
from tests.money import deliver, notice
from tests.web.conftest import StoppedClock, details, filled, link

pytestmark = pytest.mark.django_db
KEY, SCRIPT = "pk_test_page", "https://js.stripe.com/endive/stripe.js"


@pytest.fixture(autouse=True)
def online(settings: Any, stopped: StoppedClock) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_page", KEY
    settings.STRIPE_JS_URL = SCRIPT


def pay(booking: Booking, page: str = "") -> str:
    return f"/pay/{booking.reference}/{page}"


def payer(client: Client, booking: Booking, role: LinkRole = LinkRole.CUSTOMER) -> Client:
    """A browser that came by the link in the mail."""
    response = client.get(link(booking, "pay", role))
    assert response.status_code == 303
    return client


def booked_online(studio: Studio, *, days: int = 3) -> Booking:
    """A booking with its deposit paid."""
    booking = waiting(studio, days=days)
    settle_payment(payment_id=arrived(booking, 1600).pk, now=NOW)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    return booking


# --- getting there ----------------------------------------------------------------------------------------------------


def test_details_lead_to_paying_by_a_cookie_and_not_by_a_secret_in_the_address(client: Client) -> None:
    held = hold(paid_studio())

    response = client.post(details(held), filled(held))

    booking = Booking.objects.get()
    cookie = response.cookies[f"pay_{booking.reference}"]
    assert (response.status_code, response["Location"]) == (303, pay(booking))
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (pay(booking), True, "Lax")
    assert cookie.value == manage_token(booking, LinkRole.GUEST)
    assert "hold" not in {name for name, morsel in response.cookies.items() if morsel.value}


def test_the_summary_tells_both_clocks_to_a_visitor_elsewhere(client: Client) -> None:
    booking = waiting(paid_studio())
    browser = payer(client, booking)
    assert "Berlin time" not in browser.get(pay(booking)).content.decode()
    browser.cookies["zone"] = "Europe/Lisbon"

    assert "Berlin time, 09:00 in Lisbon" in browser.get(pay(booking)).content.decode()


@pytest.mark.parametrize("role", [LinkRole.CUSTOMER, LinkRole.GUEST])
def test_link_in_a_mail_leads_to_paying(client: Client, role: LinkRole) -> None:
    booking = waiting(paid_studio())

    response = client.get(link(booking, "pay", role))

    assert (response.status_code, response["Location"]) == (303, pay(booking))
    assert client.get(response["Location"]).status_code == 200


def test_link_of_what_stands_leads_to_paying_the_rest(client: Client) -> None:
    booking = booked_online(paid_studio())

    assert client.get(link(booking, "pay"))["Location"] == f"{pay(booking)}?rest=1"


def test_strangers_and_therapists_find_no_such_page(client: Client) -> None:
    booking = waiting(paid_studio())
    paths = [pay(booking, page) for page in ("", "state", "return", "back")]

    assert {client.get(path).status_code for path in paths} == {404}
    assert client.get(link(booking, "pay", LinkRole.STAFF)).status_code == 404
    client.cookies[f"pay_{booking.reference}"] = manage_token(booking, LinkRole.STAFF)
    assert {client.get(path).status_code for path in paths} == {404}
    assert {client.post(pay(booking, page)).status_code for page in ("start", "check", "again", "help")} == {404}


def test_browser_without_the_cookie_is_told_how_to_go_on_whatever_the_booking(client: Client) -> None:
    booking = waiting(paid_studio())

    page, of_nothing = client.get(pay(booking)), client.get("/pay/ZZZZZZ/")

    assert (page.status_code, page.content) == (404, of_nothing.content)
    assert "This browser did not keep the cookie" in page.content.decode()


def test_cookie_of_one_booking_opens_no_other(client: Client) -> None:
    studio = paid_studio()
    own, other = waiting(studio, hour=10), waiting(studio, hour=12)
    client.cookies[f"pay_{other.reference}"] = manage_token(own, LinkRole.CUSTOMER)

    assert client.get(pay(other)).status_code == 404


# --- what it says -----------------------------------------------------------------------------------------------------


def test_page_shows_what_is_due_and_how_long_the_time_is_held(client: Client) -> None:
    booking = waiting(paid_studio())

    response = payer(client, booking).get(pay(booking))
    page = response.content.decode()

    for words in (
        "Step 3 of 3",
        "is held for you",
        "Deposit now",
        "€16.00",
        "Rest at the visit",
        "€64.00",
        "Pay €16.00",
        "Ask the front desk",
        'data-amount="1600"',
        'data-currency="eur"',
        f'data-key="{KEY}"',
        "until <strong>",
        "or at the front desk while the time is held",
    ):
        assert words in page, words
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_page_has_no_token_and_only_stripe_beside_ourselves(client: Client) -> None:
    booking = waiting(paid_studio())

    response = payer(client, booking).get(pay(booking))
    policy = {part.split()[0]: part.split()[1:] for part in response["Content-Security-Policy"].split("; ")}

    for role in LinkRole:
        assert manage_token(booking, role) not in response.content.decode()
    assert policy["script-src"] == ["'self'", "https://js.stripe.com", "https://*.js.stripe.com"]
    assert policy["frame-src"] == ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"]
    assert policy["connect-src"] == ["'self'", "https://api.stripe.com"]
    assert "stripe" not in client.get(link(booking))["Content-Security-Policy"]


def test_stand_in_for_stripe_is_the_only_other_host_when_it_is_used(client: Client, settings: Any) -> None:
    settings.STRIPE_JS_URL = "http://localhost:4711/endive/stripe.js"
    booking = waiting(paid_studio())

    policy = payer(client, booking).get(pay(booking))["Content-Security-Policy"]

    assert "stripe.com" not in policy
    assert policy.count("http://localhost:4711") == 3


def test_card_on_file_asks_for_agreement_in_exact_words(client: Client) -> None:
    booking = waiting(paid_studio("card", no_show_fee_kind="all"))

    page = payer(client, booking).get(pay(booking)).content.decode()

    assert "Your card" in page
    assert "Nothing is charged now." in page
    assert "may later charge it €80.00 at most" in page
    assert 'name="agreed"' in page
    assert 'data-kind="card"' in page


def test_what_is_left_is_offered_only_to_who_came_to_pay_it(client: Client) -> None:
    booking = booked_online(paid_studio())
    payer(client, booking)

    after_paying = client.get(pay(booking))
    rest = client.get(f"{pay(booking)}?rest=1").content.decode()

    assert (after_paying.status_code, after_paying["Location"]) == (302, pay(booking, "return"))
    assert client.get(pay(booking, "return"))["Location"] == link(booking, "confirmed")
    assert "Pay €64.00" in rest
    assert "Deposit paid" in rest
    assert "Step 3 of 3" not in rest


def test_page_of_a_paid_booking_leads_on_even_when_opened_again(client: Client) -> None:
    booking = waiting(paid_studio("full"))
    settle_payment(payment_id=arrived(booking, 8000).pk, now=NOW)

    assert payer(client, booking).get(f"{pay(booking)}?rest=1")["Location"] == pay(booking, "return")


# --- its states -------------------------------------------------------------------------------------------------------


def shows(client: Client, booking: Booking) -> str:
    return str(client.get(pay(booking, "state")).context["state"].shows)


def test_state_follows_the_payment(client: Client) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)
    assert shows(client, booking) == "ready"

    payment = arrived(booking, 1600, status=PaymentStatus.PROCESSING, succeeded_at=None)
    assert shows(client, booking) == "checking"

    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.SUCCEEDED, succeeded_at=NOW)
    assert shows(client, booking) == "checking"

    settle_payment(payment_id=payment.pk, now=NOW)
    assert shows(client, booking) == "done"


def test_failed_attempt_leaves_the_page_ready_and_the_time_held(client: Client) -> None:
    booking = waiting(paid_studio())
    arrived(booking, 1600, status=PaymentStatus.FAILED, succeeded_at=None, failure_code="card_declined")

    page = payer(client, booking).get(pay(booking))

    assert page.context["state"].shows == "ready"
    assert "Your time is still held until" in page.content.decode()
    assert "The bank declined this card." in page.content.decode()


def test_hold_that_ran_out_offers_the_same_time_again_with_the_same_details(
    client: Client, stopped: StoppedClock
) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)
    stopped.pass_minutes(11)

    page = client.get(pay(booking)).content.decode()
    expire_holds(now=stopped.now())
    response = client.post(pay(booking, "again"))

    assert "Nothing was charged, and the time is still free." in page
    assert client.get(pay(booking)).context["state"].shows == "over"
    again = Booking.objects.latest("pk")
    assert (again.status, again.starts_at) == (BookingStatus.HELD, booking.starts_at)
    assert 'value="Jana Weber"' in response.content.decode()
    assert 'value="jana@example.com"' in response.content.decode()


@pytest.mark.parametrize("is_own_browser", [True, False])
def test_what_is_private_is_filled_in_again_only_in_the_browser_that_typed_it(
    client: Client, stopped: StoppedClock, is_own_browser: bool
) -> None:
    client.cookies["visitor"] = "typed-here" if is_own_browser else "another browser"
    contact = replace(JANA, note="Sore shoulder")
    booking = waiting(paid_studio(), contact=contact, visitor_hash=visitor_hash("typed-here"))
    payer(client, booking)
    stopped.pass_minutes(11)

    page = client.post(pay(booking, "again")).content.decode()

    assert 'value="jana@example.com"' in page
    assert ("+4915155501827" in page, "Sore shoulder" in page) == (is_own_browser, is_own_browser)


def test_hold_that_ran_out_and_was_taken_offers_the_nearest(client: Client, stopped: StoppedClock) -> None:
    studio = paid_studio()
    booking = waiting(studio)
    payer(client, booking)
    stopped.pass_minutes(11)
    hold(studio, start_minute=studio.minute(10, days=3), now=stopped.now())

    page = client.get(pay(booking)).content.decode()
    refused = client.post(pay(booking, "again"))

    assert "is no longer free" in page
    assert page.count('name="slot"') == 3
    assert refused.status_code == 409
    assert "That time was just taken." in refused.content.decode()


def test_without_a_provider_the_page_says_how_to_pay(client: Client, settings: Any) -> None:
    booking = waiting(paid_studio())
    settings.STRIPE_SECRET_KEY = ""

    page = payer(client, booking).get(pay(booking)).content.decode()

    assert "Paying on this page is not possible at the moment." in page
    assert "pay-form" not in page


# --- starting ---------------------------------------------------------------------------------------------------------


def test_start_gives_the_page_what_it_confirms_and_twice_the_same(client: Client, stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)

    first, second = (client.post(pay(booking, "start"), {"expected": "1600"}).json() for _ in range(2))

    assert first == second
    assert first["kind"] == "payment"
    assert "_secret_" in first["secret"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("sent", [{}, {"expected": "x"}, {"expected": "1500"}, {"expected": "9" * 30}])
def test_start_of_another_sum_starts_nothing(client: Client, sent: dict[str, str]) -> None:
    booking = waiting(paid_studio())

    response = payer(client, booking).post(pay(booking, "start"), sent)

    assert response.status_code == 409
    assert response.json()["sentence"]
    assert "secret" not in response.json()
    assert not Payment.objects.exists()


def test_card_is_kept_only_after_agreement(client: Client, stripe: Stripe) -> None:
    booking = waiting(paid_studio("card", no_show_fee_kind="all"))
    payer(client, booking)

    refused = client.post(pay(booking, "start"), {"expected": "0"})
    started = client.post(pay(booking, "start"), {"expected": "0", "agreed": "yes"})

    assert refused.status_code == 422
    assert started.json()["kind"] == "card"
    words = Consent.objects.get(purpose="card_on_file").text
    assert words in client.get(pay(booking)).context["page"].consent


def declined(booking: Booking, *, times: int, first: int = 0) -> None:
    """Stripe reports that the bank refused so many cards."""
    intent = Payment.objects.filter(subject_ref=f"booking:{booking.pk}").latest("pk").intent_id
    for number in range(first, first + times):
        event = notice("payment_intent.payment_failed", {"id": intent}, event_id=f"evt_{booking.pk}_{number}")
        keep_notice(event, now=NOW)
        keep_notice(event, now=NOW)
    deliver()


def test_card_after_card_is_refused_for_a_while(client: Client, stripe: Stripe, stopped: StoppedClock) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)
    client.post(pay(booking, "start"), {"expected": "1600"})
    payment = Payment.objects.get()
    stripe.control.pay(str(payment.intent_id), "insufficient_funds")

    declined(booking, times=4)
    fourth = client.post(pay(booking, "start"), {"expected": "1600"})
    declined(booking, times=1, first=4)
    fifth = client.post(pay(booking, "start"), {"expected": "1600"})

    payment.refresh_from_db()
    assert (fourth.status_code, fifth.status_code) == (200, 429)
    assert "wait ten minutes" in fifth.json()["sentence"]
    assert "insufficient" not in fifth.content.decode()
    assert payment.status == PaymentStatus.CANCELLED
    stopped.pass_minutes(11)
    assert client.post(pay(booking, "start"), {"expected": "1600"}).status_code == 200


def test_cards_tried_from_one_network_address_are_counted_together(client: Client, stripe: Stripe) -> None:
    studio = paid_studio(staff=5)
    bookings = [waiting(studio, address_hash="a", visitor_hash=f"v{number}") for number in range(4)]
    for booking in bookings:
        payer(client, booking).post(pay(booking, "start"), {"expected": "1600"})
    last = waiting(studio, address_hash="b")

    for booking in bookings[:3]:
        declined(booking, times=5)

    assert client.post(pay(bookings[3], "start"), {"expected": "1600"}).status_code == 429
    assert payer(client, last).post(pay(last, "start"), {"expected": "1600"}).status_code == 200


def test_pressing_again_and_again_locks_nobody(client: Client, stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)

    stale = [client.post(pay(booking, "start"), {"expected": "1500"}).status_code for _ in range(8)]
    good = [client.post(pay(booking, "start"), {"expected": "1600"}).status_code for _ in range(8)]

    assert (set(stale), set(good)) == ({409}, {200})


def test_start_of_what_is_paid_says_so(client: Client) -> None:
    booking = booked_online(paid_studio())

    response = payer(client, booking).post(pay(booking, "start"), {"expected": "1600"})

    assert (response.status_code, response.json()["is_settled"]) == (409, True)


def test_check_has_the_provider_asked_soon(client: Client) -> None:
    booking = waiting(paid_studio())
    payment = arrived(booking, 1600, status=PaymentStatus.OPEN, succeeded_at=None)
    payer(client, booking)

    for _ in range(2):
        assert client.post(pay(booking, "check")).status_code == 204

    [asked] = OutboxMessage.objects.filter(topic="payment.check")
    assert asked.payload == {"payment_id": payment.pk}


def test_forms_of_others_start_nothing(stranger: Client) -> None:
    booking = waiting(paid_studio())
    payer(stranger, booking)

    for page in ("start", "check", "again", "help"):
        assert stranger.post(pay(booking, page), {"expected": "1600", "text": "Hello"}).status_code == 403
    assert not Payment.objects.exists()


def test_return_from_the_bank_shows_what_is_true_and_drops_what_stripe_added(client: Client) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)

    failed = client.get(pay(booking, "return"), {"redirect_status": "failed", "payment_intent_client_secret": "pi_s"})
    waits = client.get(pay(booking, "return"), {"redirect_status": "succeeded"})

    assert failed["Location"] == f"{pay(booking)}?failed=1"
    assert waits["Location"] == f"{pay(booking)}?back=1"
    assert 'data-returned="1"' in client.get(waits["Location"]).content.decode()


# --- a word with the front desk ---------------------------------------------------------------------------------------


def test_message_to_the_desk_and_its_answer_stand_on_the_page(client: Client, stopped: StoppedClock) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)

    response = client.post(pay(booking, "help"), {"text": "My card <b>fails</b>."})
    answer_help(booking_id=booking.pk, text="Shall we call you?", actor=DESK, now=stopped.now())

    thread = client.get(pay(booking, "state")).content.decode()
    assert (response.status_code, response["Location"]) == (303, f"{pay(booking)}#help")
    assert "My card &lt;b&gt;fails&lt;/b&gt;." in thread
    assert "Shall we call you?" in thread
    assert thread.index("My card") < thread.index("Shall we")


def test_script_that_writes_to_the_desk_gets_a_sentence(client: Client) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)

    sent = client.post(pay(booking, "help"), {"text": "Hello"}, headers={"Accept": "application/json"})
    empty = client.post(pay(booking, "help"), {"text": " "}, headers={"Accept": "application/json"})

    assert (sent.status_code, sent.json()) == (200, {"sentence": "Sent. The answer appears here."})
    assert (empty.status_code, empty.json()) == (422, {"sentence": "Please write what we can help with."})
    assert HelpMessage.objects.count() == 1


def test_too_many_messages_are_refused_and_what_was_typed_stays(client: Client) -> None:
    booking = waiting(paid_studio())
    payer(client, booking)
    for number in range(5):
        send_help(booking_id=booking.pk, text=f"Hello {number}", now=NOW)

    response = client.post(pay(booking, "help"), {"text": "Are you there?"})

    assert response.status_code == 429
    assert "You have written several messages already." in response.content.decode()
    assert "Are you there?" in response.content.decode()


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payment_count", [1, 3])
def test_state_asks_the_database_the_same_however_many_payments(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, payment_count: int
) -> None:
    booking = waiting(paid_studio())
    for _ in range(payment_count):
        arrived(booking, 100, purpose=Purpose.BALANCE)
    deliver()
    payer(client, booking)

    with django_assert_num_queries(15):
        client.get(pay(booking, "state"))


def test_looking_changes_nothing(client: Client) -> None:
    booking = waiting(paid_studio())
    card_kept(booking)
    payer(client, booking)
    before = (list(Booking.objects.values()), Payment.objects.count(), OutboxMessage.objects.count())

    for page in ("", "state", "return", "back"):
        client.get(pay(booking, page))

    assert (list(Booking.objects.values()), Payment.objects.count(), OutboxMessage.objects.count()) == before


def test_hold_without_money_books_at_once(client: Client, studio: Studio) -> None:
    held: HeldSlot = hold(studio)

    response = client.post(details(held), filled(held))

    booking = Booking.objects.get()
    assert booking.status == BookingStatus.CONFIRMED
    assert response["Location"] == link(booking, "confirmed", LinkRole.GUEST)
    assert booked(studio, 14).status == BookingStatus.CONFIRMED
