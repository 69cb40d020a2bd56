"""A process of ``benchmarks.worker`` and how the figures ask it."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Worker:
    """A process of benchmarks.worker on one database."""

    def __init__(self, env: dict[str, str], variant_id: int, today: date) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(today), "serve", str(variant_id)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answers: dict[str, Any] = {}
        self.ask("ready")

    def ask(self, act: str) -> float:
        """Do one act; return its milliseconds."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(act + "\n")
        self.process.stdin.flush()
        seconds, self.answers[act] = json.loads(self.process.stdout.readline())
        return float(seconds) * 1000

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


def paired(worker: Worker, act: str, base: str, times: int) -> tuple[list[float], list[float]]:
    """Do both in turn, so that a change of the machine's speed hits both."""
    pairs = [(worker.ask(act), worker.ask(base)) for _ in range(times)]
    return [first for first, _ in pairs], [second for _, second in pairs]
