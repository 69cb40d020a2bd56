"""What every page of the desk shares: the user's rights, and the frame around the page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol
from urllib.parse import parse_qs, urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from core.csv import csv_response
from dashboard.door import Desk, desk_of
from dashboard.lists.address import Asked, Line, day_of
from dashboard.lists.csv import csv_lines
from dashboard.lists.presenter import ListFrame, address
from dashboard.permissions import locations_visible_to
from dashboard.presenters.frame import frame_of
from dashboard.todo import hands_count
from services.models import Location

P = ParamSpec("P")
DeskView = Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase]


class ListPage(Protocol):
    """The page of any list: rows, and what is around them."""

    @property
    def list(self) -> ListFrame: ...


def desk_page(view: DeskView[P]) -> Callable[..., HttpResponseBase]:
    """Pass the desk to the view as its second argument. ``config.guard`` has admitted the request before."""

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(request, desk_of(request), *args, **kwargs)

    return page


def show(
    request: HttpRequest,
    desk: Desk,
    template: str,
    context: dict[str, Any],
    *,
    current: str,
    place: Location | None = None,
    places: Sequence[Location] | None = None,
    place_url: Callable[[str], str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page in the frame of the desk.

    ``current`` is the key of its entry in the navigation. ``places`` are the locations to choose from, where the caller
    has loaded them already. ``place_url`` returns the address of this page for the slug of a location, or for "all".
    Without it a location leads to the calendar.
    """
    if not desk.rights.sees_money:
        places = ()
    elif places is None:
        places = list(locations_visible_to(desk.rights))
    waiting = hands_count(desk.rights, desk.now) if desk.rights.sees_money else 0
    framed = frame_of(
        user=desk.user,
        rights=desk.rights,
        current=current,
        waiting=waiting,
        place=place,
        places=places,
        place_url=place_url,
    )
    response = render(request, template, {**context, "desk": framed}, status=status)
    if "HX-Request" in request.headers:
        # htmx asked for a part and gets a whole page, such as a refusal: it replaces the page.
        response["HX-Retarget"] = "body"
    return response


def is_part(request: HttpRequest) -> bool:
    """Return whether htmx asks for a part of the page. Going back in the browser asks for the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def show_list(
    request: HttpRequest,
    desk: Desk,
    folder: str,
    page: ListPage,
    context: Mapping[str, Any] | None = None,
    *,
    current: str,
    places: Sequence[Location] | None = None,
) -> HttpResponse:
    """Render a list in the frame of the desk. A request by htmx gets the part below the filters, and the address of the
    list without empty filters.
    """
    whole = {**(context or {}), "page": page, "list": page.list}
    if is_part(request):
        response = render(request, f"dashboard/{folder}/_list.html", whole)
        response["HX-Replace-Url"] = page.list.own_url
        return response
    return show(request, desk, f"dashboard/{folder}/list.html", whole, current=current, places=places)


def csv_or_list(asked: Asked[Line], filename: str, lines: Iterable[Line], *, list_name: str) -> HttpResponseBase:
    """Send all rows of a list as CSV, row by row. An address with a filter that the list does not know leads to the
    page instead, which says so: a file with more rows than were asked for would be a surprise.
    """
    if asked.refused:
        return redirect(address(reverse(list_name), asked.typed_query))
    return csv_response(filename, csv_lines(asked.listing, lines))


def calendar_path(typed: str) -> str:
    """Return the calendar address to go back to; empty for any other address, so that no link leads off the site."""
    return _path_of("desk", typed)


def list_link(typed: str) -> tuple[str, str] | None:
    """Return address and name of the list to go back to, with its filters; None for any other address."""
    names = {"desk_bookings": gettext("Bookings"), "desk_payments": gettext("Payments")}
    names |= {"desk_message_log": gettext("Message log"), "desk_customers": gettext("Customers")}
    names |= {"desk_access": gettext("Access log")}
    for name, label in names.items():
        if typed == reverse(name):
            return typed, label
        if path := _path_of(name, typed):
            return path, label
    return None


def _path_of(name: str, typed: str) -> str:
    start = f"{reverse(name)}?"
    if not typed.startswith(start):
        return ""
    query = {name: values[-1] for name, values in parse_qs(typed.removeprefix(start)).items()}
    return f"{start}{urlencode(query)}"


def day_of_text(typed: str, otherwise: date) -> date:
    """Read an ISO day from an address. ``otherwise`` replaces invalid text and years outside 2000 to 2100."""
    return day_of(typed) or otherwise
