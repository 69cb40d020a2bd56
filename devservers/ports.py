"""Free ports on the loopback address."""

import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on, given to nobody else who asks for a free one during the next minute.

    A connection that was closed from here keeps it so long: the system gives such a port to nobody by itself, and our
    servers may listen on it, because they all ask to use addresses again.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, 0))
        server.listen()
        port: int = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            client.recv(1)
        return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as probe:
        # Without this a port in TIME_WAIT from the last run would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
        return True


def next_free(start: int) -> int:
    """The first free port from `start` on."""
    for port in range(start, min(start + 100, 65536)):
        if is_free(port):
            return port
    return free_port()
