"""A stand-in for a browser and its push service: makes subscriptions, decrypts what arrives, can be told to refuse.

service = push.start()
subscription = service.subscribe()         # what a browser would hand to the site
service.wait_for(subscription.endpoint)    # decrypted, as the service worker would read it
service.answer(subscription.endpoint, 410) # the browser is gone
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from devservers.ports import LOOPBACK, free_port


@dataclass(frozen=True)
class Subscription:
    """One browser: the address to send to and the keys to encrypt for it, as text."""

    endpoint: str
    p256dh: str
    auth: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True)
class Arrived:
    """One message as the service worker reads it, with the headers (lower case) it travelled with."""

    endpoint: str
    content: dict[str, Any]
    headers: dict[str, str]


@dataclass
class PushService:
    """A running push service with the browsers it made."""

    port: int
    arrived: list[Arrived] = field(default_factory=list)
    _browsers: dict[str, Subscription] = field(default_factory=dict)
    _answers: dict[str, int] = field(default_factory=dict)
    _stop: Callable[[], None] = lambda: None

    def subscribe(self) -> Subscription:
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        endpoint = f"http://{LOOPBACK}:{self.port}/push/{secrets.token_urlsafe(16)}"
        made = Subscription(endpoint, _text(point), _text(secrets.token_bytes(16)), key)
        self._browsers[endpoint] = made
        return made

    def answer(self, endpoint: str, status: int) -> None:
        """From now on answer messages to this browser with a status; 201 takes them again."""
        self._answers[endpoint] = status

    def to(self, endpoint: str) -> list[Arrived]:
        return [each for each in list(self.arrived) if each.endpoint == endpoint]

    def wait_for(self, endpoint: str, *, timeout: float = 15) -> Arrived:
        """Wait for the first message to a browser.

        :raises TimeoutError: when none comes in time.
        """
        deadline = time.monotonic() + timeout
        while not self.to(endpoint):
            if time.monotonic() > deadline:
                raise TimeoutError("no push came")
            time.sleep(0.05)
        return self.to(endpoint)[0]

    def stop(self) -> None:
        self._stop()

    def take(self, endpoint: str, body: bytes, headers: dict[str, str]) -> int:
        """Decrypt one message and return the status to answer with."""
        browser = self._browsers.get(endpoint)
        status = self._answers.get(endpoint, 201)
        if browser is None or status != 201:
            return status if browser else 404
        if not Vapid02.verify(headers.get("authorization", "")):
            return 403
        text = http_ece.decrypt(body, private_key=browser.private_key, auth_secret=_bytes(browser.auth))
        self.arrived.append(Arrived(endpoint, json.loads(text), headers))
        return 201


def start(port: int | None = None) -> PushService:
    """Start taking messages on a port (a free one if None)."""
    service = PushService(port or free_port())

    class Handler(_Handler):
        push = service

    server = ThreadingHTTPServer((LOOPBACK, service.port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), name="push", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    service._stop = stop
    return service


class _Handler(BaseHTTPRequestHandler):
    push: PushService
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        endpoint = f"http://{LOOPBACK}:{self.push.port}{self.path}"
        self.send_response(
            self.push.take(endpoint, body, {name.lower(): value for name, value in self.headers.items()})
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
