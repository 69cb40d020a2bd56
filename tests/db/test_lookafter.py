"""The task ``look_after_payments`` polls Stripe for changes without an event; one bad row does not stop the others."""

from datetime import timedelta

import pytest

from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments import reconciling
from payments.enums import AlertKind, PaymentStatus, RefundReason, RefundStatus
from payments.models import MoneyAlert, Payment, Refund
from payments.operations import call_off_payments, request_charge, request_refunds
from payments.stripe import client, gateway
from tests import money
from tests.db.test_charging import card_on_file
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]

EVER = timedelta(days=3650)


def given_up() -> None:
    """The outbox has tried for half a day and gave up."""
    OutboxMessage.objects.update(status=OutboxMessage.Status.DEAD)


def started(stripe: Stripe, subject_ref: str) -> Payment:
    payment = money.start(money.bill(subject_ref=subject_ref), subject_ref=subject_ref).payment
    payment.refresh_from_db()
    return payment


def test_payment_that_the_provider_does_not_know_holds_up_nobody(stripe: Stripe) -> None:
    lost = started(stripe, "booking:2")
    made = started(stripe, "booking:3")
    Payment.objects.filter(pk=lost.pk).update(intent_id="pi_of_another_account")
    stripe.control.pay(str(made.intent_id))

    reconciling.look_after(now=NOW + timedelta(minutes=3))

    assert dict(Payment.objects.values_list("pk", "status")) == {lost.pk: "cancelled", made.pk: "succeeded"}


def test_comparison_goes_on_after_a_payment_that_the_provider_does_not_know(stripe: Stripe) -> None:
    lost = started(stripe, "booking:2")
    made = started(stripe, "booking:3")
    Payment.objects.filter(pk=lost.pk).update(intent_id="pi_of_another_account")
    stripe.control.pay(str(made.intent_id))

    run = reconciling.reconcile(now=NOW + timedelta(minutes=5), window=EVER)

    assert run.ended_at is not None
    assert dict(Payment.objects.values_list("pk", "status")) == {lost.pk: "cancelled", made.pk: "succeeded"}


def test_refund_that_was_given_up_is_sent_after_all(stripe: Stripe) -> None:
    bill = money.bill()
    payment = money.paid(bill, stripe)
    request_refunds(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=600, reason=RefundReason.POLICY, now=NOW)
    given_up()

    reconciling.look_after(now=NOW + timedelta(hours=13))

    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert money.refunds_at_stripe(payment) == [600]


def test_fee_that_was_given_up_is_charged_after_all(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    given_up()

    reconciling.look_after(now=NOW + timedelta(hours=13))

    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED


def test_payment_that_was_given_up_to_be_called_off_is_called_off_after_all(stripe: Stripe) -> None:
    payment = started(stripe, SUBJECT)
    call_off_payments(subject_ref=SUBJECT, now=NOW)
    given_up()

    reconciling.look_after(now=NOW + timedelta(hours=13))

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELLED
    assert gateway.retrieve_intent(str(payment.intent_id)).status == PaymentStatus.CANCELLED


def test_fee_that_the_bank_refused_is_not_tried_again(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    stripe.control.fail("POST /v1/payment_intents/*/confirm", "402")
    request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    money.deliver()

    reconciling.look_after(now=NOW + timedelta(hours=13))

    assert Payment.objects.get().status == PaymentStatus.OPEN
    assert len(stripe.control.requests("POST", "/v1/payment_intents/")) == 1


def test_refund_that_cannot_be_sent_for_an_hour_is_shown_to_somebody(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    request_refunds(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=600, reason=RefundReason.POLICY, now=NOW)
    given_up()
    stripe.control.fail("GET /v1/refunds", "500")

    reconciling.look_after(now=NOW + timedelta(hours=2))

    alert = MoneyAlert.objects.get()
    assert (alert.kind, alert.refund) == (AlertKind.STUCK, Refund.objects.get())


@pytest.mark.parametrize("name", ["payment", "refund"])
def test_comparison_reads_over_metadata_of_others(stripe: Stripe, name: str) -> None:
    client.client().v1.payment_intents.create({"amount": 500, "currency": "eur", "metadata": {name: "order 17"}})

    assert reconciling.reconcile(now=NOW, window=EVER).report == []


def test_comparison_reads_over_sums_of_others_that_we_cannot_write(stripe: Stripe) -> None:
    client.client().v1.payment_intents.create({"amount": 12345, "currency": "rsd"})

    assert reconciling.reconcile(now=NOW, window=EVER).report == []


def test_comparison_finds_the_payment_whose_answer_was_lost(stripe: Stripe) -> None:
    payment = started(stripe, SUBJECT)
    stripe.control.pay(str(payment.intent_id))
    Payment.objects.update(intent_id=None, status=PaymentStatus.CANCELLED)

    reconciling.reconcile(now=NOW + timedelta(minutes=5), window=EVER)

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_comparison_calls_off_what_nobody_wants_any_more(stripe: Stripe) -> None:
    payment = started(stripe, SUBJECT)
    Payment.objects.update(status=PaymentStatus.CANCELLED)

    reconciling.reconcile(now=NOW + timedelta(minutes=5), window=EVER)

    assert gateway.retrieve_intent(str(payment.intent_id)).status == PaymentStatus.CANCELLED


def test_comparison_asks_about_old_payments_that_still_wait(stripe: Stripe) -> None:
    payment = started(stripe, SUBJECT)
    stripe.control.pay(str(payment.intent_id))
    later = NOW + timedelta(days=4000)

    reconciling.reconcile(now=later)

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_comparison_lists_a_refund_that_is_another_there(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    request_refunds(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=600, reason=RefundReason.POLICY, now=NOW)
    money.deliver()
    Refund.objects.update(status=RefundStatus.FAILED)

    run = reconciling.reconcile(now=NOW + timedelta(minutes=5), window=EVER)

    refund = Refund.objects.get()
    assert run.report == [f"to be seen: refund {refund.pk} is failed here and succeeded there"]


def test_comparison_lists_a_refund_that_the_provider_does_not_have(stripe: Stripe) -> None:
    bill = money.bill()
    money.paid(bill, stripe)
    request_refunds(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=600, reason=RefundReason.POLICY, now=NOW)
    money.deliver()
    Refund.objects.update(stripe_refund_id="re_nowhere", key="00000000-0000-4000-8000-000000000000")

    run = reconciling.reconcile(now=NOW + timedelta(minutes=5), window=EVER)

    refund = Refund.objects.get(stripe_refund_id="re_nowhere")
    assert f"to be seen: refund {refund.pk} is not there" in run.report
