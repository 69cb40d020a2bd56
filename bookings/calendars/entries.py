"""Calendar entries of a booking, for its customer and for each of its staff members."""

from datetime import datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext, pgettext

from accounts.contact.given_names import first_name
from bookings import booked
from bookings.calendars import ical
from bookings.links import LinkRole, manage_url
from bookings.models import Booking
from bookings.wording import appointment
from core.formats import moment_text
from core.references import spoken
from services.models import Business
from staff.models import StaffMember

CUSTOMER = "customer"


def customer_file(booking: Booking, business: Business, *, role: LinkRole, is_off: bool, now: datetime) -> bytes:
    """Return the entry to download, with the link of the recipient who downloads it.

    It has the same uid as the one in the mail, so a calendar that has both shows one appointment. ``is_off``: the entry
    removes the appointment from the calendar.
    """
    method = ical.Method.CANCEL if is_off else ical.Method.PUBLISH
    return ical.invite(customer_entry(booking, business, role=role), method, now=now)


def customer_entry(booking: Booking, business: Business, *, role: LinkRole = LinkRole.CUSTOMER) -> ical.Entry:
    names = ", ".join(step.what for step in appointment.steps(booking))
    return _entry(
        booking,
        business,
        recipient=CUSTOMER,
        summary=pgettext("calendar entry", "%(service)s · %(business)s")
        % {"service": names, "business": business.text("name")},
        description=_customer_description(booking, business, role),
        url=manage_url(booking, role),
        span=appointment.span(booking),
    )


def staff_entry(
    booking: Booking,
    business: Business,
    person: StaffMember,
    *,
    is_lost: bool = False,
    previous_starts_at: datetime | None = None,
) -> ical.Entry:
    """Return the entry for one staff member's part of the visit.

    ``is_lost``: the entry removes the visit from their calendar. It has no link, because by then the link belongs to
    another staff member. ``previous_starts_at``: when their visit was, if the booking moved as it went to another staff
    member.
    """
    names = ", ".join(step.what for step in appointment.steps(booking, staff_member_id=person.pk))
    return _entry(
        booking,
        business,
        recipient=f"staff-{person.pk}",
        summary=pgettext("calendar entry", "%(customer)s · %(service)s")
        % {"customer": first_name(booking.contact_name), "service": names},
        description=_staff_description(booking, person, is_lost=is_lost, previous_starts_at=previous_starts_at),
        url="" if is_lost else manage_url(booking, LinkRole.STAFF),
        span=_span_of(booking, person, previous_starts_at),
    )


def _span_of(booking: Booking, person: StaffMember, previous_starts_at: datetime | None) -> tuple[datetime, datetime]:
    starts_at, ends_at = appointment.span(booking, staff_member_id=person.pk)
    if previous_starts_at is None:
        return starts_at, ends_at
    return previous_starts_at, previous_starts_at + (ends_at - starts_at)


def _entry(
    booking: Booking,
    business: Business,
    *,
    recipient: str,
    summary: str,
    description: str,
    url: str,
    span: tuple[datetime, datetime],
) -> ical.Entry:
    starts_at, ends_at = span
    place = appointment.place(booking, business, for_staff=recipient != CUSTOMER)
    _, own_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return ical.Entry(
        uid=ical.uid(booking.reference, recipient, urlsplit(settings.SITE_URL).hostname or "localhost"),
        sequence=booking.ical_sequence,
        starts_at=starts_at,
        ends_at=ends_at,
        summary=summary,
        location=", ".join(part for part in (place.name, place.address) if part),
        description=description,
        url=url,
        organizer=ical.Mailbox(business.text("name"), business.email or own_address),
        sent_by=own_address,
    )


def _customer_description(booking: Booking, business: Business, role: LinkRole) -> str:
    place = appointment.place(booking, business)
    return _paragraphs(
        _when(booking, booking.starts_at),
        *(_line(step.what, step.extras, step.who) for step in appointment.steps(booking)),
        place.hint,
        *appointment.preparations(booking),
        gettext("Move or cancel: %(address)s") % {"address": manage_url(booking, role)},
        gettext("Reference %(reference)s") % {"reference": spoken(booking.reference)},
    )


def _staff_description(
    booking: Booking, person: StaffMember, *, is_lost: bool, previous_starts_at: datetime | None
) -> str:
    starts_at, _ = _span_of(booking, person, previous_starts_at)
    steps = appointment.steps(booking, staff_member_id=person.pk) or appointment.steps(booking)
    links = (
        gettext("Move: %(address)s") % {"address": manage_url(booking, LinkRole.STAFF, page="move")},
        gettext("Cancel: %(address)s") % {"address": manage_url(booking, LinkRole.STAFF, page="cancel")},
    )
    return _paragraphs(
        _when(booking, starts_at),
        *(_line(step.what, step.extras) for step in steps),
        appointment.party_words(booking),
        *(() if is_lost else links),
        gettext("Reference %(reference)s") % {"reference": spoken(booking.reference)},
    )


def _when(booking: Booking, starts_at: datetime) -> str:
    return f"{moment_text(booked.local(starts_at, booking))} ({appointment.zone_words(booking)})"


def _line(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _paragraphs(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
