"""Who sends what: claims on due messages, so that any number of senders work side by side and none sends what another
has.

A claim is made in a transaction of its own and ends by itself; only whoever still has it may send and mark. Messages
about one subject to one address are claimed one after the other, in the order in which they were written. A message
whose claims run out again and again stops its senders: it is given up, aloud.
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
# A sender is stopped, and where that does not help killed, after so many seconds (``tasks``): before the claim on what
# it is just handing over runs out.
SENDER_SECONDS = 80
SENDER_KILLED_SECONDS = 110
LOST_CLAIMS_ALLOWED = 3
LOOKED_AT = 200


def claimed(now: datetime, *, limit: int, without: Collection[str] = ()) -> list[Notification]:
    """Claim up to ``limit`` messages that are due, except those of some channels, longest due first.

    ``next_try_at`` becomes the end of the claim, so a claim that nobody honours is due again by itself, for
    ``LOST_CLAIMS_ALLOWED`` times.
    """
    due = Notification.objects.filter(status__in=OPEN, next_try_at__lte=now).order_by("next_try_at", "id")
    if without:
        due = due.exclude(channel__in=without)
    while True:
        with transaction.atomic():
            # With thousands due, only the first of them are compared; all of them only when each of those has to wait.
            rows = _free(due.filter(pk__in=due.values("pk")[:LOOKED_AT]), now, limit) or _free(due, now, limit)
            rows = _apart(rows)
            if not (rows and _stops_its_senders(rows[0])):
                _write_claim(rows, now)
                return rows
            _give_up(rows[0])


def release(row: Notification, now: datetime) -> None:
    """Give a claimed message back untried: it is due at once, and this claim does not count as a try."""
    tries = row.attempts - 1
    status = NotificationStatus.TEMPORARY_FAILURE if tries else NotificationStatus.QUEUED
    mark(row, status=status, attempts=tries, next_try_at=now)


def renew(row: Notification, now: datetime, **values: Any) -> bool:
    """Begin the time of a claim anew, if it still holds: a process that was stopped for minutes must not send what
    another one has sent, and nobody may take over what a slow server is just being handed.

    ``values`` are written in the same statement.
    """
    return bool(_with_claim(row).update(next_try_at=now + timedelta(seconds=CLAIM_SECONDS), **values))


def mark(row: Notification, **values: Any) -> bool:
    """Write the outcome, if the claim is still ours; otherwise whoever took it over decides."""
    if _with_claim(row).update(claim_id=None, claimed_at=None, **values):
        return True
    logger.warning("notification %s: the claim was taken over, outcome dropped", row.pk)
    return False


def _free(due: QuerySet[Notification], now: datetime, limit: int) -> list[Notification]:
    """Lock those that nobody else is claiming and that are not behind an earlier one to the same person.

    One that was put off to the end of quiet hours holds up nobody: what cannot wait goes past it.
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
    """Whatever let a claim run out may take its process down again: it is tried alone, and takes nobody with it."""
    if rows and _was_lost(rows[0]):
        return rows[:1]
    return list(takewhile(lambda row: not _was_lost(row), rows))


def _was_lost(row: Notification) -> bool:
    return row.status == NotificationStatus.SENDING or row.lost_claims > 0


def _stops_its_senders(row: Notification) -> bool:
    return row.status == NotificationStatus.SENDING and row.lost_claims + 1 >= LOST_CLAIMS_ALLOWED


def _give_up(row: Notification) -> None:
    """End a message that nobody came back from; it may have left at one of the tries. A person decides what follows."""
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
    lost = sum(row.lost_claims for row in rows)  # of the only one, or 0
    ours = Notification.objects.filter(pk__in=[row.pk for row in rows])
    ours.update(attempts=F("attempts") + 1, lost_claims=lost, **claim)
    Notification.objects.bulk_update(unnamed, ["message_id"])


def _with_claim(row: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(pk=row.pk, claim_id=row.claim_id, status=NotificationStatus.SENDING)


def _message_id(row: Notification) -> str:
    """The same for every try of this row, and telling nothing about it."""
    digest = hashlib.sha256(f"{row.pk}:{row.key}:{row.created_at.isoformat()}".encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"
