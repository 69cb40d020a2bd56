"""Show what several log files gain, as short lines with the name in front.

The processes write to their files directly and not through us, so nothing is lost when the runner ends first.
"""

import re
import shutil
import sys
import threading
from pathlib import Path

_STATIC_SERVED = re.compile(r"GET /static/\S* \S+ (200|304)\b")


class Follower:
    """One thread that reads all files a few times per second."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, logs: dict[str, Path]) -> None:
        """Start with what is written from now on."""
        positions = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}
        self._thread = threading.Thread(target=self._serve, args=(logs, positions), name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(2)

    def _serve(self, logs: dict[str, Path], positions: dict[str, int]) -> None:
        width = max(map(len, logs))
        while not self._stop.wait(0.3):
            for name, log in logs.items():
                for line in filter(is_telling, _new_lines(name, log, positions)):
                    print(_shortened(f"{name:<{width}} | {line}"), flush=True)


def is_telling(line: str) -> bool:
    """Whether a line is more than one of the many files of a page that was served. The log file keeps all of them."""
    return _STATIC_SERVED.search(line) is None


def _new_lines(name: str, log: Path, positions: dict[str, int]) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(positions[name])
        whole, end, _ = file.read().rpartition(b"\n")
    positions[name] += len(whole) + len(end)
    return whole.decode(errors="replace").splitlines()


def _shortened(line: str) -> str:
    if not sys.stdout.isatty():
        return line
    columns = shutil.get_terminal_size().columns
    return line if len(line) <= columns else line[: columns - 1] + "…"
