"""What open calendars cost while nothing happens. Knows no Django: the site answers in processes of its own."""

import http.client
import os
import time
from pathlib import Path

OPEN_PAGES = 50
SECONDS_BETWEEN_LOOKS = 4
_TICKS = os.sysconf("SC_CLK_TCK")


def idle_share(*, port: int, pid: int, path: str, session: str, tag: str, seconds: int) -> float:
    """Share of a core that the web processes take while all open pages look for changes and there are none.

    Without a tag the same number of requests open the path.
    """
    connected = http.client.HTTPConnection("localhost", port, timeout=10)
    headers = {"Cookie": f"session={session}", "If-None-Match": tag}
    pause = SECONDS_BETWEEN_LOOKS / OPEN_PAGES
    before, begun = _seconds_of_processor(pid), time.monotonic()
    for number in range(int(seconds / pause)):
        time.sleep(max(0.0, begun + number * pause - time.monotonic()))
        connected.request("GET", path, headers=headers)
        answer = connected.getresponse()
        answer.read()
        assert answer.status == (304 if tag else 200), answer.status
    return (_seconds_of_processor(pid) - before) / (time.monotonic() - begun)


def _seconds_of_processor(pid: int) -> float:
    """What a process and all its descendants have used so far."""
    stats = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(entry.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    family = {pid}
    while more := {each for each, (parent, _) in stats.items() if parent in family} - family:
        family |= more
    return sum(stats[each][1] for each in family if each in stats) / _TICKS
