"""The page of the walk-in queue, whole or as the part that an open page reads again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.contact import phones
from bookings.queries.walk_ins import ended_at, expected_in, queue_at
from core.references import new_token
from dashboard.door import Desk
from dashboard.phone_booking import queries
from dashboard.phone_booking.callers import Found
from dashboard.phone_booking.presenter import caller_card
from dashboard.queue import presenter
from dashboard.queue.changes import state_tag
from dashboard.queue.forms import WalkInForm
from dashboard.views.pages import show
from services.enums import Delivery
from services.models import Location
from services.queries import the_business

MOST_ENDED = 10
# The part of the page that an open page reads again, as htmx names it.
PART = "queue"


@dataclass(frozen=True, slots=True)
class Opened:
    """The queue of one location, out of those where the user may book."""

    request: HttpRequest
    desk: Desk
    place: Location
    places: Sequence[Location]
    offered: Sequence[queries.Offered]


def opened(request: HttpRequest, desk: Desk, at: str) -> Opened:
    """Open the queue of the location with this slug, of the first one if it is empty. Five queries.

    Walk-ins are for services at the location: nobody waits here for a home visit or a video call.

    :raises Http404: when the user may not book there.
    """
    places = queries.places(desk.rights)
    place = chosen_place(places, at)
    offered = [each for each in queries.services_at(place) if each.delivery == Delivery.LOCATION]
    return Opened(request, desk, place, places, offered)


def chosen_place(places: Sequence[Location], at: str) -> Location:
    """Return the location with this slug, the first one if it is empty.

    :raises Http404: when it is not among them.
    """
    place = next((each for each in places if each.slug == (at or each.slug)), None)
    if place is None:
        raise Http404
    return place


def form_for(queue: Opened, data: Mapping[str, Any] | None = None) -> WalkInForm:
    place = queue.place
    region = phones.phone_region(place.phone, the_business().phone, time_zone=place.time_zone)
    return WalkInForm(data, offered=queue.offered, region=region)


def queue_page(
    queue: Opened,
    *,
    form: WalkInForm | None = None,
    found: Found | None = None,
    problems: Mapping[int, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the queue. ``problems`` are sentences by the id of a person. ``found`` are customers who may be the person
    whom the form names. Twelve queries at most for the queue, however long it is.
    """
    request, desk, place = queue.request, queue.desk, queue.place
    tag = state_tag(place, now=desk.now)
    waiting = queue_at(place, desk.now)
    turns = expected_in(place, waiting, desk.now)
    context: dict[str, Any] = {
        "rows": presenter.rows_of(waiting, turns, place, queue.offered, now=desk.now, problems=problems or {}),
        "ended": presenter.ended_rows(ended_at(place, desk.now, MOST_ENDED), place),
    }
    if request.headers.get("HX-Target") == PART:
        return render(request, "dashboard/queue/_queue.html", context)
    context |= {
        "place": place,
        "tabs": presenter.tabs(queue.places, place),
        "form": form or form_for(queue),
        "found": [caller_card(each, place) for each in found.callers] if found else [],
        "request_key": request.POST.get("request_key") or new_token(),
        # After a form was refused, the address in the browser is that of the form.
        "own_url": presenter.queue_url(place),
        "changes_url": f"{reverse('desk_queue_changes')}?at={place.slug}",
        "state": tag,
    }
    return show(
        request,
        desk,
        "dashboard/queue/page.html",
        context,
        current="day",
        place=place,
        places=queue.places,
        status=status,
    )
