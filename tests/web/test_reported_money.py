"""A payment that Stripe reports keeps its time and confirms its booking, even while workers and broker are down.

No test here runs a worker; the web request does all the work.
"""

from datetime import timedelta

import pytest
from django.test import Client

from bookings.availability.engine import free_starts
from bookings.availability.loading import availability_facts
from bookings.doctor.visits import CHECKS
from bookings.enums import BookingStatus
from bookings.errors import SlotTaken
from bookings.links import LinkRole
from bookings.models import Booking, MoveProposal
from bookings.operations.expiry import expire_due
from bookings.operations.hold import expire_holds
from bookings.operations.move_proposal import propose_move
from bookings.operations.pay import begin_payment
from bookings.operations.settle import settle_payment
from core import outbox
from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments.errors import AlreadyPaid
from payments.models import Payment, StripeEvent
from payments.operations.paying import sync_payment
from payments.stripe_events import keep_notice
from tests import money
from tests.factories import MONDAY, Studio
from tests.journeys import CARD_WORDS, LINK, arrived, begin_and_pay, hold, paid_studio, waiting
from tests.money import forget_outage
from tests.web.conftest import StoppedClock, link

pytestmark = pytest.mark.django_db
URL = "/stripe/webhook"


@pytest.fixture
def place(stripe: Stripe, stopped: StoppedClock) -> Studio:
    return paid_studio()


def pay(booking: Booking, page: str = "") -> str:
    return f"/pay/{booking.reference}/{page}"


def opened(client: Client, booking: Booking) -> Client:
    assert client.get(link(booking, "pay", LinkRole.CUSTOMER)).status_code == 303
    return client


def notice_of(payment: Payment, kind: str = "payment_intent.succeeded") -> dict[str, object]:
    return money.notice(kind, {"id": payment.intent_id, "object": "payment_intent", "status": "succeeded"})


def shows(client: Client, booking: Booking) -> str:
    return str(client.get(pay(booking, "state")).context["state"].shows)


def is_offered(place: Studio, booking: Booking, stopped: StoppedClock) -> bool:
    on = booking.starts_at.date()
    facts = availability_facts(
        variant_ids=[place.variant.pk], from_on=MONDAY, until_on=on.replace(day=on.day + 1), now=stopped.now()
    )
    starts = free_starts(facts, place.variant.pk)[place.location.pk]
    return int(booking.starts_at.timestamp()) // 60 in starts


# --- the notice is read in the request that brings it -----------------------------------------------------------------


def test_a_booking_stands_as_soon_as_stripe_reports_its_payment(client: Client, place: Studio, stripe: Stripe) -> None:
    booking = waiting(place)
    payment = begin_and_pay(booking, stripe, 1600)

    response = client.post(URL, **money.sent(notice_of(payment), stripe.webhook_secret))

    booking.refresh_from_db()
    assert (response.status_code, booking.status) == (200, BookingStatus.CONFIRMED)
    assert StripeEvent.objects.get().handled_at is not None


