"""Many requests move the same money at the same time: it moves once. Real transactions, with the stand-in for Stripe.

Each test lists the allowed outcomes and fails on any other, above all on a server error.
"""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.models import OutboxMessage
from devservers.stripe import Stripe
from devservers.stripe_control import ControlFailed
from payments.doctor import CHECKS
from payments.enums import Method, PaymentStatus, Purpose, RefundReason, RefundStatus
from payments.models import Bill, Payment, Receipt, ReceiptSeries, Refund, StripeEvent
from payments.operations import (
    hand_back,
    issue_receipt,
    receipts,
    record_payment,
    refund_payment,
    refunding,
    request_charge,
    request_refunds,
    start_card_setup,
    sync_card_setup,
    sync_payment,
)
from payments.operations.charging import charge
from payments.operations.paying import apply_intent, call_off
from payments.operations.refunding import carry_out, left_of, sync_refunds
from payments.queries import balance
from payments.receipts.contents import receipt_number
from payments.stripe import gateway
from payments.stripe_events import keep_notice, read_notice
from tests import money
from tests.concurrency.racing import deadlock_count, race, rounds, tally
from tests.factories import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("payments_alone"),
    pytest.mark.timeout(600),
]

PERSON: dict[str, Any] = {"note": "", "actor_id": None, "actor_name": "Sam", "now": NOW}
EVER_SINCE = NOW.replace(year=2000)


def subjects(count: int) -> list[str]:
    """So many bookings, one for each round."""
    return [f"booking:{number}" for number in range(1, count + 1)]


def started(subject_ref: str) -> Payment:
    payment = money.start(money.bill(subject_ref=subject_ref), subject_ref=subject_ref).payment
    payment.refresh_from_db()
    return payment


def paid(subject_ref: str, stripe: Stripe) -> Payment:
    return money.paid(money.bill(subject_ref=subject_ref), stripe, subject_ref=subject_ref)


def cash(subject_ref: str, bill: Bill, key: str = "", amount_minor: int = 1600) -> Payment:
    values = {"purpose": Purpose.BALANCE, "method": Method.CASH, "amount_minor": amount_minor, **PERSON}
    return record_payment(bill_id=bill.pk, subject_ref=subject_ref, request_key=key or f"of {subject_ref}", **values)


def fee(subject_ref: str, stripe: Stripe) -> Payment:
    """A fee that waits to be charged to a saved card."""
    bill = money.bill(4000, subject_ref=subject_ref)
    money.consent(subject_ref)
    setup = start_card_setup(bill_id=bill.pk, subject_ref=subject_ref, cap_minor=8000, now=NOW).setup
    setup.refresh_from_db()
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW)
    ask = partial(request_charge, bill_id=bill.pk, subject_ref=subject_ref, amount_minor=4000, now=NOW)
    outcomes = race([ask] * 5)
    assert tally(outcomes) == {"Payment": 5}
    [payment] = set(outcomes)
    return payment


def by_hand(payment: Payment, amount_minor: int, request_key: str) -> Refund:
    return refund_payment(
        payment_id=payment.pk, amount_minor=amount_minor, method=Method.STRIPE, request_key=request_key, **PERSON
    )


def asked_back(payment: Payment, amount_minor: int) -> list[Refund]:
    return request_refunds(
        bill_id=payment.bill_id,
        subject_ref=payment.subject_ref,
        amount_minor=amount_minor,
        reason=RefundReason.POLICY,
        now=NOW,
    )


def received() -> int:
    return sum(each.received_minor for each in gateway.intents_since(EVER_SINCE))


