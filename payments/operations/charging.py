"""Fees charged to a saved card while the customer is away: once, within what was consented to, and never in a storm.

The charge is prepared first and confirmed second. Preparing twice by accident makes two that nobody ever confirms;
only the one whose id is in our row is confirmed, and an intent succeeds at most once.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from core.crash import crash_point
from core.outbox import publish
from payments import gateway
from payments.enums import LIVE_PAYMENTS, AlertKind, PaymentStatus, Purpose
from payments.errors import ProviderFailed, ProviderRefused
from payments.lifecycle import advance
from payments.models import Bill, Payment, SavedCard
from payments.operations.alerts import raise_alert
from payments.operations.cards import customer_of
from payments.operations.paying import apply_intent
from payments.queries import balance

logger = logging.getLogger(__name__)


@transaction.atomic
def request_charge(*, bill_id: int, subject_ref: str, amount_minor: int, now: datetime) -> Payment | None:
    """Ask for a fee from the saved card of a subject: never more than is open, nor, with earlier ones, than its owner
    consented to. The task does the rest.

    One that is waiting already is returned as it is; None when nothing may be charged (any more). Locks the bill.
    Publishes ``payment.charge``.

    :raises SavedCard.DoesNotExist: when there is no card that may be charged.
    """
    bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    waiting = Payment.objects.filter(subject_ref=subject_ref, purpose=Purpose.FEE, status__in=LIVE_PAYMENTS)
    if payment := waiting.first():
        return payment
    card = SavedCard.objects.get(subject_ref=subject_ref, detached_at=None, is_frozen=False)
    earlier = Payment.objects.filter(subject_ref=subject_ref, is_off_session=True, status=PaymentStatus.SUCCEEDED)
    charged = int(earlier.aggregate(sum=Sum("amount_minor"))["sum"] or 0)
    amount_minor = min(amount_minor, card.cap_minor - charged, balance(subject_ref).open_minor)
    if amount_minor <= 0:
        return None
    payment = Payment.objects.create(
        bill=bill,
        subject_ref=subject_ref,
        purpose=Purpose.FEE,
        currency=bill.currency,
        amount_minor=amount_minor,
        is_off_session=True,
        created_at=now,
    )
    publish("payment.charge", f"payment:{payment.pk}", {"payment_id": payment.pk}, now=now)
    return payment


def charge(*, payment_id: int, now: datetime) -> PaymentStatus:
    """Charge a requested fee. Safe to repeat after a crash at any line. Outside any transaction.

    What the bank refuses stays open for the customer to pay by a link: ``payment.failed`` is published, once.

    :raises ProviderFailed: when the provider does not answer; worth another try.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status not in LIVE_PAYMENTS or not payment.is_off_session:
        return PaymentStatus(payment.status)
    card = SavedCard.objects.filter(subject_ref=payment.subject_ref, detached_at=None, is_frozen=False).first()
    if payment.intent_id is None:
        if card is None:
            return _give_up(payment, "no_card", now)
        try:
            intent = _prepared(payment, card, now)
        except ProviderRefused as refused:
            return _give_up(payment, refused.code, now)
    else:
        intent = gateway.retrieve_intent(payment.intent_id)
    if not intent.is_unconfirmed:
        status = apply_intent(payment_id=payment.pk, intent=intent, now=now)
        return _refused(payment, intent.failure_code, now) if status == PaymentStatus.OPEN else status
    try:
        confirmed = gateway.confirm_charge(intent.id, key=str(payment.key), serial=payment.key_serial)
    except ProviderRefused as refused:
        apply_intent(payment_id=payment.pk, intent=gateway.retrieve_intent(intent.id), now=now)
        return _refused(payment, refused.code, now)
    except ProviderFailed as failure:
        _count_failure(payment, failure)
        raise
    crash_point("charge-confirmed")
    status = apply_intent(payment_id=payment.pk, intent=confirmed, now=now)
    return _refused(payment, confirmed.failure_code, now) if status == PaymentStatus.OPEN else status


def _prepared(payment: Payment, card: SavedCard, now: datetime) -> gateway.Intent:
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
    return intent


def _count_failure(payment: Payment, failure: ProviderFailed) -> None:
    """The provider keeps its own failure under the key: the next try needs another one."""
    if failure.answered:
        Payment.objects.filter(pk=payment.pk).update(key_serial=payment.key_serial + 1)


@transaction.atomic
def _refused(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """The bank said no, or wants to see the customer. No second try by ourselves: the customer is asked."""
    Payment.objects.filter(pk=payment.pk).update(failure_code=code[:60])
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "code": code, "needs_customer": True}
    publish("payment.failed", f"payment:{payment.pk}", payload, now=now)
    return PaymentStatus.OPEN


@transaction.atomic
def _give_up(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """There is nothing to charge. The fee stays open, and a person is told."""
    advance(payment, PaymentStatus.FAILED, failure_code=code[:60], checked_at=now)
    raise_alert(kind=AlertKind.CHARGE_FAILED, key=str(payment.pk), payment=payment, details={"code": code}, now=now)
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "code": code, "needs_customer": True}
    publish("payment.failed", f"payment:{payment.pk}", payload, now=now)
    return PaymentStatus.FAILED
