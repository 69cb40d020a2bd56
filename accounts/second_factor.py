"""The second factor of users: codes of an app, passkeys and recovery codes, stored as allauth's authenticators.

A code counts once, in every process and without Redis, because the row of the authenticator remembers it. The last app
or passkey of a user cannot be removed, only replaced or reset by an owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code, normalize_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.open_sessions import end_sessions
from core.errors import Conflict, Refused
from core.outbox import publish

APP, PASSKEY, CODES = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES
CODE_SECONDS = 30
_REMEMBERED_STEPS = 10
"""Codes of the last five minutes are told apart from wrong ones."""


class SignInChange(StrEnum):
    """What the owner of an account is told by e-mail, because somebody else could have done it."""

    ADDED = "added"
    REMOVED = "removed"
    RESET = "reset"
    NEW_CODES = "new_codes"
    CODE_USED = "code_used"
    PASSWORD = "password"  # noqa: S105 (a name)
    NO_PASSWORD = "no_password"  # noqa: S105 (a name)


class CodeAnswer(Enum):
    RIGHT = auto()
    WRONG = auto()
    OVER = auto()  # was right a few minutes ago
    USED = auto()  # is right, but has been used


class SecondFactorExists(Conflict):
    """The user has a second factor meanwhile, so it takes that one to add another."""

    code = "second_factor_exists"


class LastSecondFactor(Refused):
    """Staff always keep an app or a passkey."""

    code = "last_second_factor"


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a user can prove themselves with. ``codes_left`` counts the recovery codes that are not used."""

    app: Authenticator | None
    passkeys: tuple[Authenticator, ...]
    codes: Authenticator | None
    codes_left: int

    def __bool__(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def second_factors_of(user: User) -> SecondFactors:
    """Read a user's authenticators in one query."""
    rows = list(Authenticator.objects.filter(user_id=user.pk).order_by("pk"))
    codes = next((row for row in rows if row.type == CODES), None)
    return SecondFactors(
        app=next((row for row in rows if row.type == APP), None),
        passkeys=tuple(row for row in rows if row.type == PASSKEY),
        codes=codes,
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
    )


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=(APP, PASSKEY)).exists())


@transaction.atomic
def check_code(user: User, typed: str, *, now: datetime) -> CodeAnswer:
    """Check a code of the user's app, or a recovery code. A right code never counts again. Locks the authenticators."""
    rows = Authenticator.objects.select_for_update().filter(user_id=user.pk, type__in=(APP, CODES)).order_by("pk")
    by_type = {row.type: row for row in rows}
    app, codes = by_type.get(APP), by_type.get(CODES)
    answer = _check_app(app, typed, now) if app else CodeAnswer.WRONG
    if answer is CodeAnswer.WRONG and codes and codes.wrap().validate_code(typed):
        Authenticator.objects.filter(pk=codes.pk).update(last_used_at=now)
        tell_user(user, SignInChange.CODE_USED, now=now)
        return CodeAnswer.RIGHT
    return answer


def new_secret() -> str:
    """Return a new secret for an app, encrypted, to keep it in the session until a code proves that the app has it."""
    return str(encrypt(generate_totp_secret()))


def plain_secret(kept: str) -> str:
    return str(decrypt(kept))


def code_at(secret: str, step: int) -> str:
    """Return the code of an app in a step of CODE_SECONDS, counted from 1970."""
    return str(format_hotp_value(hotp_value(secret, step)))


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // CODE_SECONDS


@transaction.atomic
def add_app(user: User, secret: str, typed: str, *, is_first: bool, now: datetime) -> tuple[CodeAnswer, Sequence[str]]:
    """Store the app that shows ``typed``, in place of an earlier app. Return new recovery codes with the first factor.

    Locks the user's row.

    :raises SecondFactorExists: if ``is_first`` and the user has a second factor.
    """
    _lock(user, is_first=is_first)
    step, answer = _step_of(secret, typed, now)
    if answer is not CodeAnswer.RIGHT:
        return answer, ()
    Authenticator.objects.filter(user_id=user.pk, type=APP).delete()
    row = TOTP.activate(user, secret).instance
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    tell_user(user, SignInChange.ADDED, now=now)
    return answer, _first_recovery_codes(user)


