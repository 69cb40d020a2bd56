"""Claim, send, mark: how a due message leaves, at least once and in order.

A message is claimed in a transaction of its own, sent outside any, and marked only by whoever still has the claim. If
the process dies in between, the claim runs out and somebody else sends it again, with the same Message-ID. Messages
about one subject to one address leave in the order in which they were written.
"""

import hashlib
import logging
import time
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.module_loading import import_string

from core.crash import crash_point
from core.logs import masked
from notifications.channels.email import EmailChannel, Mail
from notifications.enums import NotificationStatus, RecipientRole
from notifications.errors import PermanentFailure, TemporaryFailure
from notifications.models import Notification
from notifications.rendering import rendered
from notifications.requests import ContextRequest, MessageContext

logger = logging.getLogger(__name__)

OPEN = (NotificationStatus.QUEUED, NotificationStatus.SENDING, NotificationStatus.TEMPORARY_FAILURE)

# A batch ends well before its last claim can run out: one message takes at most seven steps of EMAIL_TIMEOUT.
BATCH_SECONDS = 20
CLAIM_SECONDS = 120

FIRST_DELAY_SECONDS = 10
# Everything has to arrive within ten minutes after a mail server is back …
LONGEST_DELAY_SECONDS = 300
# … and where the server is the one that fails, not the message, there is no reason to wait that long.
LONGEST_OUTAGE_DELAY_SECONDS = 60
GIVE_UP_AFTER = timedelta(days=3)
TECHNICAL_TRIES = 5


def send_due(*, now: datetime, limit: int) -> int:
    """Send up to ``limit`` due messages by one connection and return how many were accepted.

    Ends early when the mail server is away (the next run tries again) or after 20 seconds. Any number of these may run
    at the same time.
    """
    accepted = 0
    watch = _Stopwatch(now)
    with EmailChannel() as channel:
        for _ in range(limit):
            if watch.seconds() > BATCH_SECONDS:
                break
            row = _claimed(watch.now())
            if row is None:
                break
            crash_point("notification-after-claim")
            try:
                accepted += _deliver(row, channel, watch)
            except _ServerAway:
                break
    return accepted


def retry_delay(attempts: int, *, is_outage: bool = False) -> timedelta:
    """How long to wait after the given number of tries: 10 s, 20 s, 40 s … up to five minutes, or one in an outage."""
    longest = LONGEST_OUTAGE_DELAY_SECONDS if is_outage else LONGEST_DELAY_SECONDS
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 10), longest))


class _ServerAway(Exception):
    """No further message can be sent now."""


