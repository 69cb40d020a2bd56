"""The outbox: effects that must follow a committed change. Written with the change, run by workers at least once.

``OUTBOX_ROUTES`` maps each topic to its routes and handlers: ``{"payment.succeeded": {"booking-paid":
"bookings.handlers.payment_succeeded"}}``. A worker calls ``handler(delivery, now=…)`` outside any transaction. It may
call a handler twice and in any order, so a handler reads its business row first. If a handler raises ``Permanent``, the
outbox gives the message up; after any other exception it tries again later.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils.module_loading import import_string

from core.crash import crash_point
from core.logs import masked
from core.models import OutboxMessage
from core.nudge import nudge

logger = logging.getLogger(__name__)

Status = OutboxMessage.Status

FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 3600
MAX_ATTEMPTS = 20  # about half a day
# A message is given up when this many claims in a row expired, because its handler kills the process.
LOST_CLAIMS_ALLOWED = 3
# How long a claim lasts: longer than a task may run, so that no worker takes a message from a running handler.
CLAIM = timedelta(minutes=5)
# The paying customer waits for these topics, so their claims are short and another worker soon takes over from one
# that died. A slow handler may therefore run twice at once; the handlers of these topics lock their row and take effect
# once. A short claim that expires is weaker evidence of a crash, so more of them are allowed.
WAITED_FOR = frozenset({"stripe.event", "payment.check", "payment.succeeded", "card.saved"})
CLAIM_WAITED_FOR = timedelta(seconds=10)
LOST_CLAIMS_ALLOWED_WAITED_FOR = 18
# A batch ends early enough to leave its last handler time before Celery kills the task.
BATCH_SECONDS = 60
ERROR_LENGTH = 500


class Permanent(Exception):
    """Raised by a handler if trying again is useless. The outbox gives the message up."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The message that a handler gets. ``id`` is the same at each try; use it as idempotency key of external calls."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]
    attempts: int


Handler = Callable[..., None]


def publish(topic: str, key: str, payload: Mapping[str, Any], *, now: datetime) -> None:
    """Write one message per route of ``topic`` in the current transaction.

    A route that has a message with this ``key`` already gets no second one. ``payload`` holds ids and primitives only.
    A nudge after the commit shortens the wait.

    :raises TransactionManagementError: outside a transaction, where the effect could survive a change that is lost.
    :raises LookupError: if OUTBOX_ROUTES does not have the topic.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("Publish in the transaction of the change that causes the effect.")
    if topic not in settings.OUTBOX_ROUTES:
        raise LookupError(f"OUTBOX_ROUTES has no topic {topic!r}.")
    rows = [
        OutboxMessage(route=route, topic=topic, key=key, payload=dict(payload), due_at=now)
        for route in settings.OUTBOX_ROUTES[topic]
    ]
    if rows:
        OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
        nudge("core.tasks.drain_outbox")


def drain(*, now: datetime, limit: int = 500) -> int:
    """Run due messages, up to ``limit`` or for BATCH_SECONDS, and return how many succeeded.

    Any number of workers may call this at the same time. Each message is claimed in a transaction of its own, and its
    handler runs after that commit. Only the worker that still holds the claim writes the outcome.
    """
    started = time.monotonic()
    done = 0
    for _ in range(limit):
        moment = now + timedelta(seconds=time.monotonic() - started)
        if moment - now > timedelta(seconds=BATCH_SECONDS):
            break
        message = _claimed(moment)
        if message is None:
            break
        crash_point("outbox-after-claim")
        done += _run(message, moment)
    return done


def run_now(topic: str, key: str, *, now: datetime) -> int:
    """Run the messages of one key in this process if they are due and unclaimed; return how many succeeded.

    For a web request whose customer waits. It claims messages as ``drain`` does, so only one of a worker and this
    request writes the outcome. A worker retries what fails here. Runs outside any transaction.
    """
    done = 0
    while message := _claimed(now, topic=topic, key=key, route__in=list(settings.OUTBOX_ROUTES[topic])):
        done += _run(message, now)
    return done


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after this many tries: 5 s, 10 s, 20 s … up to an hour."""
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_DELAY_SECONDS))


