"""Addresses that get nothing more, or no more news: who said so, or what a provider found out."""

from datetime import datetime

from core.inserts import insert_unless_known
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.enums import SuppressionReason
from notifications.models import Suppression


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
