"""Admission to the desk: the signed-in user with their rights, and the check that lets a request in."""

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts.enums import RecordKind
from accounts.models import User
from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from dashboard.permissions import Act, Rights, may, rights_of
from staff.enums import Role


@dataclass(frozen=True, slots=True)
class Noted:
    """A record that a page is about to show and its path does not name; for a search the number of its results."""

    record: RecordKind
    reference: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """The signed-in user at one instant. ``act`` is the right that the address needs; the user holds it somewhere.

    ``noted`` is what a view adds for the access log.
    """

    user: User
    rights: Rights
    act: Act
    now: datetime
    noted: list[Noted] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=self.user.pk, name=str(self.user))

    @property
    def roles_text(self) -> str:
        """The roles of the user as the access log stores them."""
        return ",".join(role for role in Role if role in self.rights.roles)

    def note_reading(self, record: RecordKind, reference: str) -> None:
        """Note a record for the access log, before it is opened: a refused one is logged as refused.

        Only for a record that the path of the address does not name; ``config.access`` declares the others.
        """
        self.noted.append(Noted(record, reference))

    def note_search(self, record: RecordKind, count: int) -> None:
        """Note a search and the number of its results for the access log, never what was searched for."""
        self.noted.append(Noted(record, count=count))


def admit(request: HttpRequest, act: Act, *, now: datetime) -> HttpResponse | None:
    """Attach the desk to the request and return None, or return the answer: the sign-in page for an anonymous visitor,
    a page with status 403 for a user without any role. Two queries at most.

    :raises Http404: when no role of the user grants this right.
    """
    if not isinstance(request.user, User):
        answer: HttpResponse = redirect_to_login(_back_to(request), reverse("desk_sign_in"))
        add_never_cache_headers(answer)
        return answer
    rights = rights_of(request.user)
    if rights is None:
        answer = render(request, "dashboard/no_role.html", {"user_name": str(request.user)}, status=403)
        add_never_cache_headers(answer)
        return answer
    # Also for a refused request, whose user the access log names.
    request.desk = Desk(request.user, rights, act, now)  # type: ignore[attr-defined]
    if not may(rights, act):
        raise Http404
    return None


def desk_of(request: HttpRequest) -> Desk:
    """Return the desk of an admitted request. An address without a row in ``config.access`` has none."""
    desk: Desk = request.desk  # type: ignore[attr-defined]
    return desk


def _back_to(request: HttpRequest) -> str:
    """Return the address to open after signing in. A POST cannot be repeated after it, so it leads to the desk."""
    return request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("desk")