def published(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def violations() -> dict[str, list[str]]:
    found = {check.title: list(check.run(NOW)) for check in CHECKS}
    return {title: lines for title, lines in found.items() if lines}


# --- money coming in --------------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_four_tabs_start_one_payment(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        outcomes = race([partial(money.start, money.bill(subject_ref=subject_ref), subject_ref=subject_ref)] * 4)
        assert set(tally(outcomes)) <= {"StartedPayment", "PaymentUnavailable"}
        assert len({each.client_secret for each in outcomes if hasattr(each, "client_secret")}) == 1

    assert Payment.objects.count() == len(list(gateway.intents_since(EVER_SINCE))) == rounds


@rounds(short=10, full=100)
def test_two_tabs_over_two_sums_hold_no_two_payments_that_can_be_made(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        bill = money.bill(subject_ref=subject_ref)
        outcomes = race([partial(money.start, bill, amount, subject_ref=subject_ref) for amount in (1600, 8000)])
        assert set(tally(outcomes)) <= {"StartedPayment", "PaymentUnavailable"}
        known = Payment.objects.filter(subject_ref=subject_ref, intent_id__isnull=False)
        can_be_made = [each for each in known if sync_payment(payment_id=each.pk, now=NOW) == PaymentStatus.OPEN]
        assert len(can_be_made) <= 1


@rounds(short=10, full=100)
def test_one_answer_written_down_by_five_counts_once(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = started(subject_ref)
        stripe.control.pay(str(payment.intent_id))
        found = gateway.retrieve_intent(str(payment.intent_id))
        outcomes = race([partial(apply_intent, payment_id=payment.pk, intent=found, now=NOW)] * 5)
        assert outcomes == [PaymentStatus.SUCCEEDED] * 5

    assert published("payment.succeeded") == rounds
    assert violations() == {}


@rounds(short=10, full=100)
def test_payment_made_while_it_is_called_off_ends_here_as_it_does_there(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = started(subject_ref)
        intent_id = str(payment.intent_id)
        outcomes = race([partial(stripe.control.pay, intent_id), partial(call_off, payment_id=payment.pk, now=NOW)])
        assert isinstance(outcomes[0], dict | ControlFailed)
        assert outcomes[1] in {PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED}
        payment.refresh_from_db()
        assert payment.status == outcomes[1] == gateway.retrieve_intent(intent_id).status


@rounds(short=10, full=100)
def test_one_form_at_the_desk_sent_five_times_counts_once(rounds: int) -> None:
    for subject_ref in subjects(rounds):
        outcomes = race([partial(cash, subject_ref, money.bill(subject_ref=subject_ref))] * 5)
        assert len({payment.pk for payment in outcomes}) == 1
        assert balance(subject_ref).paid_minor == 1600


# --- notices ----------------------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_one_notice_that_comes_five_times_is_kept_once(rounds: int) -> None:
    for number in range(rounds):
        event = money.notice("payment_intent.succeeded", {"id": "pi_1"}, event_id=f"evt_{number}")
        assert sorted(race([partial(keep_notice, event, now=NOW)] * 5)) == [False] * 4 + [True]

    assert StripeEvent.objects.count() == published("stripe.event") == rounds


@rounds(short=10, full=100)
def test_one_notice_read_by_two_workers_has_one_effect(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = started(subject_ref)
        stripe.control.pay(str(payment.intent_id))
        found = {"id": payment.intent_id}
        keep_notice(money.notice("payment_intent.succeeded", found, event_id=subject_ref), now=NOW)
        event = StripeEvent.objects.get(event_id=subject_ref)
        assert race([partial(read_notice, event_pk=event.pk, now=NOW)] * 2) == [None, None]
        assert balance(subject_ref).paid_minor == 1600

    assert published("payment.succeeded") == rounds


# --- fees -------------------------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_fee_asked_for_by_five_and_charged_by_two_workers_is_taken_once(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = fee(subject_ref, stripe)
        outcomes = race([partial(charge, payment_id=payment.pk, now=NOW)] * 2)
        # Whoever comes while the first is still at it is sent away, and comes again.
        assert set(tally(outcomes)) <= {"PaymentStatus", "ProviderFailed"}
        assert PaymentStatus.SUCCEEDED in outcomes
        assert balance(subject_ref).paid_minor == 4000

    assert received() == 4000 * rounds
    assert published("payment.failed") == 0
    assert violations() == {}


@rounds(short=10, full=100)
def test_fee_called_off_while_it_is_charged_ends_here_as_it_does_there(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = fee(subject_ref, stripe)
        race([partial(act, payment_id=payment.pk, now=NOW) for act in (charge, call_off)])
        # Both come again, as the outbox would send them.
        charge(payment_id=payment.pk, now=NOW)
        call_off(payment_id=payment.pk, now=NOW)

    paid_here = Payment.objects.filter(status=PaymentStatus.SUCCEEDED).count()
    assert set(Payment.objects.values_list("status", flat=True)) <= {PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED}
    assert received() == 4000 * paid_here


# --- money going back -------------------------------------------------------------------------------------------------


@rounds(short=10, full=100)
def test_one_refund_carried_out_by_two_workers_is_made_once(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = paid(subject_ref, stripe)
        [refund] = asked_back(payment, 1000)
        acts = [partial(carry_out, refund_id=refund.pk, attempts=attempts, now=NOW) for attempts in (1, 2)]
        outcomes = race(acts)
        assert set(tally(outcomes)) <= {"RefundStatus", "ProviderFailed"}
        assert RefundStatus.SUCCEEDED in outcomes
        assert money.refunds_at_stripe(payment) == [1000]

    assert published("refund.settled") == rounds
    assert violations() == {}


@rounds(short=10, full=100)
def test_refunds_by_hand_of_more_than_there_is_are_made_as_far_as_it_goes(rounds: int, stripe: Stripe) -> None:
    for subject_ref in subjects(rounds):
        payment = paid(subject_ref, stripe)
        outcomes = race([partial(by_hand, payment, 900, f"{subject_ref} {number}") for number in range(3)])
        assert tally(outcomes) == {"Refund": 1, "RefundTooLarge": 2}

    assert violations() == {}


@pytest.mark.control
def test_without_the_locks_more_goes_back_than_came_in(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = paid("booking:1", stripe)
    meeting = threading.Barrier(2)

    def read_before_the_other_writes(found: Payment) -> int:
        left = left_of(found)
        meeting.wait(10)
        return left

    monkeypatch.setattr(refunding, "left_of", read_before_the_other_writes)
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda rows, **_: rows)

    outcomes = race([partial(by_hand, payment, 900, f"form {number}") for number in range(2)])

    assert tally(outcomes) == {"Refund": 2}
    assert set(violations()) == {"No more went back than came in"}


@rounds(short=10, full=100)
def test_refunds_by_rule_by_hand_and_at_the_provider_never_wait_for_each_other(rounds: int, stripe: Stripe) -> None:
    before = deadlock_count()
    for subject_ref in subjects(rounds):
        payment = paid(subject_ref, stripe)
        taken = cash(subject_ref, Bill.objects.get(pk=payment.bill_id))
        [waiting] = asked_back(taken, 1600)
        stripe.control.refund_outside(str(payment.intent_id), 500)
        acts = [
            partial(by_hand, payment, 700, f"{subject_ref} a"),
            partial(asked_back, payment, 700),
            partial(sync_refunds, payment_id=payment.pk, now=NOW),
            partial(sync_refunds, payment_id=payment.pk, now=NOW),
            partial(hand_back, refund_id=waiting.pk, method=Method.CASH, **PERSON),
            partial(hand_back, refund_id=waiting.pk, method=Method.CASH, **PERSON),
            partial(issue_receipt, payment_id=payment.pk, now=NOW),
        ]
        outcomes = race(acts)
        allowed = {"Refund", "RefundTooLarge", "RefundNotPossible", "list", "int", "NoneType"}
        assert set(tally(outcomes)) <= allowed
        assert tally(outcomes[4:6]) == {"Refund": 1, "RefundNotPossible": 1}
        assert Refund.objects.filter(payment=payment, reason=RefundReason.EXTERNAL).count() == 1

    assert deadlock_count() == before


# --- numbers of receipts ----------------------------------------------------------------------------------------------


@pytest.fixture
def subject_of_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = receipts.ReceiptSubject(("Linden Studio",), "Jana", ("Massage",), "en", "Europe/Berlin", "#0f766e")
    monkeypatch.setattr(receipts, "_subject", lambda subject_ref: subject)


def twenty_receipts(round_number: int) -> list[Any]:
    refs = [f"booking:{round_number}{number:02}" for number in range(20)]
    made = [cash(ref, money.bill(subject_ref=ref)) for ref in refs]
    return race([partial(issue_receipt, payment_id=payment.pk, now=NOW) for payment in made])


@rounds(short=10, full=100)
def test_twenty_receipts_at_once_leave_no_number_out(rounds: int, subject_of_receipts: None) -> None:
    for number in range(1, rounds + 1):
        assert tally(twenty_receipts(number)) == {"Receipt": 20}

    year = ReceiptSeries.objects.get().year
    expected = [receipt_number(year, serial) for serial in range(1, 20 * rounds + 1)]
    assert sorted(Receipt.objects.values_list("number", flat=True)) == sorted(expected)
    assert violations() == {}


@rounds(short=4, full=100)
def test_receipt_that_could_not_be_written_takes_no_number(
    rounds: int, subject_of_receipts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = receipts._contents
    failing = iter(range(10**6))

    def every_third_fails(*given: Any) -> Any:
        if next(failing) % 3 == 0:
            raise RuntimeError("the power fails")
        return write(*given)

    monkeypatch.setattr(receipts, "_contents", every_third_fails)

    for number in range(1, rounds + 1):
        assert set(tally(twenty_receipts(number))) == {"Receipt", "RuntimeError"}

    assert ReceiptSeries.objects.get().last_serial == Receipt.objects.count()
    assert violations() == {}


@pytest.mark.control
def test_without_the_lock_of_the_series_numbers_collide(
    subject_of_receipts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ReceiptSeries.objects.create(year=NOW.year)
    meeting = threading.Barrier(20)

    def unlocked(year: int) -> str:
        series = ReceiptSeries.objects.get(year=year)
        meeting.wait(30)
        with transaction.atomic():
            ReceiptSeries.objects.filter(pk=series.pk).update(last_serial=series.last_serial + 1)
        return receipt_number(year, series.last_serial + 1)

    monkeypatch.setattr(receipts, "_next_number", unlocked)

    outcomes = twenty_receipts(1)

    assert tally(outcomes) == {"Receipt": 1, IntegrityError.__name__: 19}
