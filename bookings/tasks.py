"""What beat starts."""

from celery import shared_task

from bookings import retention
from bookings.operations import agendas, expiry, no_show
from core import clock


@shared_task
def expire_holds() -> int:
    return expiry.expire_due(now=clock.now())


@shared_task
def enqueue_agendas() -> int:
    """Tell staff their day, once it is seven in the morning at their place."""
    return agendas.enqueue_agendas(now=clock.now())


@shared_task
def settle_fees() -> int:
    """Charge and return what missed visits owe and are owed, once staff had their time to waive it."""
    return no_show.settle_due_fees(now=clock.now())


@shared_task
def forget_visitors() -> int:
    """Every night."""
    now = clock.now()
    retention.forget_abandoned_contacts(now=now)
    retention.delete_unproven(now=now)
    return retention.forget_visitors(now=now)
