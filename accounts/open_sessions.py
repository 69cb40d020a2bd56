"""The browsers in which a user is signed in, as allauth's ``UserSession`` rows; each stands for a session."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User
from accounts.staff_session import IDLE

# ``last_seen_at`` is as exact as this.
_EXACTNESS = timedelta(minutes=1)


def open_sessions(user: User, *, now: datetime) -> list[UserSession]:
    """Return the sessions that still open pages, the last active one first. One query."""
    stored = Session.objects.values("session_key")
    rows = UserSession.objects.filter(user_id=user.pk, session_key__in=stored)
    return list(rows.filter(last_seen_at__gt=now - IDLE - _EXACTNESS).order_by("-last_seen_at"))


@transaction.atomic
def end_sessions(user: User, *, only: int | None = None, keep: str | None = None) -> None:
    """Sign the user out in every browser, or only in the one with the id ``only``.

    The session with the key ``keep`` goes on.
    """
    rows = UserSession.objects.filter(user_id=user.pk).exclude(session_key=keep or "")
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    rows.filter(session_key__in=keys).delete()
