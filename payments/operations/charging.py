"""Charge fees to a saved card while the customer is away: at most once, and within the consent.

A charge has two steps, prepare and confirm. If two workers prepare the same charge, Stripe has two unconfirmed intents.
Only the intent whose id is in our row is confirmed, and Stripe lets an intent succeed at most once.
"""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Sum

from core.crash import crash_point
from core.outbox import publish
from payments.enums import LIVE_PAYMENTS, AlertKind, PaymentStatus, Purpose
from payments.errors import ProviderFailed, ProviderRefused
from payments.lifecycle import advance
from payments.models import Bill, Payment, SavedCard
from payments.operations.alerts import raise_alert
from payments.operations.cards import customer_of
from payments.operations.paying import apply_intent, call_off
from payments.queries import balance, chargeable_cards, saved_card
from payments.stripe import gateway
from payments.stripe.amounts import chargeable

logger = logging.getLogger(__name__)

_NO_CARD = "no_card"


@transaction.atomic
def request_charge(*, bill_id: int, subject_ref: str, amount_minor: int, now: datetime) -> Payment | None:
    """Request a fee from the saved card of a subject. A worker then charges it.

    The amount is limited to what the subject still owes and to what is left of the consent after earlier charges. A fee
    payment that is open already is returned unchanged. Returns None if that payment is being cancelled, if nothing may
    be charged, or if the amount is below Stripe's minimum. Locks the bill. Publishes ``payment.charge``.

    :raises SavedCard.DoesNotExist: if the subject has no card that may be charged.
    """
    bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    waiting = Payment.objects.filter(subject_ref=subject_ref, purpose=Purpose.FEE, status__in=LIVE_PAYMENTS)
    if payment := waiting.first():
        return payment if payment.called_off_at is None else None
    card = chargeable_cards().get(subject_ref=subject_ref)
    earlier = Payment.objects.filter(subject_ref=subject_ref, is_off_session=True, status=PaymentStatus.SUCCEEDED)
    charged = int(earlier.aggregate(sum=Sum("amount_minor"))["sum"] or 0)
    allowed = min(amount_minor, card.cap_minor - charged, balance(subject_ref).open_minor)
    amount_minor = chargeable(allowed, bill.currency)
    if amount_minor <= 0:
        return None
    payment = Payment(
        bill=bill,
        subject_ref=subject_ref,
        purpose=Purpose.FEE,
        currency=bill.currency,
        amount_minor=amount_minor,
        is_off_session=True,
        created_at=now,
    )
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError:
        # The customer has just started to pay this fee on the payment page.
        return waiting.first()
    publish("payment.charge", f"payment:{payment.pk}", {"payment_id": payment.pk}, now=now)
    return payment


