"""The cash book: money that moved, with totals, a CSV, and the reconciliation with Stripe."""

from datetime import date
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from dashboard import cash_book as moved
from dashboard.door import Desk
from dashboard.lists.address import Asked, asked_of
from dashboard.permissions import locations_visible_to
from dashboard.presenters import cash_book as presenter
from dashboard.views.pages import csv_or_list, day_of_text, desk_page, show_list
from services.models import Location


@require_safe
@desk_page
def payments(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the money that moved; without days in the address, today's."""
    places, zone, today = _here(desk)
    asked = _asked(request, places, today)
    found, movements = moved.page_of(desk.rights, asked, zone)
    if asked.value("q"):
        desk.note_search(RecordKind.PAYMENTS, found.count)
    sums = moved.sums_of(desk.rights, asked, zone)
    page = presenter.page_of(found, movements, sums, asked, today=today)
    context = {
        "comparisons": [presenter.comparison_of(each, zone) for each in moved.reconciliations(desk.rights)],
    }
    return show_list(request, desk, "payments", page, context, current="payments", places=places)


@require_safe
@desk_page
def payments_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered list, all pages of it."""
    places, zone, today = _here(desk)
    asked = _asked(request, places, today)
    lines = moved.movements_of(desk.rights, asked, zone)
    first, last = asked.days("from", "until")
    return csv_or_list(asked, f"payments-{first}-{last}.csv", lines, list_name="desk_payments")


def _here(desk: Desk) -> tuple[list[Location], ZoneInfo, date]:
    """Return the reader's places, and the zone and day of the first one."""
    places = list(locations_visible_to(desk.rights))
    zone = ZoneInfo(places[0].time_zone if places else "UTC")
    return places, zone, desk.now.astimezone(zone).date()


def _asked(request: HttpRequest, places: list[Location], today: date) -> Asked[moved.Movement]:
    last = day_of_text(request.GET.get("until", ""), today)
    first = day_of_text(request.GET.get("from", ""), last)
    usual = {"from": first.isoformat(), "until": last.isoformat()}
    return asked_of(request.GET, moved.listing_for(places), usual)
