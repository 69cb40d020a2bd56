"""A real CalDAV server (Radicale), which takes entries by its own reading of the standard, as calendar programs do."""

import base64
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import icalendar

from devservers.ports import LOOPBACK, free_port
from devservers.process import Child, spawn

_QUERY = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="{start}" end="{end}"/></C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>"""
_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Calendar:
    """One person's calendar on the server."""

    url: str

    def take(self, invite: bytes) -> None:
        """Do what a calendar program does with an invite (RFC 5546): a newer state of an entry replaces the older one,
        an older one is left alone, a cancelled entry goes.
        """
        parsed = icalendar.Calendar.from_ical(invite)
        [event] = parsed.walk("VEVENT")
        address = f"{self.url}{re.sub(r'[^a-z0-9-]', '_', str(event['UID']))}.ics"
        known = self._sequence_at(address)
        if known is not None and int(str(event["SEQUENCE"])) < known:
            return
        if str(parsed["METHOD"]) == "CANCEL":
            if known is not None:
                _send("DELETE", address)
            return
        # What is stored has no method (RFC 4791, 4.1).
        stored = re.sub(rb"METHOD:[A-Z]+\r\n", b"", invite)
        _send("PUT", address, stored, {"Content-Type": "text/calendar; charset=utf-8"})

    def between(self, starts_at: datetime, ends_at: datetime) -> list[icalendar.Event]:
        """The entries that the server finds in a span of time."""
        stamps = {
            "start": f"{starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            "end": f"{ends_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        }
        body = _send("REPORT", self.url, _QUERY.format(**stamps).encode(), {"Depth": "1", "Content-Type": "text/xml"})
        found = re.findall(r"BEGIN:VCALENDAR.*?END:VCALENDAR", body.decode().replace("&#13;", ""), re.DOTALL)
        return [event for each in found for event in icalendar.Calendar.from_ical(each).walk("VEVENT")]  # type: ignore[misc]

    def _sequence_at(self, address: str) -> int | None:
        try:
            stored = _send("GET", address)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return int(str(icalendar.Calendar.from_ical(stored).walk("VEVENT")[0]["SEQUENCE"]))


@contextmanager
def calendar_server(folder: Path) -> Iterator[str]:
    """Radicale with nothing in it, listening on this machine only; gives its address."""
    port = free_port()
    child = spawn("radicale", _command(folder, port), log=folder / "radicale.log")
    try:
        url = f"http://{LOOPBACK}:{port}/"
        _wait(url, child)
        yield url
    finally:
        child.stop()


def new_calendar(server: str, name: str) -> Calendar:
    url = f"{server}{name}/calendar/"
    _send("MKCALENDAR", url)
    return Calendar(url)


def _command(folder: Path, port: int) -> list[str]:
    options = {
        "--config": "",
        "--server-hosts": f"{LOOPBACK}:{port}",
        "--storage-filesystem-folder": str(folder / "collections"),
        "--auth-type": "none",
        "--rights-type": "authenticated",
        "--web-type": "none",
        "--logging-level": "warning",
    }
    return [sys.executable, "-m", "radicale", *(part for option in options.items() for part in option)]


def _wait(url: str, child: Child) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > ends or not child.is_alive():
                raise
            time.sleep(0.1)


def _send(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    owner = url.split("/")[3]
    authorization = {"Authorization": f"Basic {base64.b64encode(f'{owner}:x'.encode()).decode()}"}
    request = urllib.request.Request(url, body, {**authorization, **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return bytes(response.read())
