"""The cash book as rows and totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from core import formats
from dashboard.cash_book import Movement, Sums
from dashboard.lists.address import Asked
from dashboard.lists.pages import MOST_COUNTED, Found
from dashboard.lists.presenter import Link, ListFrame, address, frame_of, range_links
from dashboard.presenters.money import means_text
from payments.enums import Method, Purpose, RefundReason
from payments.models import Payment, Reconciliation

_WEEK = timedelta(days=6)
_MONTH = timedelta(days=29)


@dataclass(frozen=True, slots=True)
class Row:
    day: str
    time: str
    what: str
    means: str
    sum: str
    is_back: bool
    name: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """``came`` is the sum of payments, ``went`` the sum of refunds, ``kept`` the difference; all of them text."""

    label: str
    came: str
    went: str
    kept: str


@dataclass(frozen=True, slots=True)
class Page:
    """``title`` names the days that are shown."""

    rows: tuple[Row, ...]
    list: ListFrame
    ranges: tuple[Link, ...]
    title: str
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reconciliation: its time, its result in a sentence, and its lines."""

    at: str
    text: str
    lines: tuple[str, ...]
    is_calm: bool


def page_of(
    found: Found[Any],
    movements: Sequence[Movement],
    sums: Sums,
    asked: Asked[Movement],
    *,
    today: date,
) -> Page:
    url = reverse("desk_payments")
    back = urlencode({"back": address(url, asked.whole_query)})
    first, last = asked.days("from", "until")
    return Page(
        rows=tuple(_row(movement, back) for movement in movements),
        list=frame_of(
            asked,
            found,
            url=url,
            count=_count(found.count),
            csv_url=reverse("desk_payments_csv"),
            always=("from", "until"),
        ),
        ranges=range_links(
            asked,
            url,
            [
                (gettext("Today"), today, today),
                (gettext("7 days"), today - _WEEK, today),
                (gettext("30 days"), today - _MONTH, today),
            ],
        ),
        title=range_text(first or today, last or today),
        totals=tuple(totals_of(sums)),
    )


def totals_of(sums: Sums) -> list[Total]:
    """Return a line for each method and currency, then one for each currency that has several methods."""
    lines = [
        _total(str(Method(method).label).capitalize(), currency, *sums[currency, method])
        for currency, method in sorted(sums)
    ]
    for currency in sorted({currency for currency, _ in sums}):
        parts = [value for (each, _), value in sums.items() if each == currency]
        if len(parts) > 1:
            lines.append(
                _total(gettext("All"), currency, sum(came for came, _ in parts), sum(went for _, went in parts))
            )
    return lines


def comparison_of(found: Reconciliation, zone: ZoneInfo) -> Comparison:
    """Return text such as "Compared 214, all the same", or how many were corrected and how many staff have to check."""
    parts = [ngettext("%(count)d compared", "%(count)d compared", found.checked_count) % {"count": found.checked_count}]
    if found.repaired_count:
        parts.append(gettext("%(count)d fixed") % {"count": found.repaired_count})
    if found.listed_count:
        parts.append(gettext("%(count)d to check") % {"count": found.listed_count})
    if not found.repaired_count and not found.listed_count:
        parts.append(gettext("everything matches"))
    if found.ended_at is None:
        parts = [gettext("did not finish")]
    return Comparison(
        at=formats.moment_text(found.started_at.astimezone(zone)),
        text=", ".join(parts),
        lines=tuple(str(line) for line in found.report),
        is_calm=found.ended_at is not None and not found.listed_count,
    )


def range_text(first: date, last: date) -> str:
    if first == last:
        return formats.full_day_text(first)
    return f"{formats.full_day_text(first)} – {formats.full_day_text(last)}"


def _row(movement: Movement, back: str) -> Row:
    at = movement.at
    booking = movement.booking
    row = movement.row
    means = means_text(movement.payment) if row.method == movement.payment.method else str(Method(row.method).label)
    what = str(Purpose(row.purpose).label) if isinstance(row, Payment) else str(RefundReason(row.reason).label)
    return Row(
        day=formats.day_text(at.date()),
        time=formats.time_text(at),
        what=gettext("Payment, %(what)s") % {"what": what}
        if isinstance(row, Payment)
        else gettext("Refund, %(what)s") % {"what": what},
        means=capfirst(means),
        sum=formats.money_text(movement.amount_minor, movement.payment.currency),
        is_back=movement.amount_minor < 0,
        name=booking.contact_name if booking else gettext("No booking known"),
        url=f"{reverse('desk_booking', args=[booking.reference])}?{back}" if booking else "",
        note=" · ".join(filter(None, (row.actor_name, row.note))),
    )


def _total(label: str, currency: str, came: int, went: int) -> Total:
    return Total(
        label,
        formats.money_text(came, currency),
        formats.money_text(-went, currency),
        formats.money_text(came - went, currency),
    )


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("More than %(count)s movements") % {"count": formats.number_text(MOST_COUNTED)}
    return ngettext("%(count)d movement", "%(count)d movements", count) % {"count": count}
