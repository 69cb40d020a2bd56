"""Admission of staff: the sign-in with its second factor, then the role. ``config.guard`` asks before each view."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts import staff_session
from accounts.enums import RecordKind
from accounts.models import User
from accounts.second_factor import has_second_factor
from accounts.staff_session import SignInState
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


ENDED, ENDED_IDLE, ENDED_OVER = "ended", "idle", "over"
"""A parameter of the sign-in page, and its values: why a session has ended."""
BACKGROUND_HEADER = "X-Background"
"""Scripts send it with requests that no user asked for. These are no activity."""
GO_TO_HEADER = "X-Go-To"
"""Names the page that a script should open instead."""


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
        return roles_text(self.rights)

    def note_reading(self, record: RecordKind, reference: str) -> None:
        """Note a record for the access log, before it is opened: a refused one is logged as refused.

        Only for a record that the path of the address does not name; ``config.access`` declares the others.
        """
        self.noted.append(Noted(record, reference))

    def note_search(self, record: RecordKind, count: int) -> None:
        """Note a search and the number of its results for the access log, never what was searched for."""
        self.noted.append(Noted(record, count=count))


def roles_text(rights: Rights) -> str:
    """Return the roles of a user as the access log stores them: "owner,therapist"."""
    return ",".join(role for role in Role if role in rights.roles)


def check_sign_in(
    request: HttpRequest, *, is_set_up: bool = False, is_fresh: bool = False, now: datetime
) -> HttpResponse | None:
    """Return None if the user has proven a second factor in this session, or the page that has to come first.

    It is the sign-in for visitors and for sessions that have ended, the set-up for users who have typed their password
    and have no second factor yet, and the page that asks again for users whose proof is not as fresh as ``is_fresh``
    wants. ``is_set_up``: the request asks for the set-up itself. No query while a session with a second factor is
    active, six once a minute.
    """
    user = request.user
    if not isinstance(user, User):
        return _to_sign_in(request)
    state = staff_session.state_of(request.session, user, now=now)
    if state is SignInState.PROVEN:
        if BACKGROUND_HEADER not in request.headers:
            _note_activity(request, user, now)
        within = staff_session.FRESH_TO_ACT if request.method == "POST" else staff_session.FRESH_TO_SEE
        if is_fresh and not staff_session.is_fresh(request.session, user, within=within, now=now):
            return _send(request, "desk_confirm", {"next": _back_to(request)})
        return None
    if state is SignInState.PASSWORD and not has_second_factor(user):
        if is_set_up:
            return None
        return _to_set_up(request) if user.is_staff or rights_of(user) else _no_role(request, user)
    end_session(request)
    return _to_sign_in(request, ENDED_IDLE if state is SignInState.IDLE else ENDED_OVER)


def admit(request: HttpRequest, act: Act, *, now: datetime) -> HttpResponse | None:
    """Attach the desk to the request and return None, or return a page with status 403 for a user without any role.

    The request has passed ``check_sign_in``. Two queries at most.

    :raises Http404: when no role of the user grants this right.
    """
    user = user_of(request)
    rights = rights_of(user)
    if rights is None:
        return _no_role(request, user)
    # Also for a refused request, whose user the access log names.
    request.desk = Desk(user, rights, act, now)  # type: ignore[attr-defined]
    if not may(rights, act):
        raise Http404
    return None


def desk_of(request: HttpRequest) -> Desk:
    """Return the desk of an admitted request. An address without a row in ``config.access`` has none."""
    desk: Desk = request.desk  # type: ignore[attr-defined]
    return desk


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user of a request that has passed ``check_sign_in``."""
    assert isinstance(request.user, User)  # noqa: S101 (for mypy)
    return request.user


def end_session(request: HttpRequest) -> None:
    """Sign the user out in this browser and forget the session."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request)


def _no_role(request: HttpRequest, user: User) -> HttpResponse:
    settings_url = reverse("admin:index") if user.is_staff else ""
    context = {"user_name": str(user), "settings_url": settings_url}
    answer = render(request, "dashboard/no_role.html", context, status=403)
    add_never_cache_headers(answer)
    return answer


def _note_activity(request: HttpRequest, user: User, now: datetime) -> None:
    if staff_session.note_activity(request.session, user, now=now):
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)


def _to_sign_in(request: HttpRequest, ended: str = "") -> HttpResponse:
    return _send(request, "account_login", {"next": _back_to(request)} | ({ENDED: ended} if ended else {}))


def _to_set_up(request: HttpRequest) -> HttpResponse:
    return _send(request, "desk_set_up", {"next": _back_to(request)})


def _send(request: HttpRequest, name: str, parameters: dict[str, str]) -> HttpResponse:
    url = f"{reverse(name)}?{urlencode(parameters, safe='/')}"
    answer: HttpResponse
    if "HX-Request" in request.headers:
        # htmx would put the answer into a part of the page.
        answer = HttpResponse(status=204, headers={"HX-Redirect": url})
    elif BACKGROUND_HEADER in request.headers:
        answer = HttpResponse(status=401, headers={GO_TO_HEADER: url})
    else:
        answer = redirect(url)
    add_never_cache_headers(answer)
    return answer


def _back_to(request: HttpRequest) -> str:
    """Return the address to open afterwards: the requested one, or the page of a form, which cannot be sent again.

    A browser names the page of a form by its origin and path; without that the way leads to the desk.
    """
    is_script = "HX-Request" in request.headers or BACKGROUND_HEADER in request.headers
    if request.method in {"GET", "HEAD"} and not is_script:
        return request.get_full_path()
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    is_own = page.netloc == request.get_host() and page.path.startswith(("/desk/", "/admin/"))
    return f"{page.path}?{page.query}".removesuffix("?") if is_own else reverse("desk")
