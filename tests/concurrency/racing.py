"""Real transactions in threads, set off together. Each thread has a connection of its own and commits for itself."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection

from bookings.doctor.visits import CHECKS
from tests.factories import NOW

MULTIPLIER = int(os.environ.get("RACE_ROUNDS", "1"))
PATIENCE_SECONDS = 60


def rounds(short: int, full: int) -> pytest.MarkDecorator:
    """Run a test with few rounds in every run and with all of them in ``make load``; RACE_ROUNDS multiplies both."""
    values = [
        pytest.param(short * MULTIPLIER, id="short"),
        pytest.param(full * MULTIPLIER, id="full", marks=pytest.mark.load),
    ]
    return pytest.mark.parametrize("rounds", values)


def race(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all acts at the same moment and return what each returned or raised, in their order."""
    outcomes: list[Any] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(index: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(PATIENCE_SECONDS)
            outcomes[index] = acts[index]()
        except Exception as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return outcomes


def tally(outcomes: Sequence[Any]) -> dict[str, int]:
    """Count outcomes by the name of their type: ``{"HeldSlot": 1, "SlotTaken": 99}``."""
    return dict(Counter(type(outcome).__name__ for outcome in outcomes))


def violations() -> dict[str, list[str]]:
    """What the checks of bookings find, by their titles; empty when every invariant holds."""
    found = {check.title: list(check.run(NOW)) for check in CHECKS}
    return {title: lines for title, lines in found.items() if lines}


def deadlock_count() -> int:
    """Deadlocks that PostgreSQL has had to break in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
