"""Processes are killed at every point between "row written" and "answer stored": one charge and one refund each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fault.forked import Forks
from tests.stack import Stack

ROOT = Path(__file__).parents[2]
PAYING = ["payment-row-written", "payment-answer-received", "payment-before-commit", "payment-answer-recorded"]
CHARGING = ["charge-row-written", "charge-prepared", "charge-recorded", "charge-confirmed", "outbox-after-handler"]
REFUNDING = ["refund-row-written", "refund-answer-received", "outbox-after-claim", "outbox-after-handler"]
SETTING_UP = ["setup-answer-received"]


@dataclass(frozen=True)
class Till:
    """The stand-in for Stripe, a database, and processes that take steps on both."""

    stack: Stack
    forks: Forks

    def step(self, name: str, *, crash_at: str = "", **given: Any) -> str:
        """Take a step in a process of its own; with ``crash_at`` it must die there."""
        ended = self.forks.step(name, crash_at=crash_at, **given)
        assert ended.code == (-9 if crash_at else 0), f"{name} {crash_at}: {ended}"
        return ended.said

    def settled(self) -> list[int]:
        """What the provider took, what our books took, what the provider returned, what our books returned."""
        return list(map(int, self.step("outcome").split()))


@pytest.fixture(scope="module")
def running() -> Iterator[Till]:
    with Stack(programs=(), stripe=True) as stack:
        forks = Forks("tests.fault.money_steps", stack.env)
        yield Till(stack, forks)
        forks.close()


@pytest.fixture
def till(running: Till) -> Till:
    """No money has moved, and one bill is open."""
    running.stack.stripe.control.reset()
    running.stack.stripe.control.set_webhook("")
    running.stack.query(
        "truncate payments_bill, payments_receiptseries, payments_stripeevent, payments_reconciliation,"
        " core_outboxmessage, accounts_consent cascade"
    )
    running.step("open_bill")
    return running


def pay(till: Till) -> None:
    till.step("start")
    till.stack.stripe.control.pay(till.step("waiting_intent"))


def keep_card(till: Till) -> None:
    till.step("set_up")
    till.stack.stripe.control.set_up(till.step("waiting_setup"))
    till.step("work", hours=3)


@pytest.mark.parametrize("point", PAYING)
def test_starting_a_payment_is_killed_and_the_customer_pays_once(till: Till, point: str) -> None:
    till.step("start", crash_at=point)

    pay(till)
    till.step("work", hours=3)

    assert till.settled() == [1600, 1600, 0, 0]


def test_writing_down_a_payment_is_killed_and_it_is_written_down_later(till: Till) -> None:
    pay(till)
    till.step("work", hours=1, crash_at="payment-before-commit")

    till.step("work", hours=3)

    assert till.settled() == [1600, 1600, 0, 0]


@pytest.mark.parametrize("point", CHARGING)
def test_charging_a_fee_is_killed_and_it_is_charged_once(till: Till, point: str) -> None:
    keep_card(till)
    till.step("ask_for_fee")
    till.step("work", hours=1, crash_at=point)

    till.step("work", hours=3)

    assert till.settled() == [4000, 4000, 0, 0]


@pytest.mark.parametrize("point", REFUNDING)
def test_refunding_is_killed_and_the_money_goes_back_once(till: Till, point: str) -> None:
    pay(till)
    till.step("work", hours=3)
    till.step("ask_for_refund")
    till.step("work", hours=1, crash_at=point)

    till.step("work", hours=3)

    assert till.settled() == [1600, 1600, 1000, 1000]


@pytest.mark.parametrize("point", SETTING_UP)
def test_asking_for_a_card_is_killed_and_one_card_is_kept(till: Till, point: str) -> None:
    till.step("set_up", crash_at=point)

    keep_card(till)

    assert till.stack.query("select count(*) from payments_savedcard") == [(1,)]


def test_every_crash_point_of_payments_is_tried() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "payments").rglob("*.py"))
    named = set(re.findall(r"""crash_point\("([a-z-]+)"\)""", code))

    tried = {*PAYING, *CHARGING, *REFUNDING, *SETTING_UP}

    assert named == {point for point in tried if not point.startswith("outbox-")}