def revive(message_id: int, *, now: datetime) -> bool:
    """Make a message that was given up due again, with all its tries, after the owner has removed the cause.

    Returns False if the message is not given up, or not any more.
    """
    dead = OutboxMessage.objects.filter(pk=message_id, status=Status.DEAD)
    is_revived = dead.update(
        status=Status.PENDING, attempts=0, lost_claims=0, claim_id=None, claimed_at=None, due_at=now
    )
    if is_revived:
        nudge("core.tasks.drain_outbox")
    return bool(is_revived)


@transaction.atomic
def _claimed(now: datetime, **only: Any) -> OutboxMessage | None:
    """Claim the message that has been due longest; None if there is none. It becomes due again when the claim expires.

    Skips rows that another worker has locked.
    """
    message = (
        OutboxMessage.objects.select_for_update(skip_locked=True)
        .filter(status__in=[Status.PENDING, Status.CLAIMED], due_at__lte=now, **only)
        .order_by("due_at", "id")
        .first()
    )
    if message is None:
        return None
    if message.status == Status.CLAIMED:
        message.lost_claims += 1
    message.status, message.claim_id, message.claimed_at = Status.CLAIMED, uuid.uuid4(), now
    message.attempts += 1
    message.due_at = now + (CLAIM_WAITED_FOR if message.topic in WAITED_FOR else CLAIM)
    message.save(update_fields=["status", "claim_id", "claimed_at", "attempts", "lost_claims", "due_at"])
    return message


def _run(message: OutboxMessage, now: datetime) -> bool:
    is_waited_for = message.topic in WAITED_FOR
    if message.lost_claims >= (LOST_CLAIMS_ALLOWED_WAITED_FOR if is_waited_for else LOST_CLAIMS_ALLOWED):
        _bury(message, f"Running this stopped the worker {message.lost_claims} times.")
        return False
    delivery = Delivery(message.pk, message.topic, message.key, message.payload, message.attempts)
    try:
        _handler(message)(delivery, now=now)
    except Permanent as error:
        _bury(message, _described(error))
        return False
    except Exception as error:
        _put_back(message, _described(error), now)
        return False
    crash_point("outbox-after-handler")
    is_ours = _mark(message, status=Status.DONE, done_at=now, error="")
    crash_point("outbox-after-mark")
    return is_ours


def _handler(message: OutboxMessage) -> Handler:
    """Import the handler of a message.

    :raises LookupError: if this code does not know the route. Newer code may, so the message is tried again.
    """
    path = settings.OUTBOX_ROUTES.get(message.topic, {}).get(message.route)
    if path is None:
        raise LookupError(f"no route {message.route!r} for {message.topic!r}")
    handler: Handler = import_string(path)
    return handler


def _put_back(message: OutboxMessage, error: str, now: datetime) -> None:
    if message.attempts >= MAX_ATTEMPTS:
        _bury(message, error)
        return
    logger.warning("outbox message %s (%s) failed at try %s: %s", message.pk, message, message.attempts, _kind(error))
    _mark(
        message,
        status=Status.PENDING,
        claimed_at=None,
        claim_id=None,
        due_at=now + retry_delay(message.attempts),
        lost_claims=0,
        error=error,
    )


def _bury(message: OutboxMessage, error: str) -> None:
    logger.error(
        "outbox message %s (%s) gave up after %s tries: %s", message.pk, message, message.attempts, _kind(error)
    )
    _mark(message, status=Status.DEAD, error=error)


def _mark(message: OutboxMessage, **values: Any) -> bool:
    """Write the outcome and return True, unless another worker has taken over the claim meanwhile."""
    held = OutboxMessage.objects.filter(pk=message.pk, status=Status.CLAIMED, claim_id=message.claim_id)
    is_ours = held.update(**values) == 1
    if not is_ours:
        logger.warning("outbox message %s (%s) was taken over while it was handled", message.pk, message)
    return is_ours


def _described(error: Exception) -> str:
    return masked(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]


def _kind(error: str) -> str:
    """Return the class name of a stored error. The rest may hold personal data, so it stays in the row."""
    return error.partition(":")[0]
