"""What nobody told us: waiting payments asked about again, and the books compared with the provider's.

A lost notice, a crash before our commit or a provider that was away for an hour end here. Outside any transaction.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from payments import gateway
from payments.enums import LIVE_PAYMENTS, AlertKind, Method, PaymentStatus, RefundStatus, SetupStatus
from payments.errors import ProviderFailed
from payments.models import CardSetup, Payment, Reconciliation, Refund
from payments.operations import cards, paying, refunding
from payments.operations.alerts import raise_alert

logger = logging.getLogger(__name__)

# While somebody may be waiting, ask every two minutes; later every quarter of an hour; after a week no more.
SOON, FRESH = timedelta(minutes=2), timedelta(minutes=30)
LATER, OLD = timedelta(minutes=15), timedelta(days=7)
BATCH = 50
WINDOW = timedelta(days=3)
# A difference may be a notice that is on its way.
SETTLING = timedelta(minutes=2)
STUCK_AFTER = timedelta(hours=1)


def look_after(*, now: datetime) -> int:
    """Ask about payments, card setups and refunds that have waited for a while; return how many were asked about.

    Ends at the first sign that the provider is away; the next run goes on.
    """
    count = 0
    try:
        for payment in _due(Payment.objects.filter(status__in=LIVE_PAYMENTS, intent_id__isnull=False), now):
            paying.sync_payment(payment_id=payment.pk, now=now)
            count += 1
        setups = CardSetup.objects.filter(setup_intent_id__isnull=False)
        for setup in _due(setups.exclude(status__in=[SetupStatus.SUCCEEDED, SetupStatus.CANCELLED]), now):
            cards.sync_card_setup(setup_id=setup.pk, now=now)
            count += 1
        unsettled = [RefundStatus.SUBMITTED, RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION]
        for refund in _due(Refund.objects.filter(status__in=unsettled, method=Method.STRIPE), now):
            refunding.sync_refunds(payment_id=refund.payment_id, now=now)
            Refund.objects.filter(pk=refund.pk).update(checked_at=now)
            count += 1
    except ProviderFailed:
        logger.warning("the payment provider does not answer; waiting payments are asked about later")
        _list_stuck(now)
    return count


def reconcile(*, now: datetime, window: timedelta = WINDOW) -> Reconciliation:
    """Compare the last days with the provider, put right what differs, and list what a person has to see.

    Everything the provider has must be in our books with the same state and sum, and the other way round.

    :raises ProviderFailed: when the provider does not answer.
    """
    since = now - window
    run = Reconciliation.objects.create(started_at=now, since=since)
    tally = _Tally()
    seen = {intent.id for intent in _each(gateway.intents_since(since), tally, _compare_intent, now)}
    for _ in _each(gateway.refunds_since(since), tally, _compare_refund, now):
        pass
    ours = Payment.objects.filter(method=Method.STRIPE, created_at__gte=since, intent_id__isnull=False)
    for payment in ours.exclude(intent_id__in=seen).filter(created_at__lt=now - SETTLING):
        tally.checked += 1
        if paying.sync_payment(payment_id=payment.pk, now=now) != payment.status:
            tally.repair(f"payment {payment.pk}")
    Reconciliation.objects.filter(pk=run.pk).update(
        ended_at=now,
        checked_count=tally.checked,
        repaired_count=len(tally.repaired),
        listed_count=len(tally.listed),
        report=[*tally.repaired, *tally.listed],
    )
    run.refresh_from_db()
    return run


@dataclass(slots=True)
class _Tally:
    checked: int = 0
    repaired: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    def repair(self, what: str) -> None:
        self.repaired.append(f"repaired: {what}")

    def list(self, what: str) -> None:
        self.listed.append(f"to be seen: {what}")


def _each(found: Iterator[Any], tally: _Tally, compare: Any, now: datetime) -> Iterator[Any]:
    for each in found:
        tally.checked += 1
        compare(each, tally, now)
        yield each


def _compare_intent(intent: gateway.Intent, tally: _Tally, now: datetime) -> None:
    by_key = Q(key=intent.key) if intent.key else Q()
    payment = Payment.objects.filter(Q(intent_id=intent.id) | by_key if by_key else Q(intent_id=intent.id)).first()
    if payment is None:
        if intent.status == PaymentStatus.SUCCEEDED:
            raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=intent.id, details={"intent_id": intent.id}, now=now)
            tally.list(f"{intent.id} brought money and belongs to nothing here")
        return
    if payment.intent_id not in {None, intent.id}:
        # A copy that was never confirmed, from a try whose answer was lost.
        if intent.status == PaymentStatus.SUCCEEDED:
            raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=intent.id, payment=payment, now=now)
            tally.list(f"{intent.id} brought money beside payment {payment.pk}")
        return
    if payment.status == intent.status or now - payment.created_at < SETTLING:
        return
    if paying.sync_payment(payment_id=payment.pk, now=now) != payment.status:
        tally.repair(f"payment {payment.pk}")


def _compare_refund(state: gateway.RefundState, tally: _Tally, now: datetime) -> None:
    payment = Payment.objects.filter(intent_id=state.intent_id).first() if state.intent_id else None
    if payment is None:
        tally.list(f"{state.id} returned money of no payment here")
        return
    known = Refund.objects.filter(stripe_refund_id=state.id).first()
    if known is not None and known.status == state.status and known.amount_minor == state.amount_minor:
        return
    if refunding.apply_found(payment, state, now):
        tally.repair(f"refund {state.id}")


def _due(rows: Any, now: datetime) -> Any:
    asked = rows.annotate(last=Coalesce("checked_at", "created_at"))
    fresh = Q(created_at__gt=now - FRESH, last__lt=now - SOON)
    older = Q(created_at__gt=now - OLD, last__lt=now - LATER)
    return asked.filter(fresh | older).order_by(F("last"))[:BATCH]


def _list_stuck(now: datetime) -> None:
    """Tell a person once when something has been waiting for the provider for an hour."""
    stuck = Payment.objects.filter(status=PaymentStatus.PROCESSING, created_at__lt=now - STUCK_AFTER)
    for payment in stuck[:BATCH]:
        raise_alert(kind=AlertKind.STUCK, key=str(payment.pk), payment=payment, now=now)
