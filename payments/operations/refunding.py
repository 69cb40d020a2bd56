"""Refunds: requested in the transaction that decides them, sent to Stripe by a worker, once.

The sum of all refunds that count (``COUNTING_REFUNDS``) never exceeds the payment. Before a worker repeats a request it
looks the refund up at Stripe, because Stripe forgets idempotency keys after a day and keeps failures under them.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from core.crash import crash_point
from core.inserts import insert_unless_known
from core.outbox import publish
from payments.enums import COUNTING_REFUNDS, AlertKind, Method, PaymentStatus, RefundReason, RefundStatus
from payments.errors import ProviderFailed, ProviderRefused, RefundNotPossible, RefundTooLarge
from payments.lifecycle import advance
from payments.models import Bill, Payment, Refund
from payments.operations.alerts import raise_alert, settle_alerts_of
from payments.returns import Left, shares
from payments.stripe import gateway
from payments.stripe.amounts import rounded_down

logger = logging.getLogger(__name__)


@transaction.atomic
def request_refunds(
    *,
    bill_id: int,
    subject_ref: str,
    amount_minor: int,
    reason: RefundReason,
    note: str = "",
    actor_id: int | None = None,
    actor_name: str = "",
    answer_by: datetime | None = None,
    now: datetime,
) -> list[Refund]:
    """Refund ``amount_minor`` of what was paid for a subject, from the newest payment on, and return the refunds.

    A worker refunds online payments. Refunds of payments at the desk wait until a staff member hands the money back.
    With ``answer_by`` every refund first waits for approval, and nothing is published. The total never exceeds what is
    left of the payments. It may exceed ``amount_minor`` a little where Stripe cannot refund the exact amount
    (``payments.returns``). Locks the bill, then the payments by id. Publishes ``refund.submit``.
    """
    bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    payments = _succeeded(subject_ref)
    left = [Left(left_of(payment), payment.method == Method.STRIPE) for payment in payments]
    refunds: list[Refund] = []
    for payment, part in zip(payments, shares(amount_minor, left, bill.currency), strict=True):
        if part <= 0:
            continue
        refund = Refund(
            payment=payment,
            method=payment.method,
            status=RefundStatus.AWAITING_APPROVAL if answer_by else RefundStatus.QUEUED,
            reason=reason,
            note=note[:300],
            currency=payment.currency,
            amount_minor=part,
            answer_by=answer_by,
            actor_id=actor_id,
            actor_name=actor_name[:120],
            created_at=now,
        )
        refund.save(force_insert=True)
        send_off(refund, now=now)
        refunds.append(refund)
    return refunds


@transaction.atomic
def refund_payment(
    *,
    payment_id: int,
    amount_minor: int,
    method: Method,
    note: str,
    actor_id: int | None,
    actor_name: str,
    request_key: str,
    now: datetime,
) -> Refund:
    """Refund a payment in full or in part, as a staff member decided. The same ``request_key`` counts once.

    With STRIPE as ``method`` a worker refunds it (publishes ``refund.submit``). Any other method means that the staff
    member has handed the money over, so the refund succeeds at once. Locks the bill, then the payment.

    :raises RefundTooLarge: if the payment has less than that left.
    :raises RefundNotPossible: if the payment has not succeeded, or Stripe cannot refund this amount or this payment.
    """
    bill_id = Payment.objects.values_list("bill_id", flat=True).get(pk=payment_id)
    Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if known := Refund.objects.filter(request_key=request_key).first():
        return known
    is_by_provider = method == Method.STRIPE
    if payment.status != PaymentStatus.SUCCEEDED or amount_minor <= 0:
        raise RefundNotPossible
    if is_by_provider and not can_return(payment, amount_minor):
        raise RefundNotPossible
    if amount_minor > (left := left_of(payment)):
        raise RefundTooLarge(left_minor=left)
    refund = Refund(
        payment=payment,
        method=method,
        reason=RefundReason.STAFF,
        note=note[:300],
        currency=payment.currency,
        amount_minor=amount_minor,
        request_key=request_key,
        actor_id=actor_id,
        actor_name=actor_name[:120],
        created_at=now,
    )
    refund.save(force_insert=True)
    if is_by_provider:
        send_off(refund, now=now)
    else:
        _settle(refund, RefundStatus.SUCCEEDED, now)
    return refund


@transaction.atomic
def hand_back(
    *, refund_id: int, method: Method, note: str, actor_id: int | None, actor_name: str, now: datetime
) -> Refund:
    """Record that a staff member handed the money over, for a refund at the desk or for one that failed at the bank.

    A failed refund keeps its row and a new refund is written, so that the books show both; its alerts are resolved.
    Locks the payment, then the refund.

    :raises RefundNotPossible: if the refund is in another state or was handed over already, or ``method`` is STRIPE.
    :raises RefundTooLarge: if the payment has less than that left by now.
    """
    payment = Payment.objects.select_for_update(no_key=True).get(refunds__pk=refund_id)
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    values = {"method": method, "note": note[:300], "actor_id": actor_id, "actor_name": actor_name[:120]}
    if method == Method.STRIPE:
        raise RefundNotPossible
    if refund.status == RefundStatus.QUEUED and refund.method != Method.STRIPE:
        Refund.objects.filter(pk=refund.pk).update(**values)
        _settle(refund, RefundStatus.SUCCEEDED, now)
        return refund
    if refund.status != RefundStatus.FAILED:
        raise RefundNotPossible
    if refund.amount_minor > (left := left_of(payment)):
        raise RefundTooLarge(left_minor=left)
    other = Refund(
        payment=payment,
        reason=refund.reason,
        currency=refund.currency,
        amount_minor=refund.amount_minor,
        request_key=f"instead-of-{refund.pk}",
        created_at=now,
        **values,
    )
    if not insert_unless_known(other, unique=("request_key",)):
        raise RefundNotPossible
    _settle(other, RefundStatus.SUCCEEDED, now)
    settle_alerts_of(refund, resolution=str(Method(method).label), actor_name=actor_name, now=now)
    return other


def carry_out(*, refund_id: int, attempts: int, now: datetime) -> RefundStatus:
    """Send one refund to Stripe. Safe to repeat after a crash at any line: the money goes back once.

    Runs outside any transaction. From the second of ``attempts`` on it first looks the refund up at Stripe.

    :raises ProviderFailed: if Stripe does not answer. The caller should try again.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.method != Method.STRIPE or refund.status not in {RefundStatus.QUEUED, RefundStatus.SUBMITTED}:
        return RefundStatus(refund.status)
    intent_id = refund.payment.intent_id
    if intent_id is None:
        return _fail(refund, "no_intent", now)
    is_repeat = attempts > 1 or refund.status == RefundStatus.SUBMITTED
    advance(refund, RefundStatus.SUBMITTED, submitted_at=now)
    crash_point("refund-row-written")
    try:
        state = _known_to_provider(refund, intent_id) if is_repeat else None
        state = state or _made_by_provider(refund, intent_id)
    except ProviderRefused as refused:
        return _fail(refund, refused.code, now)
    crash_point("refund-answer-received")
    return apply_refund(refund_id=refund.pk, state=state, now=now)


