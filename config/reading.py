"""Write the access log: which user read or changed which record, by the declarations in ``config.access``.

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
from accounts.models import AccessLog
from core.csv import CsvResponse
from core.inserts import insert_rows
from core.logs import request_id
from core.visitors import address_hash
from dashboard.door import Desk, Noted

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
    if isinstance(response, CsvResponse) and shows is not None:
        _log_at_the_end(response, _row(request, desk, Reading.EXPORTED, Noted(shows.record), now))
    elif act := _act_of(request, response):
        _insert([_row(request, desk, act, each, now) for each in dict.fromkeys(read)])


def _act_of(request: HttpRequest, response: HttpResponseBase) -> Reading | None:
    """Return what the answer says about the request; None if it neither showed nor changed anything."""
    if response.status_code == _NOT_FOUND:
        return Reading.REFUSED
    if request.method == "POST":
        # A form that saves while staff type is answered with JSON.
        is_saved_as_typed = response.status_code == 200 and response.get("Content-Type") == "application/json"
        if response.status_code in _SAVED or is_saved_as_typed:
            return Reading.CHANGED
    return Reading.VIEWED if response.status_code in _SHOWN else None


def _part_of(request: HttpRequest, name: str) -> str:
    match = request.resolver_match
    return str(match.kwargs.get(name, "")) if match else ""


def _row(request: HttpRequest, desk: Desk, act: Reading, read: Noted, now: datetime) -> AccessLog:
    is_search = read.count is not None
    return AccessLog(
        at=now,
        user_id=desk.user.pk,
        user_name=str(desk.user),
        roles=desk.roles_text,
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
