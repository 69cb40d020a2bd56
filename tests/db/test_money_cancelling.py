"""Cancelling and moving a booking: the same amounts on the page, in the books and at Stripe."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bookings.errors import NothingToPay, PayFirst, SlotTaken, StalePage
from bookings.links import LinkRole, manage_token
from bookings.messages import money_contexts
from bookings.messages.visits import notification_context
from bookings.models import Allocation, Booking, MoveProposal
from bookings.operations.cancel import cancel_booking
from bookings.operations.hold import expire_holds
from bookings.operations.move import reschedule_booking
from bookings.operations.move_proposal import propose_move, withdraw_proposal
from bookings.operations.pay import payable
from bookings.operations.settle import settle_payment
from bookings.queries import money
from bookings.refs import subject_ref
from core.models import OutboxMessage
from notifications.enums import Channel, RecipientRole
from notifications.models import Notification
from notifications.requests import ContextRequest, MessageContext
from notifications.wording.rendering import rendered
from notifications.wording.sms_length import sms_length
from payments.enums import Purpose
from payments.models import MoneyAlert, Payment, Receipt, Refund
from payments.queries import balance
from services.models import Location
from storefront.presenters.outcome import quote
from tests.desk import cash
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, arrived, booked, card_kept, claims, paid_studio, waiting
from tests.money import deliver

pytestmark = pytest.mark.django_db

HOURS_50, HOURS_48, HOURS_30, HOURS_10 = (timedelta(hours=hours) for hours in (50, 48, 30, 10))


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def settled_booking(mode: str, paid: int, *, has_card: bool = False, **policy: Any) -> Booking:
    """A booking of 80.00 in a week that stands, with so much paid for it."""
    booking = waiting(paid_studio(mode, **policy), days=7)
    if has_card:
        card_kept(booking)
    if paid:
        arrived(booking, paid)
        deliver()
    elif booking.status == "pending_payment":
        from bookings.operations.settle import settle_card
        from payments.models import SavedCard

        settle_card(saved_card_id=SavedCard.objects.get().pk, now=NOW)
    booking.refresh_from_db()
    assert booking.status == "confirmed"
    return booking


def cancel(booking: Booking, fee: int, left: timedelta, **changes: Any) -> Booking:
    values = {"actor": LINK, "now": booking.starts_at - left, **changes}
    return cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=fee, **values
    )


def money_of(booking: Booking) -> tuple[int, int, int, int]:
    """What became of it: kept, refund, charge, open."""
    event = booking.events.filter(kind="status", to_status="cancelled").get()
    return tuple(event.details[name] for name in ("kept_minor", "refund_minor", "charge_minor", "open_minor"))  # type: ignore[return-value]


def told(booking: Booking, kind: str, now: datetime, **details: object) -> MessageContext:
    request = ContextRequest(
        subject_ref=subject_ref(booking),
        kind=kind,
        version=booking.ical_sequence,
        recipient_role=RecipientRole.CUSTOMER,
        recipient_ref="",
        details=details,
        now=now,
    )
    context = notification_context(request)
    assert context
    return context


# What the text to the customer says, beside that it is cancelled.
TEXTS = [
    ("deposit", 1600, False, {}, HOURS_50, 0, "You get €16.00 back."),
    ("deposit", 1600, False, {"is_fee_capped_at_deposit": True}, HOURS_30, 1600, "€16.00 is kept."),
    ("deposit", 1600, False, {}, HOURS_30, 4000, "€16.00 is kept. €24.00 is still to be paid."),
    ("full", 8000, False, {}, HOURS_30, 4000, "You get €40.00 back. €40.00 is kept."),
    ("venue", 0, False, {}, HOURS_30, 4000, "A fee of €40.00 is due."),
]


@pytest.mark.parametrize(("mode", "paid", "has_card", "policy", "left", "fee", "words"), TEXTS)
def test_text_about_a_cancellation_says_what_becomes_of_the_money(
    mode: str, paid: int, has_card: bool, policy: dict[str, Any], left: timedelta, fee: int, words: str
) -> None:
    booking = cancel(settled_booking(mode, paid, has_card=has_card, **policy), fee, left)

    text = rendered(told(booking, "cancelled", booking.starts_at - left), Channel.SMS).text

    assert f"is cancelled. {words} Another time:" in text
    assert not sms_length(text).odd


def test_text_about_a_payment_is_a_sentence_with_the_rest_and_the_receipt() -> None:
    booking = settled_booking("deposit", 1600)
    payment = Payment.objects.get()

    text = rendered(told(booking, "payment_received", NOW, payment_id=payment.pk), Channel.SMS).text

    assert ": thank you, €16.00 is paid. €64.00 is still to be paid. Receipt: http" in text
    assert text.endswith(f"/receipt/{payment.receipt.number}")
    assert not sms_length(text).odd


@pytest.mark.parametrize(
    ("mode", "paid", "words"),
    [
        ("deposit", 1600, ["Total: €80.00 (€12.77 tax included)", "Paid: −€16.00", "To pay at the visit: €64.00"]),
        ("full", 8000, ["Total: €80.00 (€12.77 tax included)", "Paid: −€80.00", "Nothing left to pay"]),
        ("venue", 0, ["To pay at the visit: €80.00 (€12.77 tax included)"]),
    ],
)
def test_mail_about_a_booking_calculates_as_its_page_does(mode: str, paid: int, words: list[str]) -> None:
    booking = settled_booking(mode, paid)

    mail = rendered(told(booking, "confirmed", NOW))

    assert [line for line in words if line not in mail.text.splitlines()] == []
    sums = re.findall(r"−?€[0-9.]+", " ".join(words))
    assert [each for each in sums if each not in mail.html] == []
    assert "€0.00" not in mail.text


def test_money_that_was_paid_in_two_ways_goes_back_to_no_card_alone(client: Client) -> None:
    booking = settled_booking("deposit", 1600)
    cash(booking, 6400)

    page = client.get(f"/b/{manage_token(booking, LinkRole.CUSTOMER)}/").content.decode()
    cancelled = cancel(booking, 0, HOURS_50)
    text = rendered(told(cancelled, "cancelled", NOW)).text

    assert "€80.00 goes back the way you paid" in page
    assert "€80.00 goes back the way you paid" in text


def test_mail_about_money_of_a_cancelled_booking_sends_nobody_to_the_place() -> None:
    booking = settled_booking("deposit", 1600)
    Location.objects.update(arrival_hint="Ring twice.", directions_url="https://maps.example/x")
    payment = Payment.objects.get()
    before = rendered(told(booking, "payment_received", NOW, payment_id=payment.pk))
    cancel(booking, 0, HOURS_50)

    after = rendered(told(booking, "payment_received", NOW, payment_id=payment.pk))

    assert "Ring twice." in before.text
    assert "Ring twice." in before.html
    assert "maps.example" in before.html
    assert "Cancelled: Mon 11 Jan 2027" in after.text
    assert "<s>Mon 11 Jan, 10:00</s>" in after.html
    assert not [part for part in ("Ring twice.", "maps.example") if part in after.text + after.html]


# The worked examples of fees-and-prices.md: mode, paid, card, policy, time left, fee, (kept, refund, charge, open)
EXAMPLES = [
    ("deposit", 1600, False, {}, HOURS_50, 0, (0, 1600, 0, 0)),
    ("deposit", 1600, False, {}, HOURS_48, 0, (0, 1600, 0, 0)),
    ("deposit", 1600, True, {}, HOURS_30, 4000, (1600, 0, 2400, 0)),
    ("deposit", 1600, False, {}, HOURS_30, 4000, (1600, 0, 0, 2400)),
    ("deposit", 1600, False, {"is_fee_capped_at_deposit": True}, HOURS_30, 1600, (1600, 0, 0, 0)),
    ("deposit", 1600, False, {"deposit_rule": "always_keep"}, HOURS_50, 1600, (1600, 0, 0, 0)),
    ("full", 8000, False, {}, HOURS_30, 4000, (4000, 4000, 0, 0)),
    ("full", 8000, False, {}, HOURS_10, 8000, (8000, 0, 0, 0)),
    ("card", 0, True, {}, HOURS_30, 4000, (0, 0, 4000, 0)),
]


@pytest.mark.parametrize(("mode", "paid", "has_card", "policy", "left", "fee", "outcome"), EXAMPLES)
def test_cancelling_moves_exactly_the_money_that_was_quoted(
    mode: str, paid: int, has_card: bool, policy: dict[str, Any], left: timedelta, fee: int, outcome: tuple[int, ...]
) -> None:
    booking = settled_booking(mode, paid, has_card=has_card, **policy)
    quoted = quote(booking, money.money_of(booking), now=booking.starts_at - left).now

    cancel(booking, fee, left)

    assert (quoted.keep_minor, quoted.refund_minor, quoted.charge_minor, quoted.open_minor) == outcome
    assert money_of(booking) == outcome
    kept, refund, charge, left_open = outcome
    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.net_paid_minor, sums.refunded_minor) == (fee, kept, refund)
    assert sums.open_minor == charge + left_open
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == refund
    charges = Payment.objects.filter(is_off_session=True)
    assert sum(charges.values_list("amount_minor", flat=True)) == charge


@pytest.mark.parametrize("left", [HOURS_50, HOURS_10, timedelta(0)])
def test_the_business_gives_everything_back_whatever_the_time(left: timedelta) -> None:
    booking = settled_booking("deposit", 1600, deposit_rule="always_keep", has_card=True)

    cancel(booking, 0, left, actor=DESK)

    assert money_of(booking) == (0, 1600, 0, 0)
    assert Refund.objects.get().reason == "business"
    assert balance(subject_ref(booking)).owed_minor == 0


def test_staff_cancel_on_behalf_by_the_moment_of_the_call() -> None:
    booking = settled_booking("full", 8000)
    called = booking.starts_at - HOURS_30

    cancel(booking, 4000, HOURS_10, actor=DESK, on_behalf=True, at=called)

    booking.refresh_from_db()
    event = booking.events.filter(kind="status", to_status="cancelled").get()
    assert (booking.cancelled_by, booking.cancellation_fee_minor, event.actor_kind) == ("customer", 4000, "staff")
    assert event.details["called_at"] == called.isoformat()
    assert money_of(booking) == (4000, 4000, 0, 0)


def test_staff_may_let_the_customer_off_when_cancelling_on_behalf() -> None:
    booking = settled_booking("full", 8000)

    cancel(booking, 0, HOURS_10, actor=DESK, on_behalf=True, waive=True)

    assert money_of(booking) == (0, 8000, 0, 0)


def test_a_call_that_lies_ahead_counts_as_now() -> None:
    booking = settled_booking("full", 8000)

    with pytest.raises(StalePage) as stale:
        cancel(booking, 0, HOURS_30, actor=DESK, on_behalf=True, at=booking.starts_at)

    assert stale.value.data["fee_minor"] == 4000


def test_cancelling_before_paying_costs_nothing_and_calls_the_payment_off() -> None:
    booking = waiting(paid_studio("full"))
    arrived(booking, 8000, status="open", succeeded_at=None)

    cancel(booking, 0, HOURS_10)

    booking.refresh_from_db()
    assert (booking.status, booking.cancellation_fee_minor) == ("cancelled", 0)
    assert OutboxMessage.objects.filter(topic="payment.call_off").count() == 1
    assert balance(subject_ref(booking)).owed_minor == 0


def test_money_that_arrives_after_cancelling_pays_the_fee_and_the_rest_goes_back() -> None:
    booking = settled_booking("deposit", 1600)
    cancel(booking, 4000, HOURS_30)

    arrived(booking, 6400, purpose=Purpose.BALANCE)
    deliver()

    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.net_paid_minor, sums.refunded_minor) == (4000, 4000, 4000)


def test_an_open_fee_can_be_paid_online_and_a_card_being_charged_is_not_asked_twice() -> None:
    booking = settled_booking("deposit", 1600, has_card=True)
    cancel(booking, 4000, HOURS_30)
    booking.refresh_from_db()

    assert payable(booking, NOW) is None
    Payment.objects.filter(is_off_session=True).update(status="failed", failure_code="card_declined")

    due = payable(booking, NOW)
    assert due
    assert (due.purpose, due.why, due.amount_minor) == ("fee", "cancellation_fee", 2400)


def test_the_mail_about_cancelling_says_what_becomes_of_the_money() -> None:
    from notifications.operations import send_due

    booking = settled_booking("full", 8000)
    send_due(now=NOW, limit=50)
    cancel(booking, 4000, HOURS_30)
    send_due(now=booking.starts_at - HOURS_30, limit=50)

    mail = Notification.objects.get(kind="cancelled", recipient_role="customer")
    assert "€40.00 goes back to your Visa ending 4242" in mail.body
    assert "€40.00 is kept." in mail.body
    assert not Notification.objects.filter(kind="refund_approved").exists()


def test_the_mail_about_cancelling_leads_to_paying_a_fee_that_is_open() -> None:
    from notifications.operations import send_due

    booking = settled_booking("deposit", 1600)
    cancel(booking, 4000, HOURS_30)
    send_due(now=booking.starts_at - HOURS_30, limit=50)

    mail = Notification.objects.get(kind="cancelled", recipient_role="customer")
    assert "€24.00 is still to be paid." in mail.body
    assert "Pay €24.00:" in mail.body


def test_a_card_is_kept_longer_when_its_visit_moves() -> None:
    from payments.models import SavedCard

    place = paid_studio("card", reschedule_until_minutes=0)
    booking = waiting(place, days=7)
    card = card_kept(booking)
    from bookings.operations.settle import settle_card

    settle_card(saved_card_id=card.pk, now=NOW)
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14, days=30),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
    )

    assert SavedCard.objects.get().detach_after == place.at(15, days=30) + timedelta(days=30)


# --- moves that cost -------------------------------------------------------------------------------------------------

MOVES = {"free_move_count": 0, "over_limit": "fee", "change_fee_minor": 500, "reschedule_until_minutes": 0}


def movable() -> tuple[Booking, Studio]:
    place = paid_studio("full", **MOVES)
    booking = waiting(place, days=7)
    arrived(booking, 8000)
    deliver()
    booking.refresh_from_db()
    return booking, place


def propose(booking: Booking, start: int, **changes: Any) -> MoveProposal:
    values = {"expected_sequence": 0, "expected_fee_minor": 500, "staff_member_id": None, "actor": LINK, "now": NOW}
    return propose_move(booking_id=booking.pk, start_minute=start, **{**values, **changes})


def pay_move(booking: Booking, at: Any = NOW) -> Payment:
    payment = arrived(booking, 500, purpose=Purpose.MOVE, now=at)
    settle_payment(payment_id=payment.pk, now=at)
    settle_payment(payment_id=payment.pk, now=at)
    booking.refresh_from_db()
    return payment


def test_a_move_with_a_fee_is_paid_first() -> None:
    booking, place = movable()

    with pytest.raises(PayFirst):
        reschedule_booking(
            booking_id=booking.pk,
            start_minute=place.minute(14, days=7),
            staff_member_id=None,
            expected_sequence=0,
            expected_fee_minor=500,
            actor=LINK,
            now=NOW,
        )

    booking.refresh_from_db()
    assert booking.starts_at == place.at(10, days=7)


def test_a_move_whose_fee_is_too_small_to_be_charged_is_made_and_the_fee_stays_open() -> None:
    place = paid_studio("full", **{**MOVES, "change_fee_minor": 30})
    booking = waiting(place, days=7)
    arrived(booking, 8000)
    deliver()

    with pytest.raises(NothingToPay):
        propose(booking, place.minute(14, days=7), expected_fee_minor=30)
    moved = reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14, days=7),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=30,
        actor=LINK,
        now=NOW,
    )

    assert moved.starts_at == place.at(14, days=7)
    assert balance(subject_ref(booking)).open_minor == 30
    assert payable(moved, NOW) is None


def test_a_proposal_keeps_both_times_and_the_payment_swaps_them() -> None:
    booking, place = movable()

    first = propose(booking, place.minute(14, days=7))
    again = propose(booking, place.minute(14, days=7))

    assert first == again
    assert len(claims()) == 2
    due = payable(booking, NOW)
    assert due
    assert (due.purpose, due.amount_minor, due.until) == ("move", 500, NOW + timedelta(minutes=10))

    pay_move(booking)

    assert (booking.starts_at, booking.ical_sequence) == (place.at(14, days=7), 1)
    assert len(claims()) == 1
    assert not MoveProposal.objects.exists()
    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.net_paid_minor, sums.refunded_minor) == (8500, 8500, 0)


def test_a_move_that_is_paid_is_not_asked_for_again_while_the_booking_has_yet_to_move() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))

    arrived(booking, 500, purpose=Purpose.MOVE)

    assert payable(booking, NOW) is None


def test_the_receipt_of_a_paid_move_has_its_fee_and_the_mail_leads_to_it() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))

    payment = arrived(booking, 500, purpose=Purpose.MOVE)
    deliver()

    receipt = Receipt.objects.get(payment=payment)
    assert [line["gross_minor"] for line in receipt.contents["lines"]] == [8000, 500]
    told = money_contexts.payment_received(booking, place.business, payment, now=NOW)
    assert told.variables["receipt_number"] == receipt.number


def test_money_that_goes_back_at_once_has_its_receipt_too() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )

    payment = pay_move(booking)

    assert Refund.objects.get(payment=payment).reason == "late"
    assert Receipt.objects.get(payment=payment).contents["this_amount_minor"] == 500


def test_a_proposal_into_its_own_time_takes_only_what_is_new() -> None:
    booking, place = movable()

    proposal = propose(booking, place.minute(10, 30, days=7))

    new = Allocation.objects.get(move_proposal=proposal)
    assert (new.low_minute, new.high_minute) == (place.minute(11, days=7), place.minute(11, 30, days=7))
    pay_move(booking)
    assert booking.starts_at == place.at(10, 30, days=7)


def test_another_proposal_replaces_the_first_and_withdrawing_frees_the_time() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))

    propose(booking, place.minute(15, days=7))
    assert MoveProposal.objects.count() == 1
    for _ in range(2):
        withdraw_proposal(booking_id=booking.pk, actor=LINK, now=NOW)

    assert len(claims()) == 1
    assert not MoveProposal.objects.exists()
    assert booking.events.filter(details__what="move_withdrawn").count() == 1


def test_a_move_that_is_paid_after_it_was_withdrawn_is_not_made_and_its_money_goes_back() -> None:
    booking, place = movable()
    before = booking.starts_at
    propose(booking, place.minute(14, days=7))
    withdraw_proposal(booking_id=booking.pk, actor=LINK, now=NOW)

    arrived(booking, 500, purpose=Purpose.MOVE)
    deliver()

    booking.refresh_from_db()
    assert (booking.starts_at, booking.customer_move_count) == (before, 0)
    assert Refund.objects.values_list("amount_minor", "reason").get() == (500, "late")


def test_money_for_a_move_goes_back_once_when_its_booking_is_cancelled_before_anybody_heard_of_it() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    arrived(booking, 500, purpose=Purpose.MOVE)
    late = booking.starts_at - timedelta(hours=30)

    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=4000, actor=LINK, now=late
    )
    deliver(now=late)

    booking.refresh_from_db()
    sums = balance(subject_ref(booking))
    assert (booking.status, sums.net_paid_minor, sums.open_minor) == ("cancelled", 4000, 0)


def test_a_move_that_is_proposed_again_after_it_was_withdrawn_is_made_once_paid() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    withdraw_proposal(booking_id=booking.pk, actor=LINK, now=NOW)

    propose(booking, place.minute(15, days=7))
    pay_move(booking)

    assert booking.starts_at == place.at(15, days=7)


def test_proposed_time_is_nobody_elses_until_it_runs_out() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))

    with pytest.raises(SlotTaken):
        waiting(place, days=7, hour=14)

    assert waiting(place, days=7, hour=14, now=NOW + timedelta(minutes=10)).status == "pending_payment"


@pytest.mark.parametrize("is_taken", [False, True])
def test_money_for_a_proposal_that_ran_out_moves_if_free_and_goes_back_if_not(is_taken: bool) -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    late = NOW + timedelta(minutes=15)
    expire_holds(now=late)
    if is_taken:
        waiting(place, days=7, hour=14, now=late)

    payment = pay_move(booking, late)

    sums = balance(subject_ref(booking))
    if is_taken:
        assert booking.starts_at == place.at(10, days=7)
        assert Refund.objects.values_list("payment", "amount_minor").get() == (payment.pk, 500)
        assert (sums.owed_minor, sums.net_paid_minor) == (8000, 8000)
        assert MoneyAlert.objects.get().kind == "late_payment"
    else:
        assert booking.starts_at == place.at(14, days=7)
        assert (sums.owed_minor, sums.net_paid_minor) == (8500, 8500)


def test_a_proposal_is_void_once_staff_have_moved_the_booking() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(15, days=7),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=DESK,
        now=NOW,
    )

    pay_move(booking)

    assert booking.starts_at == place.at(15, days=7)
    assert Refund.objects.get().amount_minor == 500


def test_a_move_without_a_fee_is_not_proposed() -> None:
    booking = settled_booking("full", 8000)

    with pytest.raises(NothingToPay):
        propose(booking, int(booking.starts_at.timestamp()) // 60 + 240, expected_fee_minor=0)


def test_the_business_gives_fees_for_moves_back_too() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    pay_move(booking)

    cancel(booking, 0, HOURS_10, actor=DESK)

    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.net_paid_minor, sums.refunded_minor) == (0, 0, 8500)


def test_a_customer_who_cancels_after_a_paid_move_keeps_owing_its_fee() -> None:
    booking, place = movable()
    propose(booking, place.minute(14, days=7))
    pay_move(booking)
    moment = booking.starts_at - HOURS_50
    quoted = quote(booking, money.money_of(booking), now=moment).now

    cancel(booking, 0, HOURS_50)

    assert (quoted.refund_minor, money_of(booking)) == (8000, (0, 8000, 0, 0))
    assert balance(subject_ref(booking)).net_paid_minor == 500


def test_a_booking_moved_before_it_is_paid_takes_its_price_and_its_time_along() -> None:
    place = paid_studio("full", reschedule_until_minutes=0)
    booking = waiting(place, days=7)

    reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14, days=7),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
    )

    booking.refresh_from_db()
    due = payable(booking, NOW)
    assert due
    assert (booking.status, due.amount_minor, due.until) == ("pending_payment", 8000, NOW + timedelta(minutes=10))


def test_without_a_provider_a_fee_for_moving_goes_on_the_bill(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    place = paid_studio("venue", **MOVES)
    booking = booked(place, start_minute=place.minute(10, days=7))

    reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14, days=7),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=500,
        actor=LINK,
        now=NOW,
    )

    assert balance(subject_ref(booking)).owed_minor == 8500
