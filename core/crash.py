"""Named points at which a test can kill the process, to check recovery. They do nothing unless settings allow it."""

import os
import signal
from collections import Counter

from django.conf import settings

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if the variable CRASH_AT is ``name``, or at the third passing if ``name:3``.

    Needs ``ALLOW_CRASH_POINTS``, which only the settings of tests may set.
    """
    if not getattr(settings, "ALLOW_CRASH_POINTS", False):
        return
    wanted, _, passing = os.environ.get("CRASH_AT", "").partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(passing or 1):
        os.kill(os.getpid(), signal.SIGKILL)