def charge(*, payment_id: int, now: datetime) -> PaymentStatus:
    """Charge a requested fee. Safe to repeat after a crash at any line. Runs outside any transaction.

    If the bank declines, the payment stays open so that the customer can pay it by a link, and ``payment.failed`` is
    published once.

    :raises ProviderFailed: if Stripe does not answer. The caller should try again.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status not in LIVE_PAYMENTS or not payment.is_off_session:
        return PaymentStatus(payment.status)
    if not _is_wanted(payment):
        return _not_charged(payment, now)
    try:
        intent = _prepared_once(payment, now)
        payment.refresh_from_db()
        if payment.status not in LIVE_PAYMENTS:
            # Cancelled meanwhile: the prepared intent is never confirmed.
            return PaymentStatus(payment.status)
        # Checked again just before confirming: preparing takes time and may have been retried for hours.
        if intent.is_unconfirmed and not _is_wanted(payment):
            return _not_charged(payment, now)
        if intent.is_unconfirmed and saved_card(payment.subject_ref) is None:
            intent = _called_off(intent)
    except ProviderRefused as refused:
        return _give_up(payment, refused.code, now)
    return _confirmed(payment, intent, now) if intent.is_unconfirmed else _written_down(payment, intent, "", now)


def _is_wanted(payment: Payment) -> bool:
    """Whether the fee is still due: not cancelled, waived or paid another way since it was requested."""
    return payment.called_off_at is None and payment.amount_minor <= balance(payment.subject_ref).open_minor


def _not_charged(payment: Payment, now: datetime) -> PaymentStatus:
    """Cancel a charge. If a part of the amount is still owed, ask the customer to pay that part."""
    status = call_off(payment_id=payment.pk, now=now)
    if status == PaymentStatus.CANCELLED and payment.called_off_at is None and balance(payment.subject_ref).open_minor:
        _ask_customer(payment, "less_is_open", now)
    return status


def _prepared_once(payment: Payment, now: datetime) -> gateway.Intent:
    """Return the intent of the payment; prepare one if the row has none.

    :raises ProviderRefused: if there is no card to charge, or Stripe refuses.
    """
    if payment.intent_id is not None:
        return gateway.retrieve_intent(payment.intent_id)
    if (card := saved_card(payment.subject_ref)) is None:
        raise ProviderRefused(_NO_CARD)
    return _prepared(payment, card, now)


def _called_off(intent: gateway.Intent) -> gateway.Intent:
    """Cancel a prepared intent whose card may not be charged any more. Return it if it was paid just before.

    :raises ProviderRefused: if the intent is cancelled, so there is nothing to charge.
    """
    found = gateway.cancel_intent(intent.id)
    if found.status == PaymentStatus.CANCELLED:
        raise ProviderRefused(_NO_CARD)
    return found


def _confirmed(payment: Payment, intent: gateway.Intent, now: datetime) -> PaymentStatus:
    try:
        confirmed = gateway.confirm_charge(intent.id, key=str(payment.key), serial=payment.key_serial)
    except ProviderRefused as refused:
        return _written_down(payment, gateway.retrieve_intent(intent.id), refused.code, now)
    except ProviderFailed as failure:
        _count_failure(payment, failure)
        raise
    crash_point("charge-confirmed")
    return _written_down(payment, confirmed, "", now)


def _written_down(payment: Payment, intent: gateway.Intent, code: str, now: datetime) -> PaymentStatus:
    """Store the outcome of a charge. ``code`` says why Stripe refused it, if so; it may have succeeded all the same."""
    status = apply_intent(payment_id=payment.pk, intent=intent, now=now)
    return _refused(payment, code or intent.failure_code, now) if status == PaymentStatus.OPEN else status


def _prepared(payment: Payment, card: SavedCard, now: datetime) -> gateway.Intent:
    """Prepare a charge and return the intent that our row names, which another worker may have stored first."""
    crash_point("charge-row-written")
    try:
        intent = gateway.create_charge(
            key=str(payment.key),
            serial=payment.key_serial,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            customer_id=customer_of(payment.bill_id),
            payment_method_id=card.payment_method_id,
        )
    except ProviderFailed as failure:
        _count_failure(payment, failure)
        raise
    crash_point("charge-prepared")
    apply_intent(payment_id=payment.pk, intent=intent, now=now)
    crash_point("charge-recorded")
    recorded = Payment.objects.values_list("intent_id", flat=True).get(pk=payment.pk)
    return intent if recorded in {None, intent.id} else gateway.retrieve_intent(str(recorded))


def _count_failure(payment: Payment, failure: ProviderFailed) -> None:
    """Change the idempotency key if Stripe answered with its own failure, which it keeps under the old key."""
    if failure.answered:
        Payment.objects.filter(pk=payment.pk).update(key_serial=payment.key_serial + 1)


@transaction.atomic
def _refused(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """Record that the bank declined or requires authentication. No automatic retry: ask the customer to pay."""
    code = code or "refused"
    Payment.objects.filter(pk=payment.pk).update(failure_code=code[:60])
    _ask_customer(payment, code, now)
    return PaymentStatus.OPEN


@transaction.atomic
def _give_up(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """Fail a charge that cannot be made. The fee stays owed, staff get an alert, and the customer is asked to pay."""
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
    if payment.status not in LIVE_PAYMENTS:
        # Paid or cancelled just before, so no alert is needed.
        return PaymentStatus(payment.status)
    advance(payment, PaymentStatus.FAILED, failure_code=code[:60], checked_at=now)
    raise_alert(kind=AlertKind.CHARGE_FAILED, key=str(payment.pk), payment=payment, details={"code": code}, now=now)
    _ask_customer(payment, code, now)
    return PaymentStatus.FAILED


@transaction.atomic
def _ask_customer(payment: Payment, code: str, now: datetime) -> None:
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "code": code, "needs_customer": True}
    publish("payment.failed", f"payment:{payment.pk}", payload, now=now)
