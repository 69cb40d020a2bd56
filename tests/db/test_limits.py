"""Rate limits count in Redis, and in PostgreSQL if Redis is down; an outage delays a process once and briefly."""

import logging
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from core import clock, limits, retention
from core.models import LimitCount
from devservers import proxy, valkey
from devservers.ports import free_port
from devservers.proxy import Proxy
from devservers.valkey import Valkey
from tests import servers

pytestmark = pytest.mark.django_db


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


@pytest.fixture
def without_redis(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"


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


@pytest.fixture(params=["refuses", "resets", "hangs", "is frozen"])
def outage(request: pytest.FixtureRequest, settings: Settings, server: Valkey, way: Proxy) -> Iterator[str]:
    """Redis is lost after it was asked once."""
    spent()
    match request.param:
        case "refuses":
            settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
        case "resets":
            way.set_mode("reset")
        case "hangs":
            way.set_mode("blackhole")
        case _:
            server.child.send(signal.SIGSTOP)
    yield request.param
    server.child.send(signal.SIGCONT)


def test_without_redis_the_database_counts_and_one_asker_waits_shortly(
    outage: str, caplog: pytest.LogCaptureFixture
) -> None:
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        answers, longest = spent(times=20)

    assert answers == [True] + [False] * 19
    assert longest < 0.8
    assert time.monotonic() - started < 1.5
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("without_redis")
def test_the_database_counts_as_redis_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [limits.allow("guess", "203.0.113.7", per_minute=3) for _ in range(5)] == [True, True, True, False, False]
    assert limits.allow("guess", "203.0.113.8", per_minute=1)
    assert limits.allow("hold", "203.0.113.7", per_minute=1)
    assert [limits.is_reached("guess", "203.0.113.7", limit=limit) for limit in (5, 6)] == [True, False]
    assert not limits.is_reached("guess", "203.0.113.9", limit=1)
    assert not any("203.0.113" in name for name in LimitCount.objects.values_list("name", flat=True))


@pytest.mark.usefixtures("without_redis")
def test_a_new_minute_begins_anew_in_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 1)
    assert spent(times=3)[0] == [True, False, False]
    assert limits.is_reached("guess", "203.0.113.7", limit=3)

    time.sleep(1.1)

    assert not limits.is_reached("guess", "203.0.113.7", limit=1)
    assert spent(times=2)[0] == [True, False]
    assert LimitCount.objects.count() == 1


@pytest.mark.usefixtures("without_redis")
def test_counts_that_are_over_are_deleted() -> None:
    limits.within("pay", "K7M4PX", limit=1, seconds=600)
    limits.within("sign-in-day", "leyla@studio.example", limit=1, seconds=24 * 3600)

    assert retention.delete_old_limit_counts(now=clock.now() + timedelta(minutes=9)) == 0
    assert retention.delete_old_limit_counts(now=clock.now() + timedelta(minutes=11)) == 1
    assert ":sign-in-day:" in LimitCount.objects.get().name


def test_counting_in_redis_resumes_after_the_outage(way: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits._breaker, "pause_seconds", 0.2)
    way.set_mode("reset")
    spent()
    way.set_mode("pass")
    time.sleep(0.3)

    assert spent(times=2)[0] == [True, False]
    assert limits._client(settings.REDIS_URL).keys("oh:limit:guess:*")


def test_a_counter_that_lost_its_end_gets_a_new_one(server: Valkey) -> None:
    """It may expire between the command that sets it and the one that counts, and would keep somebody out for ever."""
    spent()
    client = limits._client(settings.REDIS_URL)
    [name] = client.keys("oh:limit:*")
    client.persist(name)

    spent()

    assert 0 < client.ttl(name) <= 60
