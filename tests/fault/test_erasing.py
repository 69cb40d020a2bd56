"""Erasing by the real roles: a worker that is killed half way, and no word left in tables, Valkey and logs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.needles import WORDS
from tests.stack import Stack

PLANT = """
from datetime import timedelta
from accounts.customer_record import By
from core import clock
from privacy.enums import CaseKind
from privacy.operations.cases import approve_erasure, open_case
from tests.needles import plant
from services.models import Business
now = clock.now().replace(hour=6, minute=0) - timedelta(days=12)
planted = plant(now)
by = By(None, "Olivia")
"""
APPROVE = """
asked = {"kind": CaseKind.ERASURE, "note": f"{planted.customer.name} wrote", "asked_on": clock.now().date()}
case = open_case(customer_id=planted.customer.pk, by=by, now=clock.now(), **asked)
approve_erasure(case_id=case.pk, by=by, now=clock.now())
"""
LEFT = "from tests.needles import tables_with; print('left:', sorted(tables_with()))"
DRAIN = "from core.tasks import drain_outbox; drain_outbox.delay()"
RETENTION = """
from core import clock
from privacy.models import Retention
from privacy.operations import keep
keep.BATCH = 1
Retention.objects.update_or_create(pk=1, defaults={"bookings_months": 1})
print('done:', keep.delete_what_is_due(now=clock.now() + __import__("datetime").timedelta(days=70))["bookings_months"])
"""


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack(programs=()) as running:
        yield running


def left(stack: Stack) -> str:
    return next(line for line in stack.manage("shell", "-c", LEFT).stdout.splitlines() if line.startswith("left:"))


def written(folder: Path) -> str:
    return "".join(log.read_text(errors="replace") for log in folder.glob("*.log")).lower()


def kept_in(valkey_url: str) -> str:
    store = redis.from_url(valkey_url)
    found = [f"{key!r} {store.dump(key)!r}" for key in store.scan_iter(count=1000)]
    return "".join(found).lower()


def test_a_killed_worker_is_followed_by_another_and_no_word_is_left(stack: Stack) -> None:
    stack.manage("shell", "-c", PLANT + APPROVE)
    assert "accounts_customer" in left(stack)

    stack.start("worker", CRASH_AT="erase-before-commit", DATABASE_CONN_MAX_AGE="0")
    stack.manage("shell", "-c", DRAIN)
    stack.wait_until(
        lambda: stack.query("select 1 from core_outboxmessage where topic = 'customer.erase' and status = 'claimed'"),
        timeout=60,
    )
    stack.wait_until(
        lambda: (
            "WorkerLostError" in written(stack.log("worker").parent)
            or "signal 9" in written(stack.log("worker").parent)
        ),
        timeout=60,
    )
    stack.kill("worker")
    assert stack.query("select count(*) from accounts_customer where erased_at is not null") == [(0,)]
    assert stack.query("select count(*) from privacy_erasedcustomer") == [(1,)]

    stack.start("worker")
    stack.query("update core_outboxmessage set due_at = now() where topic = 'customer.erase'")
    stack.manage("shell", "-c", DRAIN)
    stack.wait_until(lambda: stack.query("select 1 from privacy_privacycase where state = 'done'"), timeout=60)

    assert left(stack) == "left: []"
    assert [word for word in WORDS if word in written(stack.log("worker").parent)] == []
    assert [word for word in WORDS if word in kept_in(stack.valkey.url)] == []
    assert len(list((stack.folder / "media" / "erased").iterdir())) == 1


def test_a_night_that_was_killed_goes_on_where_it_stopped(stack: Stack) -> None:
    stack.manage("shell", "-c", PLANT)

    killed = stack.manage("shell", "-c", RETENTION, check=False, CRASH_AT="retention-after-batch")
    assert killed.returncode == -9
    assert stack.query("select count(*) from bookings_booking where anonymised_at is not null") == [(1,)]

    ended = stack.manage("shell", "-c", RETENTION)

    assert "done: 1" in ended.stdout
    assert stack.query("select count(*) from bookings_booking where anonymised_at is null") == [(0,)]
