"""Limits on wrong passwords and wrong codes. They apply before a secret is checked.

Only wrong ones count. A browser that signed in before has its own limits (by a signed device cookie), so an attacker
who guesses an account's password elsewhere cannot lock out its owner.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
CODES_PER_MINUTE, CODES_PER_DAY = 5, 30
"""Wrong codes per account and address. Of a million codes three are right at a time."""
_SALT = "accounts.sign_in.device"
_DEVICE_SECONDS = 180 * 24 * 3600
_ACCOUNTS_KEPT = 5
_DAY_SECONDS = 24 * 3600


class Secret(StrEnum):
    """What a user types to prove who they are. The value names the limits in which wrong ones count."""

    PASSWORD = "sign-in"  # noqa: S105 (a name)
    CODE = "code"

    @property
    def per_minute(self) -> int:
        return int(settings.SIGN_INS_PER_MINUTE) if self is Secret.PASSWORD else CODES_PER_MINUTE

    @property
    def per_day(self) -> int:
        return int(settings.SIGN_INS_PER_DAY) if self is Secret.PASSWORD else CODES_PER_DAY


@dataclass(frozen=True)
class Try:
    """One attempt to type a secret.

    :param keys: what a failure counts for, the client's address first.
    :param account: the e-mail address of the account in the form that is counted.
    """

    secret: Secret
    keys: tuple[str, ...]
    account: str

    def is_allowed(self) -> bool:
        """Return whether the secret may be checked. Asking does not count."""
        return not any(
            limits.is_reached(self.secret, key, limit=self.secret.per_minute)
            or limits.is_reached(f"{self.secret}-day", key, limit=self.secret.per_day)
            for key in self.keys
        )

    def count_failure(self, *, now: datetime) -> None:
        """Count a wrong secret.

        When unknown browsers reach an account's daily limit, this publishes ``sign_in.guessed``; for codes any browser.
        """
        for key in self.keys:
            limits.allow(self.secret, key, per_minute=self.secret.per_minute)
            more_follow = limits.within(f"{self.secret}-day", key, limit=self.secret.per_day - 1, seconds=_DAY_SECONDS)
            # A wrong code follows a right password, so it is a warning from a known browser as well.
            is_counted = key == self.account or (self.secret is Secret.CODE and key == self.keys[-1])
            if is_counted and not more_follow:
                self._tell_owners(now)

    def _tell_owners(self, now: datetime) -> None:
        user = User.objects.filter(email__iexact=self.account, is_active=True).first()
        if user is not None:
            payload = {"user_id": user.pk, "count": self.secret.per_day, "secret": self.secret.name.lower()}
            with transaction.atomic():
                publish("sign_in.guessed", f"user:{user.pk}:{self.secret}:{now:%Y-%m-%d}", payload, now=now)


def sign_in_try(request: HttpRequest, typed: str, secret: Secret = Secret.PASSWORD) -> Try:
    """Return the attempt of this request to sign in as ``typed``, an e-mail address."""
    account = _account(typed)
    device, accounts = _device(request)
    own = f"device:{device}" if _pseudonym(account) in accounts else account
    return Try(secret, (client_address(request), own), account)


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
