"""What beat and the nudge after a commit start."""

from celery import shared_task

from core import clock
from notifications import operations


@shared_task(name="notifications.tasks.send_due")
def send_due() -> None:
    operations.send_due(now=clock.now(), limit=200)
