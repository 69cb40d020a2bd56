"""Outbox handlers for tests: they record their deliveries and do what the test sets."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

from core.outbox import Delivery, Permanent

ROUTES = {
    "thing.done": {"test.record": "tests.outbox_handlers.record"},
    "thing.told": {
        "test.tell-one": "tests.outbox_handlers.record",
        "test.tell-other": "tests.outbox_handlers.record",
    },
    "thing.failed": {"test.fail": "tests.outbox_handlers.fail"},
    "thing.hopeless": {"test.give-up": "tests.outbox_handlers.give_up"},
    "thing.slow": {"test.slow": "tests.outbox_handlers.slow"},
    "thing.gone": {"test.gone": "tests.outbox_handlers.no_such_handler"},
    "thing.unheard": {},
}

handled: list[tuple[str, Delivery]] = []
meanwhile: Callable[[Delivery], None] | None = None


def record(delivery: Delivery, *, now: datetime) -> None:
    handled.append((threading.current_thread().name, delivery))
    if meanwhile:
        meanwhile(delivery)


def fail(delivery: Delivery, *, now: datetime) -> None:
    raise RuntimeError("the other side is away; see /b/K7M4PXcAAAAAAAAAAAAAAAAAAAAAAAA/")


def give_up(delivery: Delivery, *, now: datetime) -> None:
    raise Permanent("there is no such thing")


def slow(delivery: Delivery, *, now: datetime) -> None:
    record(delivery, now=now)
    time.sleep(0.01)


def heard(delivery: Delivery, *, now: datetime) -> None:
    """Somebody above hears of it; what they do is not part of the test."""
