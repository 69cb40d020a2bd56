"""Words of the page about how and where a customer signs in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.utils.translation import gettext

from accounts.devices import device_text
from accounts.models import CustomerSession
from core.formats import full_day_text

# Use is noted once an hour.
_NOW_MINUTES = 70


@dataclass(frozen=True, slots=True)
class BrowserRow:
    """A browser in which the customer is signed in."""

    id: int
    title: str
    note: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    id: int
    title: str
    note: str


def passkey_rows(passkeys: Sequence[Authenticator]) -> list[PasskeyRow]:
    since = gettext("Since %(day)s")
    return [
        PasskeyRow(row.pk, row.wrap().name, since % {"day": full_day_text(row.created_at.date())}) for row in passkeys
    ]


def browser_rows(sessions: Sequence[CustomerSession], *, current: int, now: datetime) -> list[BrowserRow]:
    return [
        BrowserRow(
            id=row.pk,
            title=device_text(row.user_agent),
            note=f"{_used_text(row, now)} · {row.ip}",
            is_current=row.pk == current,
        )
        for row in sessions
    ]


def _used_text(row: CustomerSession, now: datetime) -> str:
    minutes = int((now - row.last_seen_at).total_seconds() // 60)
    if minutes < _NOW_MINUTES:
        return gettext("Used within the last hour")
    return gettext("Last used on %(day)s") % {"day": full_day_text(row.last_seen_at.date())}
