"""Shorten the wait for work that is already written down.

Beat looks for due work every few seconds anyway, so a nudge may be lost and must never delay or fail whoever gives it.
Nudges are therefore published by one thread of the process: a broker that is down, or takes connections and hangs,
costs a request nothing.
"""

import logging
import threading

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

EXPIRES_SECONDS = 10
PAUSE_AFTER_FAILURE_SECONDS = 5.0
_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


def nudge(task_name: str) -> None:
    """Ask for a task to run soon after the current transaction commits. Nudges that meet in the queue count as one."""
    transaction.on_commit(lambda: _publisher.ask(task_name), robust=True)


class _Publisher:
    """A thread that publishes the names it was given; started by the first one, and again after a fork."""

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
        while True:
            self._changed.wait()
            self._changed.clear()
            while self._wanted:
                self._publish(self._wanted.pop())

    def _publish(self, task_name: str) -> None:
        try:
            with current_app.connection_for_write(transport_options=_TIMEOUTS) as connection:
                current_app.send_task(task_name, connection=connection, expires=EXPIRES_SECONDS, retry=False)
        except Exception as error:  # whatever the broker's client raises: beat will find the work
            logger.warning("nudge not delivered: %s", type(error).__name__)
            threading.Event().wait(PAUSE_AFTER_FAILURE_SECONDS)


_publisher = _Publisher()
