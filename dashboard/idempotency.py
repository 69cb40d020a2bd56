"""A form counts once: its key is claimed in the sender's session, in the same transaction as the change.

Two simultaneous requests wait for the lock on the session row, so the second click of a double click finds the key
claimed.
"""

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from core.session_store import SessionStore

_NAME = "done"
_REMEMBERED = 50


def claim(request: HttpRequest, key: str) -> bool:
    """Claim a key; False when this session has claimed it before. A rollback undoes it. Locks the session row.

    A form without a key counts each time: nothing says that it is the one from before.
    """
    if not key:
        return True
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
    return bool(key) and key in _fresh(request).get(_NAME, [])


def _fresh(request: HttpRequest) -> SessionStore:
    """Return the session as stored now, not as this request loaded it."""
    return SessionStore(request.session.session_key)
