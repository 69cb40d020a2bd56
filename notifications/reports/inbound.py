"""Stores and applies what comes in: provider reports about our messages, and texts from customers. Each is stored once.

An outbox handler applies a report, because the report may arrive before the answer to our own request. STOP is obeyed
in the transaction that stores it. The words of a text that is no keyword are kept for the front desk.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from core.inserts import insert_unless_known
from core.outbox import publish
from notifications.addresses import address_hash
from notifications.channels.twilio_errors import refusal
from notifications.delivery.fallback import text_instead
from notifications.enums import Channel, InboundOutcome, NotificationStatus, SuppressionReason
from notifications.models import InboundMessage, Notification, ProviderEvent
from notifications.reports.keywords import Keyword, reading
from notifications.reports.mail_events import MailEvent
from notifications.reports.progress import Report, mail_report, next_status, twilio_report
from notifications.suppression import lift_stop, suppress_hash

logger = logging.getLogger(__name__)

TOPIC = "message.reported"
_OPT_OUTS = {"STOP": Keyword.STOP, "START": Keyword.START}
_MAIL_SUPPRESSIONS = {
    "complained": SuppressionReason.COMPLAINED,
    "unsubscribed": SuppressionReason.UNSUBSCRIBED,
}
# Hard bounces. After any other bounce the next mail may arrive.
_DEAD = {"bounced", "invalid"}
# A mail provider names a message only in its answer. Its report may arrive before that name is stored.
OVERTAKES_BY_AT_MOST = timedelta(seconds=30)
# Longer input cannot come from a phone.
LONGEST_TEXT, LONGEST_SENDER = 5000, 60


class TooEarly(Exception):
    """A report about a mail whose provider id is not stored yet. The outbox tries again later."""


@transaction.atomic
def store_report(
    *, provider_ref: str, notification_id: int | None, channel: Channel, event: str, code: str, now: datetime
) -> None:
    """Store a provider's report about a text message, once, and have it applied.

    Statuses without meaning here are dropped.

    Publishes ``message.reported``.
    """
    if not provider_ref or twilio_report(event) is None:
        return
    row = ProviderEvent(
        key=f"twilio:{provider_ref}:{event.lower()}"[:200],
        provider_ref=provider_ref[:100],
        told_notification_id=notification_id,
        channel=channel,
        event=event.lower()[:30],
        code=code[:20],
        received_at=now,
    )
    if insert_unless_known(row, unique=("key",)):
        publish(TOPIC, f"event:{row.pk}", {"event_id": row.pk}, now=now)


@transaction.atomic
def store_mail_event(event: MailEvent, *, now: datetime) -> None:
    """Store a mail provider's event, once, and have it applied. Opens and clicks are not stored, for privacy.

    Publishes ``message.reported``.
    """
    if mail_report(event.event_type) is None and event.event_type not in _MAIL_SUPPRESSIONS:
        return
    row = ProviderEvent(
        key=f"mail:{event.event_id or event.message_id}:{event.event_type}"[:200],
        provider_ref=event.message_id[:100],
        channel=Channel.EMAIL,
        event=event.event_type[:30],
        code=event.reject_reason[:20],
        address_hash=address_hash(Channel.EMAIL, event.recipient) if event.recipient else "",
        received_at=now,
    )
    if insert_unless_known(row, unique=("key",)):
        publish(TOPIC, f"event:{row.pk}", {"event_id": row.pk}, now=now)


@transaction.atomic
def apply_report(*, event_id: int, now: datetime) -> bool:
    """Move the message that a report is about, if the table in ``progress`` allows it, and suppress a dead address.

    Harmless when repeated. Locks the report, then the message. A report about an unknown message changes no message.
    Returns False when the report has to be applied again later: it may be about a mail whose provider id is not stored
    yet.
    """
    event = ProviderEvent.objects.select_for_update().get(pk=event_id)
    if event.applied_at is not None:
        return True
    row = _message_of(event)
    if row is not None:
        _move(row, event, now)
    _suppress(event, now)
    if row is None and event.channel == Channel.EMAIL and now < event.received_at + OVERTAKES_BY_AT_MOST:
        return False
    if row is None:
        logger.info("report %s is about no message of ours", event.pk)
    event.applied_at = now
    event.save(update_fields=["applied_at"])
    return True


@transaction.atomic
def store_text(*, provider_ref: str, channel: Channel, sender: str, text: str, opt_out: str, now: datetime) -> None:
    """Store a customer's text, once, and obey STOP and START at once. Other words are kept for the front desk.

    ``sender`` is a number as the provider writes it. ``opt_out`` is how Twilio itself understood the text, where it
    checks.
    """
    read, by_twilio = reading(text), _OPT_OUTS.get(opt_out.upper())
    keyword = by_twilio or read.keyword
    is_for_desk = read.needs_person and not (by_twilio and read.keyword is None)
    pseudonym = address_hash(channel, sender)
    row = InboundMessage(
        provider_ref=provider_ref[:100],
        channel=channel,
        address_hash=pseudonym,
        keyword=keyword or "",
        outcome=InboundOutcome.WAITING,
        sender=sender.removeprefix("whatsapp:")[:LONGEST_SENDER] if is_for_desk else "",
        body=text[:LONGEST_TEXT] if is_for_desk else "",
        is_for_desk=is_for_desk,
        received_at=now,
    )
    if not provider_ref or not insert_unless_known(row, unique=("provider_ref",)):
        return
    row.outcome = _obeyed(keyword, channel, pseudonym, now)
    row.save(update_fields=["outcome"])


@transaction.atomic
def mark_handled(*, message_id: int, actor_name: str, now: datetime) -> None:
    """Note that the front desk has dealt with a text. A second call keeps the first name. Locks the text."""
    row = InboundMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    if row.handled_at is None:
        row.handled_at, row.handled_by = now, actor_name[:120]
        row.save(update_fields=["handled_at", "handled_by"])


@transaction.atomic
def opt_out_sender(*, message_id: int, actor_name: str, now: datetime) -> None:
    """Send no more texts to the number that a text came from, and mark the text as handled. Harmless when repeated.

    Locks the text.
    """
    mark_handled(message_id=message_id, actor_name=actor_name, now=now)
    row = InboundMessage.objects.get(pk=message_id)
    row.outcome = _obeyed(Keyword.STOP, Channel(row.channel), row.address_hash, now)
    row.save(update_fields=["outcome"])


def _obeyed(keyword: Keyword | None, channel: Channel, pseudonym: str, now: datetime) -> InboundOutcome:
    if keyword is Keyword.STOP:
        suppress_hash(channel=channel, pseudonym=pseudonym, reason=SuppressionReason.STOP, now=now)
        return InboundOutcome.STOPPED
    if keyword is Keyword.START:
        lift_stop(pseudonym=pseudonym)
        return InboundOutcome.RESTARTED
    return InboundOutcome.IGNORED


def _message_of(event: ProviderEvent) -> Notification | None:
    """Find and lock the message by our own id, which its status URL carries, or else by the provider's id."""
    rows = Notification.objects.select_for_update().filter(channel=event.channel)
    if event.told_notification_id is not None:
        row = rows.filter(pk=event.told_notification_id).first()
        is_same = row is not None and row.provider_ref in {"", event.provider_ref}
        return row if is_same else None
    return rows.filter(provider_ref=event.provider_ref).first() if event.provider_ref else None


