"""Sends due messages: claim, send, mark. Delivery is at least once and in order.

A worker claims a few messages at a time (``claiming``). For each it asks the gate, renders the message, hands it to its
channel outside any transaction, and marks it. If the process dies in between, the claim expires and another worker
sends the message again with the same Message-ID. Before a second try of a text message the provider is asked for the
first one.
"""

import logging
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils.module_loading import import_string

from core.crash import crash_point
from core.locks import one_at_a_time
from core.logs import masked
from core.references import keyed_hash
from notifications.addresses import TEXT_CHANNELS
from notifications.channel_types import CHANNELS
from notifications.channels.outgoing import LONGEST_TEXT, Outgoing, Receipt, Sender
from notifications.delivery import claiming
from notifications.delivery.claiming import OPEN
from notifications.delivery.composing import OwnTexts, context_of, outgoing
from notifications.delivery.fallback import text_instead
from notifications.enums import Channel, NotificationStatus
from notifications.errors import PermanentFailure, TemporaryFailure
from notifications.gate import SEND, TOO_LATE, Facts, Verdict, verdict
from notifications.models import Notification, PushSubscription
from notifications.queries import gate_facts, text_counts, text_limits
from notifications.suppression import suppress_hash
from notifications.wording.sms_length import sms_length

__all__ = ["OPEN", "retry_delay", "send_due"]

logger = logging.getLogger(__name__)

# Messages in one claim. A larger number saves statements; a smaller one leaves fewer messages waiting if the worker
# dies.
CLAIMED_AT_ONCE = 10
# No message is started after this time. A slow last message still ends before ``claiming.SENDER_SECONDS``.
BATCH_SECONDS = 20

FIRST_DELAY_SECONDS = 10
# The longest delay between tries, so that each message arrives within ten minutes after the mail server is back.
LONGEST_DELAY_SECONDS = 300
# The longest delay when the server fails, not the message: then a longer wait has no purpose.
LONGEST_OUTAGE_DELAY_SECONDS = 60
GIVE_UP_AFTER = timedelta(days=3)
TECHNICAL_TRIES = 5

NOT_WANTED = "No longer wanted when it was due."
NOT_PROVEN = "The person has not shown yet that the number is theirs."


def send_due(*, now: datetime, limit: int) -> int:
    """Send up to ``limit`` due messages with one connection per channel. Return how many were accepted.

    A channel whose server does not answer is left out until the next run. No message is started after
    ``BATCH_SECONDS``. Any number of calls may run at the same time.
    """
    accepted, tried = 0, 0
    with _Run(now) as run:
        while tried < limit and run.seconds() <= BATCH_SECONDS:
            rows = claiming.claimed(run.now(), limit=min(CLAIMED_AT_ONCE, limit - tried), without=run.away)
            if not rows:
                break
            crash_point("notification-after-claim")
            tried += len(rows)
            accepted += _send(rows, run)
    return accepted


def retry_delay(attempts: int, *, is_outage: bool = False) -> timedelta:
    """Return the wait after ``attempts`` tries: 10 s, 20 s, 40 s … up to five minutes, in an outage one minute."""
    longest = LONGEST_OUTAGE_DELAY_SECONDS if is_outage else LONGEST_DELAY_SECONDS
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 10), longest))


class _Run:
    """The state of one call of ``send_due``."""

    def __init__(self, now: datetime) -> None:
        self.away: set[str] = set()
        self.texts = OwnTexts()
        self._now, self._started = now, time.monotonic()
        self._open: dict[str, Sender] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.close()

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def now(self) -> datetime:
        """The time given at the start plus the time passed since: late rows of a long batch get the right time."""
        return self._now + timedelta(seconds=self.seconds())

    def channel(self, name: str) -> Sender:
        if name not in self._open:
            self._open[name] = self._closing.enter_context(import_string(CHANNELS[Channel(name)].sender)())
        return self._open[name]


def _send(rows: list[Notification], run: _Run) -> int:
    """Send claimed messages and return how many were accepted.

    Release those whose channel is away, and all after ``BATCH_SECONDS``.
    """
    facts = gate_facts(rows, run.now())
    accepted = 0
    for row in rows:
        if row.channel in run.away or run.seconds() > BATCH_SECONDS:
            claiming.release(row, run.now())
        else:
            accepted += _deliver(row, facts, run)
    return accepted


