"""The list of bookings of all days, and its CSV."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from core.references import parsed_reference
from dashboard import queries
from dashboard.booking_list import presenter
from dashboard.booking_list.listing import Line, lines_of, listing_for, page_of
from dashboard.door import Desk
from dashboard.lists.address import Asked, asked_of
from dashboard.permissions import Act, limited_to, locations_visible_to, may
from dashboard.views.pages import csv_or_list, desk_page, is_part, show_list
from services.models import Location


@require_safe
@desk_page
def bookings(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show one page of the list. A whole reference leads straight to its booking."""
    places = list(locations_visible_to(desk.rights))
    asked = _asked(request, desk, places)
    found = page_of(desk.rights, asked)
    reference = parsed_reference(asked.value("q"))
    if not is_part(request) and reference in {booking.reference for booking in found.rows}:
        return redirect("desk_booking", reference)
    if asked.value("q"):
        desk.note_search(RecordKind.BOOKINGS, found.count)
    zone = ZoneInfo(places[0].time_zone if places else "UTC")
    page = presenter.page_of(
        found,
        queries.balances_of(found.rows),
        asked,
        now=desk.now,
        today=desk.now.astimezone(zone).date(),
        has_places=len(places) > 1,
        may_export=may(desk.rights, Act.EXPORT_CUSTOMERS),
    )
    return show_list(request, desk, "booking_list", page, current="bookings", places=places)


@require_safe
@desk_page
def bookings_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered list, all pages of it, of the places where the reader may download it."""
    asked = _asked(request, desk, list(locations_visible_to(desk.rights)))
    lines = lines_of(limited_to(desk.rights, desk.act), asked)
    return csv_or_list(asked, "bookings.csv", lines, list_name="desk_bookings")


def _asked(request: HttpRequest, desk: Desk, places: Sequence[Location]) -> Asked[Line]:
    is_search = bool(request.GET.get("q", "").strip())
    return asked_of(request.GET, listing_for(desk.rights, places, desk.now, is_search=is_search))
