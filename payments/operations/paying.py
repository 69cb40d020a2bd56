"""Incoming payments: started on the payment page, recorded at the desk, and stored as Stripe reports them.

The row is committed before the call to Stripe, the answer after it. After a crash between the two, the next call with
the same key, a Stripe event or the task ``look_after_payments`` completes the row.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from core.crash import crash_point
from core.inserts import insert_unless_known
from core.outbox import publish
from payments.enums import LIVE_PAYMENTS, AlertKind, Method, PaymentStatus, Purpose, SetupStatus
from payments.errors import (
    AlreadyPaid,
    NoOnlinePayment,
    PaymentUnavailable,
    ProviderFailed,
    ProviderRefused,
    UnknownToProvider,
)
from payments.lifecycle import advance
from payments.models import Bill, BillLine, CardSetup, Payment
from payments.operations.alerts import raise_alert
from payments.operations.cards import customer_of, keep_card
from payments.stripe import gateway

logger = logging.getLogger(__name__)

# Stripe forgets an idempotency key after a day. A row without an intent that is older than this is replaced.
KEY_LIFE = timedelta(hours=23)
# A try fails if the open payment has to be cancelled, or was replaced meanwhile.
_TRIES = 3
_FINAL = {PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING}


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """``client_secret`` lets the customer's page pay exactly this payment. Show it to that customer only."""

    payment: Payment
    client_secret: str


def start_payment(
    *,
    bill_id: int,
    subject_ref: str,
    purpose: Purpose,
    amount_minor: int,
    saves_card: bool = False,
    cap_minor: int = 0,
    is_still_due: Callable[[], bool],
    now: datetime,
) -> StartedPayment:
    """Prepare a payment that the customer then makes on the page. Calls Stripe, so it runs outside any transaction.

    A second request while a payment is open (another tab, a double click) returns the same payment, so the customer
    pays once. An open payment with another amount, or another choice about saving the card, is cancelled first.

    :param is_still_due: reads again whether exactly this amount is due. Called in the transaction that writes a new
        payment, after the insert. The unique constraint blocks the insert while another payment is open, so the read
        sees the money of that one.
    :raises AlreadyPaid: if the open payment has succeeded, is processing or is being charged to a saved card, or if
        the amount is not due any more.
    :raises PaymentUnavailable: if Stripe does not answer. Nothing was charged.
    :raises NoOnlinePayment: if Stripe is not configured.
    """
    if not gateway.is_configured():
        raise NoOnlinePayment
    try:
        for _ in range(_TRIES):
            payment = _waiting(bill_id, subject_ref, purpose, amount_minor, saves_card, cap_minor, is_still_due, now)
            if payment and (started := _started(payment, amount_minor, saves_card, cap_minor, now)):
                return started
    except (ProviderFailed, ProviderRefused) as failure:
        raise PaymentUnavailable from failure
    raise PaymentUnavailable


@transaction.atomic
def record_payment(
    *,
    bill_id: int,
    subject_ref: str,
    purpose: Purpose,
    method: Method,
    amount_minor: int,
    actor_id: int | None,
    actor_name: str,
    note: str,
    request_key: str,
    now: datetime,
) -> Payment:
    """Record money that a staff member took: cash, card terminal, bank transfer. The same ``request_key`` counts once.

    Locks the bill. Publishes ``payment.succeeded``.
    """
    bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    payment = Payment(
        bill=bill,
        subject_ref=subject_ref,
        purpose=purpose,
        method=method,
        status=PaymentStatus.SUCCEEDED,
        currency=bill.currency,
        amount_minor=amount_minor,
        request_key=request_key,
        actor_id=actor_id,
        actor_name=actor_name[:120],
        note=note[:300],
        created_at=now,
        succeeded_at=now,
    )
    if not insert_unless_known(payment, unique=("request_key",)):
        return Payment.objects.get(request_key=request_key)
    _publish_success(payment, now)
    return payment


@transaction.atomic
def call_off_payments(*, subject_ref: str, purposes: Collection[Purpose] | None = None, now: datetime) -> None:
    """Mark the open payments of a subject as unwanted and have workers cancel them and its card setups at Stripe.

    ``purposes`` limits which payments; card setups belong to BOOKING. From now on no such payment is given to a page or
    charged. If one succeeds at Stripe first, ``payment.succeeded`` follows as usual. Locks the bills of the subject, as
    the code that writes a new payment does, so that no payment is missed. Publishes ``payment.call_off``.
    """
    bills = BillLine.objects.filter(subject_ref=subject_ref).values("bill_id")
    list(Bill.objects.select_for_update(no_key=True).filter(pk__in=bills).order_by("pk"))
    payments = Payment.objects.filter(subject_ref=subject_ref, status__in=LIVE_PAYMENTS)
    if purposes is not None:
        payments = payments.filter(purpose__in=purposes)
    payments.filter(called_off_at=None).update(called_off_at=now)
    for pk in payments.values_list("pk", flat=True):
        publish("payment.call_off", f"payment:{pk}:{int(now.timestamp())}", {"payment_id": pk}, now=now)
    if purposes is not None and Purpose.BOOKING not in purposes:
        return
    waiting = CardSetup.objects.filter(subject_ref=subject_ref).exclude(
        status__in=[SetupStatus.SUCCEEDED, SetupStatus.CANCELLED]
    )
    for pk in waiting.values_list("pk", flat=True):
        publish("payment.call_off", f"setup:{pk}:{int(now.timestamp())}", {"setup_id": pk}, now=now)


