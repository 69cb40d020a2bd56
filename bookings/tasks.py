"""Celery tasks that beat starts."""

from celery import shared_task

from bookings import retention
from bookings.operations import agendas, expiry, no_show
from core import clock


@shared_task
def expire_holds() -> int:
    return expiry.expire_due(now=clock.now())


@shared_task
def enqueue_agendas() -> int:
    """Queue the agenda of each staff member whose local time is between 7:00 and noon."""
    return agendas.enqueue_agendas(now=clock.now())


@shared_task
def settle_fees() -> int:
    """Charge and refund what missed visits owe, once the time for waiving is over."""
    return no_show.settle_due_fees(now=clock.now())


@shared_task
def forget_visitors() -> int:
    """Delete data of visitors and abandoned bookings. Runs every night."""
    now = clock.now()
    retention.forget_abandoned_contacts(now=now)
    retention.delete_unproven(now=now)
    retention.delete_hold_links(now=now)
    retention.forget_walk_ins(now=now)
    return retention.forget_visitors(now=now)
