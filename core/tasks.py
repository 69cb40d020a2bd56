"""Entry points of the schedule."""

from celery import shared_task

from core import clock, outbox


@shared_task
def drain_outbox() -> int:
    """Run the effects that are due. Started every few seconds, and after commits that published something."""
    return outbox.drain(now=clock.now())