def call_off(*, payment_id: int, now: datetime) -> PaymentStatus:
    """Cancel one payment at Stripe, then store and return its status: it may have succeeded just before.

    Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status not in LIVE_PAYMENTS:
        return PaymentStatus(payment.status)
    # Without an intent no page has the secret. If a request is preparing the intent now, either this update stops it
    # or the refreshed row below has its intent.
    if payment.intent_id is None and not advance(payment, PaymentStatus.CANCELLED, checked_at=now):
        payment.refresh_from_db()
    if payment.status not in LIVE_PAYMENTS or payment.intent_id is None:
        return PaymentStatus(payment.status)
    return _apply_news(payment, gateway.cancel_intent, now)


def sync_payment(*, payment_id: int, now: datetime) -> PaymentStatus:
    """Fetch a payment from Stripe, store its status and return it. Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.method != Method.STRIPE or payment.intent_id is None:
        return PaymentStatus(payment.status)
    return _apply_news(payment, gateway.retrieve_intent, now)


@transaction.atomic
def apply_intent(*, payment_id: int, intent: gateway.Intent, now: datetime) -> PaymentStatus:
    """Store a payment as Stripe reports it, with all consequences in one transaction, and return its status.

    An outdated report changes nothing, and a repeated one counts once. An amount or currency that differs from the
    request raises an alert. Locks the payment. Publishes ``payment.succeeded``.
    """
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if payment.intent_id not in {None, intent.id} and not _takes_over(payment, intent, now):
        return PaymentStatus(payment.status)
    if intent.status == PaymentStatus.SUCCEEDED and not _is_as_asked(payment, intent):
        _list_difference(payment, intent, now)
        if intent.currency != payment.currency:
            advance(payment, PaymentStatus.FAILED, checked_at=now, failure_code="currency_differs")
            return PaymentStatus(payment.status)
    values = {
        "checked_at": now,
        "intent_id": intent.id,
        "failure_code": intent.failure_code or payment.failure_code,
        "method_type": intent.means.type or payment.method_type,
        "card_brand": intent.means.brand or payment.card_brand,
        "card_last4": intent.means.last4 or payment.card_last4,
    }
    if intent.status == PaymentStatus.SUCCEEDED:
        values |= {"succeeded_at": now, "amount_minor": intent.received_minor or payment.amount_minor}
    if not advance(payment, intent.status, **values):
        seen = {"checked_at": now, "failure_code": intent.failure_code or payment.failure_code}
        Payment.objects.filter(pk=payment.pk).update(**seen)
        return PaymentStatus(payment.status)
    crash_point("payment-before-commit")
    if payment.status == PaymentStatus.SUCCEEDED:
        if payment.saves_card and intent.means.id:
            keep_card(payment.bill_id, payment.subject_ref, intent.means, cap_minor=payment.cap_minor, now=now)
        _publish_success(payment, now)
    return PaymentStatus(payment.status)


def _waiting(
    bill_id: int,
    subject_ref: str,
    purpose: Purpose,
    amount_minor: int,
    saves_card: bool,
    cap_minor: int,
    is_still_due: Callable[[], bool],
    now: datetime,
) -> Payment | None:
    """Return the open payment of the subject and purpose, or create one. Concurrent calls get the same one.

    Returns None if another payment was opened and closed meanwhile. Locks the bill before it creates a payment.

    :raises AlreadyPaid: if the amount of a new payment is not due any more.
    """
    found = Payment.objects.filter(subject_ref=subject_ref, purpose=purpose, status__in=LIVE_PAYMENTS)
    if payment := found.first():
        return payment
    try:
        with transaction.atomic():
            # ``call_off_payments`` holds this lock until its transaction has committed the new amount due.
            bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
            payment = Payment(
                bill=bill,
                subject_ref=subject_ref,
                purpose=purpose,
                currency=bill.currency,
                amount_minor=amount_minor,
                saves_card=saves_card,
                cap_minor=cap_minor,
                created_at=now,
            )
            payment.save(force_insert=True)
            if not is_still_due():
                raise AlreadyPaid
    except IntegrityError:
        return found.first()
    crash_point("payment-row-written")
    return payment


