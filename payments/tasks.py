"""Celery tasks that beat starts; see CELERY_BEAT_SCHEDULE."""

from celery import shared_task

from core import clock
from payments import reconciling, retention
from payments.operations import detach_cards_due, draw_missing_receipts, list_waiting_refunds
from payments.stripe import gateway


@shared_task
def look_after_payments() -> int:
    # Refunds in cash wait for approval as well, so this runs without Stripe.
    list_waiting_refunds(now=clock.now())
    return reconciling.look_after(now=clock.now()) if gateway.is_configured() else 0


@shared_task
def reconcile_payments() -> None:
    """Compare our books with Stripe's, every night."""
    if gateway.is_configured():
        reconciling.reconcile(now=clock.now())


@shared_task
def delete_old_notices() -> int:
    """Delete old Stripe events and declines, every night."""
    return retention.delete_old_notices(now=clock.now())


@shared_task
def forget_cards() -> int:
    return detach_cards_due(now=clock.now()) if gateway.is_configured() else 0


@shared_task
def draw_receipts() -> int:
    return draw_missing_receipts(now=clock.now())
