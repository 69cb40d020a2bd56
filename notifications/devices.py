"""Devices that take web push, and the key that browsers ask for before they do."""

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from py_vapid import Vapid

from core.errors import Refused
from notifications.models import PushSubscription


class UnknownPushService(Refused):
    """The address is none that we would send to, so that nobody can make us call a machine of our own network."""

    code = "unknown_push_service"

    def __init__(self) -> None:
        super().__init__(_("This browser's notifications are not supported here."))


@dataclass(frozen=True, slots=True)
class Keys:
    """What a browser gives along to encrypt for it (RFC 8291), in base64 without padding."""

    p256dh: str
    auth: str


def push_key() -> str:
    """Return our public VAPID key as browsers want it; empty where this site has none."""
    return _public_key(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


def add_device(*, person_ref: str, endpoint: str, keys: Keys, now: datetime) -> None:
    """Keep a device of a person. One that somebody else used before is this person's now.

    :raises UnknownPushService: when the address is not of one of PUSH_HOSTS, or not https.
    """
    if not is_push_service(endpoint):
        raise UnknownPushService
    PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "person_ref": person_ref,
            "p256dh": keys.p256dh,
            "auth": keys.auth,
            "created_at": now,
            "failed_at": None,
        },
    )


def is_push_service(endpoint: str) -> bool:
    """Say whether an address belongs to a push service that this site sends to."""
    try:
        address = urlsplit(endpoint)
        host = address.hostname or ""
        is_plain = address.scheme == "https" and address.port in (None, 443) and "@" not in address.netloc
    except ValueError:
        return False
    return is_plain and any(host == known or host.endswith(f".{known}") for known in settings.PUSH_HOSTS)


@lru_cache(maxsize=2)
def _public_key(private_key: str) -> str:
    public = Vapid.from_string(private_key).public_key
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
