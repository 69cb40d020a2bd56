"""The browsers in which customers are signed in. They have nothing to do with the sessions of staff.

A cookie of its own holds the key of a ``CustomerSession``. It never signs in a user for the desk or the admin
(``request.user`` stays anonymous), it lives longer, and either sign-in ends without the other. ``accounts.middleware``
sets and deletes the cookie.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token

from accounts.models import Customer, CustomerSession, User
from core.references import new_token, token_hash
from core.visitors import client_ip, set_private_cookie

KEPT = timedelta(days=90)
"""A session ends after this time without a visit."""
FRESH = timedelta(minutes=10)
"""How old a proof may be for changing how a customer signs in."""
_EXACTNESS = timedelta(hours=1)
_LONGEST_USER_AGENT = 200


@dataclass
class RequestSession:
    """What is known of a request's session. ``key`` is the cookie that the answer sets; empty to delete it."""

    now: datetime
    found: CustomerSession | None = None
    is_read: bool = False
    key: str | None = None


def cookie_name() -> str:
    return "__Host-customer" if settings.IS_HTTPS else "customer"


def begin_request(request: HttpRequest, *, now: datetime) -> None:
    request.customer_session = RequestSession(now)  # type: ignore[attr-defined]


def end_request(request: HttpRequest, response: HttpResponse) -> None:
    """Set or delete the cookie, if the request has signed in or out, or came a while after the one before."""
    key = _state(request).key
    if key:
        set_private_cookie(response, cookie_name(), key, max_age=int(KEPT.total_seconds()))
    elif key is not None:
        response.delete_cookie(cookie_name(), samesite="Lax")


def customer_session_time(request: HttpRequest) -> datetime:
    """Return when the request arrived."""
    return _state(request).now


def customer_of(request: HttpRequest) -> Customer | None:
    """Return the customer who is signed in. One query at most, none without the cookie.

    Once an hour it also notes that the session was used.
    """
    session = session_of(request)
    return _customer(session.user) if session else None


def session_of(request: HttpRequest) -> CustomerSession | None:
    """Return the session of a signed-in customer, as ``customer_of``. Its user has a customer's record."""
    state = _state(request)
    if not state.is_read:
        state.found, state.is_read = _read(request, state), True
    return state.found


def sign_in_customer(request: HttpRequest, customer: Customer, now: datetime) -> None:
    """Sign in a customer who has just proven who they are. The browser gets a new key, an earlier one opens nothing."""
    assert customer.user is not None  # noqa: S101 (for mypy; who signs in has a user)
    _forget(request)
    key, state = new_token(), _state(request)
    state.found = CustomerSession.objects.create(
        user=customer.user,
        key_hash=token_hash(key),
        ip=client_ip(request),
        user_agent=request.headers.get("User-Agent", "")[:_LONGEST_USER_AGENT],
        created_at=now,
        proven_at=now,
        last_seen_at=now,
    )
    state.key, state.is_read = key, True
    User.objects.filter(pk=customer.user.pk).update(last_login=now)
    # A form that was open before the sign-in is not sent as the customer.
    rotate_token(request)


def sign_out(request: HttpRequest) -> None:
    """End the session of this browser. Staff who are signed in stay so."""
    _forget(request)
    state = _state(request)
    state.found, state.is_read, state.key = None, True, ""
    rotate_token(request)


def note_proof(session: CustomerSession, *, now: datetime) -> None:
    """Note that the customer has just proven once more who they are."""
    session.proven_at = now
    session.save(update_fields=["proven_at"])


def is_fresh(session: CustomerSession, *, now: datetime) -> bool:
    return now - session.proven_at <= FRESH


def open_customer_sessions(user: User, *, now: datetime) -> list[CustomerSession]:
    """Return the sessions that still open pages, the last used one first. One query."""
    return list(user.customer_sessions.filter(last_seen_at__gt=now - KEPT).order_by("-last_seen_at", "-pk"))


def end_customer_sessions(user: User, *, only: int | None = None, keep: int | None = None) -> None:
    """Sign the customer out in every browser, or only in the session ``only``. The session ``keep`` goes on."""
    rows = user.customer_sessions.all() if keep is None else user.customer_sessions.exclude(pk=keep)
    (rows if only is None else rows.filter(pk=only)).delete()


def _state(request: HttpRequest) -> RequestSession:
    state: RequestSession = request.customer_session  # type: ignore[attr-defined]
    return state


def _read(request: HttpRequest, state: RequestSession) -> CustomerSession | None:
    key = request.COOKIES.get(cookie_name(), "")
    if not key:
        return None
    rows = CustomerSession.objects.select_related("user__customer").filter(key_hash=token_hash(key))
    found = rows.filter(user__is_active=True, last_seen_at__gt=state.now - KEPT).first()
    if found is None or _customer(found.user) is None:
        return None
    if state.now - found.last_seen_at > _EXACTNESS:
        CustomerSession.objects.filter(pk=found.pk).update(last_seen_at=state.now)
        state.key = key
    return found


def _customer(user: User) -> Customer | None:
    customer: Customer | None = getattr(user, "customer", None)
    return customer


def _forget(request: HttpRequest) -> None:
    if key := request.COOKIES.get(cookie_name(), ""):
        CustomerSession.objects.filter(key_hash=token_hash(key)).delete()
