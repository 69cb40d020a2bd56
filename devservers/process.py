"""Child processes that end with their parent, write to a log file and are stopped by pid only.

Every child leads a process group of its own, so that Ctrl-C in the terminal reaches the runner alone and the
runner decides in which order things stop.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from devservers.account import Account

LAUNCHER = Path(__file__).with_name("_launch.py")

_Order = tuple[list[str], BinaryIO, Mapping[str, str] | None, Path | None]
_Answer = subprocess.Popen[bytes] | OSError


class ServerFailed(Exception):
    """A server did not start. The message is one line for a person."""


@dataclass(frozen=True)
class Child:
    """A started process. `name` is what people call it: web, worker, PostgreSQL."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process only. Nothing happens if it has ended."""
        self.process.send_signal(number)

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None if it still runs after `timeout` seconds."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
        """Ask it to end, insist after `timeout` seconds, and leave nobody of its group behind."""
        self.send(number)
        # A process stopped by SIGSTOP cannot act on the request to end.
        self.send(signal.SIGCONT)
        if self.wait(timeout) is None:
            self.send(signal.SIGKILL)
            self.wait(5)
        self.end_group()

    def end_group(self) -> None:
        """End children it left behind, for instance after it was killed itself."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_log_line(self) -> str:
        """The last thing it said, for an error message."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1].strip()
        return ""


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start a process that receives `death_signal` when this process ends, however it ends (on Linux).

    May be called from any thread.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    identity = (account.uid, account.gid) if account else (-1, -1)
    full = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal))]
    full += [str(number) for number in identity] + [str(part) for part in command]
    with log.open("ab") as output:
        process = _spawner.popen(full, output, env, cwd)
    return Child(name, log, process)


def is_running(pid: int) -> bool:
    """Whether a process with this pid exists and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def command_line(pid: int) -> str:
    """The command line of a foreign process, or "" if it is gone. Guards against pids that were given out again."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout.strip()


def wait_until_gone(pid: int, timeout: float) -> bool:
    """Whether a process that is not our child ended within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class _Spawner:
    """One thread that starts every child.

    Linux sends the death signal when the *thread* that started a child ends, so that thread has to live as long
    as the process does.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[_Order, queue.SimpleQueue[_Answer]]] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def popen(
        self, command: list[str], output: BinaryIO, env: Mapping[str, str] | None, cwd: Path | None
    ) -> subprocess.Popen[bytes]:
        with self._start:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="spawner", daemon=True)
                self._thread.start()
        answer: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._orders.put(((command, output, env, cwd), answer))
        result = answer.get()
        if isinstance(result, OSError):
            raise result
        return result

    def _serve(self) -> None:
        while True:
            (command, output, env, cwd), answer = self._orders.get()
            try:
                answer.put(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=env,
                        cwd=cwd,
                        start_new_session=True,
                    )
                )
            except OSError as error:
                answer.put(error)


_spawner = _Spawner()
