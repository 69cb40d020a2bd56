"""Clients that write or read slowly delay no other client, and the size of requests is bounded."""

import http.client
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.slow import slow_readers, slow_writers
from tests.fault.conftest import STUDIO
from tests.fault.guest import Guest
from tests.stack import Stack

THREADS = 2


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    env = {"HOLDS_PER_ADDRESS": "1000000", "WEB_THREADS": str(THREADS), "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    with Stack(env=env, programs=("web",), web_workers=1) as running:
        running.manage("shell", "--command", STUDIO)
        yield running


def largest_script(stack: Stack) -> str:
    with Guest(stack.url, "script@example.com") as guest:
        page = guest.get("/s/massage/")
    [sheet] = re.findall(r'href="(/static/[^"]+\.css)"', page)[:1]
    return sheet


def seconds_of(stack: Stack, path: str) -> float:
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    connection.request("GET", path, headers={"Host": f"localhost:{stack.port}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, path
    return time.monotonic() - begun


def assert_site_goes_on(stack: Stack, *, writers: int, readers: int, rounds: int) -> None:
    sheet = largest_script(stack)
    usual = max(seconds_of(stack, "/s/massage/") for _ in range(3))
    with ExitStack() as slow:
        # Half of them look like a form of a customer, half like a notice of Stripe.
        slow.enter_context(slow_writers(stack.port, writers // 2))
        slow.enter_context(slow_writers(stack.port, writers // 2, "s/massage/hold"))
        slow.enter_context(slow_readers(stack.port, readers, sheet))
        for _ in range(rounds):
            for path in ("/s/massage/", "/health/live", "/health/ready", sheet):
                assert seconds_of(stack, path) < 3 + 10 * usual, path
        with Guest(stack.url, f"guest{time.monotonic_ns()}@example.com") as guest:
            assert guest.book()


def test_slow_clients_hold_nobody_up(stack: Stack) -> None:
    """Three times as many as there are threads, of either kind."""
    assert_site_goes_on(stack, writers=6, readers=6, rounds=3)


@pytest.mark.chaos
def test_many_slow_clients_hold_nobody_up(stack: Stack) -> None:
    assert_site_goes_on(stack, writers=30, readers=30, rounds=40)


def sent(stack: Stack, head: str, body: bytes = b"", *, wait: float = 20) -> int:
    """The status of the answer to one request."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=wait) as connection:
        connection.sendall(f"{head}\r\nHost: localhost:{stack.port}\r\n".encode() + body)
        return int(connection.recv(100)[9:12])


def test_large_bodies_are_refused_before_they_are_sent(stack: Stack) -> None:
    form = "POST /s/massage/hold HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"

    assert sent(stack, form + "Content-Length: 200000000", b"\r\n") == 413
    assert sent(stack, "POST /admin/services/ HTTP/1.1\r\nContent-Length: 5000000", b"\r\n") == 413
    assert sent(stack, "POST /stripe/webhook HTTP/1.1\r\nContent-Length: 600000", b"\r\n") == 413
    assert sent(stack, "POST /twilio/inbound HTTP/1.1\r\nContent-Length: 70000", b"\r\n") == 413


def test_a_body_that_does_not_arrive_is_answered_408(stack: Stack) -> None:
    begun = time.monotonic()

    assert sent(stack, "POST /stripe/webhook HTTP/1.1\r\nContent-Length: 1000", b"\r\na=1") == 408
    assert time.monotonic() - begun < 15


def test_lines_about_missing_pages_carry_the_number_of_the_request(stack: Stack) -> None:
    sent(stack, "GET /no-such-page HTTP/1.1\r\nConnection: close", b"\r\n")

    stack.wait_until(lambda: "GET /no-such-page" in stack.log("web").read_text())
    lines = [line for line in stack.log("web").read_text().splitlines() if "/no-such-page" in line]
    numbers = {re.search(r"\[([0-9a-f]{8})\]", line) for line in lines}
    assert len(lines) == 2
    # Our own time only, not one of the web server's as well.
    assert all(len(re.findall(r"\d\d:\d\d:\d\d", line)) == 1 for line in lines)
    assert None not in numbers
    assert len({found[1] for found in numbers if found}) == 1
