"""Celery tasks that beat starts every night."""

from celery import shared_task

from core import clock
from privacy.operations import erase, keep


@shared_task
def erase_again() -> int:
    """Erase the customers whom a restored backup brought back, before anything else of the night."""
    return erase.erase_again(now=clock.now())


@shared_task
def delete_what_is_due() -> int:
    """Delete, empty and anonymise what the settings keep no longer; return the number of records."""
    return sum(keep.delete_what_is_due(now=clock.now()).values())
