"""Limits count in Redis; without Redis everybody is let through, and nobody waits long or twice."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from core import limits
from devservers import proxy, valkey
from devservers.ports import free_port
from devservers.proxy import Proxy
from devservers.valkey import Valkey
from tests import servers


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    running = valkey.start(Path(servers.new_folder("limits")) / "valkey")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def way(server: Valkey) -> Iterator[Proxy]:
    running = proxy.start(server.port)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _fresh(settings: Settings, server: Valkey, way: Proxy) -> Iterator[None]:
    settings.REDIS_URL = server.url.replace(f":{server.port}/", f":{way.port}/")
    limits._breaker.reset()
    limits._client.cache_clear()
    limits._client(server.url).flushall()
    yield
    way.set_mode("pass")
    limits._breaker.reset()


def spent(*, times: int = 1) -> tuple[list[bool], float]:
    """Ask some times for one more where only one is allowed; return the answers and the longest wait in seconds."""
    answers, waits = [], []
    for _ in range(times):
        started = time.monotonic()
        answers.append(limits.allow("guess", "203.0.113.7", per_minute=1))
        waits.append(time.monotonic() - started)
    return answers, max(waits)


def test_allows_as_many_as_said_and_no_more() -> None:
    assert [limits.allow("guess", "203.0.113.7", per_minute=3) for _ in range(5)] == [True, True, True, False, False]


def test_counts_for_as_long_as_said() -> None:
    assert [limits.within("pay", "K7M4PX", limit=1, seconds=600) for _ in range(2)] == [True, False]

    client = limits._client(settings.REDIS_URL)
    [name] = client.keys("oh:limit:pay:*")
    assert 590 < client.ttl(name) <= 600


def test_counts_each_key_and_bucket_by_itself() -> None:
    assert spent(times=2)[0] == [True, False]

    assert limits.allow("guess", "203.0.113.8", per_minute=1)
    assert limits.allow("hold", "203.0.113.7", per_minute=1)


def test_a_new_minute_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 1)
    assert spent(times=2)[0] == [True, False]

    time.sleep(1.1)

    assert spent()[0] == [True]


def test_refused_tries_do_not_make_the_minute_longer(server: Valkey) -> None:
    spent(times=5)

    client = limits._client(server.url)
    (name,) = client.keys("*")
    assert 0 < client.ttl(name) <= limits.WINDOW_SECONDS


def test_addresses_are_stored_as_pseudonyms(server: Valkey) -> None:
    spent()

    (name,) = limits._client(server.url).keys("*")
    assert b"203.0.113.7" not in name


def test_redis_that_refuses_lets_everybody_through(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    with caplog.at_level(logging.WARNING):
        answers, longest = spent(times=20)

    assert answers == [True] * 20
    assert longest < 0.5
    assert len(caplog.records) == 1


@pytest.mark.parametrize("connected_before", [False, True])
def test_redis_that_hangs_costs_one_short_wait(way: Proxy, connected_before: bool) -> None:
    if connected_before:
        spent()
    way.set_mode("blackhole")

    started = time.monotonic()
    answers, longest = spent(times=20)

    assert answers == [True] * 20
    assert longest < 0.8
    assert time.monotonic() - started < 0.9


def test_redis_that_resets_lets_everybody_through(way: Proxy) -> None:
    spent()
    way.set_mode("reset")

    assert spent(times=3)[0] == [True] * 3


def test_counting_resumes_after_the_outage(way: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAUSE_AFTER_FAILURE_SECONDS", 0.2)
    way.set_mode("reset")
    spent()
    way.set_mode("pass")
    time.sleep(0.3)

    assert spent(times=2)[0] == [True, False]


def test_a_counter_that_lost_its_end_gets_a_new_one(server: Valkey) -> None:
    """It may expire between the command that sets it and the one that counts, and would keep somebody out for ever."""
    spent()
    client = limits._client(settings.REDIS_URL)
    [name] = client.keys("oh:limit:*")
    client.persist(name)

    spent()

    assert 0 < client.ttl(name) <= 60
