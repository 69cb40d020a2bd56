"""The home of the desk: the bookings of a day at one place, and the search over all of them."""

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from core.references import parsed_reference
from dashboard import queries
from dashboard.door import Desk
from dashboard.permissions import locations_visible_to
from dashboard.presenters import day as presenter
from dashboard.views.pages import day_of_text, desk_page, show
from services.models import Location


@require_safe
@desk_page
def day(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One day in the order of time; a search goes over all days instead."""
    places = list(locations_visible_to(desk.rights))
    # PostgreSQL knows no NUL, and nobody is called so.
    if typed := request.GET.get("q", "").replace("\x00", "").strip()[:80]:
        return _search(request, desk, typed, places)
    place = _place(places, request.GET.get("at", ""), only_own=not desk.rights.sees_money)
    clock_of = place or next(iter(places), None)
    today = desk.now.astimezone(ZoneInfo(clock_of.time_zone if clock_of else "UTC")).date()
    on = day_of_text(request.GET.get("on", ""), today)
    bookings = queries.day_bookings(desk.rights, [place] if place else places, on)
    only_own = not desk.rights.sees_money
    page = presenter.day_of(
        bookings, queries.balances_of(bookings), on=on, today=today, now=desk.now, place=place, only_own=only_own
    )
    context = {"day": page, "at": place.slug if place else "", "only_own": only_own}
    return show(request, desk, "dashboard/day.html", context, current="day", place=place, places=places)


def _search(request: HttpRequest, desk: Desk, typed: str, places: list[Location]) -> HttpResponse:
    """A whole reference leads to its booking at once."""
    bookings = queries.found_bookings(desk.rights, typed)
    reference = parsed_reference(typed)
    if reference in {booking.reference for booking in bookings}:
        return redirect("desk_booking", reference)
    balances = queries.balances_of(bookings)
    rows = [
        presenter.row_of(booking, balances[booking.pk], now=desk.now, show_place=len(places) > 1, show_day=True)
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


def _place(places: list[Location], slug: str, *, only_own: bool) -> Location | None:
    """The place asked for, else the first; None where somebody sees the own bookings of all places."""
    if only_own:
        return None
    return next((place for place in places if place.slug == slug), places[0] if places else None)
