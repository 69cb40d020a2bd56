"""Payments that a customer disputes at the bank: cards frozen meanwhile, and money that the bank takes back for good.

What is true of them is read at the provider each time, so notices may come late, twice and in any order.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from core.inserts import insert_unless_known
from core.outbox import publish
from payments.enums import AlertKind, Method, RefundReason, RefundStatus
from payments.models import Bill, Payment, Refund, SavedCard
from payments.operations.alerts import raise_alert, settle_alert
from payments.operations.refunding import left_of
from payments.stripe import gateway


def sync_disputes(*, payment_id: int, now: datetime) -> None:
    """Ask the provider for all disputes of a payment and write down what they mean. Outside any transaction.

    :raises ProviderFailed: when it does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.intent_id is not None:
        apply_disputes(payment_id=payment.pk, found=gateway.disputes_of(payment.intent_id), now=now)


@transaction.atomic
def apply_disputes(*, payment_id: int, found: Iterable[gateway.Dispute], now: datetime) -> None:
    """Write down all disputes of a payment as the provider has them.

    Unless all are won the payment is disputed, and no card of its bill is charged. One that is open is listed for a
    person; once it is won that is settled. One that is lost is money that went back, which is listed as well. Locks the
    bill and the payment. Publishes ``refund.settled``.
    """
    disputes = list(found)
    bill_id = Payment.objects.values_list("bill_id", flat=True).get(pk=payment_id)
    Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    is_disputed = any(not dispute.is_won for dispute in disputes)
    Payment.objects.filter(pk=payment.pk).update(is_disputed=is_disputed)
    is_frozen = Payment.objects.filter(bill_id=bill_id, is_disputed=True).exists()
    SavedCard.objects.filter(bill_id=bill_id).update(is_frozen=is_frozen)
    for dispute in disputes:
        if dispute.is_open:
            details = {"dispute_id": dispute.id, "reason": dispute.reason, "amount_minor": dispute.amount_minor}
            raise_alert(kind=AlertKind.DISPUTE, key=dispute.id, payment=payment, details=details, now=now)
        else:
            settle_alert(kind=AlertKind.DISPUTE, key=dispute.id, resolution=dispute.status, now=now)
        if dispute.is_lost:
            _take_back(payment, dispute, now)


def _take_back(payment: Payment, dispute: gateway.Dispute, now: datetime) -> None:
    """The bank took money back for good: it counts as returned, once, and what it paid is open again."""
    amount = min(dispute.amount_minor, left_of(payment))
    refund = Refund(
        payment=payment,
        method=Method.STRIPE,
        status=RefundStatus.SUCCEEDED,
        reason=RefundReason.DISPUTE,
        currency=payment.currency,
        amount_minor=amount,
        stripe_refund_id=dispute.id,
        created_at=now,
        done_at=now,
    )
    is_new = amount > 0 and insert_unless_known(refund, unique=("stripe_refund_id",))
    if is_new:
        payload = {"refund_id": refund.pk, "subject_ref": payment.subject_ref, "status": refund.status}
        publish("refund.settled", f"refund:{refund.pk}:{refund.status}", payload, now=now)
    details = {"dispute_id": dispute.id, "amount_minor": dispute.amount_minor}
    raise_alert(kind=AlertKind.DISPUTE_LOST, key=dispute.id, payment=payment, details=details, now=now)
