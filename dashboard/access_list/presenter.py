"""The access log as text: who read which record, when, and from where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog
from core import formats
from dashboard.access_list.listing import Line, code_of
from dashboard.lists.address import Asked
from dashboard.lists.pages import MOST_COUNTED, Found
from dashboard.lists.presenter import Link, ListFrame, address, frame_of, range_links
from staff.enums import Role

_WEEK = timedelta(days=6)
_TONES: Mapping[str, tuple[str, str]] = {
    Reading.VIEWED: ("", "search"),
    Reading.CHANGED: ("info", "edit"),
    Reading.SEARCHED: ("", "search"),
    Reading.EXPORTED: ("warn", "download"),
    Reading.REFUSED: ("bad", "lock"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One reading. ``url`` leads to its record, empty for lists and for records that do not exist. ``place`` is the
    code of the network address, ``place_url`` all readings from it.
    """

    day: str
    time: str
    who: str
    roles: str
    tone: str
    icon_name: str
    act: str
    record: str
    name: str
    reference: str
    url: str
    count: str
    place: str
    place_url: str
    is_elsewhere: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """One reading on its customer's page, such as "Mia Berg, Manager", "Viewed: Booking", "Mon 4 Jan 2027, 9:00"."""

    who: str
    what: str
    at: str


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    list: ListFrame
    ranges: tuple[Link, ...]
    typed: str


def page_of(
    found: Found[AccessLog],
    names: Mapping[str, str],
    elsewhere: set[int],
    asked: Asked[Line],
    *,
    zone: ZoneInfo,
    today: date,
    may_export: bool,
) -> Page:
    url = reverse("desk_access")
    return Page(
        rows=tuple(
            _row(row, names, zone, is_elsewhere=row.pk in elsewhere, back=address(url, asked.whole_query))
            for row in found.rows
        ),
        list=frame_of(
            asked, found, url=url, count=_count(found.count), csv_url=reverse("desk_access_csv") if may_export else ""
        ),
        ranges=range_links(asked, url, _ranges(today)),
        typed=asked.value("q"),
    )


def opened_by(readings: Sequence[AccessLog], zone: ZoneInfo) -> list[Opened]:
    """Return who opened a customer's record and bookings, for the page of the customer."""
    rows = []
    for row in readings:
        who = ", ".join(filter(None, (row.user_name, roles_text(row.roles))))
        words = {"act": str(Reading(row.act).label), "record": str(RecordKind(row.record).label)}
        rows.append(Opened(who, gettext("%(act)s: %(record)s") % words, ", ".join(moment_of(row.at, zone))))
    return rows


def readings_url(reference: str) -> str:
    """Return the address of the log with the readings of one customer."""
    return address(reverse("desk_access"), urlencode({"q": reference}))


def roles_text(roles: str) -> str:
    """Return the roles that a row of the log holds as words, such as "Manager, therapist"."""
    known = set(roles.split(","))
    return capfirst(", ".join(str(role.label) for role in Role if role.value in known))


def moment_of(at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return the day and the time of a reading."""
    here = at.astimezone(zone)
    return formats.full_day_text(here.date()), formats.time_text(here)


def _row(row: AccessLog, names: Mapping[str, str], zone: ZoneInfo, *, is_elsewhere: bool, back: str) -> Row:
    day, time = moment_of(row.at, zone)
    tone, icon_name = _TONES[row.act]
    is_known = row.reference in names
    return Row(
        day=day,
        time=time,
        who=row.user_name,
        roles=roles_text(row.roles),
        tone=tone,
        icon_name=icon_name,
        act=str(Reading(row.act).label),
        record=str(RecordKind(row.record).label),
        name=(names[row.reference] or gettext("No name given")) if is_known else "",
        reference=row.reference,
        url=_record_url(row, back) if is_known else "",
        count=_rows_text(row.count),
        place=code_of(row),
        place_url=address(reverse("desk_access"), urlencode({"q": code_of(row)})),
        is_elsewhere=is_elsewhere,
    )


def _record_url(row: AccessLog, back: str) -> str:
    if row.record == RecordKind.CUSTOMER:
        return reverse("desk_customer", args=[row.reference])
    return f"{reverse('desk_booking', args=[row.reference])}?{urlencode({'back': back})}"


def _rows_text(count: int | None) -> str:
    if count is None:
        return ""
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": formats.number_text(count)}


def _ranges(today: date) -> Sequence[tuple[str, date | None, date | None]]:
    return [
        (gettext("All days"), None, None),
        (gettext("Today"), today, today),
        (gettext("Last 7 days"), today - _WEEK, today),
    ]


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("More than %(count)s readings") % {"count": formats.number_text(MOST_COUNTED)}
    return ngettext("%(count)d reading", "%(count)d readings", count) % {"count": count}
