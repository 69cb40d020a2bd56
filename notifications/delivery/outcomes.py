"""What follows when a message will never arrive: the address is remembered, and a text may go instead of a mail."""

from datetime import datetime

from core.inserts import insert_unless_known
from core.nudge import nudge
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel, NotificationStatus, Purpose, RecipientRole, SuppressionReason
from notifications.models import Notification, Suppression
from notifications.rules import FALLBACK, current_rules


def suppress(*, channel: str, address: str, reason: SuppressionReason, now: datetime, detail: str = "") -> None:
    """Send nothing more to an address by a channel; see ``suppress_hash``."""
    suppress_hash(channel=channel, pseudonym=address_hash(channel, address), reason=reason, now=now, detail=detail)


def suppress_hash(*, channel: str, pseudonym: str, reason: SuppressionReason, now: datetime, detail: str = "") -> None:
    """Send nothing more to the owner of a pseudonym. STOP ends both channels to a phone. Harmless when repeated.

    What the owner said goes before what a provider found out: STOP replaces another reason. So does whatever ends
    everything, where so far only news had ended.
    """
    both = TEXT_CHANNELS if reason == SuppressionReason.STOP and channel in TEXT_CHANNELS else (channel,)
    for each in both:
        row = Suppression(channel=each, address_hash=pseudonym, reason=reason, since=now, detail=detail[:200])
        is_new = insert_unless_known(row, unique=("channel", "address_hash"))
        if not is_new:
            known = Suppression.objects.filter(channel=each, address_hash=pseudonym).exclude(reason=reason)
            if reason != SuppressionReason.STOP:
                known = known.filter(reason=SuppressionReason.UNSUBSCRIBED)
            known.update(reason=reason, since=now, detail=detail[:200])


def lift_stop(*, pseudonym: str) -> int:
    """Write to a phone again whose owner asked for it; other reasons stay. Return how many channels were closed."""
    stopped = Suppression.objects.filter(
        address_hash=pseudonym, channel__in=TEXT_CHANNELS, reason=SuppressionReason.STOP
    )
    return stopped.delete()[0]


def text_instead(row: Notification, *, now: datetime) -> bool:
    """Queue a text in place of a mail that failed for good, if the rules, the phone and the time allow; say whether.

    Call it in the transaction that marks the mail. At most one text follows, however often it is called.
    """
    role = RecipientRole(row.recipient_role)
    if row.channel != Channel.EMAIL or not row.phone or row.purpose != Purpose.SERVICE:
        return False
    if row.expires_at is not None and row.expires_at <= now:
        return False
    rules = current_rules()
    goes_anyway = rules.is_on(row.kind, role, Channel.SMS, row.details.get("offset_minutes"))
    is_possible = Channel.SMS in configured_text_channels()
    if goes_anyway or not is_possible or not rules.is_on(FALLBACK, role, Channel.SMS):
        return False
    text = Notification(
        kind=row.kind,
        subject_ref=row.subject_ref,
        version=row.version,
        recipient_role=row.recipient_role,
        recipient_ref=row.recipient_ref,
        channel=Channel.SMS,
        address=address_hash(Channel.SMS, row.phone),
        phone=row.phone,
        language=row.language,
        can_wait=row.can_wait,
        key=f"{row.key}:{FALLBACK}",
        details=row.details,
        status=NotificationStatus.QUEUED,
        not_before=now,
        next_try_at=now,
        expires_at=row.expires_at,
        fallback_of=row,
        created_at=now,
    )
    is_new = insert_unless_known(text, unique=("key",))
    if is_new:
        nudge("notifications.tasks.send_due")
    return is_new
