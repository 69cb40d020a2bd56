"""The front of the web process: what it receives, what it refuses before reading, what it hands to the application."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from core import front
from core.front import Front, environ_of


@dataclass
class Headers:
    pairs: list[tuple[str, str]]

    def items(self) -> list[tuple[str, str]]:
        return self.pairs


@dataclass
class Scope:
    method: str = "POST"
    path: str = "/s/massage/hold"
    pairs: list[tuple[str, str]] = field(default_factory=list)
    http_version: str = "1.1"
    server: str = "127.0.0.1:8000"
    client: str = "203.0.113.7:1234"
    scheme: str = "http"
    query_string: str = "a=1"
    authority: str | None = None

    @property
    def headers(self) -> Headers:
        return Headers(self.pairs)


class Exchange:
    """A client that sends ``chunks`` and then, with ``hangs``, nothing more."""

    def __init__(self, chunks: Iterable[bytes] = (), *, hangs: bool = False) -> None:
        self.chunks = list(chunks)
        self.hangs = hangs
        self.was_read = 0
        self.answer: tuple[int, dict[str, str], bytes] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.was_read += len(chunk)
            yield chunk
        if self.hangs:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, dict(headers), body)


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [environ["wsgi.input"].read()]


def made_front(application: Any = echo, **options: Any) -> Front:
    return Front(application, threads=2, **options)


def asked(front: Front, scope: Scope, exchange: Exchange) -> tuple[int, dict[str, str], bytes]:
    asyncio.run(front.__rsgi__(scope, exchange))
    assert exchange.answer
    return exchange.answer


def sized(length: int, path: str = "/s/massage/hold") -> Scope:
    return Scope(path=path, pairs=[("content-length", str(length))])


def test_the_application_gets_the_whole_body() -> None:
    status, headers, body = asked(made_front(), sized(6), Exchange([b"abc", b"def"]))

    assert (status, headers["content-type"], body) == (200, "text/plain", b"abcdef")


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/s/massage/hold", front.LARGEST_BODY + 1, 413),
        ("/desk/sign-in", 200_000_000, 413),
        ("/twilio/inbound", 11, 413),
        ("/twilio/inbound", 10, 200),
        ("/admin/services/", 2_000_000, 200),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(path: str, length: int, status: int) -> None:
    site = made_front(body_limits={"/twilio/": 10, "/admin/services/": 2_000_000})
    exchange = Exchange([b"x" * length] if status == 200 else [b"x" * 10])

    assert asked(site, sized(length, path), exchange)[0] == status
    assert exchange.was_read == (length if status == 200 else 0)


@pytest.mark.parametrize("header", [("content-length", "1500000"), ("transfer-encoding", "chunked")])
def test_only_a_sender_who_may_sends_more_than_the_usual_limit(header: tuple[str, str]) -> None:
    asked_of: list[str] = []

    def may_send_more(environ: dict[str, Any]) -> bool:
        asked_of.append(environ["PATH_INFO"])
        return "session=olivia" in environ.get("HTTP_COOKIE", "")

    site = made_front(body_limits={"/admin/services/": 2_000_000}, may_send_more=may_send_more)
    chunks = [b"x" * 500_000] * 3
    known = Scope(path="/admin/services/", pairs=[header, ("cookie", "session=olivia")])
    strange = Scope(path="/admin/services/", pairs=[header])

    assert asked(site, known, Exchange(chunks))[0] == 200
    assert asked(site, strange, Exchange(chunks))[0] == 413
    assert asked(site, sized(3, "/admin/services/"), Exchange([b"abc"]))[0] == 200
    assert asked_of == ["/admin/services/"] * 2


def test_a_large_body_waits_while_it_cannot_be_read_who_sends_it() -> None:
    def away(environ: dict[str, Any]) -> bool:
        raise ConnectionError

    site = made_front(body_limits={"/admin/services/": 2_000_000}, may_send_more=away)
    exchange = Exchange([b"x" * 10])

    assert asked(site, sized(1_500_000, "/admin/services/"), exchange)[0] == 503
    assert exchange.was_read == 0


def test_a_body_of_unknown_length_is_bounded_while_it_is_read() -> None:
    scope = Scope(pairs=[("transfer-encoding", "chunked")])
    exchange = Exchange([b"x" * 400_000] * 10)

    assert asked(made_front(), scope, exchange)[0] == 413
    assert exchange.was_read == 1_200_000
    assert asked(made_front(), scope, Exchange([b"ab", b"c"]))[2] == b"abc"


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "BODY_SECONDS", 0.05)
    calls: list[int] = []
    site = made_front(lambda environ, start: calls.append(1) or echo(environ, start))

    status, headers, _ = asked(site, sized(400_000), Exchange([b"a=1"], hangs=True))

    assert (status, headers["connection"]) == (408, "close")
    assert calls == []


def test_a_body_that_was_cut_off_reaches_no_page() -> None:
    assert asked(made_front(), sized(10), Exchange([b"half"]))[0] == 400


@pytest.mark.parametrize("length", [3, 500_000])
def test_one_address_may_not_send_too_many_bodies_at_the_same_time(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "BODY_SECONDS", 0.3)
    site = made_front()
    most = min(front.BODIES_PER_ADDRESS, front.BYTES_PER_ADDRESS // length)

    async def run() -> tuple[int, int, int]:
        slow = [site.__rsgi__(sized(length), Exchange(hangs=True)) for _ in range(most)]
        waiting = [asyncio.ensure_future(each) for each in slow]
        await asyncio.sleep(0.05)
        one_more, elsewhere, after = Exchange(), Exchange([b"x" * length]), Exchange([b"x" * length])
        await site.__rsgi__(sized(length), one_more)
        other = sized(length)
        other.client = "203.0.113.8:1"
        await site.__rsgi__(other, elsewhere)
        await asyncio.gather(*waiting)
        await site.__rsgi__(sized(length), after)
        return tuple(each.answer[0] if each.answer else 0 for each in (one_more, elsewhere, after))

    assert asyncio.run(run()) == (429, 200, 200)


def test_the_process_says_that_it_lives_while_all_its_threads_are_busy() -> None:
    async def run() -> bytes:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hang(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            asyncio.run_coroutine_threadsafe(stop.wait(), loop).result()
            return echo(environ, start_response)

        site = made_front(hang)
        busy = [asyncio.ensure_future(site.__rsgi__(Scope("GET", "/"), Exchange())) for _ in range(5)]
        await asyncio.sleep(0.05)
        live = Exchange()
        await asyncio.wait_for(site.__rsgi__(Scope("GET", "/health/live"), live), 1)
        stop.set()
        await asyncio.gather(*busy)
        assert live.answer
        return live.answer[2]

    assert asyncio.run(run()) == b'{"status": "ok"}'


def test_pages_are_answered_while_many_requests_wait_for_another_server() -> None:
    async def run() -> str:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def waiting_below_pay(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            if environ["PATH_INFO"].startswith("/pay/"):
                asyncio.run_coroutine_threadsafe(stop.wait(), loop).result()
            return echo(environ, start_response)

        site = made_front(waiting_below_pay, waiting_paths=("/pay/",))
        payers = [site.__rsgi__(Scope(path="/pay/K7M4PX/start"), Exchange()) for _ in range(10)]
        waiting = [asyncio.ensure_future(payer) for payer in payers]
        await asyncio.sleep(0.05)
        page = Exchange()
        await asyncio.wait_for(site.__rsgi__(Scope(method="GET", path="/s/massage/"), page), 5)
        is_waiting = not any(each.done() for each in waiting)
        stop.set()
        await asyncio.gather(*waiting)
        assert is_waiting
        assert page.answer
        return page.answer[1]["x-path"]

    assert asyncio.run(run()) == "/s/massage/"


def test_headers_spelled_with_underscores_are_dropped() -> None:
    environ = environ_of(
        Scope(
            pairs=[
                ("x-forwarded-for", "198.51.100.1"),
                ("x_forwarded_for", "192.0.2.66"),
                ("x_forwarded_proto", "https"),
                ("x-forwarded-for", "203.0.113.9"),
                ("content_length", "5"),
                ("cookie", "a=1"),
                ("cookie", "b=2"),
            ]
        )
    )

    assert environ["HTTP_X_FORWARDED_FOR"] == "198.51.100.1,203.0.113.9"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert not {"HTTP_X_FORWARDED_PROTO", "CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"} & environ.keys()


def test_the_path_travels_as_wsgi_wants_it() -> None:
    assert environ_of(Scope(path="/é"))["PATH_INFO"].encode("latin-1").decode() == "/é"
    assert environ_of(Scope(client="[::1]:5"))["REMOTE_ADDR"] == "::1"


def test_an_answer_to_head_has_no_body() -> None:
    assert asked(made_front(lambda environ, start: [*echo(environ, start), b"x"]), Scope("HEAD"), Exchange())[2] == b""


def test_an_answer_is_closed_also_when_it_breaks() -> None:
    closed: list[bool] = []

    class Broken:
        def __iter__(self) -> Any:
            raise ValueError

        def close(self) -> None:
            closed.append(True)

    with pytest.raises(ValueError):
        asked(made_front(lambda environ, start: Broken()), Scope("GET"), Exchange())
    assert closed == [True]


def test_one_address_may_not_read_too_many_pages_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [600.0]
    monkeypatch.setattr(front, "time", SimpleNamespace(monotonic=lambda: now[0]))
    site = made_front(reads_per_minute=3, trusted_proxies=1)

    def read(path: str = "/", method: str = "GET", address: str = "2001:db8:1:2::5") -> int:
        return asked(site, Scope(method, path, [("x-forwarded-for", address)]), Exchange())[0]

    assert [read() for _ in range(5)] == [200, 200, 200, 429, 429]
    assert read(address="2001:db8:1:2::6") == 429
    assert [read(address="2001:db8:1:3::6"), read("/static/x.css"), read(method="POST"), read("/health/live")] == [
        200
    ] * 4
    now[0] = 660.0
    assert read() == 200
