"""Closed days, special hours, and the bookings outside the hours, as text."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.booked import day_of
from bookings.models import Booking
from bookings.wording import visit
from core import formats
from core.intervals import Interval
from dashboard.closures.entries import Entry
from dashboard.closures.forms import SPANS, Decision
from dashboard.moving.presenter import move_url
from dashboard.permissions import Act, Rights, can
from dashboard.presenters.confirmations import Ask
from dashboard.presenters.day import what_and_who
from payments.queries import Balance
from services.models import Closure, Location


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the list. ``url`` opens it; it is empty for hours that the form cannot show."""

    when: str
    where: str
    hours: str
    reason: str
    is_closed: bool
    url: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A booking outside the hours, and the pages that deal with it: empty where the user may not. ``refund`` says what
    a cancellation gives back, ``warning`` that nobody can write to the customer, ``why`` what is special on that day.
    """

    reference: str
    sequence: int
    name: str
    when: str
    what: str
    why: str
    refund: str
    warning: str
    url: str
    move_url: str
    keep_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision about a booking, to choose before the hours are saved. ``value`` is a ``Decision``."""

    value: str
    label: str
    note: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the bookings that a change hit: how many were kept and cancelled, and how many wait."""

    kept: int
    cancelled: int
    left: int


def lines_of(entries: Sequence[Entry], places: Sequence[Location]) -> list[Line]:
    return [
        Line(
            when=days_text(entry.first_on, entry.last_on),
            where=where_text(entry.location_ids, places),
            hours=hours_text(entry.spans),
            reason=entry.reason,
            is_closed=not entry.spans,
            url=reverse("desk_closure", args=[entry.id]) if len(entry.spans) <= SPANS else "",
        )
        for entry in entries
    ]


def days_text(first: date, last: date) -> str:
    """Return text such as "Thu 24 Dec 2026" or "Thu 24 Dec – Sat 26 Dec 2026"."""
    if first == last:
        return formats.full_day_text(first)
    start = formats.day_text(first) if first.year == last.year else formats.full_day_text(first)
    return f"{start} – {formats.full_day_text(last)}"


def where_text(location_ids: Collection[int], places: Sequence[Location]) -> str:
    """Return the names of locations; empty where the business has one alone."""
    if len(places) == 1:
        return ""
    if len(location_ids) == len(places):
        return gettext("All locations")
    return ", ".join(place.text("name") for place in places if place.pk in location_ids)


def hours_text(spans: Sequence[Interval]) -> str:
    if not spans:
        return gettext("Closed all day")
    texts = (f"{formats.clock_text(start)}–{formats.clock_text(end)}" for start, end in spans)
    return gettext("Open %(hours)s") % {"hours": ", ".join(texts)}


def replaced_text(entries: Sequence[Entry], places: Sequence[Location]) -> list[str]:
    """Return what is set for these days already and would be replaced."""
    return [
        " · ".join(filter(None, (line.when, line.where, line.hours, line.reason))) for line in lines_of(entries, places)
    ]


def outside_rows(
    bookings: Sequence[Booking],
    balances: Mapping[int, Balance],
    rights: Rights,
    *,
    special: Mapping[tuple[int, date], Sequence[Closure]] | None = None,
    show_place: bool,
) -> list[Outside]:
    return [_outside(booking, balances[booking.pk], rights, special or {}, show_place) for booking in bookings]


def _outside(
    booking: Booking,
    balance: Balance,
    rights: Rights,
    special: Mapping[tuple[int, date], Sequence[Closure]],
    show_place: bool,
) -> Outside:
    place = booking.location.text("name") if show_place else ""
    return Outside(
        reference=booking.reference,
        sequence=booking.ical_sequence,
        name=formats.isolated(booking.contact_name) or formats.reference_text(booking.reference),
        when=visit.when_text(booking),
        what=" · ".join(filter(None, (what_and_who(booking), place))),
        why=_why(special.get((booking.location_id, day_of(booking)), ())),
        refund=_refund_text(booking, balance),
        warning="" if booking.contact_email else gettext("No e-mail address: please call the customer."),
        url=reverse("desk_booking", args=[booking.reference]),
        move_url=move_url(booking, back="outside-hours") if can(rights, Act.MOVE, booking) else "",
        keep_url=_step_url(booking, "keep") if can(rights, Act.OVERRIDE, booking) else "",
        cancel_url=_step_url(booking, "cancel") if can(rights, Act.CANCEL, booking) else "",
    )


def choices_of(row: Outside, chosen: Decision, *, is_alone: bool) -> list[Choice]:
    """Return the decisions about a booking. What the user may not do is left out."""
    words = [
        (Decision.AS_ALL, gettext("As for all"), ""),
        (Decision.LATER, gettext("Decide later"), gettext("It stays on the list until then.")),
        (Decision.KEEP, gettext("Keep as an exception"), gettext("The customer hears nothing.")),
        (Decision.CANCEL, gettext("Cancel and inform the customer"), f"{row.refund} {row.warning}".strip()),
    ]
    if is_alone and chosen is Decision.AS_ALL:
        chosen = Decision.LATER
    barred = {Decision.AS_ALL: is_alone, Decision.KEEP: not row.keep_url, Decision.CANCEL: not row.cancel_url}
    return [Choice(each, label, note, each == chosen) for each, label, note in words if not barred.get(each)]


def choices_for_all(bookings: Sequence[Booking], balances: Mapping[int, Balance], chosen: Decision) -> list[Choice]:
    """Return the decisions about all bookings of the page at once, with the sum that goes back if all are cancelled."""
    paid: dict[str, int] = {}
    for booking in bookings:
        paid[booking.currency] = paid.get(booking.currency, 0) + max(0, balances[booking.pk].net_paid_minor)
    sums = " + ".join(formats.money_text(amount, currency) for currency, amount in paid.items() if amount)
    back = gettext("%(sum)s goes back in all.") % {"sum": sums} if sums else gettext("Nothing was paid.")
    words = [
        (Decision.LATER, gettext("Decide later"), gettext("They stay on the list until then.")),
        (Decision.KEEP, gettext("Keep all as exceptions"), gettext("The customers hear nothing.")),
        (Decision.CANCEL, gettext("Cancel all and inform the customers"), back),
    ]
    return [Choice(each, label, note, each == chosen) for each, label, note in words]


def _step_url(booking: Booking, step: str) -> str:
    return f"{reverse(f'desk_booking_{step}', args=[booking.reference])}?back=outside-hours"


def _why(rows: Sequence[Closure]) -> str:
    """Return what is special on the day of a booking; empty for a usual day."""
    spans = [(row.start_minute, row.end_minute) for row in rows]
    hours = hours_text([(start, end) for start, end in spans if start is not None and end is not None]) if rows else ""
    return " · ".join(filter(None, (hours, next((row.reason for row in rows), ""))))


def _refund_text(booking: Booking, balance: Balance) -> str:
    if balance.net_paid_minor <= 0:
        return gettext("Nothing was paid.")
    return gettext("%(sum)s goes back.") % {"sum": visit.money(balance.net_paid_minor, booking)}


def keep_ask(booking: Booking) -> Ask:
    """Return the confirming page that keeps a booking as an exception."""
    text = gettext("The visit takes place at its time, although it is outside the hours. The customer hears nothing.")
    return Ask(gettext("Keep this booking"), text, gettext("Keep it as it is"))


def saved_text(outcome: Outcome, *, is_removal: bool) -> str:
    """Return the message after saving."""
    parts = [gettext("Removed. The usual hours apply again.") if is_removal else gettext("Saved.")]
    if outcome.cancelled:
        parts.append(
            ngettext("%(count)d booking is cancelled.", "%(count)d bookings are cancelled.", outcome.cancelled)
            % {"count": outcome.cancelled}
        )
    if outcome.kept:
        parts.append(
            ngettext("%(count)d booking stays as it is.", "%(count)d bookings stay as they are.", outcome.kept)
            % {"count": outcome.kept}
        )
    if outcome.left:
        parts.append(
            ngettext(
                "%(count)d booking is outside the hours: move, keep or cancel it.",
                "%(count)d bookings are outside the hours: move, keep or cancel each of them.",
                outcome.left,
            )
            % {"count": outcome.left}
        )
    return " ".join(parts)
