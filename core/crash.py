"""Named points at which a test may kill the process, to see what survives. They do nothing unless settings allow it."""

import os
import signal
from collections import Counter

from django.conf import settings

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if CRASH_AT says so: ``name`` for the first passing, ``name:3`` for the third.

    Needs ``ALLOW_CRASH_POINTS``, which the settings of a running site do not have.
    """
    if not getattr(settings, "ALLOW_CRASH_POINTS", False):
        return
    wanted, _, passing = os.environ.get("CRASH_AT", "").partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(passing or 1):
        os.kill(os.getpid(), signal.SIGKILL)
