"""The running site with a small studio, and proxies that can break the connections to Valkey and to the mail server."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.fault.forked import doctor_of
from tests.fault.guest import Guest
from tests.stack import Stack

# Nobody waits longer for an answer because something is away: on a machine that does nothing else, and so many times
# what a page takes by itself while others work on it.
LIMIT_SECONDS = 3.0
LIMIT_PAGES = 10
STUDIO = """
from tests import factories as make
firm = make.business(booking_policy=make.booking_policy(horizon_days=60))
place = make.location(name="Kreuzberg", slug="kreuzberg")
massage = make.service(place, slug="massage")
for number in range(6):
    make.staff_member(massage, at=place, email=f"therapist{number}@example.com")
"""
# What the clock brings meanwhile is no answer to what guests did: reminders, and each therapist's agenda at seven.
DUE = "notifications_notification where not_before <= now() and kind not in ('reminder', 'agenda')"
WAITING = f"select count(*) from {DUE} and status in ('queued', 'sending', 'temporary-failure')"
_numbers = itertools.count(1)


@dataclass
class Site:
    """The stack, and what its guests did and measured."""

    stack: Stack
    doctor: Callable[[], str]
    seconds: list[float] = field(default_factory=list)
    said_before: int = 0

    def book(self, count: int = 1) -> list[tuple[str, str]]:
        """Let new guests book; return their addresses and manage pages."""
        made = []
        for _ in range(count):
            with self.guest() as guest:
                made.append((guest.email, guest.book()))
                self.seconds += guest.seconds
        return made

    def guest(self, email: str = "") -> Guest:
        return Guest(self.stack.url, email or f"guest{next(_numbers)}@example.com")

    def cancel(self, email: str, link: str) -> None:
        with self.guest(email) as guest:
            guest.cancel(link)
            self.seconds += guest.seconds

    def move(self, email: str, link: str) -> None:
        with self.guest(email) as guest:
            guest.move(link)
            self.seconds += guest.seconds

    def let_time_pass(self) -> None:
        """Bring the next try of everything forward, as if the minutes of waiting were over."""
        self.stack.query(
            "update notifications_notification set next_try_at = now()"
            " where status in ('temporary-failure', 'sending') and next_try_at > now()"
        )

    def wait_until_all_is_told(self, timeout: float = 60, *, hurry: bool = True) -> None:
        """Wait until no message waits any more; without ``hurry`` the real delays run."""
        if hurry:
            self.let_time_pass()
        self.stack.wait_until(lambda: self.waiting() == 0, timeout, "every message is sent")

    def waiting(self) -> int:
        return int(self.stack.query(WAITING)[0][0])

    def attempts(self) -> int:
        return int(self.stack.query("select coalesce(sum(attempts), 0) from notifications_notification")[0][0])

    def statuses(self) -> Counter[str]:
        return Counter(dict(self.stack.query(f"select status, count(*) from {DUE} group by status")))

    def repeats(self) -> int:
        """How many mails arrived more than once; after checking that every message that counts as sent is there."""
        arrived = Counter(dict(mail.headers)["Message-ID"] for mail in self.stack.mailbox.mails())
        sent = {
            name
            for (name,) in self.stack.query("select message_id from notifications_notification where status = 'sent'")
        }
        assert sent <= arrived.keys(), "a message counts as sent and never arrived"
        assert arrived.keys() <= sent, "an e-mail arrived that no message knows of"
        return sum(arrived.values()) - len(arrived)

    def subjects(self, email: str) -> list[str]:
        """First words of what this address got, oldest first."""
        return [mail.subject.split(":")[0].split(" to ")[0] for mail in self.stack.mailbox.mails(email)]

    def pace(self) -> float:
        """Seconds that a page takes now, with nothing away."""
        with self.guest() as guest:
            for _ in range(3):
                guest.get("/s/massage/")
            return max(guest.seconds)

    def worker_said(self) -> str:
        """What the worker wrote to its log since the test began."""
        return self.stack.log("worker").read_text()[self.said_before :]

    def start_afresh(self) -> None:
        """Everything in order, nothing told, nothing measured."""
        self.seconds.clear()
        self.stack.mailbox.recover()
        for way in self.stack.proxies.values():
            way.set_mode("pass")
        for name in ("worker", "beat"):
            if not self.stack.is_alive(name):
                self.stack.start(name)
        self.wait_until_all_is_told()
        self.stack.empty("notifications_notification")
        self.stack.mailbox.clear()
        self.said_before = len(self.stack.log("worker").read_text())


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    env = {"HOLDS_PER_ADDRESS": "1000000", "WORKER_CONCURRENCY": "1"}
    with Stack(proxied=["valkey", "smtp"], env=env) as stack:
        stack.manage("shell", "--command", STUDIO)
        with doctor_of(stack.env) as doctor:
            yield Site(stack, doctor)


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """The site before a fault; afterwards nobody waited for an answer, nothing failed, and the data are sound."""
    running.start_afresh()
    before = running.pace()
    yield running
    slowest = max(before, running.pace())
    assert max(running.seconds, default=0) < LIMIT_SECONDS + LIMIT_PAGES * slowest
    assert running.doctor() == "{}"
    assert "Traceback" not in running.stack.log("web").read_text()
