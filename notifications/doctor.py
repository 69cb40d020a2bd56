"""What must always be true of the messages. Reads only; ids and no addresses."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from core.doctor import Check
from notifications.enums import NotificationStatus
from notifications.models import Notification
from notifications.requests import AGAIN
from notifications.sending import OPEN

# The sender comes by every few seconds; a claim lasts two minutes.
OVERDUE_LIMIT = timedelta(minutes=2, seconds=30)
CLAIM_LIMIT = timedelta(minutes=5)

ACCEPTED = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
ENDED_WITHOUT_SENDING = (
    NotificationStatus.CANCELLED,
    NotificationStatus.PERMANENT_FAILURE,
    NotificationStatus.TECHNICAL_FAILURE,
)


def overdue(now: datetime) -> list[str]:
    """Messages whose turn has come and that nobody tries to send."""
    rows = Notification.objects.filter(
        ~Exists(_earlier(status__in=OPEN, not_before__lte=now)), status__in=OPEN, next_try_at__lt=now - OVERDUE_LIMIT
    )
    return [f"notification {row.pk} ({row.kind}) is due since {row.next_try_at:%Y-%m-%d %H:%M:%S}" for row in rows]


def stuck_claims(now: datetime) -> list[str]:
    sending = Q(status=NotificationStatus.SENDING)
    rows = Notification.objects.filter(sending & (Q(claimed_at__lt=now - CLAIM_LIMIT) | Q(claim_id=None)))
    return [f"notification {row.pk} ({row.kind}) is claimed since {row.claimed_at}" for row in rows]


def without_outcome(now: datetime) -> list[str]:
    """Messages that ended, but do not say how: sent without a time or a name, or not sent without a reason."""
    unclear = Q(status__in=ACCEPTED) & (Q(sent_at=None) | Q(message_id=""))
    unclear |= Q(status__in=ENDED_WITHOUT_SENDING, error="")
    return _lines(Notification.objects.filter(unclear), "ended without saying how")


def failed_on_our_side(now: datetime) -> list[str]:
    return _lines(Notification.objects.filter(status=NotificationStatus.TECHNICAL_FAILURE), "could not be made")


def sent_twice(now: datetime) -> list[str]:
    """One telling of one state to one person by one channel, accepted more than once without anybody asking for it."""
    groups = (
        Notification.objects.filter(status__in=ACCEPTED)
        .exclude(key__contains=AGAIN)
        .order_by()
        .values("subject_ref", "kind", "version", "channel", "recipient_role", "address")
        .annotate(count=Count("id"))
        .filter(count__gt=1)
    )
    return [
        f"{group['count']} messages tell {group['recipient_role']} {group['kind']} v{group['version']} "
        f"of {group['subject_ref']}"
        for group in groups
    ]


def sent_out_of_order(now: datetime) -> list[str]:
    """Messages sent after a later one about the same subject to the same person: the last word was an old one."""
    newer = Notification.objects.filter(
        _same_person(), id__gt=OuterRef("id"), status__in=ACCEPTED, not_before__lte=OuterRef("sent_at")
    )
    rows = Notification.objects.filter(
        Exists(newer.filter(sent_at__lt=OuterRef("sent_at"))), status__in=ACCEPTED, not_before=F("created_at")
    )
    return _lines(rows, "was sent after a later one")


def sent_too_early(now: datetime) -> list[str]:
    return _lines(Notification.objects.filter(status__in=ACCEPTED, sent_at__lt=F("not_before")), "was sent too early")


def _same_person() -> Q:
    return Q(
        subject_ref=OuterRef("subject_ref"), recipient_role=OuterRef("recipient_role"), address=OuterRef("address")
    )


def _earlier(**values: object) -> QuerySet[Notification]:
    return Notification.objects.filter(_same_person(), id__lt=OuterRef("id"), **values)


def _lines(rows: Iterable[Notification], problem: str) -> list[str]:
    return [f"notification {row.pk} ({row.kind}) {problem}" for row in rows]


CHECKS = [
    Check("I19", "No message is overdue by more than two minutes", overdue),
    Check("I19", "No message is claimed for more than five minutes", stuck_claims),
    Check("I19", "Every message that ended says how", without_outcome),
    Check("I19", "No message failed on our side", failed_on_our_side),
    Check("I20", "Nothing was told twice", sent_twice),
    Check("I21", "Nothing was told after what followed it", sent_out_of_order),
    Check("I21", "Nothing was sent before its time", sent_too_early),
]
