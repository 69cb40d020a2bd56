"""Puts messages into the queue and takes them out again. ``delivery.sending`` sends them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.transaction import TransactionManagementError

from accounts.contact.mailboxes import normalised_email
from core.inserts import insert_missing
from core.locks import one_at_a_time
from core.nudge import nudge
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.delivery.fanout import configured_text_channels, per_channel
from notifications.delivery.sending import NOT_WANTED, OPEN, send_due
from notifications.enums import Channel, NotificationStatus, Purpose, RecipientRole
from notifications.models import Notification, PushSubscription
from notifications.queries import mails_to
from notifications.requests import AGAIN, MessageRequest

__all__ = [
    "cancel_pending",
    "enqueue",
    "enqueue_again",
    "enqueue_sparingly",
    "name_recipient",
    "put_back",
    "send_again",
    "send_due",
    "withdraw",
]

HOUR = timedelta(hours=1)
# A second press of the same button within this time is a double click.
DOUBLE_CLICK = timedelta(seconds=10)
WAITING = (NotificationStatus.QUEUED, NotificationStatus.TEMPORARY_FAILURE)
# A message with one of these statuses has reached its recipient, or may have.
_REACHED = (
    NotificationStatus.SENDING,
    NotificationStatus.SENT,
    NotificationStatus.DELIVERED,
    NotificationStatus.TECHNICAL_FAILURE,
)
WITHDRAWN = "Withdrawn before it was sent: there was a newer change."

Recipient = tuple[str, str]
"""Role and reference of a recipient. The one customer of a subject has no reference here."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """``unheard`` are the messages of recipients whom none has reached; ``reached`` are the other recipients."""

    unheard: Sequence[Notification]
    reached: frozenset[Recipient]


def enqueue(requests: Sequence[MessageRequest], *, now: datetime) -> None:
    """Write the messages in the current transaction with one insert. A message whose key exists is left as it is.

    Nothing is rendered here. A nudge after the commit starts a worker when a message is due now.

    :raises TransactionManagementError: outside a transaction, where a rolled-back change could leave its message
        behind.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("Messages are written in the transaction of the change that causes them.")
    rows = [_row(each, now) for each in per_channel(requests)] if requests else []
    insert_missing(*rows, unique=("key",))
    if any(row.not_before <= now for row in rows):
        nudge("notifications.tasks.send_due")


def enqueue_sparingly(request: MessageRequest, *, limit: int, refusal: Callable[[], Exception], now: datetime) -> None:
    """Write a mail unless ``limit`` mails of its kind went to this mailbox within an hour.

    Nothing to do if its key exists.

    Locks the mailbox, so that concurrent calls count one after the other.

    :raises Exception: made by ``refusal``, when the limit is reached.
    """
    one_at_a_time(f"mails:{request.kind}:{normalised_email(request.address)}")
    if Notification.objects.filter(key=request.key).exists():
        return
    just_now = mails_to(request.address).filter(kind=request.kind, created_at__gt=now - HOUR)
    if just_now.count() >= limit:
        raise refusal()
    enqueue([request], now=now)


def cancel_pending(subject_ref: str, *, reason: str, kinds: Collection[str] | None = None) -> int:
    """Cancel the subject's messages that no worker has claimed yet. Return how many there were."""
    rows = Notification.objects.filter(subject_ref=subject_ref, status__in=WAITING)
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    return rows.update(status=NotificationStatus.CANCELLED, error=reason)


@transaction.atomic
def withdraw(subject_ref: str, *, version: int, kinds: Collection[str], due_after: datetime | None = None) -> Withdrawn:
    """Cancel the messages of one version that are not sent yet, and say whom the others have reached.

    With ``due_after`` only messages that no worker may send before that. A worker may be sending a message at this
    moment: its recipient counts as reached. Locks the messages.
    """
    rows = Notification.objects.filter(subject_ref=subject_ref, version=version, kind__in=kinds)
    waiting = rows.filter(status__in=WAITING)
    if due_after is not None:
        waiting = waiting.filter(not_before__gt=due_after)
    found = list(waiting.select_for_update(no_key=True).order_by("pk"))
    rows.filter(pk__in=[row.pk for row in found]).update(status=NotificationStatus.CANCELLED, error=WITHDRAWN)
    reached = frozenset(recipient_of(row) for row in rows.filter(status__in=_REACHED))
    return Withdrawn([row for row in found if recipient_of(row) not in reached], reached)


