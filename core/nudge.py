"""Nudges: start a task soon after a commit, instead of waiting for beat.

Beat starts the task every few seconds anyway, so a nudge may be lost, and it must never delay or fail the request that
sends it. Therefore one thread of the process publishes the nudges: a broker that is down or hangs costs a request
nothing.
"""

import contextlib
import logging
import threading
import time

from celery import current_app
from django.db import transaction
from kombu import Connection

logger = logging.getLogger(__name__)

EXPIRES_SECONDS = 10
PAUSE_SECONDS = 0.05
PAUSE_AFTER_FAILURE_SECONDS = 5.0
_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0}


def nudge(task_name: str) -> None:
    """Start a task soon after the current transaction commits. Nudges for the same task that wait are merged."""
    transaction.on_commit(lambda: _publisher.ask(task_name), robust=True)


class _Publisher:
    """A thread that publishes task names. The first nudge of a process starts it, also after a fork."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._changed = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, task_name: str) -> None:
        self._wanted.add(task_name)
        self._changed.set()
        if self._thread is None or not self._thread.is_alive():
            with self._start:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        # Kept open, because opening takes eight times as long as publishing. Local, because a fork must not share it.
        connection: Connection | None = None
        while True:
            self._changed.wait()
            self._changed.clear()
            while self._wanted:
                connection = _published(self._wanted.pop(), connection)
                # Nudges for the same task during this pause are merged into one.
                time.sleep(PAUSE_SECONDS if connection else PAUSE_AFTER_FAILURE_SECONDS)


def _published(task_name: str, connection: Connection | None) -> Connection | None:
    """Publish over ``connection``, or over a new one if it is stale. Return the open connection; None in an outage."""
    for kept in (connection, None) if connection else (None,):
        opened = kept or current_app.connection_for_write(transport_options=_TIMEOUTS)
        try:
            current_app.send_task(task_name, connection=opened, expires=EXPIRES_SECONDS, retry=False)
            return opened
        except Exception as error:  # any error of the broker's client: beat will start the task
            with contextlib.suppress(Exception):
                opened.release()
            if kept is None:
                logger.warning("nudge not delivered: %s", type(error).__name__)
    return None


_publisher = _Publisher()
