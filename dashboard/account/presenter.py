"""Words of the pages about signing in and one's own account."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from allauth.mfa.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.utils.translation import gettext

from accounts.devices import device_text
from accounts.models import User
from accounts.second_factor import SecondFactors
from core.formats import full_day_text, minutes_text
from dashboard.door import ENDED_IDLE, ENDED_OVER

RECOVERY_CODES = 10
# Activity is noted once a minute.
_NOW_MINUTES = 3


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What the second step of a sign-in offers. ``codes_left`` is empty for a user without recovery codes."""

    title: str
    has_app: bool
    has_passkey: bool
    codes_left: str
    start_again: str


@dataclass(frozen=True, slots=True)
class NewApp:
    """How an app gets its secret: by a picture, by a link on the same phone, or typed in groups of four."""

    picture: str
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class WayRow:
    """An app or a passkey of the account page."""

    id: int
    icon_name: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class BrowserRow:
    """A browser in which the user is signed in."""

    id: int
    title: str
    note: str
    is_current: bool


def ended_text(why: str) -> str:
    """Return why the sign-in page shows although the visitor was signed in; empty for anything else."""
    return {
        ENDED_IDLE: gettext("You were signed out after 30 minutes without activity. Sign in to go on where you were."),
        ENDED_OVER: gettext("Your sign-in has run out. Sign in to go on where you were."),
    }.get(why, "")


def second_step(user: User, factors: SecondFactors) -> SecondStep:
    name = given_name(user)
    left = gettext("Each works once. You have %(left)d of %(all)d left.")
    return SecondStep(
        title=gettext("Is it really you, %(name)s?") % {"name": name},
        has_app=factors.app is not None,
        has_passkey=bool(factors.passkeys),
        codes_left=left % {"left": factors.codes_left, "all": RECOVERY_CODES} if factors.codes else "",
        start_again=gettext("Not %(name)s? Start again") % {"name": name},
    )


def given_name(user: User) -> str:
    return user.name.split()[0] if user.name.strip() else user.email


def new_app(user: User, secret: str, issuer: str) -> NewApp:
    """Describe the secret (base32) as apps read it."""
    label = f"{quote(issuer)}:{quote(user.email)}"
    url = f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
    picture = b64encode(get_adapter().build_totp_svg(url).encode()).decode()
    return NewApp(
        f"data:image/svg+xml;base64,{picture}",
        url,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    )


def grouped(codes: Sequence[str]) -> list[str]:
    """Write recovery codes as two groups of four digits."""
    return [f"{code[:4]} {code[4:]}" for code in codes]


def codes_file(codes: Sequence[str], user: User, site: str) -> str:
    """Return the recovery codes as a text file in an address, so that a link can save them."""
    title = gettext("Recovery codes of %(email)s for %(site)s") % {"email": user.email, "site": site}
    text = "\n".join([title, gettext("Each works once."), "", *grouped(codes), ""])
    return f"data:text/plain;charset=utf-8,{quote(text)}"


def way_rows(factors: SecondFactors) -> list[WayRow]:
    rows = [(factors.app, "smartphone", gettext("App on your phone"))] if factors.app else []
    passkey = gettext("Passkey: %(name)s")
    rows += [(row, "fingerprint", passkey % {"name": row.wrap().name}) for row in factors.passkeys]
    return [
        WayRow(row.pk, icon, title, gettext("Since %(day)s") % {"day": full_day_text(row.created_at.date())})
        for row, icon, title in rows
    ]


def codes_text(factors: SecondFactors) -> str:
    if not factors.codes_left:
        return gettext("None left. Make new ones, in case your phone gets lost.")
    return gettext("%(left)d of %(all)d left") % {"left": factors.codes_left, "all": RECOVERY_CODES}


def browser_rows(sessions: Sequence[UserSession], *, current: str | None, now: datetime) -> list[BrowserRow]:
    return [
        BrowserRow(
            id=row.pk,
            title=device_text(row.user_agent),
            note=f"{_active_text(row, now)} · {row.ip}",
            is_current=row.session_key == current,
        )
        for row in sessions
    ]


def _active_text(row: UserSession, now: datetime) -> str:
    minutes = int((now - row.last_seen_at).total_seconds() // 60)
    if minutes < _NOW_MINUTES:
        return gettext("Active now")
    return gettext("Active %(time)s ago") % {"time": minutes_text(minutes)}
