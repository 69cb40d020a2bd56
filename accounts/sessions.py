"""Reads the signed-in user from a WSGI request before its body is received."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest, parse_cookie

from accounts.models import User
from accounts.staff_session import is_proven
from core.session_store import SessionStore


def may_open_admin(environ: dict[str, Any], *, now: datetime) -> bool:
    """Return whether the session cookie belongs to a user who may open the admin and has proven a second factor.

    At most two statements.
    """
    key = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME, "")
    if not key.isalnum():
        return False
    # Django does this at request_started, which has not been sent yet.
    close_old_connections()
    request = HttpRequest()
    request.session = SessionStore(key)
    user = get_user(request)
    return isinstance(user, User) and user.is_staff and is_proven(request.session, user, now=now)
