"""Payments as our books have them, against the stand-in for Stripe."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Consent
from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments.enums import AlertKind, Method, PaymentStatus, Purpose
from payments.errors import AlreadyPaid, NoOnlinePayment, PaymentUnavailable
from payments.models import MoneyAlert, Payment, SavedCard
from payments.operations import call_off_payments, record_payment, sync_payment
from payments.operations.paying import call_off
from payments.queries import balance
from payments.stripe import gateway
from tests import money
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]


def topics() -> list[str]:
    return list(OutboxMessage.objects.order_by("id").values_list("topic", flat=True))


def test_payment_when_started_is_one_intent_over_the_sum(stripe: Stripe) -> None:
    started = money.start(money.bill())

    payment = Payment.objects.get()
    assert started.client_secret.startswith(str(payment.intent_id))
    assert (payment.status, payment.amount_minor, payment.currency) == (PaymentStatus.OPEN, 1600, "EUR")
    [asked] = stripe.control.requests("POST", "/v1/payment_intents")
    assert asked["params"]["metadata"] == {"payment": str(payment.key)}


def test_payment_started_twice_is_the_same_one(stripe: Stripe) -> None:
    bill = money.bill()

    first, second = money.start(bill), money.start(bill)

    assert first.client_secret == second.client_secret
    assert Payment.objects.count() == 1


def test_payment_over_another_sum_calls_the_first_one_off(stripe: Stripe) -> None:
    bill = money.bill()
    money.start(bill, 1600)

    money.start(bill, 8000)

    assert list(Payment.objects.values_list("status", "amount_minor")) == [("cancelled", 1600), ("open", 8000)]


def test_payment_when_made_is_written_down_once(stripe: Stripe) -> None:
    payment = money.paid(money.bill(), stripe)
    money.gateway_news(payment)

    assert (payment.status, payment.card_last4, payment.method_type) == (PaymentStatus.SUCCEEDED, "4242", "card")
    assert balance(SUBJECT).open_minor == 6400
    assert topics().count("payment.succeeded") == 1


def test_payment_already_made_is_not_asked_for_again(stripe: Stripe) -> None:
    bill = money.bill()
    payment = money.start(bill).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))

    with pytest.raises(AlreadyPaid):
        money.start(bill)

    assert balance(SUBJECT).paid_minor == 1600


def test_payment_being_checked_by_the_bank_is_not_asked_for_again(stripe: Stripe) -> None:
    bill = money.bill()
    payment = money.start(bill).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id), "processing")

    with pytest.raises(AlreadyPaid):
        money.start(bill)

    assert Payment.objects.get().status == PaymentStatus.PROCESSING


def test_payment_declined_stays_open_and_says_why(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id), "insufficient_funds")

    assert sync_payment(payment_id=payment.pk, now=NOW) == PaymentStatus.OPEN

    payment.refresh_from_db()
    assert payment.failure_code == "insufficient_funds"


@pytest.mark.parametrize("fault", ["500", "500_after", "reset_after", "429", "lock_timeout"])
def test_start_after_a_failure_of_the_provider_goes_on_with_one_payment(stripe: Stripe, fault: str) -> None:
    bill = money.bill()
    stripe.control.fail("POST /v1/payment_intents", fault)  # type: ignore[arg-type]
    with pytest.raises(PaymentUnavailable):
        money.start(bill)
    money.forget_outage()

    started = money.start(bill)

    assert started.client_secret
    assert Payment.objects.get().status == PaymentStatus.OPEN


def test_start_without_keys_is_refused(settings: pytest.FixtureRequest) -> None:
    settings.STRIPE_SECRET_KEY = ""  # type: ignore[attr-defined]

    with pytest.raises(NoOnlinePayment):
        money.start(money.bill())

    assert not Payment.objects.exists()


def test_called_off_payment_is_cancelled_at_the_provider(stripe: Stripe) -> None:
    money.start(money.bill())

    call_off_payments(subject_ref=SUBJECT, now=NOW)
    money.deliver()

    payment = Payment.objects.get()
    assert payment.status == PaymentStatus.CANCELLED
    assert stripe.control.requests("POST", f"/v1/payment_intents/{payment.intent_id}/cancel")


def test_called_off_payment_that_was_made_first_counts(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))

    call_off_payments(subject_ref=SUBJECT, now=NOW)
    money.deliver()

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert "payment.succeeded" in topics()


def test_call_off_after_a_payment_was_begun_anew_reaches_that_one_too(stripe: Stripe) -> None:
    bill = money.bill()
    money.start(bill)
    call_off_payments(subject_ref=SUBJECT, now=NOW)
    money.deliver()
    money.start(bill)

    call_off_payments(subject_ref=SUBJECT, now=NOW)
    money.deliver()

    assert set(Payment.objects.values_list("status", flat=True)) == {"cancelled"}


def test_money_taken_at_the_desk_counts_once_per_form(stripe: Stripe) -> None:
    bill = money.bill()
    values = {
        "bill_id": bill.pk,
        "subject_ref": SUBJECT,
        "purpose": Purpose.BALANCE,
        "method": Method.CASH,
        "amount_minor": 6400,
        "actor_id": None,
        "actor_name": "Sam",
        "note": "",
        "request_key": "form-1",
        "now": NOW,
    }

    first, second = record_payment(**values), record_payment(**values)

    assert first.pk == second.pk
    assert balance(SUBJECT).paid_minor == 6400


def test_card_is_kept_with_its_consent_when_the_payment_says_so(stripe: Stripe) -> None:
    money.consent()

    money.paid(money.bill(), stripe, saves_card=True, cap_minor=8000)

    card = SavedCard.objects.get()
    assert (card.brand, card.last4, card.cap_minor) == ("visa", "4242", 8000)


def test_card_without_a_consent_is_not_kept(stripe: Stripe) -> None:
    money.paid(money.bill(), stripe, saves_card=True, cap_minor=8000)

    assert not SavedCard.objects.exists()
    assert MoneyAlert.objects.count() == 1


@pytest.mark.parametrize(
    ("currency", "amount_minor", "sent"), [("JPY", 1600, 1600), ("KWD", 1600, 1600), ("ISK", 1600, 160000)]
)
def test_amounts_go_out_in_the_units_of_the_provider_and_come_back_in_ours(
    stripe: Stripe, currency: str, amount_minor: int, sent: int
) -> None:
    bill = money.bill(currency=currency)

    payment = money.paid(bill, stripe, amount_minor)

    [asked] = stripe.control.requests("POST", "/v1/payment_intents")
    assert int(asked["params"]["amount"]) == sent
    assert (payment.status, payment.amount_minor) == (PaymentStatus.SUCCEEDED, amount_minor)
    assert not MoneyAlert.objects.exists()


def test_row_of_which_the_provider_may_have_forgotten_the_key_is_begun_anew(stripe: Stripe) -> None:
    bill = money.bill()
    Payment.objects.create(
        bill=bill, subject_ref=SUBJECT, purpose=Purpose.BOOKING, currency="EUR", amount_minor=1600, created_at=NOW
    )

    money.start(bill, now=NOW + timedelta(hours=25))

    assert list(Payment.objects.values_list("status", flat=True)) == ["cancelled", "open"]


def test_another_sum_than_asked_for_is_booked_and_listed(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    Payment.objects.filter(pk=payment.pk).update(amount_minor=1700)
    stripe.control.pay(str(payment.intent_id))

    money.gateway_news(payment)

    payment.refresh_from_db()
    assert (payment.status, payment.amount_minor) == (PaymentStatus.SUCCEEDED, 1600)
    assert MoneyAlert.objects.get().kind == AlertKind.AMOUNT_DIFFERS


def test_provider_is_never_asked_inside_a_transaction(stripe: Stripe) -> None:
    from django.db import transaction

    bill = money.bill()

    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        money.start(bill)


def test_payment_that_the_provider_does_not_know_is_begun_anew(stripe: Stripe) -> None:
    bill = money.bill()
    money.start(bill)
    stripe.control.reset()

    money.start(bill)

    assert list(Payment.objects.values_list("status", flat=True)) == ["cancelled", "open"]


def test_payment_called_off_while_it_is_prepared_is_not_handed_out(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = gateway.create_intent

    def called_off_meanwhile(**values: Any) -> gateway.Intent:
        monkeypatch.setattr(gateway, "create_intent", ask)
        made = ask(**values)
        call_off(payment_id=Payment.objects.get().pk, now=NOW)
        return made

    monkeypatch.setattr(gateway, "create_intent", called_off_meanwhile)

    started = money.start(money.bill())

    assert started.payment.status == PaymentStatus.OPEN
    assert list(Payment.objects.values_list("status", flat=True)) == ["cancelled", "open"]


def test_payment_prepared_twice_hands_out_the_one_in_the_books(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = gateway.create_intent

    def another_came_first(**values: Any) -> gateway.Intent:
        monkeypatch.setattr(gateway, "create_intent", ask)
        made = ask(**values)
        Payment.objects.update(key_serial=1)
        money.start(bill)
        return made

    bill = money.bill()
    monkeypatch.setattr(gateway, "create_intent", another_came_first)

    started = money.start(bill)

    payment = Payment.objects.get()
    assert started.client_secret.startswith(f"{payment.intent_id}_secret")


def test_payment_whose_card_must_not_be_kept_any_more_is_begun_anew(stripe: Stripe) -> None:
    bill = money.bill()
    money.start(bill, saves_card=True, cap_minor=8000)

    money.start(bill)

    assert list(Payment.objects.values_list("status", "saves_card")) == [("cancelled", True), ("open", False)]


def test_payment_asked_for_again_with_another_cap_keeps_the_card_up_to_that(stripe: Stripe) -> None:
    bill = money.bill()
    money.consent()
    money.start(bill, saves_card=True, cap_minor=8000)

    money.paid(bill, stripe, saves_card=True, cap_minor=3000)

    assert SavedCard.objects.get().cap_minor == 3000


def test_card_whose_consent_was_withdrawn_is_not_kept(stripe: Stripe) -> None:
    money.consent()
    Consent.objects.update(withdrawn_at=NOW)

    money.paid(money.bill(), stripe, saves_card=True, cap_minor=8000)

    assert not SavedCard.objects.exists()


def test_payer_whose_making_failed_at_the_provider_can_be_made_a_minute_later(stripe: Stripe) -> None:
    bill = money.bill()
    stripe.control.fail("POST /v1/customers", "500")

    assert money.start(bill, saves_card=True, cap_minor=8000).client_secret