@transaction.atomic
def add_passkey(user: User, credential: dict[str, Any], name: str, *, is_first: bool, now: datetime) -> Sequence[str]:
    """Store a passkey whose registration was checked. Return new recovery codes with the first factor.

    Locks the user's row.

    :raises SecondFactorExists: if ``is_first`` and the user has a second factor.
    """
    _lock(user, is_first=is_first)
    WebAuthn.add(user, name, credential)
    tell_user(user, SignInChange.ADDED, now=now)
    return _first_recovery_codes(user)


@transaction.atomic
def remove_second_factor(user: User, authenticator_id: int, *, now: datetime) -> None:
    """Remove an app or a passkey of this user; nothing happens if it is gone. Locks the user's row.

    :raises LastSecondFactor: if the user has no other.
    """
    _lock(user, is_first=False)
    rows = Authenticator.objects.filter(user_id=user.pk, type__in=(APP, PASSKEY))
    if rows.filter(pk=authenticator_id).exists() and not rows.exclude(pk=authenticator_id).exists():
        raise LastSecondFactor(_("This is your only second step. Add another one first, then remove this one."))
    if rows.filter(pk=authenticator_id).delete()[0]:
        tell_user(user, SignInChange.REMOVED, now=now)


@transaction.atomic
def new_recovery_codes(user: User, *, now: datetime) -> Sequence[str]:
    """Replace the user's recovery codes and return the new ones. Locks the user's row."""
    _lock(user, is_first=False)
    Authenticator.objects.filter(user_id=user.pk, type=CODES).delete()
    tell_user(user, SignInChange.NEW_CODES, now=now)
    return _first_recovery_codes(user)


@transaction.atomic
def reset_second_factor(user: User, *, now: datetime) -> None:
    """Remove every second factor and end all sessions, so that the user sets up a new one after the next password.

    Locks the user's row.
    """
    _lock(user, is_first=False)
    Authenticator.objects.filter(user_id=user.pk).delete()
    end_sessions(user)
    tell_user(user, SignInChange.RESET, now=now)


@transaction.atomic
def change_password(user: User, password: str, *, now: datetime) -> None:
    """Store a new password. Every session of the user ends that does not know the new one."""
    user.set_password(password)
    user.save(update_fields=["password"])
    tell_user(user, SignInChange.PASSWORD, now=now)


def tell_user(user: User, change: SignInChange, *, now: datetime) -> None:
    """Publish ``sign_in.changed``, in the transaction of the change."""
    payload = {"user_id": user.pk, "change": change.value}
    publish("sign_in.changed", f"user:{user.pk}:{change}:{now.isoformat()}", payload, now=now)


def _lock(user: User, *, is_first: bool) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if is_first and has_second_factor(user):
        raise SecondFactorExists(_("You have set up a second step meanwhile. Sign in with it."))


def _first_recovery_codes(user: User) -> Sequence[str]:
    """Make recovery codes and return them; empty if the user has some."""
    if Authenticator.objects.filter(user_id=user.pk, type=CODES).exists():
        return ()
    return tuple(RecoveryCodes.activate(user).generate_codes())


def _check_app(row: Authenticator, typed: str, now: datetime) -> CodeAnswer:
    step, answer = _step_of(decrypt(row.data["secret"]), typed, now)
    if answer is not CodeAnswer.RIGHT:
        return answer
    if step <= row.data.get("last_step", 0):
        return CodeAnswer.USED
    row.data["last_step"] = step
    row.last_used_at = now
    row.save(update_fields=["data", "last_used_at"])
    return CodeAnswer.RIGHT


def _step_of(secret: str, typed: str, now: datetime) -> tuple[int, CodeAnswer]:
    """Return the step in which the app shows this code, and whether that is now."""
    code, current = normalize_user_code(typed), step_at(now)
    accepted = range(current - settings.MFA_TOTP_TOLERANCE, current + settings.MFA_TOTP_TOLERANCE + 1)
    for step in reversed(range(current - _REMEMBERED_STEPS, accepted.stop)):
        if compare_user_code(actual=code, expected=code_at(secret, step)):
            return step, CodeAnswer.RIGHT if step in accepted else CodeAnswer.OVER
    return 0, CodeAnswer.WRONG
