"""Limits on sign-in attempts. All sign-in pages share them, and they apply before a password is checked.

Only wrong passwords count. A browser that signed in before has its own limits (by a signed device cookie), so an
attacker who guesses an account's password elsewhere cannot lock out its owner.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from core import limits
from core.outbox import publish
from core.references import keyed_hash, new_token
from core.visitors import client_address, set_private_cookie

DEVICE_COOKIE = "device"
_SALT = "accounts.sign_in.device"
_DEVICE_SECONDS = 180 * 24 * 3600
_ACCOUNTS_KEPT = 5
_DAY_SECONDS = 24 * 3600
_MINUTE, _DAY = "sign-in", "sign-in-day"


@dataclass(frozen=True)
class Try:
    """One sign-in attempt.

    :param keys: what a failure counts for, the client's address first.
    :param account: the typed e-mail address in the form that is counted.
    """

    keys: tuple[str, ...]
    account: str

    def is_allowed(self) -> bool:
        """Return whether the password may be checked. Asking does not count."""
        return not any(
            limits.is_reached(_MINUTE, key, limit=settings.SIGN_INS_PER_MINUTE)
            or limits.is_reached(_DAY, key, limit=settings.SIGN_INS_PER_DAY)
            for key in self.keys
        )

    def count_failure(self, *, now: datetime) -> None:
        """Count a wrong password.

        When unknown browsers reach an account's daily limit, this publishes ``sign_in.guessed``.
        """
        for key in self.keys:
            limits.allow(_MINUTE, key, per_minute=settings.SIGN_INS_PER_MINUTE)
            more_follow = limits.within(_DAY, key, limit=settings.SIGN_INS_PER_DAY - 1, seconds=_DAY_SECONDS)
            if key == self.account and not more_follow:
                self._tell_owners(now)

    def _tell_owners(self, now: datetime) -> None:
        user = User.objects.filter(email__iexact=self.account, is_active=True).first()
        if user is not None:
            payload = {"user_id": user.pk, "count": settings.SIGN_INS_PER_DAY}
            with transaction.atomic():
                publish("sign_in.guessed", f"user:{user.pk}:{now:%Y-%m-%d}", payload, now=now)


def sign_in_try(request: HttpRequest, typed: str) -> Try:
    """Return the attempt of this request to sign in as ``typed``, an e-mail address."""
    account = _account(typed)
    device, accounts = _device(request)
    own = f"device:{device}" if _pseudonym(account) in accounts else account
    return Try((client_address(request), own), account)


def remember_device(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Set the device cookie after a sign-in, so that this browser is known as one of the account's."""
    device, accounts = _device(request)
    account = _pseudonym(_account(email))
    kept = [account, *(each for each in accounts if each != account)][:_ACCOUNTS_KEPT]
    value = signing.dumps([device or new_token(), kept], salt=_SALT)
    set_private_cookie(response, DEVICE_COOKIE, value, max_age=_DEVICE_SECONDS)


def _device(request: HttpRequest) -> tuple[str, list[str]]:
    """Return the id in the device cookie and the accounts that signed in with it; empty without a valid cookie."""
    try:
        device, accounts = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=_DEVICE_SECONDS)
    except (signing.BadSignature, ValueError):
        return "", []
    return device, accounts


def _account(typed: str) -> str:
    # Users are looked up in upper case, where a dotless ı equals I, so both have to count as one account.
    return typed.strip().upper().lower()


def _pseudonym(account: str) -> str:
    return keyed_hash(settings.SECRET_KEY, f"device-account:{account}")