def _deliver(row: Notification, facts: Facts, run: _Run) -> bool:
    """Send a claimed message and store the outcome. Return whether the channel accepted it."""
    try:
        message = _message(row, facts, run)
        if message is None:
            return False
        receipt = _handed_over(row, message, run)
        if receipt is None:
            return False
    except TemporaryFailure as failure:
        _leave_for_later(row, failure, run)
        return False
    except SoftTimeLimitExceeded:  # Celery raises it anywhere, also while a server answers
        _leave_for_later(row, TemporaryFailure("The other side took too long.", stops_batch=True), run)
        return False
    except PermanentFailure as failure:
        _give_up(row, failure, run.now())
        return False
    except (OperationalError, InterfaceError):
        raise  # the database is away: the claim expires, and the message is tried again
    except Exception as error:  # a bug that shows in one message must not stop the others
        logger.exception("notification %s: cannot be made", row.pk)
        _put_aside(row, error, run.now())
        return False
    crash_point("notification-after-accepted")
    _mark_sent(row, message, receipt, run.now())
    crash_point("notification-after-mark")
    return True


def _message(row: Notification, facts: Facts, run: _Run) -> Outgoing | None:
    """Ask the gate and render the message. Return None when it is not to be sent now; its outcome is then stored."""
    now = run.now()
    if not _is_let_through(row, facts, now):
        return None
    context = context_of(row, now)
    if context is None:
        _end(row, Verdict(NotificationStatus.CANCELLED, NOT_WANTED), now)
        return None
    if row.channel in TEXT_CHANNELS and not context.may_text:
        _end(row, Verdict(NotificationStatus.CANCELLED, NOT_PROVEN), now)
        return None
    return outgoing(row, context, run.texts.of(row), now)


def _is_let_through(row: Notification, facts: Facts, now: datetime) -> bool:
    """Ask the gate. If it does not let the message pass now, store the reason or the time of the next try."""
    decided = verdict(
        row,
        facts,
        now,
        texts=text_counts(row, now),
        limits=text_limits(),
        mailbox_free_at=facts.mailbox_free_at.get(row.pk),
    )
    if decided.until is not None:
        claiming.mark(row, status=NotificationStatus.QUEUED, attempts=row.attempts - 1, next_try_at=decided.until)
    elif decided.status is not None:
        _end(row, decided, now)
    return decided == SEND


def _handed_over(row: Notification, message: Outgoing, run: _Run) -> Receipt | None:
    """Hand a message to its channel, unless the channel finds an earlier try that was accepted. None if it may not go.

    The hash of a text message is stored before the message is sent, so that the next try can recognise it at the
    provider.
    """
    channel = run.channel(row.channel)
    if row.attempts > 1:
        found = channel.found(message, lambda ref, body: _is_this(row, ref, body))
        if found is not None:
            return found
    if not _may_go(row, message, run.now()):
        return None
    crash_point("notification-before-handing-over")
    return channel.send(message, run.now())


def _may_go(row: Notification, message: Outgoing, now: datetime) -> bool:
    """Return whether this worker still holds the claim and, for a text message, the gate still lets it pass.

    Text messages cost money, and customers forbid them by STOP. They pass the gate a second time, one at a time for the
    whole site: workers that count at the same moment would each send one text over the limit, and a STOP may have
    arrived since the first check. Locks: the advisory lock "texts".
    """
    if row.channel not in TEXT_CHANNELS:
        return _is_still_ours(row, now)
    with transaction.atomic():
        one_at_a_time("texts")
        is_let_through = _is_let_through(row, gate_facts([row], now), now)
        return is_let_through and _is_still_ours(row, now, text_hash=_text_hash(message.words.text))


def _is_still_ours(row: Notification, now: datetime, **values: Any) -> bool:
    if claiming.renew(row, now, **values):
        return True
    logger.warning("notification %s: the claim was taken over, not sent", row.pk)
    return False


def _is_this(row: Notification, provider_ref: str, body: str) -> bool:
    """Return whether a message at the provider is this one: the text is equal, and no other row has this reference."""
    if not row.text_hash or _text_hash(body) != row.text_hash:
        return False
    return not Notification.objects.filter(provider_ref=provider_ref).exclude(pk=row.pk).exists()