def test_what_the_request_did_is_not_done_again_by_a_worker(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    payment = begin_and_pay(booking, stripe, 1600)
    client.post(URL, **money.sent(notice_of(payment), stripe.webhook_secret))

    topics = set(OutboxMessage.objects.exclude(status="done").values_list("topic", flat=True))
    outbox.drain(now=stopped.now())

    assert topics <= {"receipt.issued"}
    assert booking.events.filter(kind="money", details__what="paid").count() == 1


def test_a_notice_is_answered_and_kept_though_stripe_does_not_answer(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    payment = begin_and_pay(booking, stripe, 1600)
    stripe.control.fail("GET /v1/payment_intents/*", "500")

    response = client.post(URL, **money.sent(notice_of(payment), stripe.webhook_secret))

    booking.refresh_from_db()
    assert (response.status_code, booking.status) == (200, BookingStatus.PENDING_PAYMENT)
    assert StripeEvent.objects.get().handled_at is None
    stripe.control.calm()
    stopped.pass_minutes(1)
    money.deliver(now=stopped.now())
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


# --- a notice that nobody has read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "payment_intent.processing"])
def test_a_time_with_a_reported_payment_is_never_free(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock, kind: str
) -> None:
    booking = waiting(place)
    keep_notice(notice_of(begin_and_pay(booking, stripe, 1600), kind), now=stopped.now())
    opened(client, booking)
    stopped.pass_minutes(60)

    assert not is_offered(place, booking, stopped)
    with pytest.raises(SlotTaken):
        hold(place, start_minute=place.minute(10, days=3), now=stopped.now())
    assert expire_holds(now=stopped.now()) == 0
    booking.refresh_from_db()
    assert booking.status == BookingStatus.PENDING_PAYMENT


def test_a_time_whose_payment_nobody_reported_is_free_after_its_end(
    place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    """The control: without the notice the same time is offered."""
    booking = waiting(place)
    begin_and_pay(booking, stripe, 1600)
    stopped.pass_minutes(60)

    assert is_offered(place, booking, stopped)
    assert hold(place, start_minute=place.minute(10, days=3), now=stopped.now())


def test_the_page_checks_and_takes_no_second_payment_while_a_notice_is_unread(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    keep_notice(notice_of(begin_and_pay(booking, stripe, 1600)), now=stopped.now())
    opened(client, booking)

    for minutes in (0, 60):
        stopped.pass_minutes(minutes)
        page = client.get(pay(booking)).content.decode()
        assert shows(client, booking) == "checking"
        assert "We are checking your payment" in page
        assert "Please do not pay again." in page
        assert "Nothing was charged" not in page
        assert client.post(pay(booking, "start"), {"expected": "1600"}).json()["is_settled"] is True
        assert client.post(pay(booking, "again"))["Location"] == pay(booking)
        with pytest.raises(AlreadyPaid):
            begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=stopped.now())
    assert Booking.objects.count() == Payment.objects.count() == 1
    manage = client.get(link(booking, "", LinkRole.CUSTOMER)).content.decode()
    assert "We are checking your payment. Please do not pay again." in manage
    assert "has run out" not in manage


def test_money_that_no_worker_has_told_the_booking_of_keeps_its_time(
    place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    money.gateway_news(begin_and_pay(booking, stripe, 1600), now=stopped.now())
    stopped.pass_minutes(60)

    assert not is_offered(place, booking, stopped)
    assert expire_due(now=stopped.now()) == 0
    booking.refresh_from_db()
    assert booking.status == BookingStatus.PENDING_PAYMENT


# --- nobody reported it -----------------------------------------------------------------------------------------------


def test_who_paid_and_looks_is_booked_though_no_worker_runs_and_no_notice_came(
    client: Client, place: Studio, stripe: Stripe
) -> None:
    booking = waiting(place)
    begin_and_pay(booking, stripe, 1600)

    assert opened(client, booking).post(pay(booking, "check")).status_code == 204

    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_who_comes_back_from_the_bank_is_booked_though_no_worker_runs(
    client: Client, place: Studio, stripe: Stripe
) -> None:
    booking = waiting(place)
    begin_and_pay(booking, stripe, 1600)

    opened(client, booking)
    came_back = client.get(pay(booking, "return"), {"redirect_status": "succeeded"})
    # The page that this leads to asks at once, by its script.
    client.post(pay(booking, "check"))

    booking.refresh_from_db()
    assert came_back["Location"].endswith("?back=1")
    assert booking.status == BookingStatus.CONFIRMED
    assert "confirmed" in client.get(pay(booking, "return"))["Location"]


def test_stripe_is_asked_once_in_some_seconds_however_often_the_page_asks(
    client: Client, place: Studio, stripe: Stripe
) -> None:
    booking = waiting(place)
    begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=booking.created_at)
    opened(client, booking)
    before = len(stripe.control.requests("GET", "/v1/payment_intents/*"))

    for _ in range(4):
        client.post(pay(booking, "check"))

    assert len(stripe.control.requests("GET", "/v1/payment_intents/*")) - before <= 1


def test_nothing_was_charged_is_said_only_after_stripe_was_asked(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=stopped.now())
    opened(client, booking)
    stopped.pass_minutes(60)
    unasked = client.get(pay(booking)).content.decode()
    is_refused = client.post(pay(booking, "again"))["Location"] == pay(booking)
    client.post(pay(booking, "check"))

    assert "Nothing was charged" not in unasked
    assert "We are checking your payment" in unasked
    assert is_refused
    assert "Nothing was charged, and the time is still free." in client.get(pay(booking)).content.decode()


def test_a_check_that_stripe_does_not_answer_breaks_nothing_and_says_nothing_false(
    client: Client, place: Studio, stripe: Stripe, stopped: StoppedClock
) -> None:
    booking = waiting(place)
    begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=stopped.now())
    opened(client, booking)
    stopped.pass_minutes(60)
    stripe.control.fail("GET /v1/payment_intents/*", "reset_before")

    assert client.post(pay(booking, "check")).status_code == 204
    forget_outage()
    assert shows(client, booking) == "checking"
    assert not OutboxMessage.objects.filter(status="dead").exists()


# --- the fee of a move ------------------------------------------------------------------------------------------------


@pytest.fixture
def moving(stripe: Stripe, stopped: StoppedClock) -> tuple[Studio, Booking, Payment]:
    """A paid booking whose new time, two in the afternoon, is kept until the fee of the move is paid; it is paid."""
    place = paid_studio("full", free_move_count=0, over_limit="fee", change_fee_minor=500, reschedule_until_minutes=0)
    booking = waiting(place, days=7)
    settle_payment(payment_id=arrived(booking, 8000).pk, now=stopped.now())
    propose_move(
        booking_id=booking.pk, start_minute=place.minute(14, days=7), staff_member_id=None,
        expected_sequence=0, expected_fee_minor=500, actor=LINK, now=stopped.now(),
    )  # fmt: skip
    return place, booking, begin_and_pay(booking, stripe, 500)


def are_offered(place: Studio, hour: int, stopped: StoppedClock) -> bool:
    on = place.at(hour, days=7).date()
    facts = availability_facts(
        variant_ids=[place.variant.pk], from_on=on, until_on=on + timedelta(days=1), now=stopped.now()
    )
    return place.minute(hour, days=7) in free_starts(facts, place.variant.pk)[place.location.pk]


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "payment_intent.processing"])
def test_the_kept_time_of_a_move_whose_fee_is_reported_is_not_given_away(
    moving: tuple[Studio, Booking, Payment], stopped: StoppedClock, kind: str
) -> None:
    place, booking, payment = moving
    keep_notice(notice_of(payment, kind), now=stopped.now())
    stopped.pass_minutes(60)

    assert not are_offered(place, 14, stopped)
    with pytest.raises(SlotTaken):
        hold(place, start_minute=place.minute(14, days=7), now=stopped.now())
    expire_holds(now=stopped.now())
    assert MoveProposal.objects.count() == 1
    assert [line for check in CHECKS for line in check.run(stopped.now())] == []

    sync_payment(payment_id=payment.pk, now=stopped.now())
    settle_payment(payment_id=payment.pk, now=stopped.now())
    booking.refresh_from_db()
    assert booking.starts_at == place.at(14, days=7)
    assert not MoveProposal.objects.exists()


def test_the_kept_time_of_a_move_whose_fee_nobody_reported_is_free_after_its_end(
    moving: tuple[Studio, Booking, Payment], stopped: StoppedClock
) -> None:
    """The control: without the notice the same time is given to somebody else."""
    place, _, _ = moving
    stopped.pass_minutes(60)

    assert are_offered(place, 14, stopped)
    assert hold(place, start_minute=place.minute(14, days=7), now=stopped.now())
    assert not MoveProposal.objects.exists()
