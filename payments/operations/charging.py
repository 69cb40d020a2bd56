"""Fees charged to a saved card while the customer is away: once, within what was consented to, and never in a storm.

The charge is prepared first and confirmed second. Preparing twice by accident makes two that nobody ever confirms;
only the one whose id is in our row is confirmed, and an intent succeeds at most once.
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
    """Ask for a fee from the saved card of a subject: never more than is open, nor, with earlier ones, than its owner
    consented to. The task does the rest.

    One that is waiting already is returned as it is; None when nothing may be charged (any more, or until that one is
    called off), or less than the provider charges. Locks the bill. Publishes ``payment.charge``.

    :raises SavedCard.DoesNotExist: when there is no card that may be charged.
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
        # The customer has just begun to pay it in the page.
        return waiting.first()
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
    if not _is_wanted(payment):
        return _not_charged(payment, now)
    try:
        intent = _prepared_once(payment, now)
        payment.refresh_from_db()
        if payment.status not in LIVE_PAYMENTS:
            # Called off meanwhile: what was prepared is never confirmed.
            return PaymentStatus(payment.status)
        # Asked again last of all: preparing takes a while, and may have been tried for hours.
        if intent.is_unconfirmed and not _is_wanted(payment):
            return _not_charged(payment, now)
        if intent.is_unconfirmed and saved_card(payment.subject_ref) is None:
            intent = _called_off(intent)
    except ProviderRefused as refused:
        return _give_up(payment, refused.code, now)
    return _confirmed(payment, intent, now) if intent.is_unconfirmed else _written_down(payment, intent, "", now)


def _is_wanted(payment: Payment) -> bool:
    """Whether the fee is still to be charged: not waived, paid otherwise or taken back since it was asked for."""
    return payment.called_off_at is None and payment.amount_minor <= balance(payment.subject_ref).open_minor


def _not_charged(payment: Payment, now: datetime) -> PaymentStatus:
    """Call a charge off. Where money came in for a part of it, the customer is asked for the rest."""
    status = call_off(payment_id=payment.pk, now=now)
    if status == PaymentStatus.CANCELLED and payment.called_off_at is None and balance(payment.subject_ref).open_minor:
        _ask_customer(payment, "less_is_open", now)
    return status


def _prepared_once(payment: Payment, now: datetime) -> gateway.Intent:
    """Return the intent in our books, prepared now if there is none.

    :raises ProviderRefused: when there is nothing to charge.
    """
    if payment.intent_id is not None:
        return gateway.retrieve_intent(payment.intent_id)
    if (card := saved_card(payment.subject_ref)) is None:
        raise ProviderRefused(_NO_CARD)
    return _prepared(payment, card, now)


def _called_off(intent: gateway.Intent) -> gateway.Intent:
    """The card must not be charged any more: call off what was prepared. It may have been paid just before.

    :raises ProviderRefused: when it is called off, so there is nothing to charge.
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
    """Write down what became of a charge. ``code`` is why it was refused, if it was; the money may be there anyway."""
    status = apply_intent(payment_id=payment.pk, intent=intent, now=now)
    return _refused(payment, code or intent.failure_code, now) if status == PaymentStatus.OPEN else status


def _prepared(payment: Payment, card: SavedCard, now: datetime) -> gateway.Intent:
    """Prepare a charge and return the one that is in our books then: somebody else may have prepared it as well."""
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
    """The provider keeps its own failure under the key: the next try needs another one."""
    if failure.answered:
        Payment.objects.filter(pk=payment.pk).update(key_serial=payment.key_serial + 1)


@transaction.atomic
def _refused(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """The bank said no, or wants to see the customer. No second try by ourselves: the customer is asked."""
    code = code or "refused"
    Payment.objects.filter(pk=payment.pk).update(failure_code=code[:60])
    _ask_customer(payment, code, now)
    return PaymentStatus.OPEN


@transaction.atomic
def _give_up(payment: Payment, code: str, now: datetime) -> PaymentStatus:
    """There is nothing to charge. The fee stays open, and a person is told."""
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
    if payment.status not in LIVE_PAYMENTS:
        # Paid or called off just before: there is nothing to tell.
        return PaymentStatus(payment.status)
    advance(payment, PaymentStatus.FAILED, failure_code=code[:60], checked_at=now)
    raise_alert(kind=AlertKind.CHARGE_FAILED, key=str(payment.pk), payment=payment, details={"code": code}, now=now)
    _ask_customer(payment, code, now)
    return PaymentStatus.FAILED


@transaction.atomic
def _ask_customer(payment: Payment, code: str, now: datetime) -> None:
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "code": code, "needs_customer": True}
    publish("payment.failed", f"payment:{payment.pk}", payload, now=now)
