"""Workers that die while they send: each e-mail arrives, and twice only if its acceptance could not be known."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
import redis

from devservers import application
from devservers.process import Child
from tests.fault.conftest import Site

SEND_NOW = """
from core import clock
from notifications.operations import send_due
send_due(now=clock.now(), limit=10)
"""
POINTS = [("notification-after-claim", 0), ("notification-after-accepted", 1), ("notification-after-mark", 0)]


@pytest.mark.parametrize(("point", "repeats"), POINTS)
def test_a_worker_is_killed_at_a_crash_point(site: Site, point: str, repeats: int) -> None:
    site.stack.stop_worker()
    [(email, _)] = site.book()
    site.stack.start("worker", CRASH_AT=point)
    site.stack.wait_until(lambda: deaths(site) > 0, 30, f"the worker dies {point}")
    # Before the next child of the pool comes by, the whole worker goes as well.
    site.stack.stop("worker", signal.SIGKILL)
    assert site.statuses()["sending"] > 0

    site.stack.start("worker")
    site.wait_until_all_is_told()

    assert site.statuses() == {"sent": 2}
    assert site.repeats() == repeats
    assert set(site.subjects(email)) == {"You are booked"}


def test_what_kills_every_worker_ends_as_failed(site: Site) -> None:
    site.stack.stop_worker()
    site.book()
    site.stack.start("worker", CRASH_AT="notification-before-handing-over")
    site.stack.wait_until(lambda: (site.let_time_pass(), site.waiting() == 0)[1], 90, "both are given up")
    site.stack.stop_worker()
    site.stack.start("worker")

    assert site.statuses() == {"technical-failure": 2}
    assert site.stack.mailbox.mails() == []
    assert site.worker_said().count("stopped its sender 3 times, given up") == 2
    site.stack.empty("notifications_notification")  # the doctor names what failed


def test_a_whole_worker_is_killed_while_the_mail_server_answers_slowly(site: Site) -> None:
    site.stack.mailbox.slow_seconds = 60
    site.stack.mailbox.fail("*", "slow", times=1)
    site.book()
    site.stack.wait_until(lambda: site.stack.mailbox.dawdling, what="an e-mail is on its way")
    site.stack.kill("worker")
    site.stack.stop("worker")
    site.stack.mailbox.recover()

    site.stack.start("worker")
    site.wait_until_all_is_told()

    assert site.statuses() == {"sent": 2}
    assert site.repeats() <= 1


def test_a_worker_that_slept_through_its_claim_changes_nothing(site: Site) -> None:
    site.stack.mailbox.slow_seconds = 60
    site.stack.mailbox.fail("*", "slow", times=1)
    site.book()
    site.stack.wait_until(lambda: site.stack.mailbox.dawdling, what="an e-mail is on its way")
    children = children_of(site)
    for pid in children:
        stop_or_continue(pid, signal.SIGSTOP)
    try:
        site.let_time_pass()
        site.stack.manage("shell", "--command", SEND_NOW)
        assert site.statuses() == {"sent": 2}
        before = site.stack.query("select * from notifications_notification order by id")
        site.stack.mailbox.recover()
        site.stack.wait_until(lambda: len(site.stack.mailbox.mails()) >= 2, what="the late answer")
    finally:
        for pid in children:
            stop_or_continue(pid, signal.SIGCONT)
    site.stack.wait_until(lambda: "the claim was taken over" in site.worker_said(), what="the late end")

    assert site.stack.query("select * from notifications_notification order by id") == before
    assert site.repeats() <= 1


def test_without_beat_a_nudge_is_enough(site: Site) -> None:
    site.stack.stop("beat")

    [(email, _)] = site.book()
    # Nothing else would send them, whenever it is.
    site.stack.wait_until(lambda: site.waiting() == 0, what="the e-mails leave without beat")

    assert site.subjects(email) == ["You are booked"]


def test_what_waited_while_beat_and_worker_were_down_is_told_once(site: Site) -> None:
    site.stack.stop("beat")
    site.stack.stop_worker()
    [(gone, link), (email, _)] = site.book(2)
    site.cancel(gone, link)

    site.stack.start("worker")
    site.stack.start("beat")
    site.wait_until_all_is_told()

    assert site.subjects(gone) == ["Cancelled"]
    assert site.subjects(email) == ["You are booked"]
    assert site.repeats() == 0


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("point", "repeats"), POINTS)
def test_a_killed_worker_costs_minutes_at_most_without_help(site: Site, point: str, repeats: int) -> None:
    """In real time: the claim of the dead runs out by itself."""
    site.stack.stop_worker()
    site.book()
    site.stack.start("worker", CRASH_AT=point)
    site.stack.wait_until(lambda: deaths(site) > 0, 30, f"the worker dies {point}")
    site.stack.stop("worker", signal.SIGKILL)
    assert site.statuses()["sending"] > 0
    site.stack.start("worker")

    site.wait_until_all_is_told(300, hurry=False)

    assert site.repeats() == repeats


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_worker_stopped_for_two_minutes_and_two_beats(site: Site) -> None:
    site.stack.children["second beat"] = second_beat(site)
    site.stack.kill("worker", signal.SIGSTOP)
    children = children_of(site)
    for pid in children:
        stop_or_continue(pid, signal.SIGSTOP)
    guests = site.book(5)
    time.sleep(130)
    for pid in children:
        stop_or_continue(pid, signal.SIGCONT)
    site.stack.kill("worker", signal.SIGCONT)

    site.wait_until_all_is_told(120, hurry=False)
    site.stack.stop("second beat")
    del site.stack.children["second beat"]

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() == 0


WAVE = """
from django.db import transaction
from bookings.models import Booking
from bookings.refs import subject_ref
from core import clock
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import MessageRequest
booking = Booking.objects.order_by("-pk").first()
requests = [
    MessageRequest(
        kind="confirmed", subject_ref=subject_ref(booking), version=booking.ical_sequence, language="en",
        recipient_role=RecipientRole.CUSTOMER, address=f"wave{number}@example.com", key=f"wave-{number}",
    )
    for number in range(1000)
]
with transaction.atomic():
    enqueue(requests, now=clock.now())
"""


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_workers_are_killed_again_and_again_during_a_thousand_deliveries(site: Site) -> None:
    """With the broker emptied in between: everybody is told, and twice only who was on the way at a kill."""
    site.book()
    site.wait_until_all_is_told()
    site.stack.manage("shell", "--command", WAVE)
    kills = 0
    for done in (100, 300, 500, 700, 900):
        site.stack.wait_until(lambda done=done: 1000 - site.waiting() >= done, 300, f"{done} are told")
        site.stack.stop("worker", signal.SIGKILL)
        kills += 1
        client = redis.Redis.from_url(site.stack.valkey.url)
        client.flushall()
        client.close()
        site.stack.start("worker")
        site.let_time_pass()

    site.wait_until_all_is_told(600)

    arrived = Counter(mail.recipients[0] for mail in site.stack.mailbox.mails() if "wave" in mail.recipients[0])
    assert len(arrived) == 1000
    assert site.repeats() <= kills


def deaths(site: Site) -> int:
    return site.worker_said().count("signal 9 (SIGKILL)")


def children_of(site: Site) -> list[int]:
    """The processes that do the worker's tasks."""
    pid = site.stack.children["worker"].pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def stop_or_continue(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)


def second_beat(site: Site) -> Child:
    env = {**site.stack.env, "BEAT_SCHEDULE": str(site.stack.folder / "second-beat")}
    return application.start_program("beat", env, site.stack.log("second-beat"))
