"""Write the access log: which user read or changed which record.

``config.access`` declares what the pages of the desk show, ``config.admin_records`` what those of Django's admin show.

One insert for each request, after its answer is made. A failed insert is logged and never changes the answer.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponseBase

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog, User
from config.admin_records import noted_after, noted_before
from core.csv import CsvResponse
from core.inserts import insert_rows
from core.logs import request_id
from core.visitors import address_hash
from dashboard.door import Desk, Noted, roles_text
from dashboard.permissions import rights_of

# The page is shown; with 409 and 422 it says what is wrong with a form. With 304 the browser has the page already.
_SHOWN = frozenset({200, 304, 409, 422})
# 204: htmx follows the header HX-Redirect.
_SAVED = frozenset({204, 302, 303})
_NOT_FOUND = 404

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shows:
    """The record that an address shows. ``part`` is the part of the path with its reference; empty for a list, which
    is logged when it is searched or downloaded.
    """

    record: RecordKind
    part: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """The signed-in user, with their roles at the desk as the log stores them."""

    user: User
    roles: str


def log_reading(request: HttpRequest, response: HttpResponseBase, shows: Shows | None, *, now: datetime) -> None:
    """Log what a request of the desk has read, changed, or was refused. HEAD and OPTIONS read nothing.

    A download is logged when it ends, with the number of rows that were sent.
    """
    desk: Desk | None = getattr(request, "desk", None)
    if desk is None or request.method not in {"GET", "POST"}:
        return
    read = list(desk.noted)
    if shows is not None and shows.part:
        read.append(Noted(shows.record, _part_of(request, shows.part)))
    reader = Reader(desk.user, desk.roles_text)
    if isinstance(response, CsvResponse) and shows is not None:
        _log_at_the_end(response, _row(request, reader, Reading.EXPORTED, Noted(shows.record), now))
    elif act := _act_of(request, response):
        _insert([_row(request, reader, act, each, now) for each in dict.fromkeys(read)])


def note_in_admin(request: HttpRequest) -> None:
    """Note the record that a page of the admin is about to show, before its view runs: afterwards it may be deleted."""
    request.admin_noted = noted_before(request)  # type: ignore[attr-defined]


def log_reading_in_admin(request: HttpRequest, response: HttpResponseBase, *, now: datetime) -> None:
    """Log what a request of the admin has read, changed, or was refused. Every list of customers' data is logged, also
    without a search. One query for the roles, and one insert, only where something was read.
    """
    noted: list[Noted] | None = getattr(request, "admin_noted", None)
    if noted is None or request.method not in {"GET", "POST"} or not isinstance(request.user, User):
        return
    read, act = [*noted, *noted_after(request, response)], _act_of(request, response)
    if act is not None and read:
        rights = rights_of(request.user)
        reader = Reader(request.user, roles_text(rights) if rights else "")
        _insert([_row(request, reader, act, each, now) for each in read])


def _act_of(request: HttpRequest, response: HttpResponseBase) -> Reading | None:
    """Return what the answer says about the request; None if it neither showed nor changed anything."""
    if response.status_code == _NOT_FOUND:
        return Reading.REFUSED
    if response.status_code == 200 and response.get("Content-Disposition", "").startswith("attachment"):
        return Reading.EXPORTED
    if request.method == "POST":
        # A form that saves while staff type is answered with JSON.
        is_saved_as_typed = response.status_code == 200 and response.get("Content-Type") == "application/json"
        if response.status_code in _SAVED or is_saved_as_typed:
            return Reading.CHANGED
    return Reading.VIEWED if response.status_code in _SHOWN else None


def _part_of(request: HttpRequest, name: str) -> str:
    match = request.resolver_match
    return str(match.kwargs.get(name, "")) if match else ""


def _row(request: HttpRequest, reader: Reader, act: Reading, read: Noted, now: datetime) -> AccessLog:
    is_search = read.count is not None
    return AccessLog(
        at=now,
        user_id=reader.user.pk,
        user_name=str(reader.user),
        roles=reader.roles,
        act=Reading.SEARCHED if is_search else act,
        record=read.record,
        # What a user invents is cut to the length of a reference.
        reference=read.reference[: AccessLog.LONGEST_REFERENCE],
        count=read.count,
        address_hash=address_hash(request),
        request_id=request_id.get()[: AccessLog.LONGEST_REQUEST_ID],
    )


def _insert(rows: list[AccessLog]) -> None:
    try:
        insert_rows(*rows)
    except Error:
        lost = ", ".join(f"user {row.user_id} {row.act} {row.record} {row.reference}" for row in rows)
        logger.exception("the access log lacks: %s", lost)


def _log_at_the_end(response: CsvResponse, row: AccessLog) -> None:
    lines: Any = response.streaming_content

    def logged() -> Iterator[bytes]:
        try:
            yield from lines
        finally:
            # Also when the client goes away before the end.
            row.count = response.rows_sent
            _insert([row])

    response.streaming_content = logged()
