"""Invariants of the messages, as checks. They only read, and report ids without addresses."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, QuerySet, When

from accounts.models import Consent, QuietHours
from accounts.operations import MARKETING_CONSENT
from core.doctor import Check
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.delivery.sending import OPEN
from notifications.enums import Channel, InboundOutcome, NotificationStatus, Purpose, SuppressionReason
from notifications.models import InboundMessage, Notification, ProviderEvent, Suppression
from notifications.queries import sent_again
from notifications.quiet_hours import quiet_until
from notifications.requests import AGAIN

# A worker looks for due messages every few seconds; a claim lasts two minutes.
OVERDUE_LIMIT = timedelta(minutes=2, seconds=30)
CLAIM_LIMIT = timedelta(minutes=5)
# A message that is being sent when its recipient opts out still arrives.
ON_ITS_WAY = timedelta(minutes=1)
QUIET_SPAN = timedelta(minutes=15)

ACCEPTED = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
ENDED_WITHOUT_SENDING = (
    NotificationStatus.CANCELLED,
    NotificationStatus.PERMANENT_FAILURE,
    NotificationStatus.TECHNICAL_FAILURE,
)


def overdue(now: datetime) -> list[str]:
    """Messages that are due and that no worker tries to send."""
    rows = Notification.objects.filter(
        ~Exists(_earlier(status__in=OPEN, not_before__lte=now)), status__in=OPEN, next_try_at__lt=now - OVERDUE_LIMIT
    )
    return [f"notification {row.pk} ({row.kind}) is due since {row.next_try_at:%Y-%m-%d %H:%M:%S}" for row in rows]


def stuck_claims(now: datetime) -> list[str]:
    sending = Q(status=NotificationStatus.SENDING)
    rows = Notification.objects.filter(sending & (Q(claimed_at__lt=now - CLAIM_LIMIT) | Q(claim_id=None)))
    return [f"notification {row.pk} ({row.kind}) is claimed since {row.claimed_at}" for row in rows]


def without_outcome(now: datetime) -> list[str]:
    """Ended messages that do not say how: sent without a time or a Message-ID, or not sent without a reason."""
    unclear = Q(status__in=ACCEPTED) & (Q(sent_at=None) | Q(message_id=""))
    unclear |= Q(status__in=ENDED_WITHOUT_SENDING, error="")
    return _lines(Notification.objects.filter(unclear), "ended without saying how")


def failed_on_our_side(now: datetime) -> list[str]:
    """Messages that failed because of a bug, until a staff member sends them again."""
    rows = Notification.objects.filter(~sent_again(), status=NotificationStatus.TECHNICAL_FAILURE)
    return _lines(rows, "failed on our side")


def sent_twice(now: datetime) -> list[str]:
    """Equal messages to one person by one channel, accepted more than once, without a request to send again.

    Messages with another planned time or other details (such as another payment) do not count as equal.
    """
    groups = (
        Notification.objects.filter(status__in=ACCEPTED)
        .exclude(key__contains=AGAIN)
        .order_by()
        .annotate(planned_for=Case(When(not_before__gt=F("created_at"), then=F("not_before"))))
        .values("subject_ref", "kind", "version", "channel", "recipient_role", "address", "details", "planned_for")
        .annotate(count=Count("id"))
        .filter(count__gt=1)
    )
    return [
        f"{group['count']} messages tell {group['recipient_role']} {group['kind']} v{group['version']} "
        f"of {group['subject_ref']}"
        for group in groups
    ]


def named_twice(now: datetime) -> list[str]:
    """Messages that share one message at the provider: one of the two was never sent."""
    groups = (
        Notification.objects.exclude(provider_ref="")
        .order_by()
        .values("channel", "provider_ref")
        .annotate(count=Count("id"), first=Min("id"))
        .filter(count__gt=1)
    )
    return [f"notification {group['first']} shares its {group['channel']} message with another" for group in groups]


def sent_without_name_at_provider(now: datetime) -> list[str]:
    rows = Notification.objects.filter(status__in=ACCEPTED, channel__in=TEXT_CHANNELS, provider_ref="")
    return _lines(rows, "was sent, and no name of it at the provider is known")


def unread_reports(now: datetime) -> list[str]:
    """Provider reports and inbound texts that no worker has processed."""
    reports = ProviderEvent.objects.filter(applied_at=None, received_at__lt=now - CLAIM_LIMIT)
    texts = InboundMessage.objects.filter(outcome=InboundOutcome.WAITING, received_at__lt=now - CLAIM_LIMIT)
    return [f"report {row.pk} ({row.event}) waits since {row.received_at}" for row in reports] + [
        f"inbound message {row.pk} waits since {row.received_at}" for row in texts
    ]


def sent_too_late(now: datetime) -> list[str]:
    return _lines(Notification.objects.filter(sent_at__gte=F("expires_at")), "was sent when it was of no use any more")


def sent_to_suppressed(now: datetime) -> list[str]:
    """Messages of the last day to addresses that were suppressed at least a minute before."""
    suppressed = {
        (row.channel, row.address_hash): row
        for row in Suppression.objects.all()
        if row.reason != SuppressionReason.UNSUBSCRIBED
    }
    rows = _recent(now).exclude(channel=Channel.PUSH) if suppressed else []
    return _lines((row for row in rows if _is_after(row, suppressed)), "went to an address that gets nothing")


def sent_without_consent(now: datetime) -> list[str]:
    """Marketing messages to people who never asked for any."""
    rows = [row for row in _recent(now) if row.purpose == Purpose.MARKETING]
    asked = set(Consent.objects.filter(purpose=MARKETING_CONSENT).values_list("customer_id", flat=True) if rows else ())
    refs = {f"customer:{pk}" for pk in asked}
    return _lines((row for row in rows if row.recipient_ref not in refs), "is marketing without consent")


def sent_in_quiet_hours(now: datetime) -> list[str]:
    """Messages that could wait and were sent in quiet hours.

    Only the last minutes count, because people change the hours.
    """
    rows = _recent(now, QUIET_SPAN).filter(can_wait=True)
    hours = {row.person_ref: row for row in QuietHours.objects.filter(person_ref__in=rows.values("recipient_ref"))}
    return _lines(
        (row for row in rows if row.recipient_ref in hours and _was_quiet(row, hours[row.recipient_ref])),
        "came in quiet hours",
    )


def sent_out_of_order(now: datetime) -> list[str]:
    """Messages sent after a later one about the same subject to the same person: the person read the old state last."""
    newer = Notification.objects.filter(
        _same_person(), id__gt=OuterRef("id"), status__in=ACCEPTED, not_before__lte=OuterRef("sent_at")
    )
    rows = Notification.objects.filter(
        Exists(newer.filter(sent_at__lt=OuterRef("sent_at"))), status__in=ACCEPTED, not_before=F("created_at")
    )
    return _lines(rows, "was sent after a later one")


def sent_too_early(now: datetime) -> list[str]:
    return _lines(Notification.objects.filter(status__in=ACCEPTED, sent_at__lt=F("not_before")), "was sent too early")


def _recent(now: datetime, span: timedelta = timedelta(days=1)) -> QuerySet[Notification]:
    return Notification.objects.filter(status__in=ACCEPTED, sent_at__gt=now - span).order_by("id")


def _is_after(row: Notification, suppressed: Mapping[tuple[str, str], Suppression]) -> bool:
    pseudonym = row.address if row.channel in TEXT_CHANNELS else address_hash(row.channel, row.address)
    found = suppressed.get((row.channel, pseudonym))
    return found is not None and row.sent_at is not None and row.sent_at > found.since + ON_ITS_WAY


def _was_quiet(row: Notification, hours: QuietHours) -> bool:
    zone = ZoneInfo(hours.time_zone)
    minutes = {"start_minute": hours.start_minute, "end_minute": hours.end_minute}
    return row.sent_at is not None and quiet_until(row.sent_at, **minutes, zone=zone) is not None


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
    Check("I19", "Every text that was sent has a name at the provider", sent_without_name_at_provider),
    Check("I19", "Every report was looked at", unread_reports),
    Check("I20", "No message was sent twice", sent_twice),
    Check("I20", "No two messages are the same one at the provider", named_twice),
    Check("I21", "Messages about one booking were sent in order", sent_out_of_order),
    Check("I21", "Nothing was sent before its time", sent_too_early),
    Check("I21", "Nothing was sent when it was of no use", sent_too_late),
    Check("I21", "Nothing went to who had ended it", sent_to_suppressed),
    Check("I21", "No news went to who never asked for any", sent_without_consent),
    Check("I22", "Nothing that could wait came in quiet hours", sent_in_quiet_hours),
]
