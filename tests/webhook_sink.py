"""An endpoint that receives webhooks, keeps them with their headers, and answers as the test asks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    body: bytes
    signature: str


@dataclass
class Sink:
    url: str
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Answers to the next deliveries; 200 when the list is empty."""

    def wait_for(self, count: int, timeout: float = 15) -> list[Received]:
        """
        :raises TimeoutError: when fewer came in time.
        """
        deadline = time.monotonic() + timeout
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.received)} of {count} deliveries within {timeout} s")
            time.sleep(0.02)
        return list(self.received)


@contextmanager
def running() -> Iterator[Sink]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.received.append(Received(body, self.headers["Stripe-Signature"]))
            self.send_response(sink.statuses.pop(0) if sink.statuses else 200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink = Sink(f"http://127.0.0.1:{server.server_address[1]}/stripe/webhook")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield sink
    server.shutdown()
    server.server_close()
    thread.join(5)
