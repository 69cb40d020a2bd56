"""Disputes: payments that a customer contests at the bank.

While a payment is disputed, the saved cards of its bill are frozen. A lost dispute counts as a refund. Every change
reads the disputes from Stripe again, so events may arrive late, twice and in any order.
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
    """Fetch all disputes of a payment from Stripe and apply them. Runs outside any transaction.

    :raises ProviderFailed: if Stripe does not answer.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.intent_id is not None:
        apply_disputes(payment_id=payment.pk, found=gateway.disputes_of(payment.intent_id), now=now)


@transaction.atomic
def apply_disputes(*, payment_id: int, found: Iterable[gateway.Dispute], now: datetime) -> None:
    """Store all disputes of a payment as Stripe has them.

    The payment is disputed unless all of them are won; then no card of its bill is charged. An open dispute raises an
    alert, which is resolved when the dispute closes. A lost dispute is written as a refund and raises an alert of its
    own. Locks the bill, then the payment. Publishes ``refund.settled``.
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
    """Write a lost dispute as a refund, once, so that the amount is owed again."""
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