def _move(row: Notification, event: ProviderEvent, now: datetime) -> None:
    is_mail = event.channel == Channel.EMAIL
    report = mail_report(event.event) if is_mail else twilio_report(event.event)
    status = next_status(row.status, report, is_mail=is_mail) if report else None
    if status is None:
        return
    row.status, row.provider_ref = status, event.provider_ref
    row.claim_id = row.claimed_at = None
    row.sent_at = row.sent_at or event.received_at
    if status == NotificationStatus.DELIVERED:
        row.delivered_at, row.error = event.received_at, ""
    if report is Report.FAILED:
        row.delivered_at, row.error = None, _reason(event)
    row.save(update_fields=["status", "provider_ref", "claim_id", "claimed_at", "sent_at", "delivered_at", "error"])
    if report is Report.FAILED:
        text_instead(row, now=now)


def _reason(event: ProviderEvent) -> str:
    if event.channel == Channel.EMAIL:
        return f"The e-mail came back ({event.code or event.event})."
    return str(refusal(_code(event)))


def _code(event: ProviderEvent) -> int | None:
    return int(event.code) if event.code.isdecimal() else None


def _suppress(event: ProviderEvent, now: datetime) -> None:
    """Suppress an address that the report shows to be dead, or whose owner complained, unsubscribed or said STOP."""
    if event.channel == Channel.EMAIL:
        reason = _MAIL_SUPPRESSIONS.get(event.event)
        if event.event == "bounced" and event.code in _DEAD:
            reason = SuppressionReason.BOUNCED
        pseudonym = event.address_hash
    else:
        reason = refusal(_code(event)).suppression if twilio_report(event.event) is Report.FAILED else None
        row = Notification.objects.filter(provider_ref=event.provider_ref, channel=event.channel).first()
        pseudonym = row.address if row else ""
    if reason is not None and pseudonym:
        suppress_hash(channel=event.channel, pseudonym=pseudonym, reason=reason, now=now, detail=event.code)
