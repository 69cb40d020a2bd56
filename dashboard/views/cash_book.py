"""The cash book: money that moved, by day, with totals, a CSV, and the reconciliation with Stripe."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.csv import csv_response
from dashboard import cash_book as moved
from dashboard.door import Desk
from dashboard.permissions import locations_visible_to
from dashboard.presenters import cash_book as presenter
from dashboard.views.pages import day_of_text, desk_page, show

_WEEK = timedelta(days=6)
_MONTH = timedelta(days=29)


@dataclass(frozen=True, slots=True)
class Asked:
    """The local days asked for, both included, and their time zone."""

    first: date
    last: date
    today: date
    zone: ZoneInfo

    def link(self, first: date, last: date) -> str:
        return f"{reverse('desk_payments')}?{urlencode({'from': first.isoformat(), 'until': last.isoformat()})}"


@require_safe
@desk_page
def payments(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the money that moved; without days in the address, today's."""
    asked = _asked(request, desk)
    found = moved.movements(desk.rights, asked.first, asked.last, asked.zone)
    ranges = [
        (presenter.TODAY, asked.today, asked.today),
        (presenter.LAST_WEEK, asked.today - _WEEK, asked.today),
        (presenter.LAST_MONTH, asked.today - _MONTH, asked.today),
    ]
    context = {
        "title": presenter.range_text(asked.first, asked.last),
        "first": asked.first.isoformat(),
        "last": asked.last.isoformat(),
        "rows": presenter.rows_of(found, asked.zone),
        "totals": presenter.totals_of(found),
        "is_cut": len(found) == moved.MOST_SHOWN,
        "most": moved.MOST_SHOWN,
        "ranges": [
            (label, asked.link(first, last), (first, last) == (asked.first, asked.last))
            for label, first, last in ranges
        ],
        "csv_url": f"{reverse('desk_payments_csv')}?{urlencode({'from': asked.first, 'until': asked.last})}",
        "comparisons": [presenter.comparison_of(each, asked.zone) for each in moved.reconciliations(desk.rights)],
    }
    return show(request, desk, "dashboard/payments.html", context, current="payments")


@require_safe
@desk_page
def payments_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the same days as a CSV file, without a limit of rows."""
    asked = _asked(request, desk)
    found = moved.movements(desk.rights, asked.first, asked.last, asked.zone, limit=None)
    return csv_response(f"payments-{asked.first}-{asked.last}.csv", presenter.csv_rows(found, asked.zone))


def _asked(request: HttpRequest, desk: Desk) -> Asked:
    place = locations_visible_to(desk.rights).first()
    zone = ZoneInfo(place.time_zone if place else "UTC")
    today = desk.now.astimezone(zone).date()
    last = day_of_text(request.GET.get("until", ""), today)
    first = day_of_text(request.GET.get("from", ""), last)
    if first > last:
        first, last = last, first
    return Asked(max(first, last - moved.LONGEST), last, today, zone)
