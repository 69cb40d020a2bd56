"""Devices that take web push, and the key that browsers ask for before they do."""

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

# More than anybody carries; each one costs a call for every message.
DEVICES_OF_A_PERSON = 10
# Only what every reader of addresses takes alike: at a backslash, a blank or a name before the host, what sends later
# may see another host than the one that was looked at.
_ADDRESS = re.compile(r"https://([a-z0-9.-]+)(?::443)?/[!-\[\]-~]*", re.ASCII | re.IGNORECASE)
_SECRET_BYTES = 16


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
    """Keep a device of a person. One that somebody else used before is this person's now; of too many the oldest goes.

    :raises UnknownPushService: when the address is not of one of PUSH_HOSTS, not https, or the keys are none.
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
    """Say whether an address belongs to a push service that this site sends to."""
    address = _ADDRESS.fullmatch(endpoint)
    if address is None:
        return False
    host = address[1].lower()
    return any(host == known or host.endswith(f".{known}") for known in settings.PUSH_HOSTS)


def are_keys(keys: Keys) -> bool:
    """Say whether messages can be encrypted with these: a point of the curve P-256 and a secret of 16 bytes."""
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
