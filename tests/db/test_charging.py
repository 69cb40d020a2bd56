"""Fees charged to a saved card, against the stand-in for Stripe."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Consent
from core import outbox
from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments.enums import AlertKind, PaymentStatus, Purpose, SetupStatus
from payments.errors import AlreadyPaid, PaymentUnavailable, ProviderFailed, ProviderRefused
from payments.models import Bill, CardSetup, MoneyAlert, Payment, SavedCard
from payments.operations import (
    call_off_payments,
    charging,
    detach_cards_due,
    paying,
    request_charge,
    start_card_setup,
    sync_card_setup,
)
from payments.operations.cards import forget_card_after
from payments.operations.paying import apply_intent, call_off
from payments.queries import balance, saved_card
from payments.stripe import gateway
from tests import money
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]


def card_on_file(stripe: Stripe, *, owed_minor: int = 4000, cap_minor: int = 8000) -> Bill:
    """A bill whose owner left a card for fees."""
    bill = money.bill(owed_minor)
    money.consent()
    started = start_card_setup(bill_id=bill.pk, subject_ref=SUBJECT, cap_minor=cap_minor, now=NOW)
    started.setup.refresh_from_db()
    stripe.control.set_up(str(started.setup.setup_intent_id))
    sync_card_setup(setup_id=started.setup.pk, now=NOW)
    return bill


def charge(bill: Bill, amount_minor: int = 4000) -> Payment:
    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=amount_minor, now=NOW)
    assert payment is not None
    money.deliver()
    payment.refresh_from_db()
    return payment


def test_card_is_kept_without_a_payment(stripe: Stripe) -> None:
    card_on_file(stripe)

    card = saved_card(SUBJECT)
    assert card is not None
    assert (card.last4, card.cap_minor, card.consent.text) == ("4242", 8000, "Up to €80.00.")
    assert CardSetup.objects.get().status == SetupStatus.SUCCEEDED
    assert not stripe.control.requests("POST", "/v1/payment_intents")


def test_card_setup_started_twice_is_the_same_one(stripe: Stripe) -> None:
    bill = money.bill()
    values = {"bill_id": bill.pk, "subject_ref": SUBJECT, "cap_minor": 8000, "now": NOW}

    assert start_card_setup(**values).client_secret == start_card_setup(**values).client_secret


def test_card_that_is_there_is_not_asked_for_again(stripe: Stripe) -> None:
    bill = card_on_file(stripe)

    with pytest.raises(AlreadyPaid):
        start_card_setup(bill_id=bill.pk, subject_ref=SUBJECT, cap_minor=8000, now=NOW)


def test_fee_is_charged_once(stripe: Stripe) -> None:
    bill = card_on_file(stripe)

    payment = charge(bill)
    again = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)

    assert again is None
    assert (payment.status, payment.amount_minor, payment.purpose) == (PaymentStatus.SUCCEEDED, 4000, Purpose.FEE)
    assert balance(SUBJECT).paid_minor == 4000
    confirmed = stripe.control.requests("POST", f"/v1/payment_intents/{payment.intent_id}/confirm")
    assert [each["params"]["off_session"] for each in confirmed] == ["true"]


def test_fee_is_never_more_than_is_open(stripe: Stripe) -> None:
    assert charge(card_on_file(stripe, owed_minor=2500), 4000).amount_minor == 2500


def test_fees_together_are_never_more_than_was_consented_to(stripe: Stripe) -> None:
    bill = card_on_file(stripe, owed_minor=8000, cap_minor=5000)

    assert [charge(bill, 4000).amount_minor, charge(bill, 4000).amount_minor] == [4000, 1000]


def test_fee_is_never_more_than_was_consented_to(stripe: Stripe) -> None:
    payment = charge(card_on_file(stripe, cap_minor=3000), 4000)

    assert payment.amount_minor == 3000


def test_fee_without_a_card_cannot_be_asked_for(stripe: Stripe) -> None:
    with pytest.raises(SavedCard.DoesNotExist):
        request_charge(bill_id=money.bill().pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)


def test_fee_that_needs_the_customer_stays_open_for_them_and_is_not_tried_again(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    SavedCard.objects.update(payment_method_id=money.card_that_wants_its_owner(bill))

    payment = charge(bill)
    money.deliver(now=NOW + timedelta(days=1))

    assert (payment.status, payment.failure_code) == (PaymentStatus.OPEN, "authentication_required")
    assert len(stripe.control.requests("POST", f"/v1/payment_intents/{payment.intent_id}/confirm")) == 1
    # The customer then pays the same one.
    started = money.start(bill, 4000, purpose=Purpose.FEE)
    assert started.payment.pk == payment.pk
    stripe.control.pay(str(payment.intent_id))
    money.gateway_news(payment)
    assert balance(SUBJECT).paid_minor == 4000


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("POST /v1/payment_intents", "500"),
        ("POST /v1/payment_intents", "500_after"),
        ("POST /v1/payment_intents", "reset_after"),
        ("POST /v1/payment_intents/*/confirm", "500"),
        ("POST /v1/payment_intents/*/confirm", "500_after"),
        ("POST /v1/payment_intents/*/confirm", "reset_before"),
        ("POST /v1/payment_intents/*/confirm", "reset_after"),
        ("POST /v1/payment_intents/*/confirm", "lock_timeout"),
    ],
)
def test_fee_after_a_failure_of_the_provider_is_charged_once(stripe: Stripe, where: str, fault: str) -> None:
    bill = card_on_file(stripe)
    stripe.control.fail(where, fault)  # type: ignore[arg-type]
    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    assert payment is not None
    now = NOW
    for _ in range(8):
        money.forget_outage()
        outbox.drain(now=now)
        now += timedelta(minutes=10)

    payment.refresh_from_db()
    received = [each.received_minor for each in gateway.intents_since(NOW - timedelta(days=3650))]
    assert payment.status == PaymentStatus.SUCCEEDED
    assert sum(received) == 4000


def test_frozen_card_is_not_charged_and_a_person_is_told(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    assert payment is not None
    SavedCard.objects.update(is_frozen=True)

    money.deliver()

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FAILED
    assert MoneyAlert.objects.get().kind == AlertKind.CHARGE_FAILED


def test_card_is_forgotten_when_its_time_is_up(stripe: Stripe) -> None:
    card_on_file(stripe)
    forget_card_after(subject_ref=SUBJECT, at=NOW + timedelta(days=14))

    assert detach_cards_due(now=NOW + timedelta(days=13)) == 0
    assert detach_cards_due(now=NOW + timedelta(days=14)) == 1

    assert saved_card(SUBJECT) is None
    assert [each["path"] for each in stripe.control.requests("POST", "/v1/payment_methods")]


def test_fee_called_off_while_it_is_prepared_takes_no_money(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    bill = card_on_file(stripe)
    ask = gateway.create_charge

    def called_off_meanwhile(**values: Any) -> gateway.Intent:
        made = ask(**values)
        call_off(payment_id=Payment.objects.get().pk, now=NOW)
        return made

    monkeypatch.setattr(gateway, "create_charge", called_off_meanwhile)

    payment = charge(bill)

    assert payment.status == PaymentStatus.CANCELLED
    assert [each.received_minor for each in gateway.intents_since(NOW - timedelta(days=3650))] == [0]


def test_fee_prepared_twice_confirms_the_one_in_the_books(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    bill = card_on_file(stripe)
    ask = gateway.create_charge

    first: list[str] = []

    def another_came_first(**values: Any) -> gateway.Intent:
        other = ask(**{**values, "serial": 9})
        first.append(other.id)
        apply_intent(payment_id=Payment.objects.get().pk, intent=other, now=NOW)
        return ask(**values)

    monkeypatch.setattr(gateway, "create_charge", another_came_first)

    payment = charge(bill)

    received = {each.id: each.received_minor for each in gateway.intents_since(NOW - timedelta(days=3650))}
    assert payment.status == PaymentStatus.SUCCEEDED
    assert [payment.intent_id] == first
    assert (sum(received.values()), received[str(payment.intent_id)]) == (4000, 4000)


def test_fee_is_not_handed_to_the_customer_while_the_card_is_being_charged(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)

    with pytest.raises(AlreadyPaid):
        money.start(bill, 4000, purpose=Purpose.FEE)

    money.deliver()
    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED


def test_fee_paid_by_the_customer_before_it_is_confirmed_is_not_called_refused(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = card_on_file(stripe)
    ask = gateway.confirm_charge

    def paid_meanwhile(intent_id: str, **values: Any) -> gateway.Intent:
        stripe.control.pay(intent_id)
        return ask(intent_id, **values)

    monkeypatch.setattr(gateway, "confirm_charge", paid_meanwhile)

    payment = charge(bill)

    assert (payment.status, payment.failure_code) == (PaymentStatus.SUCCEEDED, "")
    assert not OutboxMessage.objects.filter(topic="payment.failed").exists()
    assert OutboxMessage.objects.filter(topic="payment.succeeded").count() == 1


def test_card_frozen_after_the_fee_was_prepared_is_not_charged(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    stripe.control.fail("POST /v1/payment_intents/*/confirm", "lock_timeout")
    payment = charge(bill)
    assert payment.intent_id
    SavedCard.objects.update(is_frozen=True)

    money.deliver(now=NOW + timedelta(minutes=1))

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FAILED
    assert gateway.retrieve_intent(str(payment.intent_id)).status == PaymentStatus.CANCELLED
    assert MoneyAlert.objects.get().kind == AlertKind.CHARGE_FAILED


def test_fee_after_the_consent_was_withdrawn_cannot_be_asked_for(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    Consent.objects.update(withdrawn_at=NOW)

    assert saved_card(SUBJECT) is None
    with pytest.raises(SavedCard.DoesNotExist):
        request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)


def test_fee_below_what_the_provider_charges_is_not_asked_for(stripe: Stripe) -> None:
    bill = card_on_file(stripe)

    assert request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=49, now=NOW) is None


@pytest.mark.parametrize("fault", ["500", "500_after"])
def test_card_can_be_left_after_a_failure_of_the_provider(stripe: Stripe, fault: str) -> None:
    bill = money.bill()
    values = {"bill_id": bill.pk, "subject_ref": SUBJECT, "cap_minor": 8000, "now": NOW}
    stripe.control.fail("POST /v1/setup_intents", fault)  # type: ignore[arg-type]
    with pytest.raises(PaymentUnavailable):
        start_card_setup(**values)

    assert start_card_setup(**values).client_secret


def test_card_setup_that_the_provider_does_not_know_is_begun_anew(stripe: Stripe) -> None:
    bill = money.bill()
    values = {"bill_id": bill.pk, "subject_ref": SUBJECT, "now": NOW}
    start_card_setup(cap_minor=8000, **values)
    stripe.control.reset()
    Bill.objects.update(stripe_customer_id="")

    assert start_card_setup(cap_minor=8000, **values).client_secret
    assert list(CardSetup.objects.order_by("pk").values_list("status", flat=True)) == ["cancelled", "open"]


def test_card_setup_asked_for_again_with_another_cap_is_for_that(stripe: Stripe) -> None:
    bill = money.bill()
    values = {"bill_id": bill.pk, "subject_ref": SUBJECT, "now": NOW}
    start_card_setup(cap_minor=8000, **values)

    start_card_setup(cap_minor=3000, **values)

    assert CardSetup.objects.get().cap_minor == 3000


def received() -> int:
    """What Stripe has taken in all."""
    return sum(each.received_minor for each in gateway.intents_since(NOW - timedelta(days=3650)))


@pytest.mark.parametrize("is_prepared", [False, True])
def test_fee_that_is_to_be_called_off_is_not_charged_by_whoever_comes_first(stripe: Stripe, is_prepared: bool) -> None:
    """Both are tried again for hours while Stripe is away; then either may be the first."""
    bill = card_on_file(stripe)
    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    assert payment is not None
    if is_prepared:
        stripe.control.fail("POST /v1/payment_intents/*/confirm", "lock_timeout")
        money.deliver()
    call_off_payments(subject_ref=SUBJECT, purposes=[Purpose.FEE], now=NOW)

    status = charging.charge(payment_id=payment.pk, now=NOW)
    money.deliver(now=NOW + timedelta(hours=1))

    assert (status, received()) == (PaymentStatus.CANCELLED, 0)
    assert not MoneyAlert.objects.exists()


def test_fee_called_off_while_stripe_prepares_it_is_not_charged(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = card_on_file(stripe)
    ask = gateway.create_charge

    def called_off_meanwhile(**values: Any) -> gateway.Intent:
        made = ask(**values)
        call_off_payments(subject_ref=SUBJECT, purposes=[Purpose.FEE], now=NOW)
        return made

    monkeypatch.setattr(gateway, "create_charge", called_off_meanwhile)

    payment = charge(bill)

    assert (payment.status, received()) == (PaymentStatus.CANCELLED, 0)
    assert gateway.retrieve_intent(str(payment.intent_id)).status == PaymentStatus.CANCELLED


@pytest.mark.parametrize(("taken", "is_asked"), [(4000, False), (1500, True)])
def test_fee_paid_otherwise_since_it_was_asked_for_is_not_charged(stripe: Stripe, taken: int, is_asked: bool) -> None:
    bill = card_on_file(stripe)
    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    assert payment is not None
    money.paid(bill, stripe, taken, purpose=Purpose.BALANCE)

    money.deliver()

    payment.refresh_from_db()
    assert (payment.status, received()) == (PaymentStatus.CANCELLED, taken)
    assert OutboxMessage.objects.filter(topic="payment.failed").exists() is is_asked


def test_consent_withdrawn_while_stripe_prepares_the_fee_keeps_the_card_from_being_charged(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = card_on_file(stripe)
    ask = gateway.create_charge

    def withdrawn_meanwhile(**values: Any) -> gateway.Intent:
        made = ask(**values)
        Consent.objects.update(withdrawn_at=NOW)
        return made

    monkeypatch.setattr(gateway, "create_charge", withdrawn_meanwhile)

    payment = charge(bill)

    assert (payment.status, received()) == (PaymentStatus.FAILED, 0)
    assert MoneyAlert.objects.get().kind == AlertKind.CHARGE_FAILED


def test_fee_that_was_called_off_while_it_was_given_up_is_shown_to_nobody(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = card_on_file(stripe)

    def refused_and_called_off(**values: Any) -> gateway.Intent:
        call_off(payment_id=Payment.objects.get().pk, now=NOW)
        raise ProviderRefused("card_declined")

    monkeypatch.setattr(gateway, "create_charge", refused_and_called_off)

    payment = charge(bill)

    assert payment.status == PaymentStatus.CANCELLED
    assert not MoneyAlert.objects.exists()
    assert not OutboxMessage.objects.filter(topic="payment.failed").exists()


def test_call_off_that_meets_the_preparing_of_a_payment_reaches_it(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads a row without an intent; before it writes, the row has one."""
    bill = money.bill()
    advance = paying.advance
    monkeypatch.setattr(gateway, "create_intent", lambda **values: (_ for _ in ()).throw(ProviderFailed("away")))
    with pytest.raises(PaymentUnavailable):
        money.start(bill)
    monkeypatch.undo()

    def prepared_first(row: Payment, to: str, **values: Any) -> bool:
        monkeypatch.setattr(paying, "advance", advance)
        money.start(bill)
        return advance(row, to, **values)

    monkeypatch.setattr(paying, "advance", prepared_first)

    status = call_off(payment_id=Payment.objects.get().pk, now=NOW)

    assert status == PaymentStatus.CANCELLED
    assert gateway.retrieve_intent(str(Payment.objects.get().intent_id)).status == PaymentStatus.CANCELLED


def test_fee_that_the_customer_begins_to_pay_while_it_is_asked_for_is_paid_by_them(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = card_on_file(stripe)
    look = charging.chargeable_cards

    def begun_meanwhile() -> Any:
        monkeypatch.setattr(charging, "chargeable_cards", look)
        Payment.objects.create(
            bill=bill, subject_ref=SUBJECT, purpose=Purpose.FEE, currency="EUR", amount_minor=4000, created_at=NOW
        )
        return look()

    monkeypatch.setattr(charging, "chargeable_cards", begun_meanwhile)

    payment = request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)

    assert payment == Payment.objects.get()
    assert not payment.is_off_session


def test_payment_that_is_to_be_called_off_is_not_handed_out(stripe: Stripe) -> None:
    bill = money.bill()
    money.start(bill)
    call_off_payments(subject_ref=SUBJECT, now=NOW)

    again = money.start(bill)

    assert list(Payment.objects.values_list("status", flat=True)) == ["cancelled", "open"]
    assert again.payment == Payment.objects.latest("pk")
