"""Devices registered for web push, and the public key that browsers ask for first."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from py_vapid import Vapid

from core.errors import Refused
from notifications.models import PushSubscription

# More devices than one person uses. Each device costs one call per message.
DEVICES_OF_A_PERSON = 10
# Only URLs that all parsers read alike. With a backslash, a space or a user name before the host, the sending library
# might call another host than the one checked here.
_ADDRESS = re.compile(r"https://([a-z0-9.-]+)(?::443)?/[!-\[\]-~]*", re.ASCII | re.IGNORECASE)
_SECRET_BYTES = 16


class UnknownPushService(Refused):
    """The URL does not belong to a known push service.

    Without this check a user could make the site call internal hosts.
    """

    code = "unknown_push_service"

    def __init__(self) -> None:
        super().__init__(_("This browser's notifications are not supported here."))


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a browser gives for encryption (RFC 8291), in base64 without padding."""

    p256dh: str
    auth: str


def push_key() -> str:
    """Return this site's public VAPID key in the form that browsers expect; empty if the site has none."""
    return _public_key(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


def add_device(*, person_ref: str, endpoint: str, keys: Keys, now: datetime) -> None:
    """Store a device of a person. A device that another person used before moves to this person.

    Beyond ``DEVICES_OF_A_PERSON`` the oldest is deleted.

    :raises UnknownPushService: when the URL is not https, its host is not one of PUSH_HOSTS, or the keys are invalid.
    """
    if not is_push_service(endpoint) or not are_keys(keys):
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
    own = PushSubscription.objects.filter(person_ref=person_ref).order_by("-created_at", "-pk")
    PushSubscription.objects.filter(pk__in=list(own.values_list("pk", flat=True)[DEVICES_OF_A_PERSON:])).delete()


def is_push_service(endpoint: str) -> bool:
    """Return whether a URL belongs to a push service that this site sends to."""
    address = _ADDRESS.fullmatch(endpoint)
    if address is None:
        return False
    host = address[1].lower()
    return any(host == known or host.endswith(f".{known}") for known in settings.PUSH_HOSTS)


def are_keys(keys: Keys) -> bool:
    """Return whether messages can be encrypted with the keys: a point of the curve P-256 and a secret of 16 bytes."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(keys.p256dh))
        return len(_bytes(keys.auth)) == _SECRET_BYTES
    except ValueError:
        return False


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


@lru_cache(maxsize=2)
def _public_key(private_key: str) -> str:
    public = Vapid.from_string(private_key).public_key
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
