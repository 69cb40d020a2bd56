"""Refunds that wait for approval: a staff member decides each one once, and an alert warns before the deadline.

No refund is approved automatically. A refund that waits counts as refunded, so the same money cannot be refunded in
another way. It is not sent to Stripe before the decision.
"""

from datetime import datetime

from django.db import transaction

from payments.approvals import LISTED_BEFORE
from payments.enums import AlertKind, Method, RefundStatus
from payments.errors import RefundDecided, RefundNotPossible, RefundTooLarge
from payments.lifecycle import advance
from payments.models import Bill, Payment, Refund
from payments.operations.alerts import raise_alert, settle_alerts_of
from payments.operations.refunding import can_return, send_off

BATCH = 100


@transaction.atomic
def decide_refund(
    *,
    refund_id: int,
    expected_minor: int,
    amount_minor: int,
    reason: str,
    actor_id: int | None,
    actor_name: str,
    now: datetime,
) -> Refund:
    """Approve a waiting refund in full, lower it to ``amount_minor``, or decline it with 0.

    Resolves the alerts about the refund. Locks the bill, the payment and the refund, in this order. Publishes
    ``refund.submit``.

    :param reason: text for the customer; required if ``amount_minor`` is less than the requested amount.
    :raises RefundDecided: if the refund is decided already, or its amount is not ``expected_minor`` any more.
    :raises RefundTooLarge: if ``amount_minor`` is more than the requested amount (in ``data["left_minor"]``).
    :raises RefundNotPossible: if Stripe cannot return this amount.
    :raises ValueError: if a lower amount comes without a reason.
    """
    bill_id, payment_id = Refund.objects.values_list("payment__bill_id", "payment_id").get(pk=refund_id)
    Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    asked = refund.amount_minor
    if refund.status != RefundStatus.AWAITING_APPROVAL or asked != expected_minor:
        raise RefundDecided
    if not 0 <= amount_minor <= asked:
        raise RefundTooLarge(left_minor=asked)
    if amount_minor < asked and not reason.strip():
        raise ValueError("Whoever gives less back than was asked says why.")
    if amount_minor and refund.method == Method.STRIPE and not can_return(payment, amount_minor):
        raise RefundNotPossible
    decided = {
        "decided_at": now,
        "decided_by": actor_name[:120],
        "actor_id": actor_id,
        "decision": reason.strip()[:300],
    }
    if amount_minor:
        lowered = {"amount_minor": amount_minor, "asked_minor": asked} if amount_minor < asked else {}
        advance(refund, RefundStatus.QUEUED, **decided, **lowered)
        send_off(refund, now=now)
    else:
        advance(refund, RefundStatus.DECLINED, **decided, done_at=now)
    settle_alerts_of(refund, resolution=str(RefundStatus(refund.status).label), actor_name=actor_name, now=now)
    return refund


def list_waiting_refunds(*, now: datetime) -> int:
    """Raise one alert for each waiting refund whose deadline is within LISTED_BEFORE; return how many are new."""
    urgent = Refund.objects.filter(
        status=RefundStatus.AWAITING_APPROVAL, answer_by__lte=now + LISTED_BEFORE, alerts__isnull=True
    )
    found = list(urgent.order_by("answer_by", "pk").values_list("pk", flat=True)[:BATCH])
    return sum(_list(refund_id, now) for refund_id in found)


@transaction.atomic
def _list(refund_id: int, now: datetime) -> bool:
    """Raise the alert of one refund unless it is decided by now. Locks the refund, as ``decide_refund`` does."""
    refund = Refund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment").get(pk=refund_id)
    if refund.status != RefundStatus.AWAITING_APPROVAL:
        return False
    details = {"amount_minor": refund.amount_minor, "answer_by": refund.answer_by and refund.answer_by.isoformat()}
    raise_alert(
        kind=AlertKind.REFUND_WAITS,
        key=str(refund.pk),
        subject_ref=refund.payment.subject_ref,
        refund=refund,
        details=details,
        now=now,
    )
    return True
