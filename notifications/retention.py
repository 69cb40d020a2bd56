"""Nightly deletion of old messages and reports.

A sent message prevents a second one with the same key, so it is kept until its subject has been over for as long as
messages are kept (``settings.MESSAGES_KEPT_SINCE``). Messages that are still due are kept. Messages that failed on our
side are kept until staff send them again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from core.retention import delete_in_batches
from notifications.enums import InboundOutcome, NotificationStatus
from notifications.models import InboundMessage, Notification, ProviderEvent
from notifications.queries import sent_again

_ENDED = (
    NotificationStatus.SENT,
    NotificationStatus.DELIVERED,
    NotificationStatus.PERMANENT_FAILURE,
    NotificationStatus.CANCELLED,
)


def delete_old_messages(*, now: datetime) -> int:
    """Delete messages that ended before the time for which messages are kept, and whose subject was over by then."""
    before = messages_before(now)
    old = old_messages(before=before).only("pk", "subject_ref")
    return delete_in_batches(old, still_needed=lambda rows: _about_what_goes_on(rows, before))


def old_messages(*, before: datetime) -> QuerySet[Notification]:
    """Return the messages that ended before a moment."""
    has_ended = Q(status__in=_ENDED) | (Q(status=NotificationStatus.TECHNICAL_FAILURE) & sent_again())
    is_old = Q(created_at__lt=before, not_before__lt=before) & (Q(sent_at=None) | Q(sent_at__lt=before))
    return Notification.objects.filter(has_ended & is_old)


def messages_before(now: datetime) -> datetime:
    """Return the moment before which messages are deleted, which the business chooses."""
    chosen: Callable[[datetime], datetime] = import_string(settings.MESSAGES_KEPT_SINCE)
    return chosen(now)


def delete_old_reports(*, now: datetime) -> int:
    """Delete applied provider reports, and texts that are not for the front desk, older than EVENTS_KEPT_DAYS.

    Texts for the front desk keep their words as long as messages are kept. STOP and START stay as
    rows without words: they prove what the customer asked for, and a START that arrives a second time must not undo a
    later STOP.
    """
    before = now - timedelta(days=settings.EVENTS_KEPT_DAYS)
    reports = ProviderEvent.objects.filter(applied_at__isnull=False, received_at__lt=before)
    words_before = messages_before(now)
    is_old = Q(is_for_desk=False, received_at__lt=before) | Q(received_at__lt=words_before)
    texts = InboundMessage.objects.filter(is_old, outcome=InboundOutcome.IGNORED)
    worded = InboundMessage.objects.filter(received_at__lt=words_before, is_for_desk=True)
    worded.exclude(outcome=InboundOutcome.IGNORED).update(sender="", body="", is_for_desk=False)
    return delete_in_batches(reports.only("pk")) + delete_in_batches(texts.only("pk"))


def _about_what_goes_on(rows: Sequence[Notification], before: datetime) -> list[Notification]:
    """Return the rows whose subject is not over since ``before``, by its route.

    Without a route a subject ends with its message.
    """
    going_on: set[str] = set()
    for kind, route in settings.NOTIFICATION_SUBJECTS.items():
        refs = {row.subject_ref for row in rows if row.subject_ref.startswith(f"{kind}:")}
        going_on |= import_string(route)(refs, before) if refs else set()
    return [row for row in rows if row.subject_ref in going_on]