@transaction.atomic
def apply_refund(*, refund_id: int, state: gateway.RefundState, now: datetime) -> RefundStatus:
    """Store a refund as Stripe reports it; an outdated report changes nothing.

    Locks the refund. Publishes ``refund.settled``.
    """
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    values = {"stripe_refund_id": state.id, "failure_code": state.failure_code, "amount_minor": state.amount_minor}
    Refund.objects.filter(pk=refund.pk).update(checked_at=now)
    if state.status in {RefundStatus.SUCCEEDED, RefundStatus.FAILED}:
        _settle(refund, state.status, now, **values)
    else:
        advance(refund, state.status, **values)
    return RefundStatus(refund.status)


@transaction.atomic
def take_over_refund(*, payment_id: int, state: gateway.RefundState, now: datetime) -> Refund:
    """Store a refund that was made in Stripe's dashboard, and raise an alert. A repeated call returns the same row.

    Refunds of the payment that wait for approval are lowered to what is left of it. Locks the payment. Publishes
    ``refund.found``.
    """
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    refund = Refund(
        payment=payment,
        method=Method.STRIPE,
        status=RefundStatus.SUBMITTED,
        reason=RefundReason.EXTERNAL,
        currency=state.currency,
        amount_minor=state.amount_minor,
        stripe_refund_id=state.id,
        created_at=now,
        submitted_at=now,
    )
    if not insert_unless_known(refund, unique=("stripe_refund_id",)):
        return Refund.objects.get(stripe_refund_id=state.id)
    _lower_waiting(payment, now)
    details = {"amount_minor": state.amount_minor, "stripe_refund_id": state.id}
    raise_alert(kind=AlertKind.EXTERNAL_REFUND, key=state.id, payment=payment, refund=refund, details=details, now=now)
    # Published before ``refund.settled``, because the receipt of a settled refund shows the bill.
    publish("refund.found", f"refund:{refund.pk}", {"refund_id": refund.pk}, now=now)
    apply_refund(refund_id=refund.pk, state=state, now=now)
    return refund


