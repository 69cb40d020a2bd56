"""The page about a customer's data as text: consents, and who looked at the record."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from accounts.enums import RecordKind
from accounts.models import AccessLog, Consent
from core import formats
from privacy.enums import Hindrance
from staff.enums import Role

_PURPOSES = {
    "booking": lambda: gettext("Terms of a booking"),
    "marketing": lambda: gettext("News and offers"),
    "card_on_file": lambda: gettext("Card kept for fees"),
}
_RECORDS = {
    RecordKind.CUSTOMER: lambda: gettext("your details"),
    RecordKind.BOOKING: lambda: gettext("booking %(reference)s"),
    RecordKind.NOTES: lambda: gettext("notes about the visit %(reference)s"),
    RecordKind.RECEIPT: lambda: gettext("receipt of booking %(reference)s"),
    RecordKind.MESSAGES: lambda: gettext("messages about booking %(reference)s"),
}
_HINDRANCES = {
    Hindrance.AHEAD: lambda: gettext("A visit is still to come. Cancel it first, or wait until it is over."),
    Hindrance.BALANCE: lambda: gettext("A visit is not paid, or money is still yours."),
    Hindrance.PAYMENT: lambda: gettext("A payment is not finished yet."),
    Hindrance.REFUND: lambda: gettext("A refund has not reached you yet."),
    Hindrance.DISPUTE: lambda: gettext("A payment is disputed at your bank."),
    Hindrance.ALERT: lambda: gettext("We still have to settle something about a payment."),
    Hindrance.FEE: lambda: gettext("It is not decided yet whether a fee is due."),
}


@dataclass(frozen=True, slots=True)
class ConsentRow:
    title: str
    note: str
    text: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """``who`` is the role, never the name: that is data of somebody else."""

    who: str
    note: str


def consent_row(consent: Consent, zone: ZoneInfo) -> ConsentRow:
    words = _PURPOSES.get(consent.purpose)
    note = gettext("Yes since %(day)s") % {"day": _day(consent.given_at, zone)}
    if consent.withdrawn_at:
        days = {"day": _day(consent.given_at, zone), "end": _day(consent.withdrawn_at, zone)}
        note = gettext("Given %(day)s, withdrawn %(end)s") % days
    return ConsentRow(words() if words else consent.purpose, note, consent.text, consent.withdrawn_at is None)


def reading_row(reading: AccessLog, zone: ZoneInfo) -> ReadingRow:
    at = reading.at.astimezone(zone)
    record = _RECORDS.get(RecordKind(reading.record))
    what = record() % {"reference": formats.reference_text(reading.reference)} if record else ""
    when = f"{formats.full_day_text(at.date())}, {formats.time_text(at)}"
    return ReadingRow(_roles(reading.roles), " · ".join(filter(None, (when, str(reading.get_act_display()), what))))


def hindrance_texts(found: set[Hindrance]) -> list[str]:
    """Return what comes first, in the order of the kinds. What a visit ahead will owe is settled by cancelling it."""
    shown = found - {Hindrance.BALANCE} if Hindrance.AHEAD in found else found
    return [_HINDRANCES[each]() for each in Hindrance if each in shown]


def _roles(roles: str) -> str:
    """Return the roles of a row of the access log, such as "Front desk"."""
    labels = dict(Role.choices)
    names = ", ".join(str(labels.get(each.strip(), each.strip())) for each in roles.split(",") if each.strip())
    return (names[:1].upper() + names[1:]) or gettext("Staff")


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return formats.full_day_text(moment.astimezone(zone).date())
