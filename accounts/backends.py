"""How Django checks passwords and reads the signed-in user."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import User
from core.reads import read_rows


class UserBackend(ModelBackend):
    """Django's backend, which reads the user of a session by a statement that is built once: each page does."""

    def get_user(self, user_id: Any) -> User | None:
        found = read_rows(User, "WHERE id = %s", [user_id])
        return found[0] if found and self.user_can_authenticate(found[0]) else None
