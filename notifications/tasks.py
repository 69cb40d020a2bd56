"""Celery tasks of messages, started by beat and by the nudge after a commit."""

from celery import shared_task

from core import clock
from notifications import operations, retention
from notifications.delivery.claiming import SENDER_KILLED_SECONDS, SENDER_SECONDS


# A worker that waits for a slow server is stopped before another worker takes its message over.
@shared_task(name="notifications.tasks.send_due", soft_time_limit=SENDER_SECONDS, time_limit=SENDER_KILLED_SECONDS)
def send_due() -> None:
    operations.send_due(now=clock.now(), limit=200)


@shared_task(name="notifications.tasks.delete_old")
def delete_old() -> int:
    """Nightly: delete old messages, and old reports about them. Return how many rows were deleted."""
    now = clock.now()
    return retention.delete_old_messages(now=now) + retention.delete_old_reports(now=now)
