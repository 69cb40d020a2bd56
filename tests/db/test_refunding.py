"""Refunds, with the stand-in for Stripe."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import outbox
from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments import reconciling
from payments.enums import AlertKind, Method, Purpose, RefundReason, RefundStatus
from payments.errors import ProviderFailed, RefundNotPossible, RefundTooLarge
from payments.models import Bill, MoneyAlert, Payment, Refund
from payments.operations import hand_back, record_payment, refund_payment, request_refunds
from payments.operations.refunding import apply_refund, carry_out, sync_refunds
from payments.queries import balance
from payments.stripe import client, gateway
from tests import money
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]


def ask(bill: Bill, amount_minor: int, **changes: Any) -> list[Refund]:
    values = {"subject_ref": SUBJECT, "reason": RefundReason.POLICY, "now": NOW}
    return request_refunds(bill_id=bill.pk, amount_minor=amount_minor, **{**values, **changes})


def by_hand(payment: Payment, amount_minor: int, **changes: Any) -> Refund:
    values = {"method": Method.STRIPE, "note": "", "actor_id": None, "actor_name": "Sam", "request_key": "form-1"}
    return refund_payment(payment_id=payment.pk, amount_minor=amount_minor, now=NOW, **{**values, **changes})


def cash(bill: Bill, amount_minor: int, key: str = "cash-1") -> Payment:
    return record_payment(
        bill_id=bill.pk,
        subject_ref=SUBJECT,
        purpose=Purpose.BALANCE,
        method=Method.CASH,
        amount_minor=amount_minor,
        actor_id=None,
        actor_name="Sam",
        note="",
        request_key=key,
        now=NOW + timedelta(minutes=5),
    )


def test_refund_goes_back_to_where_the_money_came_from(stripe: Stripe) -> None:
    bill = money.bill()
    payment = money.paid(bill, stripe)

    ask(bill, 600)
    money.deliver()

    refund = Refund.objects.get()
    [asked] = stripe.control.requests("POST", "/v1/refunds")
    assert (refund.status, refund.amount_minor) == (RefundStatus.SUCCEEDED, 600)
    assert asked["params"]["payment_intent"] == payment.intent_id
    assert asked["params"]["metadata"] == {"refund": str(refund.key)}


def test_refund_is_taken_from_the_newest_payment_first(stripe: Stripe) -> None:
    bill = money.bill()
    online = money.paid(bill, stripe, 5000)
    taken = cash(bill, 3000)

    made = ask(bill, 4000)

    assert [(each.payment_id, each.amount_minor) for each in made] == [(taken.pk, 3000), (online.pk, 1000)]
    # Cash waits for a person, the rest goes by itself.
    money.deliver()
    assert set(Refund.objects.values_list("method", "status")) == {("cash", "queued"), ("stripe", "succeeded")}


def test_refunds_together_never_exceed_what_was_paid(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe, 1600)

    ask(bill, 1000)
    second = ask(bill, 1000)

    assert [each.amount_minor for each in second] == [600]
    assert ask(bill, 1000) == []
    assert balance(SUBJECT).refunded_minor == 1600


@pytest.mark.parametrize("amount_minor", [0, -1, 1601])
def test_refund_by_hand_of_an_impossible_sum_is_refused(stripe: Stripe, amount_minor: int) -> None:
    payment = money.paid(money.bill(), stripe, 1600)

    with pytest.raises((RefundTooLarge, RefundNotPossible)):
        by_hand(payment, amount_minor)

    assert not Refund.objects.exists()


def test_refund_by_hand_counts_once_per_form(stripe: Stripe) -> None:
    payment = money.paid(money.bill(), stripe, 1600)

    by_hand(payment, 600)
    by_hand(payment, 600)
    money.deliver()

    assert balance(SUBJECT).returned_minor == 600
    assert len(stripe.control.requests("POST", "/v1/refunds")) == 1


def test_refund_of_an_unpaid_payment_is_refused(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment

    with pytest.raises(RefundNotPossible):
        by_hand(payment, 100)


def test_refund_that_the_bank_cannot_return_is_shown_and_can_be_settled_by_other_means(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    stripe.control.next_refunds("failed")

    ask(bill, 1600)
    money.deliver()

    failed = Refund.objects.get()
    assert failed.status == RefundStatus.FAILED
    assert MoneyAlert.objects.get().kind == AlertKind.REFUND_FAILED
    assert balance(SUBJECT).refunded_minor == 0

    values = {"method": Method.CASH, "note": "", "actor_id": None, "actor_name": "Sam", "now": NOW}
    hand_back(refund_id=failed.pk, **values)

    assert balance(SUBJECT).returned_minor == 1600
    with pytest.raises((RefundNotPossible, RefundTooLarge)):
        hand_back(refund_id=failed.pk, **values)


def test_refund_that_waits_at_the_bank_is_settled_later(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    stripe.control.next_refunds("pending")
    ask(bill, 1600)
    money.deliver()
    refund = Refund.objects.get()
    assert refund.status == RefundStatus.PENDING

    stripe.control.settle_refund(str(refund.stripe_refund_id), "succeeded")
    reconciling.look_after(now=NOW + timedelta(minutes=3))

    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


@pytest.mark.parametrize("fault", ["500", "500_after", "reset_before", "reset_after", "429", "lock_timeout"])
def test_refund_after_a_failure_of_the_provider_is_made_once(stripe: Stripe, fault: str) -> None:
    bill = money.bill()
    payment = money.paid(bill, stripe)
    stripe.control.fail("POST /v1/refunds", fault)  # type: ignore[arg-type]
    ask(bill, 1000)
    now = NOW
    for _ in range(8):
        money.forget_outage()
        outbox.drain(now=now)
        now += timedelta(minutes=10)

    refund = Refund.objects.get()
    at_stripe = money.refunds_at_stripe(payment)
    assert refund.status == RefundStatus.SUCCEEDED
    assert at_stripe == [1000]


def test_refund_repeated_after_a_lost_answer_finds_the_first_one(stripe: Stripe) -> None:
    bill = money.bill()
    payment = money.paid(bill, stripe)
    [refund] = ask(bill, 1000)
    stripe.control.fail("POST /v1/refunds", "500_after")
    with pytest.raises(ProviderFailed):
        carry_out(refund_id=refund.pk, attempts=1, now=NOW)

    carry_out(refund_id=refund.pk, attempts=2, now=NOW)

    assert money.refunds_at_stripe(payment) == [1000]
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


def test_refund_made_at_the_provider_is_taken_over_and_listed_once(stripe: Stripe) -> None:
    payment = money.paid(money.bill(), stripe)
    stripe.control.refund_outside(str(payment.intent_id), 700)

    for _ in range(2):
        reconciling.reconcile(now=NOW, window=timedelta(days=3650))

    refund = Refund.objects.get()
    assert (refund.reason, refund.status, refund.amount_minor) == ("external", "succeeded", 700)
    assert MoneyAlert.objects.get().kind == AlertKind.EXTERNAL_REFUND
    assert not OutboxMessage.objects.filter(topic="refund.submit").exists()


def test_refund_called_off_at_the_provider_is_shown_as_one_that_failed(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    stripe.control.next_refunds("pending")
    [refund] = ask(bill, 1600)
    money.deliver()
    refund.refresh_from_db()
    [found] = gateway.refunds_of(str(refund.payment.intent_id))

    apply_refund(refund_id=refund.pk, state=replace(found, status=gateway.REFUND_STATUSES["canceled"]), now=NOW)

    assert MoneyAlert.objects.get().kind == AlertKind.REFUND_FAILED
    assert OutboxMessage.objects.filter(topic="refund.settled").count() == 1
    hand_back(refund_id=refund.pk, method=Method.CASH, note="", actor_id=None, actor_name="Sam", now=NOW)


def test_refund_of_the_providers_method_of_money_taken_at_the_desk_is_refused(stripe: Stripe) -> None:
    payment = cash(money.bill(), 3000)

    with pytest.raises(RefundNotPossible):
        by_hand(payment, 1000, method=Method.STRIPE)

    assert not Refund.objects.exists()


def test_money_of_the_desk_is_not_handed_back_by_the_provider(stripe: Stripe) -> None:
    bill = money.bill()
    cash(bill, 3000)
    [refund] = ask(bill, 3000)

    with pytest.raises(RefundNotPossible):
        hand_back(refund_id=refund.pk, method=Method.STRIPE, note="", actor_id=None, actor_name="Sam", now=NOW)


def test_refund_in_a_currency_of_three_decimals_is_a_sum_that_the_provider_can_write(stripe: Stripe) -> None:
    bill = money.bill(currency="KWD")
    payment = money.paid(bill, stripe, 1610)

    with pytest.raises(RefundNotPossible):
        by_hand(payment, 805)
    ask(bill, 805)
    money.deliver()

    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert money.refunds_at_stripe(payment) == [810]


def test_refund_that_was_made_though_the_provider_says_no_is_found(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = money.bill()
    payment = money.paid(bill, stripe)
    [refund] = ask(bill, 1600)
    make = gateway.create_refund

    def another_was_faster(**values: Any) -> gateway.RefundState:
        make(**{**values, "serial": 9})
        return make(**values)

    monkeypatch.setattr(gateway, "create_refund", another_was_faster)

    assert carry_out(refund_id=refund.pk, attempts=1, now=NOW) == RefundStatus.SUCCEEDED
    assert money.refunds_at_stripe(payment) == [1600]
    assert not MoneyAlert.objects.exists()


def test_refund_of_others_with_metadata_like_ours_is_taken_over(stripe: Stripe) -> None:
    payment = money.paid(money.bill(), stripe)
    client.client().v1.refunds.create(
        {"payment_intent": str(payment.intent_id), "amount": 700, "metadata": {"refund": "order 17"}}
    )

    sync_refunds(payment_id=payment.pk, now=NOW)

    assert Refund.objects.get().reason == RefundReason.EXTERNAL
