"""The search of the desk, over the bookings of all days."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.enums import RecordKind
from core.references import parsed_reference
from dashboard import queries
from dashboard.door import Desk
from dashboard.presenters.day import row_of
from dashboard.views.pages import show
from services.models import Location


def search(request: HttpRequest, desk: Desk, typed: str, places: Sequence[Location]) -> HttpResponse:
    """List the matching bookings. A whole reference leads straight to its booking."""
    bookings = queries.found_bookings(desk.rights, typed)
    reference = parsed_reference(typed)
    if reference in {booking.reference for booking in bookings}:
        return redirect("desk_booking", reference)
    desk.note_search(RecordKind.BOOKINGS, len(bookings))
    balances = queries.balances_of(bookings)
    rows = [
        row_of(booking, balances[booking.pk], now=desk.now, show_place=len(places) > 1, show_day=True)
        for booking in bookings
    ]
    context = {
        "typed": typed,
        "rows": rows,
        "most": queries.MOST_FOUND,
        "is_cut": len(rows) == queries.MOST_FOUND,
        "is_short": len(typed) < queries.SHORTEST_SEARCH,
    }
    return show(request, desk, "dashboard/search.html", context, current="day", places=places)
