"""localstripe, the keeper of ids and of money moved: run as a program of its own and spoken to over HTTP only.

    python -m devservers.stripe_upstream PORT [FOLDER]

Started directly it would listen on every address, and write everything to one file in /tmp at each change and read it
from there at the start, which anybody on the machine may have put there. Here it listens on 127.0.0.1 only, and
keeps its file in FOLDER or nowhere. Of localstripe's own code nothing is touched.
"""

import builtins
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


def main() -> None:
    port, *folder = sys.argv[1:]
    socket.socket = LoopbackSocket  # type: ignore[misc]
    really_open = builtins.open
    own = Path(folder[0]) / "localstripe.pickle" if folder else Path(os.devnull)

    def open_own(file: Any, *more: Any, **named: Any) -> Any:
        return really_open(own if file == ITS_FILE else file, *more, **named)

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
