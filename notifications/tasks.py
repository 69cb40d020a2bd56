"""What beat and the nudge after a commit start."""

from celery import shared_task

from core import clock
from notifications import operations, retention
from notifications.delivery.claiming import SENDER_KILLED_SECONDS, SENDER_SECONDS


# Whoever hangs on a server lets go before somebody else takes the message over.
@shared_task(name="notifications.tasks.send_due", soft_time_limit=SENDER_SECONDS, time_limit=SENDER_KILLED_SECONDS)
def send_due() -> None:
    operations.send_due(now=clock.now(), limit=200)


@shared_task(name="notifications.tasks.delete_old")
def delete_old() -> int:
    """Every night: messages, and what came in about them."""
    now = clock.now()
    return retention.delete_old_messages(now=now) + retention.delete_old_reports(now=now)
