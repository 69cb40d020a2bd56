"""Words of the page about where a customer is signed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
