"""The proxy breaks connections in the four ways fault tests need."""

import socket
import socketserver
import threading
import time

import pytest

from devservers import proxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(1024):
            self.request.sendall(piece)


@pytest.fixture
def echo():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        between = proxy.start(server.server_address[1])
        yield between
        between.stop()
        server.shutdown()


def connect(between):
    return socket.create_connection(("127.0.0.1", between.port), timeout=10)


def test_traffic_when_passed_is_unchanged(echo):
    with connect(echo) as connection:
        connection.sendall(b"hello")

        assert connection.recv(10) == b"hello"


def test_traffic_when_delayed_arrives_later(echo):
    echo.set_mode("delay", delay_seconds=0.2)
    with connect(echo) as connection:
        begun = time.monotonic()
        connection.sendall(b"hello")

        assert connection.recv(10) == b"hello"
        assert time.monotonic() - begun >= 0.4


def test_connections_when_reset_break_off_old_and_new(echo):
    with connect(echo) as old:
        old.sendall(b"hello")
        old.recv(10)
        echo.set_mode("reset")

        with pytest.raises(ConnectionResetError):
            old.recv(10)

    with pytest.raises(ConnectionResetError), connect(echo) as new:
        new.recv(10)


def test_traffic_in_a_black_hole_arrives_when_it_is_gone(echo):
    with connect(echo) as old:
        old.sendall(b"one")
        old.recv(10)
        echo.set_mode("blackhole")
        with connect(echo) as new:
            old.sendall(b"two")
            new.sendall(b"three")
            for connection in (old, new):
                connection.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    connection.recv(10)
                connection.settimeout(10)

            echo.set_mode("pass")

            assert old.recv(10) == b"two"
            assert new.recv(10) == b"three"


def test_connections_when_the_target_is_gone_break_off(echo):
    echo.target_port = proxy.free_port()
    with pytest.raises((ConnectionResetError, BrokenPipeError)), connect(echo) as connection:
        connection.sendall(b"hello")
        connection.recv(10)