def put_back(
    subject_ref: str, *, below: int, kinds: Collection[str], without: Collection[Recipient], now: datetime
) -> None:
    """Queue again what messages of the version ``below`` had replaced unsent, because those are withdrawn.

    For each recipient and channel only the last message before that version counts. ``without`` are recipients who know
    more than it says.
    """
    rows = Notification.objects.filter(subject_ref=subject_ref, version__lt=below, kind__in=kinds)
    latest = {(recipient_of(row), row.channel): row for row in rows.order_by("version", "pk")}
    replaced = [row for (who, _), row in latest.items() if who not in without and _was_replaced(row)]
    for row in replaced:
        due_at = max(row.not_before, now)
        values = {"status": NotificationStatus.QUEUED, "error": "", "next_try_at": due_at}
        Notification.objects.filter(pk=row.pk, status=NotificationStatus.CANCELLED).update(**values)
    if replaced:
        nudge("notifications.tasks.send_due")


def recipient_of(row: Notification | MessageRequest) -> Recipient:
    is_staff = row.recipient_role == RecipientRole.STAFF
    return str(row.recipient_role), row.recipient_ref if is_staff else ""


def _was_replaced(row: Notification) -> bool:
    return row.status == NotificationStatus.CANCELLED and row.error in {NOT_WANTED, WITHDRAWN}


def name_recipient(subject_ref: str, *, customer_ref: str) -> int:
    """Set the customer on the subject's open messages once the customer is known. Return how many were changed.

    From then on the customer's choice of channels and quiet hours apply to these messages.
    """
    rows = Notification.objects.filter(subject_ref=subject_ref, recipient_role=RecipientRole.CUSTOMER, status__in=OPEN)
    return rows.exclude(recipient_ref=customer_ref).update(recipient_ref=customer_ref)


def move_recipient(old_ref: str, new_ref: str) -> None:
    """Give open messages and the devices of one person to another one: both are the same person."""
    Notification.objects.filter(recipient_ref=old_ref, status__in=OPEN).update(recipient_ref=new_ref)
    PushSubscription.objects.filter(person_ref=old_ref).update(person_ref=new_ref)


@transaction.atomic
def send_again(*, notification_id: int, now: datetime) -> None:
    """Queue a copy of a message because a staff member asks for it.

    The copy is rendered when it is sent, and dropped if its subject no longer wants it.

    :raises Notification.DoesNotExist: when there is no such message.
    """
    old = Notification.objects.get(pk=notification_id)
    request = MessageRequest(
        kind=old.kind,
        subject_ref=old.subject_ref,
        version=old.version,
        recipient_role=RecipientRole(old.recipient_role),
        recipient_ref=old.recipient_ref,
        channel=Channel(old.channel),
        address=old.address,
        phone=old.phone,
        language=old.language,
        purpose=Purpose(old.purpose),
        key=old.key,
        details=old.details,
    )
    enqueue_again([request], now=now)


@transaction.atomic
def enqueue_again(requests: Sequence[MessageRequest], *, now: datetime) -> None:
    """Queue messages that a user asks for, whether or not they were sent before. A double click queues one.

    Locks each message's key.
    """
    wanted = []
    for request in requests:
        key = f"{request.key.partition(AGAIN)[0]}{AGAIN}"
        one_at_a_time(key)
        just_now = Notification.objects.filter(key__startswith=key, created_at__gt=now - DOUBLE_CLICK)
        if not just_now.exists():
            wanted.append(replace(request, key=f"{key}{int(now.timestamp())}"))
    enqueue(wanted, now=now)


def _row(request: MessageRequest, now: datetime) -> Notification:
    due_at, channel = request.not_before or now, request.channel or Channel.EMAIL
    # An e-mail keeps the phone number only if this site can send a text message in its place.
    keeps_phone = channel in TEXT_CHANNELS or (channel == Channel.EMAIL and bool(configured_text_channels()))
    return Notification(
        kind=request.kind,
        subject_ref=request.subject_ref,
        version=request.version,
        recipient_role=request.recipient_role,
        recipient_ref=request.recipient_ref,
        channel=channel,
        address=_address(request, channel),
        phone=request.phone if keeps_phone else "",
        language=request.language,
        purpose=request.purpose,
        can_wait=request.can_wait,
        key=request.key,
        details=dict(request.details),
        not_before=due_at,
        next_try_at=due_at,
        expires_at=request.expires_at,
        created_at=now,
    )


def _address(request: MessageRequest, channel: Channel) -> str:
    if channel in TEXT_CHANNELS:
        return address_hash(channel, request.phone)
    return request.recipient_ref if channel == Channel.PUSH else request.address
