"""Celery tasks that beat starts."""

from celery import shared_task

from accounts import retention
from core import clock


@shared_task
def delete_old_access() -> int:
    """Delete old rows of the access log, every night."""
    return retention.delete_old_access(now=clock.now())


@shared_task
def forget_ended_sessions() -> int:
    """Forget from where staff and customers signed in, every night, once the session is over."""
    return retention.forget_ended_sessions(now=clock.now())
