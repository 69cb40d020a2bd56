"""Delete what nobody needs any more: some rows at a time, each batch committed, so that nobody waits for a lock and a
night that ends early has done its part. Knows no domain words but the outbox.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import QuerySet

from core.models import LimitCount, OutboxMessage

BATCH = 500
# Less than a task may run. What is left goes the next night.
LONGEST_RUN_SECONDS = 60

Row = TypeVar("Row", bound=models.Model)


def delete_in_batches(
    rows: QuerySet[Row], *, still_needed: Callable[[Sequence[Row]], Collection[Row]] | None = None
) -> int:
    """Delete the rows, those with the smallest keys first, except those ``still_needed`` returns of a batch.

    Locks a batch at a time and passes over what others hold. Return how many are gone. Harmless when repeated, or when
    two run at once.
    """
    started, last, gone = time.monotonic(), 0, 0
    while time.monotonic() - started < LONGEST_RUN_SECONDS:
        with transaction.atomic():
            following = rows.filter(pk__gt=last).order_by("pk")
            batch = list(following.select_for_update(skip_locked=True, of=("self",))[:BATCH])
            needed = {row.pk for row in still_needed(batch)} if still_needed and batch else set()
            rows.model._default_manager.filter(pk__in=[row.pk for row in batch if row.pk not in needed]).delete()
        if not batch:
            break
        last = batch[-1].pk
        gone += len(batch) - len(needed)
    return gone


def update_in_batches(rows: QuerySet[Row], **values: object) -> int:
    """Give these values to the rows that the query finds and that have others. Locks and passes over as above."""
    started, last, done = time.monotonic(), 0, 0
    while time.monotonic() - started < LONGEST_RUN_SECONDS:
        with transaction.atomic():
            following = rows.filter(pk__gt=last).order_by("pk").only("pk")
            batch = [row.pk for row in following.select_for_update(skip_locked=True, of=("self",), no_key=True)[:BATCH]]
            rows.model._default_manager.filter(pk__in=batch).update(**values)
        if not batch:
            break
        last = batch[-1]
        done += len(batch)
    return done


def delete_old_effects(*, now: datetime) -> int:
    """Delete effects of the outbox that ran EVENTS_KEPT_DAYS ago. What waits, runs or was given up stays."""
    before = now - timedelta(days=settings.EVENTS_KEPT_DAYS)
    done = OutboxMessage.objects.filter(status=OutboxMessage.Status.DONE, done_at__lt=before)
    return delete_in_batches(done.only("pk"))


def clear_sessions() -> None:
    """Delete sessions that have ended."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def delete_old_limit_counts(*, now: datetime) -> int:
    """Delete counts whose time is over."""
    return delete_in_batches(LimitCount.objects.filter(ends_at__lt=now))
