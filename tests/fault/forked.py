"""Steps in processes of their own, quickly: a parent that has everything loaded forks a child for each.

A child may be killed at a crash point; the parent tells how it ended and what it printed. Run as a program it serves
orders from its standard input; ``Forks`` is the other end.
"""

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devservers import application


@dataclass(frozen=True)
class Ended:
    """How a step ended: its exit code (-9 when it was killed) and the last line it printed."""

    code: int
    said: str


class Forks:
    """Takes steps of one module in the environment of a stack."""

    def __init__(self, module: str, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.forked", module],
            cwd=application.ROOT,
            env={**env, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def step(self, name: str, *, crash_at: str = "", **given: Any) -> Ended:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"step": name, "crash_at": crash_at, "given": given}) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@contextlib.contextmanager
def doctor_of(env: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """Something that looks whether all is well with the data, and says what is not ("{}": nothing)."""
    forks = Forks("tests.fault.checks", env)
    try:
        yield lambda: forks.step("examine").said
    finally:
        forks.close()


def serve(module: str) -> None:
    import django

    django.setup()
    steps = importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            os.environ["CRASH_AT"] = order["crash_at"]
            os._exit(_taken(getattr(steps, order["step"]), order["given"], writing))
        os.close(writing)
        with os.fdopen(reading) as said:
            lines = said.read().strip().splitlines()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"code": code, "said": lines[-1] if lines else ""}), flush=True)


def _taken(step: Any, given: dict[str, Any], writing: int) -> int:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            step(**given)
    except Exception as error:
        said.write(f"\n{type(error).__name__}: {error}")
        return 1
    finally:
        os.write(writing, said.getvalue().encode())
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
