"""What beat starts."""

from celery import shared_task

from bookings.operations import hold
from core import clock


@shared_task
def expire_holds() -> int:
    return hold.expire_holds(now=clock.now())
