"""Celery tasks of the outbox and of retention."""

from celery import shared_task

from core import clock, outbox, retention


@shared_task
def drain_outbox() -> int:
    """Run due outbox messages. Beat starts this every few seconds, a nudge after a commit that published a message."""
    return outbox.drain(now=clock.now())


@shared_task
def delete_old_effects() -> int:
    """Delete old outbox messages, every night."""
    return retention.delete_old_effects(now=clock.now())


@shared_task
def clear_sessions() -> None:
    """Delete expired sessions, every night."""
    retention.clear_sessions()


@shared_task
def delete_old_limit_counts() -> int:
    """Delete old counts of rate limits, every night."""
    return retention.delete_old_limit_counts(now=clock.now())