def _text_hash(text: str) -> str:
    return keyed_hash(settings.LINK_KEY, f"text:{' '.join(text[:LONGEST_TEXT].split())}")


def _mark_sent(row: Notification, message: Outgoing, receipt: Receipt, now: datetime) -> None:
    values: dict[str, Any] = {
        "status": NotificationStatus.SENT,
        "subject": message.words.subject[:250],
        "body": "" if message.context.is_secret else masked(message.words.text),
        "sent_at": now,
        "error": "",
    }
    if row.channel == Channel.SMS:
        values["sms_parts"] = sms_length(message.words.text[:LONGEST_TEXT]).parts
    if receipt.provider_ref:
        values["provider_ref"] = receipt.provider_ref[:100]
    if not claiming.mark(row, **values) and receipt.provider_ref:
        # The provider's report arrived first and has moved the row on. Only this worker knows the text, so it is added
        # here.
        told = Notification.objects.filter(pk=row.pk, provider_ref=receipt.provider_ref[:100], body="")
        told.update(**{name: values[name] for name in ("subject", "body", "sms_parts") if name in values})
    _forget_devices(receipt.gone_devices)


def _end(row: Notification, decided: Verdict, now: datetime) -> None:
    """Store why a message is not sent.

    A message that is too late is also logged, because its recipient was not informed.
    """
    if decided.reason == TOO_LATE:
        logger.warning("notification %s (%s): dropped, it came too late", row.pk, row.kind)
    with transaction.atomic():
        is_marked = claiming.mark(row, status=decided.status, error=decided.reason)
        if is_marked and decided.status == NotificationStatus.PERMANENT_FAILURE:
            text_instead(row, now=now)


def _give_up(row: Notification, failure: PermanentFailure, now: datetime) -> None:
    logger.warning("notification %s: refused for good", row.pk)
    with transaction.atomic():
        if claiming.mark(row, status=NotificationStatus.PERMANENT_FAILURE, error=str(failure)):
            if failure.suppression:
                suppress_hash(channel=row.channel, pseudonym=row.address, reason=failure.suppression, now=now)
            text_instead(row, now=now)
    _forget_devices(failure.gone_devices)


def _leave_for_later(row: Notification, failure: TemporaryFailure, run: _Run) -> None:
    if failure.stops_batch:
        run.away.add(row.channel)
    _put_back(row, failure, run.now())


def _put_back(row: Notification, failure: TemporaryFailure, now: datetime) -> None:
    """Try again later. Give up after three days, unless nothing at all got through by this channel for a day."""
    logger.warning("notification %s: try %s failed, will be tried again", row.pk, row.attempts)
    is_old = now - row.not_before > GIVE_UP_AFTER
    if is_old and not (failure.stops_batch and _is_away_for_all(row, now)):
        _give_up(row, PermanentFailure(f"Given up after three days. {failure}"), now)
        return
    wait = retry_delay(row.attempts, is_outage=failure.stops_batch)
    _try_later(row, now + wait, str(failure))


def _is_away_for_all(row: Notification, now: datetime) -> bool:
    """Return whether this channel sent nothing for a day. If it sent something, this message breaks the connection."""
    others = Notification.objects.filter(channel=row.channel, sent_at__gt=now - timedelta(days=1))
    return not others.exists()


def _put_aside(row: Notification, error: Exception, now: datetime) -> None:
    """Try ``TECHNICAL_TRIES`` times, because a deployment may bring the repair; then leave the message to staff."""
    if row.attempts >= TECHNICAL_TRIES:
        claiming.mark(row, status=NotificationStatus.TECHNICAL_FAILURE, error=type(error).__name__)
        return
    _try_later(row, now + retry_delay(row.attempts), type(error).__name__)


def _try_later(row: Notification, moment: datetime, reason: str) -> None:
    """Put the message back for ``moment``. This worker did return, so ``lost_claims`` starts again at 0."""
    temporary = NotificationStatus.TEMPORARY_FAILURE
    claiming.mark(row, status=temporary, next_try_at=moment, error=reason, lost_claims=0)


def _forget_devices(ids: Any) -> None:
    if ids:
        PushSubscription.objects.filter(pk__in=list(ids)).delete()
