"""Claims on due messages.

Any number of workers send at the same time, and no worker sends a message that another one has claimed.

A claim is made in its own transaction and expires after ``CLAIM_SECONDS``. Only the worker that still holds the claim
may send the message and mark it. Messages about one subject to one address are claimed one after the other, in the
order in which they were written. A message whose claim expires ``LOST_CLAIMS_ALLOWED`` times probably crashes its
worker: it is given up and logged as an error.
"""

import hashlib
import logging
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from notifications.enums import NotificationStatus
from notifications.models import Notification

logger = logging.getLogger(__name__)

OPEN = (NotificationStatus.QUEUED, NotificationStatus.SENDING, NotificationStatus.TEMPORARY_FAILURE)
CLAIM_SECONDS = 120
# Celery stops a sending task after SENDER_SECONDS, and kills it after SENDER_KILLED_SECONDS if that does not help. Both
# are shorter than CLAIM_SECONDS, so the task ends before its claim expires.
SENDER_SECONDS = 80
SENDER_KILLED_SECONDS = 110
LOST_CLAIMS_ALLOWED = 3
LOOKED_AT = 200


def claimed(now: datetime, *, limit: int, without: Collection[str] = ()) -> list[Notification]:
    """Claim up to ``limit`` due messages, longest due first; leave out the channels in ``without``.

    ``next_try_at`` becomes the end of the claim, so a message whose worker died is due again when the claim expires.
    After ``LOST_CLAIMS_ALLOWED`` lost claims it is given up.
    """
    due = Notification.objects.filter(status__in=OPEN, next_try_at__lte=now).order_by("next_try_at", "id")
    if without:
        due = due.exclude(channel__in=without)
    while True:
        with transaction.atomic():
            # Compare only the first LOOKED_AT rows when thousands are due. Compare all rows only when each of the first
            # has to wait.
            rows = _free(due.filter(pk__in=due.values("pk")[:LOOKED_AT]), now, limit) or _free(due, now, limit)
            rows = _apart(rows)
            if not (rows and _stops_its_senders(rows[0])):
                _write_claim(rows, now)
                return rows
            _give_up(rows[0])


def release(row: Notification, now: datetime) -> None:
    """Give a claimed message back unsent: it is due at once, and this claim does not count as a try."""
    tries = row.attempts - 1
    status = NotificationStatus.TEMPORARY_FAILURE if tries else NotificationStatus.QUEUED
    mark(row, status=status, attempts=tries, next_try_at=now)


def renew(row: Notification, now: datetime, **values: Any) -> bool:
    """Restart the claim's time if this worker still holds it; return False otherwise.

    A worker that was paused for minutes must not send what another worker has sent in the meantime. No other worker may
    take over a message while a slow server is accepting it. ``values`` are written in the same statement.
    """
    return bool(_with_claim(row).update(next_try_at=now + timedelta(seconds=CLAIM_SECONDS), **values))


def mark(row: Notification, **values: Any) -> bool:
    """Write the outcome if this worker still holds the claim; otherwise the worker that took it over decides."""
    if _with_claim(row).update(claim_id=None, claimed_at=None, **values):
        return True
    logger.warning("notification %s: the claim was taken over, outcome dropped", row.pk)
    return False


def _free(due: QuerySet[Notification], now: datetime, limit: int) -> list[Notification]:
    """Lock due messages that no other worker is claiming and that have no earlier open message to the same person.

    A message that is put off to the end of quiet hours does not block later messages: an urgent one overtakes it.
    """
    is_put_off = Q(status=NotificationStatus.QUEUED, next_try_at__gt=now)
    earlier = Notification.objects.filter(
        ~is_put_off,
        subject_ref=OuterRef("subject_ref"),
        recipient_role=OuterRef("recipient_role"),
        address=OuterRef("address"),
        id__lt=OuterRef("id"),
        status__in=OPEN,
        not_before__lte=now,
    )
    return list(due.filter(~Exists(earlier)).select_for_update(skip_locked=True, of=("self",))[:limit])


def _apart(rows: list[Notification]) -> list[Notification]:
    """Return the rows to claim together.

    A message whose claim was lost is claimed alone, because it may crash this worker too.
    """
    if rows and _was_lost(rows[0]):
        return rows[:1]
    return list(takewhile(lambda row: not _was_lost(row), rows))


def _was_lost(row: Notification) -> bool:
    return row.status == NotificationStatus.SENDING or row.lost_claims > 0


def _stops_its_senders(row: Notification) -> bool:
    return row.status == NotificationStatus.SENDING and row.lost_claims + 1 >= LOST_CLAIMS_ALLOWED


def _give_up(row: Notification) -> None:
    """End a message whose claim was lost too often.

    One of its tries may have been delivered, so staff decide what follows.
    """
    logger.error("notification %s (%s): stopped its sender %s times, given up", row.pk, row.kind, LOST_CLAIMS_ALLOWED)
    mark(
        row,
        status=NotificationStatus.TECHNICAL_FAILURE,
        lost_claims=LOST_CLAIMS_ALLOWED,
        error=f"Sending this stopped the worker {LOST_CLAIMS_ALLOWED} times.",
    )


def _write_claim(rows: list[Notification], now: datetime) -> None:
    claim = {
        "status": NotificationStatus.SENDING,
        "claim_id": uuid.uuid4(),
        "claimed_at": now,
        "next_try_at": now + timedelta(seconds=CLAIM_SECONDS),
    }
    unnamed = [row for row in rows if not row.message_id]
    for row in rows:
        if row.status == NotificationStatus.SENDING:
            logger.warning("notification %s: claim ran out, taking it over", row.pk)
            row.lost_claims += 1
        row.attempts += 1
        row.message_id = row.message_id or _message_id(row)
        for name, value in claim.items():
            setattr(row, name, value)
    lost = sum(row.lost_claims for row in rows)  # a row with a lost claim is alone in its batch; else 0
    ours = Notification.objects.filter(pk__in=[row.pk for row in rows])
    ours.update(attempts=F("attempts") + 1, lost_claims=lost, **claim)
    Notification.objects.bulk_update(unnamed, ["message_id"])


def _with_claim(row: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(pk=row.pk, claim_id=row.claim_id, status=NotificationStatus.SENDING)


def _message_id(row: Notification) -> str:
    """Return a Message-ID that is the same at each try of this row and reveals nothing about it."""
    digest = hashlib.sha256(f"{row.pk}:{row.key}:{row.created_at.isoformat()}".encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"
