"""Clients that send their requests a byte at a time, or do not read what they asked for. They talk to 127.0.0.1."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE_SECONDS = 0.5
_FORM = (
    b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrf=abcdefghijklmnopqrstuvwxyz234567\r\nContent-Length: 400000\r\n\r\na=1"
)


@contextmanager
def slow_writers(port: int, count: int, path: str = "stripe/webhook") -> Iterator[None]:
    """Keep ``count`` requests open that announce 400 kB and send 2 bytes a second."""

    def write(connection: socket.socket) -> None:
        connection.sendall(_FORM % path.encode())
        connection.settimeout(PAUSE_SECONDS)
        while True:
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                if connection.recv(4096) == b"":
                    return

    with _clients(port, count, write):
        yield


@contextmanager
def slow_readers(port: int, count: int, path: str) -> Iterator[None]:
    """Keep ``count`` connections open that ask 20 times for a file and read none of the answers."""

    def ask(connection: socket.socket) -> None:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20)
        stop.wait(10)

    stop = threading.Event()
    with _clients(port, count, ask):
        yield
        stop.set()


@contextmanager
def _clients(port: int, count: int, act: Callable[[socket.socket], None]) -> Iterator[None]:
    """Run ``count`` threads that connect and act again and again."""
    stop = threading.Event()
    connections: set[socket.socket] = set()

    def run() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connections.add(connection)
                try:
                    act(connection)
                finally:
                    connections.discard(connection)
            stop.wait(0.1)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    stop.wait(1)
    try:
        yield
    finally:
        stop.set()
        for connection in list(connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(15)
