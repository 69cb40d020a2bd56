"""The web process gets a signal to end while it answers: it answers what it received, keeps it, and ends in time."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fault.conftest import STUDIO
from tests.fault.guest import Guest
from tests.stack import Stack

# docker-compose.yml gives it 30 seconds, and granian kills its processes after 20.
GRACE_SECONDS = 20
LOCK = "lock table bookings_booking in exclusive mode"
WAITING = "select count(*) from pg_locks where relation = 'bookings_booking'::regclass and not granted"


@pytest.fixture
def stack() -> Iterator[Stack]:
    # Threads for all guests, whichever process takes them.
    with Stack(env={"HOLDS_PER_ADDRESS": "1000000", "WEB_THREADS": "4"}, programs=("web",)) as running:
        running.manage("shell", "--command", STUDIO)
        yield running


def test_requests_under_way_are_answered_and_kept(stack: Stack) -> None:
    """Their bookings wait for a lock when the signal comes, and get it afterwards."""
    guests = [Guest(stack.url, f"guest{number}@example.com") for number in range(4)]
    forms = [guest.filled_in() for guest in guests]
    with ThreadPoolExecutor(len(guests)) as people, stack.connect() as locking:
        locking.autocommit = False
        locking.execute(LOCK)
        answers = [people.submit(guest.confirm, *form) for guest, form in zip(guests, forms, strict=True)]
        stack.wait_until(lambda: stack.query(WAITING)[0][0] == len(guests), what="all of them wait")

        stack.kill("web", signal.SIGTERM)
        stack.wait_until(lambda: "Shutting down" in stack.log("web").read_text(), what="the signal is heard")
        locking.rollback()
        pages = [answer.result(GRACE_SECONDS) for answer in answers]

    assert stack.children["web"].wait(GRACE_SECONDS) == 0
    assert all(page.startswith("/b/") for page in pages)
    assert stack.query("select status, count(*) from bookings_booking group by status") == [("confirmed", len(guests))]
    assert "Traceback" not in stack.log("web").read_text()
