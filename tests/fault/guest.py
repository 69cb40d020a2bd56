"""A customer who books, moves and cancels by HTTP, and keeps a watch in the hand."""

import re
import ssl
import time
from typing import Self
from urllib.parse import urlsplit

import httpx

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SLOT = re.compile(r'name="slot" value="(\d+\.\d+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
SOONEST_MINUTES = 36 * 60
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Guest:
    """One visitor with cookies of their own. ``seconds`` are the times of all answers so far."""

    def __init__(self, url: str, email: str) -> None:
        self.email = email
        self.seconds: list[float] = []
        self._http = httpx.Client(base_url=url, headers={"Origin": url}, timeout=30, verify=NO_CERTIFICATES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def book(self) -> str:
        """Take the first time that is not too soon and return the path of the manage page."""
        return self.confirm(*self.filled_in())

    def filled_in(self) -> tuple[str, dict[str, str]]:
        """Take the first time that is not too soon; return the page of the details and its form, filled in."""
        picker = self.get("/s/massage/")
        slot = slots_ahead(picker)[0]
        form = {"csrfmiddlewaretoken": _first(CSRF, picker, "a token"), "slot": slot, "next": "details", "staff": ""}
        form |= {"variant": dict(HIDDEN.findall(picker))["variant"]}
        details = self._redirected(self._post("/s/massage/hold", form))
        page = self.get(details)
        typed = {"name": "Jana Weber", "email": self.email, "phone": "+49 1515 5501827", "note": ""}
        return details, {**dict(HIDDEN.findall(page)), **typed}

    def confirm(self, details: str, form: dict[str, str]) -> str:
        confirmed = self._redirected(self._post(details, form))
        return re.sub(r"^(/b/[^/]+/).*", r"\1", confirmed)

    def move(self, link: str) -> None:
        """Move to the last time that the calendar offers."""
        calendar = self.get(f"{link}move")
        slots = re.findall(r"[?&;]slot=(\d+\.\d+)", calendar) or SLOT.findall(calendar)
        page = self.get(f"{link}move?slot={slots[-1]}")
        self._redirected(self._post(f"{link}move", dict(HIDDEN.findall(page))))

    def cancel(self, link: str) -> None:
        page = self.get(f"{link}cancel")
        self._redirected(self._post(f"{link}cancel", dict(HIDDEN.findall(page))))

    def get(self, path: str) -> str:
        answer = self._timed("GET", path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code}"
        return answer.text

    def _post(self, path: str, form: dict[str, str]) -> httpx.Response:
        return self._timed("POST", path, form)

    def _timed(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        begun = time.perf_counter()
        answer = self._http.request(method, path, data=form)
        self.seconds.append(time.perf_counter() - begun)
        return answer

    def _redirected(self, answer: httpx.Response) -> str:
        assert answer.status_code in {302, 303}, (
            f"{answer.request.url.path}: {answer.status_code}\n{answer.text[:2000]}"
        )
        return urlsplit(answer.headers["location"]).path


def slots_ahead(picker: str) -> list[str]:
    """The offered times, without those so near that fees, reminders and agendas depend on the hour of the test."""
    soonest = time.time() / 60 + SOONEST_MINUTES
    slots = [slot for slot in SLOT.findall(picker) if int(slot.split(".")[1]) >= soonest]
    assert slots, "the page offers no time"
    return slots


def _first(pattern: re.Pattern[str], page: str, what: str) -> str:
    found = pattern.search(page)
    assert found, f"the page offers no {what}"
    return found[1]
