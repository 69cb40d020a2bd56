"""What every page of the desk goes through: who is there, what they may see, the frame around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.models import User
from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from core import clock
from dashboard.permissions import Rights, locations_visible_to, rights_of
from dashboard.presenters.frame import frame_of
from dashboard.todo import hands_count
from services.models import Location

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Desk:
    """Who is at the desk, at one instant."""

    user: User
    rights: Rights
    now: datetime

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=self.user.pk, name=str(self.user))


DeskView = Callable[Concatenate[HttpRequest, Desk, P], HttpResponse]


def desk_page(view: DeskView[P]) -> Callable[..., HttpResponse]:
    """Let in who is signed in and has a role; the view gets them as its second argument."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect_to_login(_back_to(request), reverse("desk_sign_in"))
        rights = rights_of(request.user)
        if rights is None:
            return render(request, "dashboard/no_role.html", {"user_name": str(request.user)}, status=403)
        return view(request, Desk(request.user, rights, clock.now()), *args, **kwargs)

    return guarded


def show(
    request: HttpRequest,
    desk: Desk,
    template: str,
    context: dict[str, Any],
    *,
    current: str,
    place: Location | None = None,
    places: Sequence[Location] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page in the frame of the desk. ``current`` is the key of its entry in the rail; ``places`` are those
    that may be chosen, where the caller has read them already.
    """
    if not desk.rights.sees_money:
        places = ()
    elif places is None:
        places = list(locations_visible_to(desk.rights))
    waiting = hands_count(desk.rights, desk.now) if desk.rights.sees_money else 0
    framed = frame_of(user=desk.user, rights=desk.rights, current=current, waiting=waiting, place=place, places=places)
    return render(request, template, {**context, "desk": framed}, status=status)


def day_of_text(typed: str, otherwise: date) -> date:
    """Read a day of an address such as 2027-01-05; years in which arrows could leave the calendar are nobody's days."""
    try:
        on = date.fromisoformat(typed)
    except ValueError:
        return otherwise
    return on if 2000 <= on.year <= 2100 else otherwise


def _back_to(request: HttpRequest) -> str:
    """Where to go after signing in: a form that was sent cannot be sent again, so then the desk."""
    return request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("desk")
