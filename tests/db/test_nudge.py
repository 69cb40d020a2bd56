"""Nudges start tasks early, and a broken broker neither delays nor fails the request that sends them."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.db import transaction

from core import nudge as nudges
from core.nudge import nudge
from devservers import proxy, valkey
from devservers.proxy import Proxy
from devservers.valkey import Valkey
from tests import servers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    running = valkey.start(Path(servers.new_folder("nudge")) / "valkey")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def way(server: Valkey) -> Iterator[Proxy]:
    running = proxy.start(server.port)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _fresh(server: Valkey, way: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = current_app.conf.broker_url
    current_app.conf.broker_url = server.url.replace(f":{server.port}/", f":{way.port}/")
    monkeypatch.setattr(nudges, "PAUSE_AFTER_FAILURE_SECONDS", 0.2)
    monkeypatch.setattr(nudges, "_publisher", nudges._Publisher())
    redis.Redis.from_url(server.url).flushall()
    yield
    way.set_mode("pass")
    current_app.conf.broker_url = before


def delivered(server: Valkey) -> list[str]:
    """Names of the tasks that wait in the broker."""
    waiting = redis.Redis.from_url(server.url).lrange("celery", 0, -1)
    return [json.loads(message)["headers"]["task"] for message in waiting]


def wait_until(holds: Callable[[], object], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def committed_with_nudge() -> float:
    """Commit something that nudges, and return how many seconds that took."""
    started = time.monotonic()
    with transaction.atomic():
        nudge("core.tasks.drain_outbox")
    return time.monotonic() - started


def test_is_published_after_the_commit(server: Valkey) -> None:
    with transaction.atomic():
        nudge("core.tasks.drain_outbox")
        time.sleep(0.3)
        assert delivered(server) == []

    wait_until(lambda: delivered(server) == ["core.tasks.drain_outbox"])


def test_is_dropped_with_the_transaction(server: Valkey) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        nudge("core.tasks.drain_outbox")
        raise RuntimeError

    time.sleep(0.3)
    assert delivered(server) == []


def test_many_at_once_count_as_few(server: Valkey) -> None:
    for _ in range(50):
        committed_with_nudge()

    wait_until(lambda: delivered(server))
    time.sleep(0.2)
    assert len(delivered(server)) < 10


def test_several_go_over_one_connection(server: Valkey) -> None:
    client = redis.Redis.from_url(server.url)
    committed_with_nudge()
    wait_until(lambda: client.llen("celery") == 1)
    before = client.info("stats")["total_connections_received"]

    committed_with_nudge()
    wait_until(lambda: client.llen("celery") == 2)

    assert client.info("stats")["total_connections_received"] == before


@pytest.mark.parametrize("mode", ["blackhole", "reset"])
@pytest.mark.parametrize("connected_before", [False, True])
def test_broken_broker_costs_a_request_nothing(
    server: Valkey, way: Proxy, mode: proxy.Mode, connected_before: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if connected_before:
        committed_with_nudge()
        wait_until(lambda: delivered(server))
    way.set_mode(mode)

    with caplog.at_level(logging.WARNING):
        longest = max(committed_with_nudge() for _ in range(20))
        wait_until(lambda: "nudge not delivered" in caplog.text)

    assert longest < 0.2


def test_works_again_after_an_outage_without_restart(server: Valkey, way: Proxy) -> None:
    committed_with_nudge()
    wait_until(lambda: delivered(server))
    way.set_mode("reset")
    committed_with_nudge()
    time.sleep(0.3)
    way.set_mode("pass")
    before = len(delivered(server))

    committed_with_nudge()

    wait_until(lambda: len(delivered(server)) > before)


def test_broker_restarted_empty_is_noticed_by_the_next_nudge(server: Valkey) -> None:
    committed_with_nudge()
    wait_until(lambda: delivered(server))
    server.restart()
    assert delivered(server) == []

    committed_with_nudge()

    wait_until(lambda: delivered(server) == ["core.tasks.drain_outbox"])
