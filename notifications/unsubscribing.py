"""The link that ends news by e-mail with one click (RFC 8058), without signing in.

A token is the pseudonym of the address and a MAC over it: it tells nothing, cannot be guessed or changed into another
one, and does one thing only.
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
    """Return the pseudonym of the address that a link was made for; None for any other token."""
    token = trimmed_token(token)
    pseudonym, mac = token[:_LENGTH], token[_LENGTH:]
    return pseudonym if hmac.compare_digest(_mac(pseudonym).encode(), mac.encode()) else None


def unsubscribe(*, pseudonym: str, now: datetime) -> None:
    """Send no more news to the address. What is agreed, changed or paid is still told. Harmless when repeated."""
    suppress_hash(channel=Channel.EMAIL, pseudonym=pseudonym, reason=SuppressionReason.UNSUBSCRIBED, now=now)


def subscribe_again(*, email: str) -> None:
    """Take back an earlier unsubscribing, because the owner of the mailbox asks for news. Other reasons stay."""
    _unsubscribed(address_hash(Channel.EMAIL, email)).delete()


def is_unsubscribed(*, pseudonym: str) -> bool:
    return _unsubscribed(pseudonym).exists()


def _unsubscribed(pseudonym: str) -> QuerySet[Suppression]:
    reason = SuppressionReason.UNSUBSCRIBED
    return Suppression.objects.filter(channel=Channel.EMAIL, address_hash=pseudonym, reason=reason)


def _mac(pseudonym: str) -> str:
    return keyed_hash(settings.LINK_KEY, f"unsubscribe:{pseudonym}")
