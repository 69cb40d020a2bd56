"""A form counts once: its key is claimed in the session of who sends it, in the transaction of what is done.

Two requests at once meet at the session's row, so an impatient double click finds its key taken.
"""

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

_NAME = "done"
_REMEMBERED = 50


def claim(request: HttpRequest, key: str) -> bool:
    """Take a key; False when the same person has sent it before. Undone with the transaction. Locks the session."""
    with transaction.atomic():
        Session.objects.select_for_update(no_key=True).get(pk=request.session.session_key)
        store = _fresh(request)
        done: list[str] = store.get(_NAME, [])
        if key in done:
            return False
        store[_NAME] = [*done[1 - _REMEMBERED :], key]
        store.save()
    return True


def is_claimed(request: HttpRequest, key: str) -> bool:
    return key in _fresh(request).get(_NAME, [])


def _fresh(request: HttpRequest) -> SessionStore:
    """The session as it is stored now, not as this request has read it."""
    return SessionStore(request.session.session_key)
