"""Text messages under faults: workers die around Twilio's answer, Twilio is busy or hangs, reports repeat or reorder.

In every case a number gets each text once.
"""

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fault.conftest import STUDIO, Site
from tests.fault.forked import doctor_of
from tests.stack import Stack

PHONE = "+4915155501827"
RULE = """
from notifications.models import MessageRule
MessageRule.objects.create(kind="confirmed", recipient_role="customer", channel="sms", is_on=True)
"""
PROVEN = "update accounts_customer set email_proven_at = now() where email_proven_at is null"
POINTS = [
    # Three messages are claimed at once: the customer's mail and text, and the therapist's mail.
    "notification-after-claim",
    "notification-before-handing-over:2",
    "notification-after-accepted:2",
    "notification-after-mark:2",
]


@pytest.fixture(scope="module")
def texting() -> Iterator[Site]:
    env = {"HOLDS_PER_ADDRESS": "1000000", "WORKER_CONCURRENCY": "1", "SMS_PER_NUMBER_PER_DAY": "1000"}
    with Stack(twilio=True, env=env) as stack:
        stack.manage("shell", "--command", STUDIO + RULE)
        with doctor_of(stack.env) as doctor:
            yield Site(stack, doctor)


@pytest.fixture
def site(texting: Site) -> Iterator[Site]:
    """The site before a fault; afterwards every text is told once, and the data are sound."""
    texting.start_afresh()
    texting.stack.twilio.recover()
    texting.stack.twilio.clear()
    texting.stack.empty("notifications_suppression", "notifications_inboundmessage")
    yield texting
    assert texting.stack.twilio.refusals == [] or "Not now" in texting.stack.twilio.refusals[0]
    texting.stack.wait_until(lambda: unread(texting) == 0, 30, "every report is read")
    assert texting.doctor() == "{}"
    assert "+4915" not in texting.worker_said()


def unread(site: Site) -> int:
    return int(site.stack.query("select count(*) from notifications_providerevent where applied_at is null")[0][0])


def book_without_worker(site: Site, count: int = 1) -> None:
    """Let guests book and act from their mailboxes before anything is sent."""
    site.stack.stop_worker()
    site.book(count)
    site.stack.query(PROVEN)


def texts(site: Site) -> Counter[str]:
    return Counter(text.body for text in site.stack.twilio.texts(PHONE))


def text_statuses(site: Site) -> Counter[str]:
    rows = site.stack.query(
        "select status, count(*) from notifications_notification where channel = 'sms' group by status"
    )
    return Counter(dict(rows))


def die_at(site: Site, point: str) -> None:
    book_without_worker(site)
    site.stack.start("worker", CRASH_AT=point)
    site.stack.wait_until(lambda: "SIGKILL" in site.worker_said(), 60, f"the worker dies {point}")
    site.stack.stop("worker", signal.SIGKILL)

    site.stack.start("worker")
    site.wait_until_all_is_told()

    assert sum(texts(site).values()) == 1
    site.stack.wait_until(lambda: text_statuses(site) == {"delivered": 1}, what="the report of the delivery")


def test_a_worker_dies_when_twilio_has_the_text_and_nobody_knows(site: Site) -> None:
    # Without reports, only the look at Twilio can tell.
    site.stack.twilio.callbacks = "off"
    book_without_worker(site)
    site.stack.start("worker", CRASH_AT="notification-after-accepted:2")
    site.stack.wait_until(lambda: "SIGKILL" in site.worker_said(), 60, "the worker dies")
    site.stack.stop("worker", signal.SIGKILL)
    assert sum(texts(site).values()) == 1

    site.stack.start("worker")
    site.wait_until_all_is_told()

    assert sum(texts(site).values()) == 1
    assert text_statuses(site) == {"sent": 1}


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_dies_at_a_crash_point(site: Site, point: str) -> None:
    die_at(site, point)


def test_twilio_is_busy_then_takes_a_text_and_breaks_off(site: Site) -> None:
    for mode in ("429", "500", "drop"):
        site.stack.twilio.set_mode(mode, times=1)  # type: ignore[arg-type]
        book_without_worker(site)
        site.stack.start("worker")
        site.stack.wait_until(lambda: (site.let_time_pass(), site.waiting() == 0)[1], 60, "every message is sent")

    assert set(texts(site).values()) == {1}
    assert len(site.stack.twilio.texts(PHONE)) == 3
    site.stack.wait_until(lambda: text_statuses(site) == {"delivered": 3}, what="the reports of all deliveries")


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_twilio_takes_a_text_and_never_answers(site: Site) -> None:
    site.stack.twilio.callbacks = "off"
    site.stack.twilio.set_mode("hang", times=1)
    book_without_worker(site)
    site.stack.start("worker")

    site.stack.wait_until(lambda: (site.let_time_pass(), site.waiting() == 0)[1], 120, "every message is sent")

    assert len(site.stack.twilio.texts(PHONE)) == 1
    assert text_statuses(site) == {"sent": 1}


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("callbacks", ["reversed", "twice"])
def test_reports_come_twice_and_out_of_order(site: Site, callbacks: str) -> None:
    site.stack.twilio.callbacks = callbacks  # type: ignore[assignment]
    book_without_worker(site, 3)
    site.stack.start("worker")
    site.wait_until_all_is_told()

    site.stack.wait_until(lambda: text_statuses(site) == {"delivered": 3}, what="the reports of all deliveries")


def test_a_stop_is_obeyed_before_the_next_text(site: Site) -> None:
    answer = site.stack.twilio.reply(PHONE, "Stopp", f"{site.stack.url}/twilio/inbound")
    book_without_worker(site)
    site.stack.start("worker")
    site.wait_until_all_is_told()

    assert answer.status_code == 200
    assert site.stack.twilio.texts(PHONE) == []
    assert text_statuses(site) == {"cancelled": 1}
