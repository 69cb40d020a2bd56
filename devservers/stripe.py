"""A Stripe of our own: localstripe as a child process, and in front of it our edge, which the application speaks to.

Payments made with it move no money. `restart` keeps the addresses and the keys; the payments only if it was started
with `keep`, which writes them to `folder`.
"""

import contextlib
import os
import secrets
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from devservers import process
from devservers.ports import LOOPBACK, free_port
from devservers.process import Child, ServerFailed
from devservers.stripe_control import StripeControl

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Stripe:
    """A stand-in on 127.0.0.1."""

    folder: Path
    port: int
    site_url: str
    secret_key: str = field(repr=False)
    publishable_key: str
    webhook_secret: str = field(repr=False)
    keep: bool
    log: Path
    edge: Child = field(init=False, repr=False)
    upstream: Child = field(init=False, repr=False)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def control(self) -> StripeControl:
        """What tests tell it."""
        return StripeControl(self.url, self.secret_key)

    def environment(self) -> dict[str, str]:
        """What the application's settings have to be."""
        return {
            "STRIPE_SECRET_KEY": self.secret_key,
            "STRIPE_PUBLISHABLE_KEY": self.publishable_key,
            "STRIPE_WEBHOOK_SECRET": self.webhook_secret,
            "STRIPE_API_BASE": self.url,
            "STRIPE_JS_URL": f"http://localhost:{self.port}/endive/stripe.js",
        }

    @property
    def child(self) -> Child:
        """The process to watch: the edge, or localstripe once that has ended."""
        return self.edge if self.upstream.is_alive() else self.upstream

    def run(self) -> None:
        """Start both processes.

        :raises ServerFailed: when they do not come up.
        """
        upstream_port = free_port()
        where = [self.folder] if self.keep else []
        env = {**os.environ, **self.environment(), "PYTHONUNBUFFERED": "1"}
        python: list[str | Path] = [sys.executable, "-m"]
        command = [*python, "devservers.stripe_upstream", str(upstream_port), *where]
        self.upstream = process.spawn("localstripe", command, log=self.log, env=env, cwd=ROOT)
        webhook = f"{self.site_url}/stripe/webhook"
        command = [
            *python,
            "devservers.stripe_edge",
            str(self.port),
            str(upstream_port),
            self.site_url,
            webhook,
            *where,
        ]
        self.edge = process.spawn("Stripe", command, log=self.log, env=env, cwd=ROOT)
        self._wait_for(self.upstream, f"http://{LOOPBACK}:{upstream_port}/js.stripe.com/v3/")
        self._wait_for(self.edge, f"{self.url}/endive/stripe.js")

    def stop(self) -> None:
        """End both processes, or what is left of them."""
        self.edge.stop(timeout=5)
        self.upstream.stop(timeout=5)

    def restart(self) -> None:
        """Stop and start at the same address with the same keys."""
        self.stop()
        self.run()

    def _wait_for(self, child: Child, url: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not _answers(url):
            if not child.is_alive():
                raise ServerFailed(f"{child.name} stopped: {child.last_log_line()} (log: {child.log})")
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(f"{child.name} did not answer within {timeout:.0f} s (log: {child.log})")
            time.sleep(0.02)


def start(
    folder: Path,
    site_url: str,
    port: int | None = None,
    *,
    keys: tuple[str, str, str] | None = None,
    keep: bool = False,
    log: Path | None = None,
) -> Stripe:
    """Start on `port` (a free one if None); events go to the webhook of the site at `site_url`.

    :param keys: secret key, publishable key and webhook secret; new ones if None.
    :raises ServerFailed: when it does not come up.
    """
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = log or folder.with_name(f"{folder.name}.log")
    secret, publishable, webhook = keys or new_keys()
    server = Stripe(folder, port or free_port(), site_url.rstrip("/"), secret, publishable, webhook, keep, log)
    server.run()
    return server


def new_keys() -> tuple[str, str, str]:
    """A secret key, a publishable key and a webhook secret."""
    return f"sk_test_{secrets.token_hex(16)}", f"pk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
        return True
    return False
