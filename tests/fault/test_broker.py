"""Valkey is stopped, hangs, or loses everything: bookings go on, no answer waits, and every e-mail arrives."""

import signal
import time

import pytest
import redis

from tests.fault.conftest import Site


def test_valkey_is_stopped_and_comes_back_empty(site: Site) -> None:
    site.stack.valkey.stop()
    guests = site.book(3)
    site.cancel(*guests[0])

    site.stack.valkey.restart()
    site.wait_until_all_is_told()

    # The worker found its way back by itself.
    assert [site.subjects(email)[-1] for email, _ in guests] == ["Cancelled", "You are booked", "You are booked"]
    assert site.repeats() == 0


def test_valkey_takes_connections_and_says_nothing(site: Site) -> None:
    site.stack.proxies["valkey"].set_mode("blackhole")
    guests = site.book(3)

    site.stack.proxies["valkey"].set_mode("pass")
    site.wait_until_all_is_told()

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() == 0


def test_valkey_is_frozen(site: Site) -> None:
    site.stack.valkey.child.send(signal.SIGSTOP)
    try:
        guests = site.book(3)
    finally:
        site.stack.valkey.child.send(signal.SIGCONT)
    site.wait_until_all_is_told()

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() == 0


def test_valkey_forgets_everything(site: Site) -> None:
    site.stack.stop("beat")
    site.stack.stop_worker()
    guests = site.book(3)
    redis.Redis.from_url(site.stack.valkey.url).flushall()

    site.stack.start("worker")
    site.stack.start("beat")
    site.wait_until_all_is_told()

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() == 0


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", ["stopped", "silent", "frozen"])
def test_two_minutes_without_valkey(site: Site, fault: str) -> None:
    """In real time: a booking every few seconds, and everything told a minute after Valkey is back."""
    guests = []
    if fault == "stopped":
        site.stack.valkey.stop()
    elif fault == "silent":
        site.stack.proxies["valkey"].set_mode("blackhole")
    else:
        site.stack.valkey.child.send(signal.SIGSTOP)
    try:
        for _ in range(24):
            guests += site.book()
            time.sleep(5)
    finally:
        if fault == "stopped":
            site.stack.valkey.restart()
        elif fault == "silent":
            site.stack.proxies["valkey"].set_mode("pass")
        else:
            site.stack.valkey.child.send(signal.SIGCONT)

    site.wait_until_all_is_told(60, hurry=False)

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() == 0


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_valkey_and_the_worker_go_at_once(site: Site) -> None:
    site.book(2)
    site.stack.valkey.stop()
    site.stack.kill("worker")
    site.stack.stop("worker")
    guests = site.book(3)

    site.stack.valkey.restart()
    site.stack.start("worker")
    site.wait_until_all_is_told(180, hurry=False)

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.repeats() <= 1
