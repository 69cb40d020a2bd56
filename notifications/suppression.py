"""Suppressed addresses: they get no more messages, or no more marketing, by a channel."""

from datetime import datetime

from core.inserts import insert_unless_known
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.enums import SuppressionReason
from notifications.models import Suppression


def suppress(*, channel: str, address: str, reason: SuppressionReason, now: datetime, detail: str = "") -> None:
    """Send no more messages to an address by a channel; see ``suppress_hash``."""
    suppress_hash(channel=channel, pseudonym=address_hash(channel, address), reason=reason, now=now, detail=detail)


def suppress_hash(*, channel: str, pseudonym: str, reason: SuppressionReason, now: datetime, detail: str = "") -> None:
    """Send no more messages to the owner of a pseudonym. STOP ends both SMS and WhatsApp. Harmless when repeated.

    STOP comes from the owner, so it replaces any other reason. A reason that ends all messages replaces UNSUBSCRIBED,
    which ends only marketing.
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
    """Delete the STOP of a phone whose owner asks for texts again; other reasons stay.

    Return how many channels it freed.
    """
    stopped = Suppression.objects.filter(
        address_hash=pseudonym, channel__in=TEXT_CHANNELS, reason=SuppressionReason.STOP
    )
    return stopped.delete()[0]
