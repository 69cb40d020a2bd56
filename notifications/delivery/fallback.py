"""Sends a text message (SMS) in place of an e-mail that cannot be delivered."""

from datetime import datetime

from core.inserts import insert_unless_known
from core.nudge import nudge
from notifications.addresses import address_hash
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel, NotificationStatus, Purpose, RecipientRole
from notifications.models import Notification
from notifications.rules import FALLBACK, current_rules


def text_instead(row: Notification, *, now: datetime) -> bool:
    """Queue a text message in place of an e-mail that failed for good. Return whether one was queued.

    Rules, phone number and ``expires_at`` have to allow it. Call it in the transaction that marks the e-mail. At most
    one text message is queued, however often it is called.
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