def _started(
    payment: Payment, amount_minor: int, saves_card: bool, cap_minor: int, now: datetime
) -> StartedPayment | None:
    """Return the payment with its secret. None if the payment was cancelled, so that the caller needs a new one."""
    if payment.is_off_session and not payment.failure_code:
        raise AlreadyPaid
    is_wanted = (payment.amount_minor, payment.saves_card) == (amount_minor, saves_card)
    is_wanted = is_wanted and payment.called_off_at is None
    if is_wanted and payment.cap_minor != cap_minor:
        Payment.objects.filter(pk=payment.pk, status__in=LIVE_PAYMENTS).update(cap_minor=cap_minor)
    if payment.intent_id is None:
        if not is_wanted or now - payment.created_at > KEY_LIFE:
            advance(payment, PaymentStatus.CANCELLED, checked_at=now)
            return None
        intent = _prepared(payment, now)
    else:
        known = _news(payment, gateway.retrieve_intent if is_wanted else gateway.cancel_intent, now)
        if known is None:
            return None
        intent = known
        apply_intent(payment_id=payment.pk, intent=intent, now=now)
    payment.refresh_from_db()
    if payment.status in _FINAL:
        raise AlreadyPaid
    # Cancelled meanwhile, or another request stored its own intent: do not give this secret to a page.
    if payment.status not in LIVE_PAYMENTS or payment.intent_id != intent.id:
        return None
    return StartedPayment(payment, intent.client_secret)


def _apply_news(payment: Payment, ask: Callable[[str], gateway.Intent], now: datetime) -> PaymentStatus:
    """Call ``ask`` with the payment's Stripe id, store the answer and return the status."""
    intent = _news(payment, ask, now)
    if intent is not None:
        return apply_intent(payment_id=payment.pk, intent=intent, now=now)
    payment.refresh_from_db()
    return PaymentStatus(payment.status)


def _news(payment: Payment, ask: Callable[[str], gateway.Intent], now: datetime) -> gateway.Intent | None:
    """Return a payment as Stripe has it. None if Stripe does not know it.

    A payment that Stripe does not know cannot be paid, so our row is cancelled. If it was processing, it raises an
    alert instead.
    """
    try:
        return ask(str(payment.intent_id))
    except UnknownToProvider as unknown:
        logger.error("the provider does not know payment %s", payment.pk)
        if payment.status == PaymentStatus.PROCESSING:
            raise_alert(kind=AlertKind.STUCK, key=str(payment.pk), payment=payment, now=now)
        elif payment.status in LIVE_PAYMENTS:
            advance(payment, PaymentStatus.CANCELLED, checked_at=now, failure_code=unknown.code)
        Payment.objects.filter(pk=payment.pk).update(checked_at=now)
        return None


def _takes_over(payment: Payment, intent: gateway.Intent, now: datetime) -> bool:
    """Whether this other intent, from a try whose answer was lost, replaces the intent of our row.

    Only if it brought money and the payment has not succeeded yet. A second success raises an alert.
    """
    if intent.status != PaymentStatus.SUCCEEDED:
        return False
    if payment.status != PaymentStatus.SUCCEEDED:
        return True
    logger.error("payment %s was made twice", payment.pk)
    details = {"intent_id": intent.id, "received_minor": intent.received_minor}
    raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=intent.id, payment=payment, details=details, now=now)
    return False


def _prepared(payment: Payment, now: datetime) -> gateway.Intent:
    customer_id = customer_of(payment.bill_id) if payment.saves_card else ""
    try:
        intent = gateway.create_intent(
            key=str(payment.key),
            serial=payment.key_serial,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            customer_id=customer_id,
            saves_card=payment.saves_card,
        )
    except ProviderFailed as failure:
        if failure.answered:
            # Stripe keeps the failure under this key. It may have created an intent, but an unconfirmed one, so a
            # second intent does no harm.
            Payment.objects.filter(pk=payment.pk).update(key_serial=payment.key_serial + 1)
        raise
    crash_point("payment-answer-received")
    apply_intent(payment_id=payment.pk, intent=intent, now=now)
    crash_point("payment-answer-recorded")
    return intent


def _is_as_asked(payment: Payment, intent: gateway.Intent) -> bool:
    return intent.currency == payment.currency and intent.received_minor == payment.amount_minor


def _list_difference(payment: Payment, intent: gateway.Intent, now: datetime) -> None:
    details = {
        "asked_minor": payment.amount_minor,
        "asked_currency": payment.currency,
        "received_minor": intent.received_minor,
        "received_currency": intent.currency,
        "intent_id": intent.id,
    }
    logger.error("payment %s: another sum was paid than was asked for", payment.pk)
    raise_alert(kind=AlertKind.AMOUNT_DIFFERS, key=str(payment.pk), payment=payment, details=details, now=now)


def _publish_success(payment: Payment, now: datetime) -> None:
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "purpose": payment.purpose}
    publish("payment.succeeded", f"payment:{payment.pk}", payload, now=now)
