"""What a session knows about the sign-in of a staff user: when a second factor was proven, and the last activity.

``prove`` writes the only mark that opens pages with client data. ``config.guard`` reads it before each view.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User
from core.session_store import SessionStore

IDLE = timedelta(minutes=30)
"""A session without activity ends after this time."""
LONGEST = timedelta(hours=12)
"""A session ends this long after the sign-in, however active it is."""
SET_UP = timedelta(minutes=15)
"""How long a session lasts in which only the password was typed."""
FRESH_TO_SEE, FRESH_TO_ACT = timedelta(minutes=5), timedelta(minutes=10)
"""How old a proof may be for a page that asks for a fresh one, and for its form, which takes time to fill in."""
_KEY = "staff"
_PASSWORD_AT = "password_at"  # noqa: S105 (a name)
_EXACTNESS = timedelta(minutes=1)


class SignInState(Enum):
    """How far the sign-in of a session got."""

    PASSWORD = auto()  # the second factor is missing
    PROVEN = auto()
    IDLE = auto()  # proven, but without activity for too long
    OVER = auto()  # proven or begun too long ago


def begin(session: SessionBase, *, now: datetime) -> None:
    """Note that a right password was typed."""
    session[_PASSWORD_AT] = now.timestamp()


def prove(session: SessionBase, user: User, *, now: datetime) -> None:
    """Note that ``user`` has just proven a second factor in this session, at the sign-in or again."""
    known = _mark(session, user)
    session[_KEY] = {
        "user": user.pk,
        "began_at": known.get("began_at", now.timestamp()),
        "proven_at": now.timestamp(),
        "active_at": now.timestamp(),
    }
    session.pop(_PASSWORD_AT, None)
    UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=now)


def is_proven(session: SessionBase, user: User, *, now: datetime) -> bool:
    return state_of(session, user, now=now) is SignInState.PROVEN


def state_of(session: SessionBase, user: User, *, now: datetime) -> SignInState:
    mark = _mark(session, user)
    if not mark:
        began_at = session.get(_PASSWORD_AT, 0)
        return SignInState.OVER if now.timestamp() - began_at > SET_UP.total_seconds() else SignInState.PASSWORD
    if now.timestamp() - mark["began_at"] > LONGEST.total_seconds():
        return SignInState.OVER
    return SignInState.IDLE if seconds_left(session, user, now=now) < 0 else SignInState.PROVEN


def seconds_left(session: SessionBase, user: User, *, now: datetime) -> float:
    """Return in how many seconds the session ends without activity; negative if it has ended."""
    return float(_mark(session, user).get("active_at", 0) + IDLE.total_seconds() - now.timestamp())


def is_fresh(session: SessionBase, user: User, *, within: timedelta, now: datetime) -> bool:
    """Return whether a second factor or the password was proven ``within`` this time."""
    return now.timestamp() - float(_mark(session, user).get("proven_at", 0)) <= within.total_seconds()


def note_activity(session: SessionBase, user: User, *, now: datetime) -> bool:
    """Note an activity of the user, once a minute at most. Return whether it was noted. Locks the session's row.

    It changes the row as stored now, because the session of this request is older and would undo what others wrote.
    """
    mark = _mark(session, user)
    if not mark or now.timestamp() - mark["active_at"] < _EXACTNESS.total_seconds():
        return False
    with transaction.atomic():
        if not Session.objects.select_for_update(no_key=True).filter(pk=session.session_key).exists():
            return False
        stored = SessionStore(session.session_key)
        stored[_KEY] = {**mark, "active_at": now.timestamp()}
        stored.save()
    return True


def rotate_key(session: SessionBase) -> None:
    """Give the session a new key, so that a key which was known before opens nothing."""
    before = session.session_key
    session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=session.session_key)


def _mark(session: SessionBase, user: User) -> dict[str, float]:
    """Return the mark of this user's second factor; empty without one."""
    mark = session.get(_KEY) or {}
    return mark if mark.get("user") == user.pk else {}
