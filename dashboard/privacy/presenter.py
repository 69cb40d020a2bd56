"""Requests about personal data as text: the list, one case, and what stands in the way of erasing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import Customer
from bookings.booked import local
from bookings.models import Booking
from core import formats
from dashboard.presenters.due import due_text
from privacy.enums import UNFINISHED, CaseKind, CaseState, CaseStep, Hindrance
from privacy.models import CaseEvent, PrivacyCase
from privacy.rules import SOON_DAYS

_KINDS = {
    CaseKind.ACCESS: lambda: gettext("Copy of the data"),
    CaseKind.ERASURE: lambda: gettext("Erasure"),
}
_STEPS = {
    CaseStep.OPENED: lambda: gettext("Request noted"),
    CaseStep.EXPORTED: lambda: gettext("Data downloaded"),
    CaseStep.APPROVED: lambda: gettext("Erasure approved"),
    CaseStep.HINDERED: lambda: gettext("Not erased, because something came in the way"),
    CaseStep.ERASED: lambda: gettext("Customer erased"),
    CaseStep.DONE: lambda: gettext("Done"),
    CaseStep.DECLINED: lambda: gettext("Declined"),
}
_HINDRANCES = {
    Hindrance.AHEAD: lambda: gettext("Still to come. Cancel it first, or wait until it is over."),
    Hindrance.BALANCE: lambda: gettext("Paid and owed differ. Take the payment, waive it, or pay it back."),
    Hindrance.PAYMENT: lambda: gettext("A payment is not finished yet."),
    Hindrance.REFUND: lambda: gettext("A refund has not reached the customer yet."),
    Hindrance.DISPUTE: lambda: gettext("A payment is disputed. The bank may still ask for proof."),
    Hindrance.ALERT: lambda: gettext("A problem with its money is on the to-do list."),
    Hindrance.FEE: lambda: gettext("Its fee can still be waived, and is charged after that."),
}


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case. ``due`` says until when, or how late it is; empty once it is closed."""

    url: str
    name: str
    kind: str
    note: str
    due: str
    is_late: bool
    badge: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A booking that has to be settled before its customer can be erased."""

    url: str
    title: str
    reasons: tuple[str, ...]


def customer_name(customer: Customer) -> str:
    if customer.erased_at is not None:
        return gettext("Erased customer")
    return customer.name or gettext("No name given")


def case_row(case: PrivacyCase, *, zone: ZoneInfo, today: date) -> CaseRow:
    is_open = case.state in UNFINISHED
    return CaseRow(
        url=reverse("desk_privacy_case", args=[case.reference]),
        name=customer_name(case.customer),
        kind=_KINDS[CaseKind(case.kind)](),
        note=_when_note(case, zone),
        due=due_text(case.due_on, today) if is_open else "",
        is_late=is_open and case.due_on < today,
        badge=_badge(case, today),
    )


def steps_of(events: Iterable[CaseEvent], *, zone: ZoneInfo) -> list[Step]:
    """Return the history of a case, the latest first."""
    rows = []
    for event in events:
        what = _STEPS[CaseStep(event.step)]()
        if event.hindrances:
            labels = ", ".join(str(Hindrance(code).label) for code in event.hindrances)
            what = gettext("%(what)s: a booking %(reasons)s") % {"what": what, "reasons": labels}
        at = event.at.astimezone(zone)
        moment = f"{formats.full_day_text(at.date())}, {formats.time_text(at)}"
        rows.append(Step(what, event.actor_name or gettext("automatically"), moment))
    return rows[::-1]


def obstacles_of(found: dict[Hindrance, list[int]], bookings: Sequence[Booking]) -> list[Obstacle]:
    """Return the bookings in the order of time, each with what has to be settled.

    What a booking ahead will owe is no reason of its own: cancelling it settles that.
    """
    ahead = set(found.get(Hindrance.AHEAD, ()))
    rows = []
    for booking in bookings:
        of_it = [each for each in Hindrance if booking.pk in found.get(each, ())]
        reasons = tuple(
            _HINDRANCES[each]() for each in of_it if each is not Hindrance.BALANCE or booking.pk not in ahead
        )
        if reasons:
            title = formats.moment_text(local(booking.starts_at, booking))
            rows.append(Obstacle(reverse("desk_booking", args=[booking.reference]), title, reasons))
    return rows


def _when_note(case: PrivacyCase, zone: ZoneInfo) -> str:
    opened = formats.full_day_text(case.opened_at.astimezone(zone).date())
    if case.closed_at is None:
        return gettext("Noted %(day)s") % {"day": opened}
    closed = formats.full_day_text(case.closed_at.astimezone(zone).date())
    return gettext("Noted %(day)s, answered %(end)s") % {"day": opened, "end": closed}


def _badge(case: PrivacyCase, today: date) -> tuple[str, str, str]:
    """Return tone, icon and word of the state."""
    match case.state:
        case CaseState.DONE:
            word = gettext("Erased") if case.kind == CaseKind.ERASURE else gettext("Done")
            return "ok", "check", word
        case CaseState.DECLINED:
            return "", "close", gettext("Declined")
        case CaseState.APPROVED:
            return "info", "clock", gettext("Being erased")
    days = (case.due_on - today).days
    if days < 0:
        return "bad", "alert", gettext("Overdue")
    return ("warn", "clock", gettext("Due soon")) if days <= SOON_DAYS else ("info", "clock", gettext("Open"))


def today_in(zone: ZoneInfo, now: datetime) -> date:
    return now.astimezone(zone).date()