class _Stopwatch:
    """The time since ``now`` was read, so that long batches don't write old times."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._started = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self.seconds())


def _claimed(now: datetime) -> Notification | None:
    """Claim the next message that is due and not behind an earlier one to the same person about the same thing.

    ``next_try_at`` becomes the end of the claim, so a claim that nobody honours is due again by itself.
    """
    earlier = Notification.objects.filter(
        subject_ref=OuterRef("subject_ref"),
        recipient_role=OuterRef("recipient_role"),
        address=OuterRef("address"),
        id__lt=OuterRef("id"),
        status__in=OPEN,
        not_before__lte=now,
    )
    due = Notification.objects.filter(~Exists(earlier), status__in=OPEN, next_try_at__lte=now)
    with transaction.atomic():
        row = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_try_at", "id").first()
        if row is None:
            return None
        if row.status == NotificationStatus.SENDING:
            logger.warning("notification %s: claim ran out, taking it over", row.pk)
        row.status = NotificationStatus.SENDING
        row.claim_id, row.claimed_at = uuid.uuid4(), now
        row.next_try_at = now + timedelta(seconds=CLAIM_SECONDS)
        row.attempts += 1
        row.message_id = row.message_id or _message_id(row)
        row.save(update_fields=["status", "claim_id", "claimed_at", "next_try_at", "attempts", "message_id"])
    return row


def _deliver(row: Notification, channel: EmailChannel, watch: _Stopwatch) -> bool:
    """Send a claimed message and write down what came of it; say whether it was accepted.

    :raises _ServerAway: when the next message would fail as well.
    """
    try:
        mail = _mail(row, watch.now())
        if mail is None:
            _mark(row, status=NotificationStatus.CANCELLED, error="No longer wanted when it was due.")
            return False
        if not _is_ours(row):
            logger.warning("notification %s: the claim was taken over, not sent", row.pk)
            return False
        channel.send(mail)
    except TemporaryFailure as failure:
        _put_back(row, failure, watch.now())
        if failure.stops_batch:
            raise _ServerAway from failure
        return False
    except PermanentFailure as failure:
        logger.warning("notification %s: refused for good", row.pk)
        _mark(row, status=NotificationStatus.PERMANENT_FAILURE, error=str(failure))
        return False
    except (OperationalError, InterfaceError):
        raise  # the database is away; the claim runs out and the message is tried again
    except Exception as error:  # a mistake of ours in one message must not stop the others
        logger.exception("notification %s: cannot be made", row.pk)
        _put_aside(row, error, watch.now())
        return False
    crash_point("notification-after-accepted")
    sent = {"subject": mail.subject[:250], "body": masked(mail.text), "sent_at": watch.now(), "error": ""}
    _mark(row, status=NotificationStatus.SENT, **sent)
    crash_point("notification-after-mark")
    return True


def _mail(row: Notification, now: datetime) -> Mail | None:
    """Ask the subject what to say and put it into words; None when it is no longer wanted."""
    with translation.override(row.language):
        context = _context(row, now)
        if context is None:
            return None
        words = rendered(context)
    return Mail(
        to=row.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=row.message_id,
        sender_name=context.sender_name,
        reply_to=context.reply_to,
        language=row.language,
        calendar=context.calendar,
    )


def _context(row: Notification, now: datetime) -> MessageContext | None:
    route = settings.NOTIFICATION_CONTEXTS[row.subject_ref.partition(":")[0]]
    request = ContextRequest(
        subject_ref=row.subject_ref,
        kind=row.kind,
        version=row.version,
        recipient_role=RecipientRole(row.recipient_role),
        recipient_ref=row.recipient_ref,
        details=row.details,
        now=now,
    )
    context: MessageContext | None = import_string(route)(request)
    return context


def _put_back(row: Notification, failure: TemporaryFailure, now: datetime) -> None:
    """Try again later, unless one message has been refused for days while others got through."""
    logger.warning("notification %s: try %s failed, will be tried again", row.pk, row.attempts)
    if not failure.stops_batch and now - row.not_before > GIVE_UP_AFTER:
        _mark(row, status=NotificationStatus.PERMANENT_FAILURE, error=f"Given up after three days. {failure}")
        return
    wait = retry_delay(row.attempts, is_outage=failure.stops_batch)
    _mark(row, status=NotificationStatus.TEMPORARY_FAILURE, next_try_at=now + wait, error=str(failure))


def _put_aside(row: Notification, error: Exception, now: datetime) -> None:
    """Try a few times more, because a deployment may bring the repair; then leave it to a person."""
    if row.attempts >= TECHNICAL_TRIES:
        _mark(row, status=NotificationStatus.TECHNICAL_FAILURE, error=type(error).__name__)
        return
    wait = retry_delay(row.attempts)
    _mark(row, status=NotificationStatus.TEMPORARY_FAILURE, next_try_at=now + wait, error=type(error).__name__)


def _is_ours(row: Notification) -> bool:
    """Whether the claim still holds: a process that was stopped for minutes must not send what another one has sent."""
    return _with_claim(row).exists()


def _mark(row: Notification, **values: Any) -> None:
    """Write the outcome, if the claim is still ours; otherwise whoever took it over decides."""
    if not _with_claim(row).update(claim_id=None, claimed_at=None, **values):
        logger.warning("notification %s: the claim was taken over, outcome dropped", row.pk)


def _with_claim(row: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(pk=row.pk, claim_id=row.claim_id, status=NotificationStatus.SENDING)


def _message_id(row: Notification) -> str:
    """The same for every try of this row, and telling nothing about it."""
    digest = hashlib.sha256(f"{row.pk}:{row.key}:{row.created_at.isoformat()}".encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"
