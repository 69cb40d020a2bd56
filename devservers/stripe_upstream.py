"""localstripe, the keeper of ids and of money moved: run as a program of its own and spoken to over HTTP only.

    python -m devservers.stripe_upstream PORT [FOLDER]

Started directly it would listen on every address, and write everything to one file in /tmp at each change and read it
from there at the start, which anybody on the machine may have put there. Here it listens on 127.0.0.1 only, and
keeps its file in FOLDER or nowhere. Of localstripe's own code nothing is touched.
"""

import builtins
import importlib
import os
import pickle
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

from devservers.ports import LOOPBACK

ITS_FILE = "/tmp/localstripe.pickle"


class LoopbackSocket(socket.socket):
    """A socket that means 127.0.0.1 where the program says every address."""

    def __init__(self, family: int = -1, *more: Any, **named: Any) -> None:
        super().__init__(socket.AF_INET if family == socket.AF_INET6 else family, *more, **named)

    def bind(self, address: Any) -> None:
        super().bind((LOOPBACK, address[1]))


def prepare(own: Path) -> None:
    """Put a file aside that cannot be read, as after a stop in the middle of writing, and say so."""
    try:
        with own.open("rb") as file:
            pickle.load(file)  # noqa: S301 (our own file, in our own folder)
    except FileNotFoundError:
        return
    except Exception as error:  # whatever a half-written file makes of the reader
        print(f"{own} cannot be read ({type(error).__name__}); Stripe's stand-in starts empty.", file=sys.stderr)
        own.replace(own.with_suffix(".unreadable"))


class WholeFile:
    """A file to write that takes its place only once it is complete, so that a stop leaves the one before."""

    def __init__(self, own: Path, opened: Any) -> None:
        self._own, self._file = own, opened

    def __enter__(self) -> Any:
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            Path(self._file.name).replace(self._own)


def main() -> None:
    port, *folder = sys.argv[1:]
    socket.socket = LoopbackSocket  # type: ignore[misc]
    really_open = builtins.open
    own = Path(folder[0]) / "localstripe.pickle" if folder else Path(os.devnull)

    def open_own(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if file != ITS_FILE:
            return really_open(file, mode, *more, **named)
        if folder and "w" in mode:
            return WholeFile(own, really_open(own.with_suffix(".new"), mode, *more, **named))
        return really_open(own, mode, *more, **named)

    if folder:
        # The file names the library's classes.
        importlib.import_module("localstripe.resources")
        prepare(own)
    builtins.open = open_own
    if not folder:
        # Writing all of it at each change is what makes it slow.
        pickle.dump = _write_nothing
    sys.argv = ["localstripe", "--port", port, *([] if folder else ["--from-scratch"])]
    runpy.run_module("localstripe", run_name="__main__")


def _write_nothing(*everything: Any, **more: Any) -> None:
    pass


if __name__ == "__main__":
    main()
