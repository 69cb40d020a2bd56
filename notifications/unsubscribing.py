"""The unsubscribe link of marketing e-mail: one click, no sign-in (RFC 8058).

Its token is the pseudonym of the address and a MAC over it. It reveals no address, cannot be forged, and does nothing
but unsubscribe.
"""

import hmac
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from core.references import keyed_hash, trimmed_token
from notifications.addresses import address_hash
from notifications.enums import Channel, SuppressionReason
from notifications.models import Suppression
from notifications.suppression import suppress_hash

_LENGTH = 32


def unsubscribe_url(email: str) -> str:
    return f"{settings.SITE_URL}/u/{unsubscribe_token(email)}"


def unsubscribe_token(email: str) -> str:
    pseudonym = address_hash(Channel.EMAIL, email)
    return pseudonym + _mac(pseudonym)


def read_unsubscribe_token(token: str) -> str | None:
    """Return the pseudonym of the address that a token was made for; None for an invalid token."""
    token = trimmed_token(token)
    pseudonym, mac = token[:_LENGTH], token[_LENGTH:]
    return pseudonym if hmac.compare_digest(_mac(pseudonym).encode(), mac.encode()) else None


def unsubscribe(*, pseudonym: str, now: datetime) -> None:
    """Send no more marketing to the address. Messages about bookings and payments still go. Harmless when repeated."""
    suppress_hash(channel=Channel.EMAIL, pseudonym=pseudonym, reason=SuppressionReason.UNSUBSCRIBED, now=now)


def subscribe_again(*, email: str) -> None:
    """Delete an earlier unsubscribe, because the owner of the mailbox asks for news again. Other suppressions stay."""
    _unsubscribed(address_hash(Channel.EMAIL, email)).delete()


def is_unsubscribed(*, pseudonym: str) -> bool:
    return _unsubscribed(pseudonym).exists()


def _unsubscribed(pseudonym: str) -> QuerySet[Suppression]:
    reason = SuppressionReason.UNSUBSCRIBED
    return Suppression.objects.filter(channel=Channel.EMAIL, address_hash=pseudonym, reason=reason)


def _mac(pseudonym: str) -> str:
    return keyed_hash(settings.LINK_KEY, f"unsubscribe:{pseudonym}")
