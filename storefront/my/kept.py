"""What is kept about a customer, why, and until when: from the declarations of the apps and the owner's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext, ngettext

from core import formats
from core.personal_data import DataKind, Erasing, declarations
from privacy.models import Retention
from privacy.rules import months_after


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One kind of field. ``note`` says what stays after an erasure and why; empty where nothing does."""

    what: str
    why: str
    note: str


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """A class of data. ``badge`` is the day on which the newest of it goes, or how it ends; ``until`` is a sentence."""

    title: str
    badge: str
    until: str
    rows: list[KeptRow]


def kept_groups(kept: Retention, *, last_visit: datetime | None, zone: ZoneInfo) -> list[KeptGroup]:
    """Return every declared kind of data about customers, by class. ``last_visit`` is the end of the latest one."""
    groups = []
    for kind in DataKind:
        rows = [
            KeptRow(
                str(held.what),
                gettext("%(why)s.") % {"why": held.why},
                str(held.note) if held.erasing is Erasing.KEEP else "",
            )
            for held in declarations()
            if held.kind is kind
        ]
        if kind is DataKind.STAFF or not rows:
            continue
        badge, until = _UNTIL[kind](kept, last_visit, zone)
        title = str(kind.label)
        groups.append(KeptGroup(title[:1].upper() + title[1:], badge, until, rows))
    return groups


_Until = Callable[[Retention, datetime | None, ZoneInfo], tuple[str, str]]


def _after_visit(months: int | None, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    if not months:
        return gettext("until you ask"), gettext("Kept until you ask us to erase it.")
    words = ngettext(
        "Goes by itself %(count)d month after the visit.", "Goes by itself %(count)d months after the visit.", months
    )
    day = months_after(last_visit.astimezone(zone).date(), months) if last_visit else None
    return formats.full_day_text(day) if day else "", words % {"count": months}


def _sooner(*months: int | None) -> int | None:
    return min((each for each in months if each), default=None)


def _contact(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    return _after_visit(kept.bookings_months, last_visit, zone)


def _answers(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    return _after_visit(_sooner(kept.answers_months, kept.bookings_months), last_visit, zone)


def _notes(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    return _after_visit(_sooner(kept.notes_months, kept.bookings_months), last_visit, zone)


def _messages(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    if kept.messages_months:
        return _after_visit(_sooner(kept.messages_months, kept.bookings_months), last_visit, zone)
    days = settings.MESSAGES_KEPT_DAYS
    words = ngettext(
        "Goes by itself %(count)d day after it was sent.", "Goes by itself %(count)d days after it was sent.", days
    )
    return "", words % {"count": days}


def _payments(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    if years := kept.receipt_name_years:
        words = ngettext(
            "Sums and receipts stay, because tax law asks for them. Your name on receipts goes after %(count)d year.",
            "Sums and receipts stay, because tax law asks for them. Your name on receipts goes after %(count)d years.",
            years,
        )
        return gettext("by law"), words % {"count": years}
    words = gettext(
        "Sums and receipts stay, because tax law asks for them. Your name on receipts goes with your bookings."
    )
    return gettext("by law"), words


def _logs(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    months = settings.ACCESS_LOG_KEPT_MONTHS
    words = ngettext(
        "Who opened your record goes after %(count)d month.",
        "Who opened your record goes after %(count)d months.",
        months,
    )
    rest = gettext("The rest stays until you ask us to erase it.")
    if kept.logs_months:
        rest = ngettext(
            "Reasons in histories go after %(count)d month.",
            "Reasons in histories go after %(count)d months.",
            kept.logs_months,
        ) % {"count": kept.logs_months}
    return "", f"{words % {'count': months}} {rest}"


def _sign_in(kept: Retention, last_visit: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    return "", gettext("A browser is forgotten when you sign out. The rest goes when you ask us to erase it.")


_UNTIL: dict[DataKind, _Until] = {
    DataKind.CONTACT: _contact,
    DataKind.ANSWERS: _answers,
    DataKind.NOTES: _notes,
    DataKind.MESSAGES: _messages,
    DataKind.PAYMENTS: _payments,
    DataKind.LOGS: _logs,
    DataKind.SIGN_IN: _sign_in,
}
