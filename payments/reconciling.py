"""Reconciliation with Stripe: poll open payments, card setups and refunds, and compare our books with Stripe's.

This repairs lost events, crashes before our commit and outages of Stripe. It runs outside any transaction.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from payments.enums import LIVE_PAYMENTS, AlertKind, Method, PaymentStatus, RefundReason, RefundStatus, SetupStatus
from payments.errors import ProviderFailed, ProviderRefused
from payments.models import CardSetup, Payment, Reconciliation, Refund
from payments.operations import cards, charging, disputes, paying, refunding
from payments.operations.alerts import raise_alert
from payments.stripe import gateway

logger = logging.getLogger(__name__)

# Poll every two minutes while the customer may be waiting, then every quarter of an hour, and stop after a week.
SOON, FRESH = timedelta(minutes=2), timedelta(minutes=30)
LATER, OLD = timedelta(minutes=15), timedelta(days=7)
BATCH = 50
# Each row takes a request to Stripe, and the task has five minutes.
MOST_ASKED = 300
WINDOW = timedelta(days=3)
# A younger difference may be an event that is still on its way.
SETTLING = timedelta(minutes=2)
STUCK_AFTER = timedelta(hours=1)

_UNSETTLED = (RefundStatus.SUBMITTED, RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION)
_CALLABLE = (PaymentStatus.CREATED, PaymentStatus.OPEN)
_UNSENT = (RefundStatus.QUEUED, RefundStatus.SUBMITTED)


def look_after(*, now: datetime) -> int:
    """Poll Stripe for open payments, card setups and refunds that are due; return how many rows it asked about.

    Also does the work that the outbox gave up: sends refunds, charges fees and cancels payments. Stops at the first
    failure of Stripe and raises alerts for rows that have been stuck for an hour. The next run continues.
    """
    waiting = Payment.objects.filter(status__in=LIVE_PAYMENTS)
    unwanted = Payment.objects.filter(status__in=_CALLABLE, called_off_at__isnull=False)
    setups = CardSetup.objects.exclude(status__in=[SetupStatus.SUCCEEDED, SetupStatus.CANCELLED])
    refunds = Refund.objects.filter(method=Method.STRIPE)
    count = 0
    try:
        count += _each_asked(_given_up(unwanted, now), _call_off, now)
        count += _each_asked(_given_up(waiting.filter(is_off_session=True, failure_code=""), now), _charge, now)
        count += _each_asked(_given_up(refunds.filter(status__in=_UNSENT, stripe_refund_id=None), now), _send, now)
        count += _each_asked(_due(waiting.filter(intent_id__isnull=False), now), _sync_payment, now)
        count += _each_asked(_due(setups.filter(setup_intent_id__isnull=False), now), _sync_setup, now)
        count += _each_asked(_due(refunds.filter(status__in=_UNSETTLED), now), _sync_refund, now)
    except ProviderFailed:
        logger.warning("the payment provider does not answer; waiting payments are asked about later")
        _list_stuck(now)
    return count


def reconcile(*, now: datetime, window: timedelta = WINDOW) -> Reconciliation:
    """Compare the last days with Stripe, repair what differs, and report what a staff member has to look at.

    Every payment and refund at Stripe must be in our books with the same status and amount, and the other way round.

    :raises ProviderFailed: if Stripe does not answer.
    """
    since = now - window
    run = Reconciliation.objects.create(started_at=now, since=since)
    tally = _Tally()
    intents = set(_each(gateway.intents_since(since), tally, _compare_intent, now))
    refunds = set(_each(gateway.refunds_since(since), tally, _compare_refund, now))
    for payment in _not_seen(intents, since, now):
        tally.checked += 1
        if paying.sync_payment(payment_id=payment.pk, now=now) != payment.status:
            tally.repair(f"payment {payment.pk}")
    for refund in _refunds_not_seen(refunds, since, now):
        tally.list(f"refund {refund.pk} is not there")
    for payment in _disputed():
        disputes.sync_disputes(payment_id=payment.pk, now=now)
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


def _each(found: Iterator[Any], tally: _Tally, compare: Any, now: datetime) -> Iterator[str]:
    for each in found:
        tally.checked += 1
        compare(each, tally, now)
        yield each.id


def _compare_intent(intent: gateway.Intent, tally: _Tally, now: datetime) -> None:
    payment = Payment.objects.filter(intent_id=intent.id).first()
    if payment is None and intent.key:
        payment = Payment.objects.filter(key=intent.key).first()
    if payment is None:
        if intent.status == PaymentStatus.SUCCEEDED:
            raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=intent.id, details={"intent_id": intent.id}, now=now)
            tally.list(f"{intent.id} brought money and belongs to nothing here")
        return
    is_copy = payment.intent_id not in {None, intent.id}
    # A second intent, from a try whose answer was lost, counts only if it brought money.
    if (is_copy and intent.status != PaymentStatus.SUCCEEDED) or now - payment.created_at < SETTLING:
        return
    if is_copy or payment.status != intent.status:
        _put_right(payment, intent, tally, now)


def _put_right(payment: Payment, intent: gateway.Intent, tally: _Tally, now: datetime) -> None:
    before = (payment.status, payment.intent_id)
    is_over = payment.status in {PaymentStatus.CANCELLED, PaymentStatus.FAILED}
    # The payment is closed here, so the customer must not be able to pay it at Stripe.
    ask = gateway.cancel_intent if is_over and intent.status == PaymentStatus.OPEN else gateway.retrieve_intent
    found = ask(intent.id)
    paying.apply_intent(payment_id=payment.pk, intent=found, now=now)
    payment.refresh_from_db()
    if (payment.status, payment.intent_id) != before or found.status != intent.status:
        tally.repair(f"payment {payment.pk}")
    elif found.status == PaymentStatus.SUCCEEDED or not is_over:
        tally.list(f"{intent.id} is {found.status} there, payment {payment.pk} is {payment.status} here")


def _compare_refund(state: gateway.RefundState, tally: _Tally, now: datetime) -> None:
    payment = Payment.objects.filter(intent_id=state.intent_id).first() if state.intent_id else None
    if payment is None:
        tally.list(f"{state.id} returned money of no payment here")
        return
    known = refunding.known_refund(payment, state)
    if known is not None and known.status == state.status and known.amount_minor == state.amount_minor:
        return
    if refunding.apply_found(payment, state, now):
        tally.repair(f"refund {state.id}")
    elif known is not None:
        tally.list(f"refund {known.pk} is {known.status} here and {state.status} there")


def _not_seen(seen: set[str], since: datetime, now: datetime) -> Iterable[Payment]:
    """Our payments since ``since`` that Stripe did not list, and older ones that are still open."""
    ours = Payment.objects.filter(method=Method.STRIPE, intent_id__isnull=False, created_at__lt=now - SETTLING)
    of_interest = ours.filter(Q(created_at__gte=since) | Q(status__in=LIVE_PAYMENTS))
    last_asked = of_interest.order_by(F("checked_at").asc(nulls_first=True)).iterator()
    return islice((payment for payment in last_asked if payment.intent_id not in seen), MOST_ASKED)


def _refunds_not_seen(seen: set[str], since: datetime, now: datetime) -> Iterable[Refund]:
    # Stripe's clock may differ from ours, and a refund made in the dashboard may be older than our row of it.
    ours = Refund.objects.filter(submitted_at__gte=since + SETTLING, submitted_at__lt=now - SETTLING)
    ours = ours.filter(stripe_refund_id__isnull=False).exclude(reason=RefundReason.EXTERNAL)
    return ours.exclude(stripe_refund_id__in=seen)


def _disputed() -> Iterable[Payment]:
    """Payments whose dispute was open when we last read it."""
    return Payment.objects.filter(is_disputed=True).exclude(refunds__reason=RefundReason.DISPUTE)[:MOST_ASKED]


def _each_asked(rows: Iterable[Any], ask: Callable[[Any, datetime], object], now: datetime) -> int:
    """Call ``ask`` for each row and return how many rows there were. A refusal of one row does not stop the others.

    :raises ProviderFailed: if Stripe does not answer.
    """
    count = 0
    for row in rows:
        try:
            ask(row, now)
        except ProviderRefused as refused:
            logger.warning("%s %s: the provider refused to say: %s", type(row).__name__, row.pk, refused.code)
        finally:
            type(row).objects.filter(pk=row.pk).update(checked_at=now)
        count += 1
    return count


def _charge(payment: Payment, now: datetime) -> None:
    charging.charge(payment_id=payment.pk, now=now)


def _call_off(payment: Payment, now: datetime) -> None:
    paying.call_off(payment_id=payment.pk, now=now)


def _send(refund: Refund, now: datetime) -> None:
    # More than one attempt, so that ``carry_out`` first looks up whether Stripe has the refund already.
    refunding.carry_out(refund_id=refund.pk, attempts=2, now=now)


def _sync_payment(payment: Payment, now: datetime) -> None:
    paying.sync_payment(payment_id=payment.pk, now=now)


def _sync_setup(setup: CardSetup, now: datetime) -> None:
    cards.sync_card_setup(setup_id=setup.pk, now=now)


def _sync_refund(refund: Refund, now: datetime) -> None:
    refunding.sync_refunds(payment_id=refund.payment_id, now=now)


def _given_up(rows: Any, now: datetime) -> Any:
    """Rows that the outbox should have completed long ago, those asked about longest ago first."""
    return _aged(rows).filter(begun__lt=now - FRESH, last__lt=now - LATER).order_by(F("last"))[:BATCH]


def _due(rows: Any, now: datetime) -> Any:
    fresh = Q(begun__gt=now - FRESH, last__lt=now - SOON)
    older = Q(begun__gt=now - OLD, last__lt=now - LATER)
    return _aged(rows).filter(fresh | older).order_by(F("last"))[:BATCH]


def _aged(rows: Any) -> Any:
    """Annotate ``begun`` and ``last`` (when we last asked Stripe). An approved refund begins with its approval."""
    begun = Coalesce("decided_at", "created_at") if rows.model is Refund else F("created_at")
    return rows.annotate(begun=begun, last=Coalesce(F("checked_at"), begun))


def _list_stuck(now: datetime) -> None:
    """Raise one alert for each payment and refund that has been waiting for Stripe for STUCK_AFTER."""
    since = now - STUCK_AFTER
    stuck = Payment.objects.filter(
        Q(status=PaymentStatus.PROCESSING) | Q(status=PaymentStatus.CREATED, is_off_session=True)
    )
    for payment in stuck.filter(created_at__lt=since)[:BATCH]:
        raise_alert(kind=AlertKind.STUCK, key=str(payment.pk), payment=payment, now=now)
    unsent = Refund.objects.filter(method=Method.STRIPE, status__in=_UNSENT, stripe_refund_id=None)
    for refund in _aged(unsent).filter(begun__lt=since).select_related("payment")[:BATCH]:
        raise_alert(kind=AlertKind.STUCK, key=f"refund:{refund.pk}", payment=refund.payment, refund=refund, now=now)
