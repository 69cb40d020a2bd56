"""What every page of the desk shares: the user's rights, and the frame around the page."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import parse_qs, urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from dashboard.door import Desk, desk_of
from dashboard.permissions import locations_visible_to
from dashboard.presenters.frame import frame_of
from dashboard.todo import hands_count
from services.models import Location

P = ParamSpec("P")
DeskView = Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase]


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


def calendar_path(typed: str) -> str:
    """Return the calendar address to go back to; empty for any other address, so that no link leads off the site."""
    start = f"{reverse('desk')}?"
    if not typed.startswith(start):
        return ""
    query = {name: values[-1] for name, values in parse_qs(typed.removeprefix(start)).items()}
    return f"{start}{urlencode(query)}"


def day_of_text(typed: str, otherwise: date) -> date:
    """Read an ISO day from an address. ``otherwise`` replaces invalid text and years outside 2000 to 2100."""
    try:
        on = date.fromisoformat(typed)
    except ValueError:
        return otherwise
    return on if 2000 <= on.year <= 2100 else otherwise
