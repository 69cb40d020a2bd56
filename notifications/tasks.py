"""What beat and the nudge after a commit start."""

from celery import shared_task

from core import clock
from notifications import operations
from notifications.claiming import SENDER_SECONDS


# Whoever hangs on a server is killed before somebody else takes the message over.
@shared_task(name="notifications.tasks.send_due", time_limit=SENDER_SECONDS)
def send_due() -> None:
    operations.send_due(now=clock.now(), limit=200)
