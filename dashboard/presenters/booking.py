"""One booking at the desk as text: state, customer, visit, money. Facts in, text out."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.mailboxes import mailto_url
from accounts.contact.phones import phone_text
from bookings.booked import first_line, local
from bookings.enums import CALLED_OFF, BookingChannel, BookingStatus
from bookings.models import Booking
from bookings.wording import appointment, visit
from core import formats
from core.formats import phone_href
from core.minutes import minute_of
from dashboard.visits import Visits, within_reach

_NO_VISIT = CALLED_OFF | {BookingStatus.NO_SHOW}


@dataclass(frozen=True, slots=True)
class Contact:
    icon_name: str
    label: str
    url: str
    note: str


@dataclass(frozen=True, slots=True)
class Card:
    """The head of the page: customer, time, service and staff."""

    reference: str
    status: str
    label: str
    is_arrived: bool
    name: str
    trust: str
    contact: tuple[Contact, ...]
    facts: tuple[tuple[str, str, str], ...]
    note: str
    note_title: str


def day_link(booking: Booking) -> tuple[str, str]:
    """Return the address of the booking's day in the calendar, and the day as text."""
    on = local(booking.starts_at, booking).date()
    query = urlencode({"at": booking.location.slug, "on": on.isoformat()})
    return f"{reverse('desk')}?{query}", formats.long_day_text(on)


def book_again_url(booking: Booking) -> str:
    """Return the form of a phone booking for the same service, person and time."""
    line = first_line(booking)
    asked = {
        "at": booking.location.slug,
        "service": line.variant.service.slug,
        "variant": str(line.variant_id),
        "who": line.staff_member.slug if line.staff_member and not booking.is_any_staff else "",
        "start": str(minute_of(booking.starts_at)),
        "customer": booking.customer.reference if booking.customer else "",
    }
    return f"{reverse('desk_book')}?{urlencode({name: value for name, value in asked.items() if value})}"


def card_of(booking: Booking, visits: Visits, *, now: datetime) -> Card:
    is_past = booking.status == BookingStatus.CONFIRMED and now >= booking.ends_at
    return Card(
        reference=booking.reference,
        status=BookingStatus.COMPLETED if is_past else booking.status,
        label=_label(booking, now, is_past=is_past),
        is_arrived=booking.arrived_at is not None,
        name=visit.customer_name(booking),
        trust=trust_text(booking, visits),
        contact=tuple(_contact(booking)),
        facts=tuple(_facts(booking, now)),
        note=booking.customer_note,
        note_title=note_title(booking),
    )


def note_title(booking: Booking) -> str:
    """Return whose note it is. The desk types one for the therapist, and so may the customer who got a link."""
    is_by_desk = booking.channel == BookingChannel.DESK
    return gettext("Note for the visit") if is_by_desk else gettext("Note from the customer")


def trust_text(booking: Booking, visits: Visits) -> str:
    """Return text such as "Visit 9 · never missed · since March 2025". A missed or cancelled booking has no number."""
    if booking.customer and booking.customer.is_blocked:
        return gettext("May not book online")
    missed = visits.missed + (booking.status == BookingStatus.NO_SHOW)
    parts = [_visit_number(booking, visits)]
    if missed:
        parts.append(ngettext("missed %(count)d", "missed %(count)d", missed) % {"count": missed})
    elif visits.came:
        parts.append(gettext("never missed"))
    if visits.since:
        since = local(visits.since, booking)
        parts.append(gettext("since %(month)s %(year)d") % {"month": formats.month_text(since), "year": since.year})
    return within_reach(" · ".join(parts), visits.reach)


def _visit_number(booking: Booking, visits: Visits) -> str:
    if booking.status in _NO_VISIT:
        before = ngettext("%(count)d visit before", "%(count)d visits before", visits.came) % {"count": visits.came}
        return before if visits.came else gettext("No visit before")
    number = visits.came + 1
    return gettext("First visit") if number == 1 else gettext("Visit %(number)d") % {"number": number}


def _label(booking: Booking, now: datetime, *, is_past: bool) -> str:
    if is_past:
        return gettext("Past")
    if booking.arrived_at and booking.status == BookingStatus.CONFIRMED:
        return gettext("Arrived %(time)s") % {"time": formats.time_text(local(booking.arrived_at, booking))}
    return ""


def _contact(booking: Booking) -> list[Contact]:
    ways = []
    if booking.contact_phone:
        ways.append(
            Contact("phone", gettext("Call"), phone_href(booking.contact_phone), phone_text(booking.contact_phone))
        )
    if booking.contact_email:
        ways.append(Contact("mail", gettext("E-mail"), mailto_url(booking.contact_email), booking.contact_email))
    return ways


def _facts(booking: Booking, now: datetime) -> list[tuple[str, str, str]]:
    """Yield (label, words in bold, rest of the line)."""
    ahead = visit.ahead_text(booking, now)
    extras = visit.extras_text(booking)
    people = appointment.party_words(booking)
    return [
        (gettext("When"), visit.span_text(booking), ahead),
        (gettext("What"), visit.what_text(booking), ", ".join(filter(None, (extras, people)))),
        (gettext("Who"), ", ".join(visit.staff_names(booking)) or gettext("No staff member"), ""),
        (gettext("Where"), booking.location.text("name"), booking.visit_address),
        (gettext("Reference"), formats.reference_text(booking.reference), ""),
    ]
