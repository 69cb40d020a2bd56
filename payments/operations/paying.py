"""Money coming in: started in the page, recorded at the desk, and written down when the provider says it is there.

A row is committed before the provider is asked and the answer after it, so a crash between the two is mended by asking
again with the same key, by a notice, or by the look-after task.
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

# The provider forgets a key after a day; a row of which it may know nothing any more is begun anew.
KEY_LIFE = timedelta(hours=23)
# A payment just made may not be in the balance that a page shows.
_TRIES = 3
_FINAL = {PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING}


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """``client_secret`` lets the page of the customer pay exactly this payment; it is shown to nobody else."""

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
    """Prepare a payment that the customer then makes in the page. Asks the provider; outside any transaction.

    Whoever comes second while one is waiting (another tab, a double click) gets the same one, so it is paid once. One
    over another sum, or that keeps a card otherwise than asked for, is called off first.

    ``is_still_due`` reads again whether exactly this is due. It is asked in the transaction that writes a new payment,
    after its row: while another one waits that row cannot be written, so what it brought is seen.

    :raises AlreadyPaid: when the waiting one has succeeded, is being checked, or is just charged to a saved card, and
        when this is not due any more.
    :raises PaymentUnavailable: when the provider does not answer; nothing was charged.
    :raises NoOnlinePayment: when no provider is set up.
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
    """Write down money that staff took: cash, card terminal, bank transfer. The same ``request_key`` counts once.

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
    """Have every waiting payment and card setup of a subject called off at the provider, soon and not here.

    From now on none is handed out or charged. If one succeeds first, ``payment.succeeded`` follows as for any other.
    Locks the bill, as whoever writes a new payment does, so that none comes in between unseen.
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
    """Call one payment off at the provider and write down what it is then. Outside any transaction.

    :raises ProviderFailed: when it does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status not in LIVE_PAYMENTS:
        return PaymentStatus(payment.status)
    # Without an intent nobody was given its secret. Who prepares it just now is stopped by this, or found below.
    if payment.intent_id is None and not advance(payment, PaymentStatus.CANCELLED, checked_at=now):
        payment.refresh_from_db()
    if payment.status not in LIVE_PAYMENTS or payment.intent_id is None:
        return PaymentStatus(payment.status)
    return _apply_news(payment, gateway.cancel_intent, now)


def sync_payment(*, payment_id: int, now: datetime) -> PaymentStatus:
    """Ask the provider what became of a payment, write it down, and return it. Outside any transaction.

    :raises ProviderFailed: when it does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.method != Method.STRIPE or payment.intent_id is None:
        return PaymentStatus(payment.status)
    return _apply_news(payment, gateway.retrieve_intent, now)


@transaction.atomic
def apply_intent(*, payment_id: int, intent: gateway.Intent, now: datetime) -> PaymentStatus:
    """Write down what the provider says of a payment, in one transaction with what follows from it.

    Old news changes nothing, the same news twice counts once. Another sum or currency than was asked for is listed for
    a person. Locks the payment. Publishes ``payment.succeeded``.
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
    """Return the one waiting payment of the subject and purpose, made now if there is none. Two at once find one.

    None when another one came and went meanwhile. Locks the bill.

    :raises AlreadyPaid: when a new one is not due any more.
    """
    found = Payment.objects.filter(subject_ref=subject_ref, purpose=purpose, status__in=LIVE_PAYMENTS)
    if payment := found.first():
        return payment
    try:
        with transaction.atomic():
            # Whoever calls payments off holds this lock until what is due then can be read.
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
    """Return the payment with its secret; None when it had to be called off and another one is needed."""
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
    # Called off meanwhile, or prepared by somebody else as well: that secret is given to nobody.
    if payment.status not in LIVE_PAYMENTS or payment.intent_id != intent.id:
        return None
    return StartedPayment(payment, intent.client_secret)


def _apply_news(payment: Payment, ask: Callable[[str], gateway.Intent], now: datetime) -> PaymentStatus:
    """Ask the provider about a payment that it has, and write down what it says."""
    intent = _news(payment, ask, now)
    if intent is not None:
        return apply_intent(payment_id=payment.pk, intent=intent, now=now)
    payment.refresh_from_db()
    return PaymentStatus(payment.status)


def _news(payment: Payment, ask: Callable[[str], gateway.Intent], now: datetime) -> gateway.Intent | None:
    """Return what the provider says of a payment; None when it has none like it.

    Then nobody can pay it, and it is called off here. One that was being checked is shown to a person instead.
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
    """Whether a payment becomes this copy of it, made by a try whose answer was lost: only for money, and only once."""
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
            # The failure is kept under this key. What it may have made is unconfirmed, so another one does no harm.
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
