"""Delete old rows in batches, and the old rows of the outbox, sessions and rate limits.

Each batch is committed, so that no request waits long for a lock and an interrupted run has done a part of the work.
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
# Less than a task may run. The next night deletes the rest.
LONGEST_RUN_SECONDS = 60

Row = TypeVar("Row", bound=models.Model)


def delete_in_batches(
    rows: QuerySet[Row], *, still_needed: Callable[[Sequence[Row]], Collection[Row]] | None = None
) -> int:
    """Delete the rows by ascending key, except the rows that ``still_needed`` returns for a batch. Return the number.

    Locks one batch at a time and skips rows that another transaction has locked. Safe to repeat and to run twice at the
    same time.
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
    """Set ``values`` on the rows and return their number. Locks and skips rows as ``delete_in_batches`` does."""
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
    """Delete outbox messages that were done EVENTS_KEPT_DAYS ago. Pending, claimed and dead messages stay."""
    before = now - timedelta(days=settings.EVENTS_KEPT_DAYS)
    done = OutboxMessage.objects.filter(status=OutboxMessage.Status.DONE, done_at__lt=before)
    return delete_in_batches(done.only("pk"))


def clear_sessions() -> None:
    """Delete expired sessions."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def delete_old_limit_counts(*, now: datetime) -> int:
    """Delete the counts of rate limits whose window has ended."""
    return delete_in_batches(LimitCount.objects.filter(ends_at__lt=now))