def sync_refunds(*, payment_id: int, now: datetime) -> int:
    """Fetch all refunds of a payment from Stripe and store them; return how many were new or changed.

    Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.intent_id is None:
        return 0
    return sum(apply_found(payment, state, now) for state in gateway.refunds_of(payment.intent_id))


def apply_found(payment: Payment, state: gateway.RefundState, now: datetime) -> bool:
    """Store one refund as Stripe has it; say whether it was new or changed."""
    known = known_refund(payment, state)
    if known is None:
        take_over_refund(payment_id=payment.pk, state=state, now=now)
        return True
    return apply_refund(refund_id=known.pk, state=state, now=now) != known.status


def known_refund(payment: Payment, state: gateway.RefundState) -> Refund | None:
    """Find our row of a refund at Stripe, by Stripe's id or by our key in its metadata."""
    known = Refund.objects.filter(stripe_refund_id=state.id).first()
    if known is None and state.key:
        known = Refund.objects.filter(payment=payment, key=state.key).first()
    return known


def left_of(payment: Payment) -> int:
    """Return how much of a payment is not refunded yet, in minor units."""
    counting = payment.refunds.filter(status__in=COUNTING_REFUNDS)
    return payment.amount_minor - int(counting.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def _succeeded(subject_ref: str) -> list[Payment]:
    paid = Payment.objects.select_for_update(no_key=True).filter(
        subject_ref=subject_ref, status=PaymentStatus.SUCCEEDED
    )
    # Rows are locked by id, as everywhere; refunds start with the newest payment.
    return sorted(paid.order_by("pk"), key=lambda each: (each.succeeded_at or each.created_at, each.pk), reverse=True)


def _lower_waiting(payment: Payment, now: datetime) -> None:
    """Lower refunds that wait for approval, so that staff cannot approve money that went back already.

    The caller holds the lock of the payment. Locks the refunds by id.
    """
    too_much = -left_of(payment)
    waiting = payment.refunds.select_for_update(no_key=True).filter(status=RefundStatus.AWAITING_APPROVAL)
    for refund in waiting.order_by("pk"):
        gone = max(0, min(too_much, refund.amount_minor))
        too_much -= gone
        if gone == refund.amount_minor:
            advance(refund, RefundStatus.CANCELLED, done_at=now)
            settle_alerts_of(refund, resolution=str(RefundReason.EXTERNAL.label), actor_name="", now=now)
        elif gone:
            Refund.objects.filter(pk=refund.pk).update(amount_minor=refund.amount_minor - gone)


def can_return(payment: Payment, amount_minor: int) -> bool:
    """Whether the payment was made by Stripe and Stripe can refund exactly this amount."""
    return payment.method == Method.STRIPE and rounded_down(amount_minor, payment.currency) == amount_minor


def _made_by_provider(refund: Refund, intent_id: str) -> gateway.RefundState:
    try:
        return gateway.create_refund(
            key=str(refund.key),
            serial=refund.key_serial,
            intent_id=intent_id,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
        )
    except ProviderRefused:
        # Stripe also refuses a second refund of the same money. If we failed the first one here, staff would hand the
        # money over again.
        if state := _known_to_provider(refund, intent_id):
            return state
        raise
    except ProviderFailed as failure:
        if failure.answered:
            Refund.objects.filter(pk=refund.pk).update(key_serial=refund.key_serial + 1)
        raise


def _known_to_provider(refund: Refund, intent_id: str) -> gateway.RefundState | None:
    return next((each for each in gateway.refunds_of(intent_id) if each.key == str(refund.key)), None)


def send_off(refund: Refund, *, now: datetime) -> None:
    """Publish ``refund.submit`` if this is a queued Stripe refund. Runs in the current transaction."""
    if refund.method == Method.STRIPE and refund.status == RefundStatus.QUEUED:
        publish("refund.submit", f"refund:{refund.pk}", {"refund_id": refund.pk}, now=now)


@transaction.atomic
def _fail(refund: Refund, code: str, now: datetime) -> RefundStatus:
    _settle(refund, RefundStatus.FAILED, now, failure_code=code[:60])
    return RefundStatus(refund.status)


def _settle(refund: Refund, to: RefundStatus, now: datetime, **values: object) -> None:
    """End a refund and publish ``refund.settled``. A failed refund also raises an alert."""
    if not advance(refund, to, done_at=now, **values):
        return
    subject_ref = Payment.objects.values_list("subject_ref", flat=True).get(pk=refund.payment_id)
    if to == RefundStatus.FAILED:
        raise_alert(
            kind=AlertKind.REFUND_FAILED,
            key=str(refund.pk),
            subject_ref=subject_ref,
            refund=refund,
            details={"amount_minor": refund.amount_minor, "code": str(values.get("failure_code", ""))},
            now=now,
        )
    payload = {"refund_id": refund.pk, "subject_ref": subject_ref, "status": to}
    publish("refund.settled", f"refund:{refund.pk}:{to}", payload, now=now)
