"""The page of one customer as text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.mailboxes import mailto_url, normalised_email
from accounts.contact.phones import phone_text
from accounts.contact.same_phones import phone_hash
from accounts.models import Consent, Customer, CustomerEvent, CustomerNote
from bookings.booked import local
from bookings.enums import CALLED_OFF, BookingStatus
from bookings.models import Booking
from bookings.refs import subject_ref
from bookings.wording import visit
from core import formats
from core.formats import phone_href
from dashboard.customers.person import Person
from dashboard.presenters.booking import Contact
from dashboard.presenters.day import money_text
from dashboard.presenters.message_log import Sent, sent_of
from dashboard.visits import within_reach
from payments.queries import Balance

SHOWN_AT_FIRST = 5
CONSENTS_AT_FIRST = 3
_PURPOSES = {
    "booking": lambda: gettext("Terms of the booking"),
    "marketing": lambda: gettext("News and offers"),
    "card_on_file": lambda: gettext("Card kept for fees"),
}


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One booking. ``money`` is empty for a reader who may not see it."""

    url: str
    day: str
    ago: str
    time: str
    what: str
    who: str
    place: str
    status: str
    label: str
    is_over: bool
    is_arrived: bool
    money: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Due:
    """The open balance: the total as text, and the day, sum and page of each booking that owes money."""

    total: str
    lines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ConsentRow:
    title: str
    note: str
    text: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class Other:
    name: str
    url: str
    same: str


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One note. ``url`` is empty for a note by another author."""

    text: str
    by: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    reference: str
    name: str
    tone: int
    trust: str
    tags: tuple[str, ...]
    is_blocked: bool
    is_exempt: bool
    contact: tuple[Contact, ...]
    language: str
    proven: str
    added: str
    ahead: tuple[VisitRow, ...]
    past: tuple[VisitRow, ...]
    more_count: int
    summary: str
    due: Due | None
    consents: tuple[ConsentRow, ...]
    earlier_consents: tuple[ConsentRow, ...]
    notes: tuple[NoteRow, ...]
    trust_note: str
    messages: tuple[Sent, ...]
    others: tuple[Other, ...]
    merged: tuple[str, ...]
    sees_money: bool


def page_of(
    person: Person, *, zone: ZoneInfo, now: datetime, sees_money: bool, shows_all: bool, reader_id: int
) -> Page:
    """``zone`` is for events without a place, such as a consent. ``reader_id`` is the id of the reading user."""
    customer = person.customer
    consents = [_consent(each, zone) for each in person.consents]
    past = person.past if shows_all else person.past[:SHOWN_AT_FIRST]
    return Page(
        reference=customer.reference,
        name=customer.name or gettext("No name given"),
        tone=customer.pk,
        trust=_trust(person, zone),
        tags=tuple(customer.tags),
        is_blocked=customer.is_blocked,
        is_exempt=customer.is_prepayment_exempt,
        contact=tuple(_contact(customer)),
        language=str(dict(settings.LANGUAGES).get(customer.language, customer.language)),
        proven=_proven(customer, zone),
        added=formats.full_day_text(customer.created_at.astimezone(zone).date()),
        ahead=tuple(_visit_row(each, person.balances.get(each.pk), now) for each in person.ahead),
        past=tuple(_visit_row(each, person.balances.get(each.pk), now) for each in past),
        more_count=len(person.past) - len(past),
        summary=_summary(person),
        due=_due(person, now) if sees_money else None,
        consents=tuple(consents[:CONSENTS_AT_FIRST]),
        earlier_consents=tuple(consents[CONSENTS_AT_FIRST:]),
        notes=tuple(_note(each, customer, zone, reader_id) for each in person.notes),
        trust_note=_trust_note(person.trust, zone),
        messages=tuple(_messages(person)),
        others=tuple(other_of(each, customer.email, customer.phone) for each in person.others),
        merged=tuple(_merged_text(each) for each in person.merged),
        sees_money=sees_money,
    )


def _trust(person: Person, zone: ZoneInfo) -> str:
    """Return text such as "9 visits since March 2025, never missed"."""
    visits = person.visits
    if not visits.came and not visits.missed:
        return within_reach(gettext("No visit yet"), visits.reach)
    parts = []
    if visits.since:
        since = visits.since.astimezone(zone)
        words = ngettext(
            "%(count)d visit since %(month)s %(year)d", "%(count)d visits since %(month)s %(year)d", visits.came
        )
        parts.append(words % {"count": visits.came, "month": formats.month_text(since), "year": since.year})
    else:
        parts.append(gettext("No visit yet"))
    if visits.missed:
        parts.append(ngettext("missed %(count)d", "missed %(count)d", visits.missed) % {"count": visits.missed})
    else:
        parts.append(gettext("never missed"))
    return within_reach(", ".join(parts), visits.reach)


def _contact(customer: Customer) -> list[Contact]:
    ways = []
    if customer.phone:
        ways.append(Contact("phone", gettext("Call"), phone_href(customer.phone), phone_text(customer.phone)))
    if customer.email:
        ways.append(Contact("mail", gettext("Write"), mailto_url(customer.email), customer.email))
    return ways


def _merged_text(merged: Customer) -> str:
    """Return the contact of a record that was merged into this one, by which the customer may be known as well."""
    return ", ".join(filter(None, (merged.name, merged.email, phone_text(merged.phone) if merged.phone else "")))


def _proven(customer: Customer, zone: ZoneInfo) -> str:
    if not customer.email:
        return ""
    if customer.email_proven_at is None:
        return gettext("E-mail not confirmed yet")
    on = formats.full_day_text(customer.email_proven_at.astimezone(zone).date())
    return gettext("E-mail confirmed %(day)s") % {"day": on}


def _visit_row(booking: Booking, balance: Balance | None, now: datetime) -> VisitRow:
    starts, today = local(booking.starts_at, booking), local(now, booking).date()
    on = starts.date()
    is_past = booking.status == BookingStatus.CONFIRMED and now >= booking.ends_at
    extras = visit.extras_text(booking)
    return VisitRow(
        url=reverse("desk_booking", args=[booking.reference]),
        day=formats.day_text(on) if on.year == today.year else formats.full_day_text(on),
        ago=formats.ago_text((today - on).days) if on < today else visit.ahead_text(booking, now),
        time=formats.span_text(starts, local(booking.ends_at, booking)),
        what=f"{visit.what_text(booking)}, {extras}" if extras else visit.what_text(booking),
        who=", ".join(visit.staff_names(booking)),
        place=booking.location.text("name"),
        status=booking.status,
        label=gettext("Past") if is_past else "",
        is_over=is_past or booking.status in CALLED_OFF,
        is_arrived=booking.arrived_at is not None,
        money=money_text(booking, balance) if balance else "",
        is_open=balance is not None and balance.open_minor > 0,
    )


def _summary(person: Person) -> str:
    """Return text such as "9 kept · 1 cancelled · 0 missed · €764.00 in all", from the bookings the reader may see."""
    shown = [*person.ahead, *person.past]
    parts = []
    if off := sum(booking.status == BookingStatus.CANCELLED for booking in shown):
        parts.append(gettext("%(count)d cancelled") % {"count": off})
    moved = sum(booking.customer_move_count > 0 for booking in shown)
    if moved:
        parts.append(gettext("%(count)d moved") % {"count": moved})
    parts += [
        gettext("%(sum)s in all") % {"sum": formats.money_text(paid, currency)}
        for currency, paid in _sums(person, shown, lambda balance: balance.net_paid_minor).items()
        if paid
    ]
    return " · ".join(parts)


def _due(person: Person, now: datetime) -> Due | None:
    shown = [*person.ahead, *person.past]
    sums = _sums(person, shown, lambda balance: balance.open_minor)
    if not any(sums.values()):
        return None
    lines = []
    for booking in shown:
        balance = person.balances.get(booking.pk)
        if balance and balance.open_minor:
            on = local(booking.starts_at, booking).date()
            words = gettext("%(day)s, at the visit") if booking.ends_at > now else "%(day)s"
            url = reverse("desk_booking", args=[booking.reference])
            lines.append((words % {"day": formats.day_text(on)}, visit.money(balance.open_minor, booking), url))
    total = " + ".join(formats.money_text(minor, currency) for currency, minor in sums.items() if minor)
    return Due(total, tuple(lines))


def _sums(person: Person, bookings: Sequence[Booking], of: Callable[[Balance], int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for booking in bookings:
        if balance := person.balances.get(booking.pk):
            sums[booking.currency] = sums.get(booking.currency, 0) + of(balance)
    return sums


def _consent(consent: Consent, zone: ZoneInfo) -> ConsentRow:
    words = _PURPOSES.get(consent.purpose)
    given = formats.full_day_text(consent.given_at.astimezone(zone).date())
    if consent.withdrawn_at is None:
        note = gettext("Given %(day)s") % {"day": given}
    else:
        ended = formats.full_day_text(consent.withdrawn_at.astimezone(zone).date())
        note = gettext("Given %(day)s, withdrawn %(end)s") % {"day": given, "end": ended}
    title = words() if words else consent.purpose.replace("_", " ").capitalize()
    return ConsentRow(title, note, consent.text, consent.withdrawn_at is None)


def _messages(person: Person) -> Iterator[Sent]:
    by_ref = {subject_ref(booking): booking for booking in [*person.ahead, *person.past]}
    for row in person.messages:
        booking = by_ref[row.subject_ref]
        yield sent_of(row, booking, zone=ZoneInfo(booking.location.time_zone), may_resend=False)


def other_of(other: Customer, email: str, phone: str) -> Other:
    """Return the name of a customer with the same e-mail or phone number, and say which of the two is the same."""
    is_same_phone = bool(phone) and other.phone_hash == phone_hash(phone)
    is_same_mail = bool(email) and normalised_email(other.email) == normalised_email(email)
    if is_same_phone and is_same_mail:
        same = gettext("same e-mail and phone")
    else:
        same = gettext("same phone") if is_same_phone else gettext("same e-mail")
    return Other(other.name or gettext("No name given"), reverse("desk_customer", args=[other.reference]), same)


def erased_day(customer: Customer, zone: ZoneInfo) -> str:
    """Return the day on which an erased customer was erased."""
    return formats.full_day_text((customer.erased_at or customer.created_at).astimezone(zone).date())


def field_label(name: str) -> str:
    labels = {
        "name": gettext("Name"),
        "email": gettext("E-mail"),
        "phone": gettext("Phone"),
        "language": gettext("Language of messages"),
    }
    return labels[name]


def _note(note: CustomerNote, customer: Customer, zone: ZoneInfo, reader_id: int) -> NoteRow:
    by = f"{note.author_name}, {formats.full_day_text(note.created_at.astimezone(zone).date())}"
    if note.edited_at:
        by = gettext("%(by)s, changed %(day)s") % {
            "by": by,
            "day": formats.full_day_text(note.edited_at.astimezone(zone).date()),
        }
    is_own = note.author_id == reader_id
    return NoteRow(note.text, by, reverse("desk_customer_note", args=[customer.reference, note.pk]) if is_own else "")


def _trust_note(event: CustomerEvent | None, zone: ZoneInfo) -> str:
    """Return text such as "Never pays on time (Jonas Berg, Fri 27 Nov 2026)"."""
    if event is None:
        return ""
    on = formats.full_day_text(event.at.astimezone(zone).date())
    return f"{event.reason} ({', '.join(filter(None, (event.actor_name, on)))})"
