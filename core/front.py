"""The front of the web process: the event loop receives the whole request, then a thread answers it.

The event loop also sends the answer, so a slow client never occupies a thread. The answer is complete before its first
byte is sent. The protocol is granian's RSGI.
"""

import asyncio
import contextvars
import io
import logging
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from core.logs import REQUEST_ID, request_id
from core.visitors import forwarded_address

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
BODY_SECONDS = 10.0
BODIES_PER_ADDRESS = 40
BYTES_PER_ADDRESS = 16_000_000
"""Limits of one process for the bodies that one address sends at the same time: their number and announced bytes."""
WAITING_THREADS = 4
"""Threads of one process for requests that may wait for another server."""
LIVE_PATH = "/health/live"
_FILES = ("/static/", "/media/")
_PLAIN = ("content-type", "text/plain; charset=utf-8")

Headers = list[tuple[str, str]]


class Scope(Protocol):
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Any: ...


class Exchange(Protocol):
    """One request and its answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class Refused(Exception):
    """A request that is refused before a thread answers it. ``status`` is the HTTP status of the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Front:
    """An RSGI application around a WSGI application.

    :param threads: how many requests one process answers at the same time.
    :param waiting_paths: path prefixes of requests that may wait for another server. They have threads of their own,
        so that other pages do not wait for them.
    :param trusted_proxies: how many reverse proxies add to X-Forwarded-For.
    :param reads_per_minute: how many pages one address may read per minute in one process; 0 sets no limit. Static
        files, pictures and POST requests do not count.
    :param body_limits: path prefix to largest body in bytes, for paths whose limit is not ``LARGEST_BODY``.
    :param may_send_more: called in a thread, with the WSGI environment, before a body beyond ``LARGEST_BODY`` is
        received. By default every client may send what ``body_limits`` allows.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int,
        waiting_paths: tuple[str, ...] = (),
        trusted_proxies: int = 0,
        body_limits: dict[str, int] | None = None,
        may_send_more: Callable[[dict[str, Any]], bool] = lambda environ: True,
        reads_per_minute: int = 0,
    ) -> None:
        self._application = application
        self._trusted_proxies = trusted_proxies
        self._body_limits = body_limits or {}
        self._may_send_more = may_send_more
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._waiting_pool = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="wait")
        self._waiting_paths = waiting_paths
        self._reads_per_minute = reads_per_minute
        self._reads: Counter[str] = Counter()
        self._minute = 0
        self._bodies: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Any:
        return self._answer(scope, exchange)

    async def _answer(self, scope: Scope, exchange: Exchange) -> None:
        if scope.path == LIVE_PATH and scope.method in ("GET", "HEAD"):
            # Answered without a thread, so that an orchestrator does not take a busy process for a dead one.
            headers = [("content-type", "application/json"), ("cache-control", "no-store")]
            exchange.response_bytes(200, headers, b'{"status": "ok"}' if scope.method == "GET" else b"")
            return
        number = uuid.uuid4().hex[:8]
        request_id.set(number)
        environ = environ_of(scope)
        environ[REQUEST_ID] = number
        address = forwarded_address(
            environ.get("HTTP_X_FORWARDED_FOR", ""), environ["REMOTE_ADDR"], self._trusted_proxies
        )
        try:
            self._count_read(scope, address)
            body = await self._body(environ, exchange, address)
        except Refused as refusal:
            logger.warning("refused with %d: %s", refusal.status, refusal)
            headers = [_PLAIN, ("connection", "close"), ("retry-after", "60")]
            exchange.response_bytes(refusal.status, headers, f"{refusal}\n".encode())
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body)) if body or "CONTENT_LENGTH" in environ else ""
        run = contextvars.copy_context().run
        pool = self._waiting_pool if scope.path.startswith(self._waiting_paths) else self._pool
        loop = asyncio.get_running_loop()
        status, answer_headers, answer = await loop.run_in_executor(
            pool, run, call_application, self._application, environ
        )
        exchange.response_bytes(status, answer_headers, answer)

    async def _body(self, environ: dict[str, Any], exchange: Exchange, address: str) -> bytes:
        """Receive the body.

        :raises Refused: if it is too large, too slow or incomplete, or the address sends too many at the same time.
        """
        length = environ.get("CONTENT_LENGTH", "")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not is_chunked and length in ("", "0"):
            return b""
        # granian refuses a length that is not a number.
        largest = self._largest(environ["PATH_INFO"])
        is_more = largest > LARGEST_BODY and (is_chunked or int(length) > LARGEST_BODY)
        if is_more and not await self._is_allowed_more(environ):
            largest = LARGEST_BODY
        announced = largest if is_chunked else int(length)
        if announced > largest:
            raise Refused(413, "The request is too large.")
        with self._counted(address, announced):
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _received(exchange, largest)
            except TimeoutError:
                raise Refused(408, "The request took too long to arrive.") from None
        if not is_chunked and len(body) != int(length):
            raise Refused(400, "The request is not complete.")
        return body

    def _largest(self, path: str) -> int:
        return next((most for start, most in self._body_limits.items() if path.startswith(start)), LARGEST_BODY)

    async def _is_allowed_more(self, environ: dict[str, Any]) -> bool:
        """Call ``may_send_more`` in a thread.

        :raises Refused: if it fails, for instance while the database is down.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._may_send_more, environ)
        except Exception:
            logger.exception("it could not be read who sends a large request")
            raise Refused(503, "Please try again in a minute.") from None

    def _count_read(self, scope: Scope, address: str) -> None:
        """Count a page view of the address in the current minute, in this process only and without another server.

        :raises Refused: if the address has read too many pages.
        """
        if not self._reads_per_minute or scope.method not in ("GET", "HEAD") or scope.path.startswith(_FILES):
            return
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._reads.clear()
        self._reads[address] += 1
        if self._reads[address] > self._reads_per_minute:
            raise Refused(429, "Too many requests. Please wait a minute.")

    @contextmanager
    def _counted(self, address: str, announced: int) -> Iterator[None]:
        if self._bodies[address] >= BODIES_PER_ADDRESS or self._bytes[address] + announced > BYTES_PER_ADDRESS:
            raise Refused(429, "Too many requests at the same time.")
        self._bodies[address] += 1
        self._bytes[address] += announced
        try:
            yield
        finally:
            self._bodies[address] -= 1
            self._bytes[address] -= announced
            if not self._bodies[address]:
                del self._bodies[address], self._bytes[address]


async def _received(exchange: Exchange, largest: int) -> bytes:
    body = bytearray()
    async for chunk in exchange:
        body += chunk
        if len(body) > largest:
            raise Refused(413, "The request is too large.")
    return bytes(body)


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the WSGI environment of a request, without its body.

    Headers spelled with an underscore are dropped: a WSGI application cannot tell X_Forwarded_For from X-Forwarded-For,
    and proxies replace only the second.
    """
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    if scope.authority:
        environ.setdefault("HTTP_HOST", scope.authority)
    return environ


def call_application(application: WSGIApplication, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """Answer a request with a WSGI application; return status, headers and the whole body."""
    status, answer_headers = 500, []

    def start_response(line: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:
        nonlocal status, answer_headers
        status, answer_headers = int(line.split(" ", 1)[0]), [(name.lower(), value) for name, value in headers]
        return lambda data: None

    parts: Iterable[bytes] = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    if environ["REQUEST_METHOD"] == "HEAD":
        body = b""
    return status, answer_headers, body
