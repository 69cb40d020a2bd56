"""Second factors of the demo's users, on the developer's machine only: their secrets are public, like its password."""

import base64
import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from django.conf import settings

from accounts.models import User
from accounts.second_factor import CODE_SECONDS, code_at, has_second_factor, second_factors_of, step_at
from demo import people


def is_this_machine() -> bool:
    """Return whether the site is only for the person who started it."""
    return urlsplit(settings.SITE_URL).hostname in {"localhost", "127.0.0.1", "::1"}


def demo_secret(email: str) -> str:
    """Return the secret of the app of a demo user, in base32. It follows from the e-mail address."""
    return base64.b32encode(hashlib.sha1(f"linden-demo:{email}".encode()).digest()).decode()  # noqa: S324 (no secret)


def set_up_apps() -> None:
    """Give every demo user without a second factor an app with the public secret."""
    for user in User.objects.filter(email__in=[person.email for person in people.SIGN_INS]).order_by("pk"):
        if not has_second_factor(user):
            TOTP.activate(user, demo_secret(user.email))


def current_code(user: User, *, now: datetime) -> tuple[str, int] | None:
    """Return the code that the user's app shows, and for how many seconds it counts; None for a user without an app.

    If it was used, the next one is returned, which counts already.
    """
    app = second_factors_of(user).app
    if app is None:
        return None
    step = max(step_at(now), app.data.get("last_step", 0) + 1)
    return code_at(decrypt(app.data["secret"]), step), (step + 1) * CODE_SECONDS - int(now.timestamp())
