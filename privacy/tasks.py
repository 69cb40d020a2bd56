"""Celery tasks that beat starts."""

from celery import shared_task

from core import clock
from privacy.operations import erase, keep, unusual_reading


@shared_task
def erase_again() -> int:
    """Erase the customers whom a restored backup brought back, before anything else of the night."""
    return erase.erase_again(now=clock.now())


@shared_task
def delete_what_is_due() -> int:
    """Delete, empty and anonymise what the settings keep no longer; return the number of records."""
    now = clock.now()
    return sum(keep.delete_what_is_due(now=now).values()) + unusual_reading.delete_old_alerts(now=now)


@shared_task
def find_unusual_reading() -> int:
    """Look through the access log of the last day, every few minutes; return the number of new alerts."""
    return unusual_reading.find_unusual_reading(now=clock.now())
