"""Web push to a person's devices.

Messages are encrypted for each device (RFC 8291) and signed with this site's VAPID key (RFC 8292).
"""

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Self

import requests
from django.conf import settings
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush

from notifications.channels.outgoing import Device, Outgoing, Receipt
from notifications.errors import PermanentFailure, TemporaryFailure

TIMEOUT_SECONDS = 10
# Limit for all devices of one person together, so that a slow push service does not delay messages to other people.
LONGEST_SECONDS = 40
LONGEST_LIFE_SECONDS = 24 * 3600
LONGEST_TEXT = 600
_GONE = {404, 410}
_LATER = {408, 425, 429}


class PushChannel:
    """One connection for a batch, with a time-out at each step."""

    def __init__(self) -> None:
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._session.close()

    def found(self, message: Outgoing, is_ours: Callable[[str, str], bool]) -> Receipt | None:
        """Return None: a push service cannot be asked.

        A repeat has the same topic and replaces a copy that still waits there.
        """
        return None

    def send(self, message: Outgoing, now: datetime) -> Receipt:
        """Send to each device. The message counts as sent if one push service accepts it.

        :raises TemporaryFailure: when no push service accepted it, and one may accept it later.
        :raises PermanentFailure: when the person has no device left, or every push service refused the message.
        """
        gone: list[int] = []
        later, refused = "", "The person has no device that takes web push."
        taken, started = 0, time.monotonic()
        for device in message.devices:
            if time.monotonic() - started > LONGEST_SECONDS:
                later = later or "The push service is slow."
                break
            try:
                self._send(message, device, now)
                taken += 1
            except PermanentFailure as failure:
                gone += failure.gone_devices
                refused = str(failure)
            except TemporaryFailure as failure:
                later = str(failure)
        if taken:
            return Receipt(gone_devices=gone)
        if later:
            raise TemporaryFailure(later)
        raise PermanentFailure(refused, gone_devices=gone)

    def _send(self, message: Outgoing, device: Device, now: datetime) -> None:
        try:
            webpush(
                {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}},
                data=_payload(message),
                vapid_private_key=_key(settings.VAPID_PRIVATE_KEY),
                vapid_claims={"sub": settings.VAPID_SUBJECT},
                ttl=_life_seconds(message, now),
                timeout=TIMEOUT_SECONDS,
                headers={"Topic": _topic(message.message_id), "Urgency": "normal"},
                requests_session=self._session,
            )
        except WebPushException as error:
            status = error.status_code or 0
            if status in _GONE:
                raise PermanentFailure("The device is gone.", gone_devices=[device.id]) from None
            if status in _LATER or status >= 500 or not status:
                raise TemporaryFailure(f"The push service is busy ({status}).") from None
            raise PermanentFailure(f"The push service refused it ({status}).") from None
        except (requests.RequestException, OSError) as error:
            raise TemporaryFailure(f"The push service cannot be reached ({type(error).__name__}).") from None


def _payload(message: Outgoing) -> str:
    """Return the data that the service worker shows. Push services accept at most 4096 bytes."""
    tag = _topic(message.message_id)
    text = message.words.text[:LONGEST_TEXT]
    return json.dumps({"title": message.words.subject[:120], "body": text, "url": message.context.link, "tag": tag})


def _topic(message_id: str) -> str:
    """Return at most 32 letters of the URL-safe base64 alphabet, the same at each try."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _life_seconds(message: Outgoing, now: datetime) -> int:
    if message.expires_at is None:
        return LONGEST_LIFE_SECONDS
    return max(0, min(LONGEST_LIFE_SECONDS, int((message.expires_at - now).total_seconds())))


@lru_cache(maxsize=2)
def _key(private_key: str) -> Vapid02:
    return Vapid02.from_string(private_key)
