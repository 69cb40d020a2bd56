"""The session engine that SESSION_ENGINE names: Django's sessions in the database, read by a statement that is built
once. Every request of the desk reads one, and building Django's query takes longer than running it.
"""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.reads import read_rows


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = read_rows(Session, "WHERE session_key = %s AND expire_date > %s", [self.session_key, timezone.now()])
        if not found:
            self._session_key = None
            return None
        return found[0]
