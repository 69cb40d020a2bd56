"""One appointment as an iCalendar object (RFC 5545, RFC 5546). Pure: values in, bytes out.

Times are written in UTC. An appointment is one instant, which every calendar shows in its owner's zone. A VTIMEZONE
would only add rules that programs read differently (Outlook knows zones by other names, and a wrong table moves the
appointment), and it could disagree with the instant we promised. The description states the local time and its zone.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from icalendar import Calendar, Event, vCalAddress, vText, vUri

from accounts.contact.mailboxes import mailto_url, normalised_email
from core.lines import one_line

PRODUCT = "-//Openhours//Online booking//EN"


class Method(StrEnum):
    """REQUEST invites or changes, CANCEL withdraws, PUBLISH is a plain entry without an invitation."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


@dataclass(frozen=True, slots=True)
class Mailbox:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One calendar entry.

    ``uid`` stays the same for one recipient's entry; ``sequence`` grows with every change. ``sent_by`` is the sender
    address of the mail, if it is not the organizer's own.
    """

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str
    description: str
    url: str
    organizer: Mailbox
    sent_by: str = ""


def uid(reference: str, recipient: str, host: str) -> str:
    """Return the uid of one recipient's entry: ``k7m4px-customer@book.example.com``, ``k7m4px-staff-3@…``."""
    return f"{reference.lower()}-{recipient}@{host}"


def invite(entry: Entry, method: Method, *, attendee: Mailbox | None = None, now: datetime) -> bytes:
    """Return the entry as bytes.

    REQUEST names one attendee, its recipient. PUBLISH names none. CANCEL names the attendee who was invited, or none
    where the entry had been published.

    :raises ValueError: when the attendee is missing or not allowed, or a time has no zone.
    """
    if (attendee is None and method is Method.REQUEST) or (attendee and method is Method.PUBLISH):
        raise ValueError("REQUEST has one attendee, PUBLISH has none.")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(_event(entry, method, attendee, now))
    return bytes(calendar.to_ical())


def organised_for(entry: Entry, attendee: Mailbox) -> Entry:
    """Return the entry with an organizer other than the attendee.

    If both have one mailbox, the organizer is the sender of the mail: a calendar does not accept an invitation from its
    own owner (RFC 5546, 3.2.2).
    """
    if normalised_email(entry.organizer.email) != normalised_email(attendee.email) or not entry.sent_by:
        return entry
    return replace(entry, organizer=Mailbox(entry.organizer.name, entry.sent_by), sent_by="")


def _event(entry: Entry, method: Method, attendee: Mailbox | None, now: datetime) -> Event:
    is_cancelled = method is Method.CANCEL
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", _utc(now))
    event.add("dtstart", _utc(entry.starts_at))
    event.add("dtend", _utc(entry.ends_at))
    event.add("summary", one_line(entry.summary))
    if entry.location:
        event.add("location", one_line(entry.location))
    event.add("description", paragraphs(entry.description))
    if entry.url:
        event.add("url", vUri(entry.url))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    event.add("organizer", _organizer(entry))
    if attendee:
        event.add("attendee", _attendee(attendee))
    return event


def _organizer(entry: Entry) -> vCalAddress:
    address = _address(entry.organizer)
    if entry.sent_by and entry.sent_by.lower() != entry.organizer.email.lower():
        address.params["SENT-BY"] = vText(mailto_url(entry.sent_by))
    return address


def _attendee(person: Mailbox) -> vCalAddress:
    """Write the attendee as accepted: they agreed when they booked, so the calendar asks for no reply."""
    address = _address(person)
    address.params["CUTYPE"] = vText("INDIVIDUAL")
    address.params["ROLE"] = vText("REQ-PARTICIPANT")
    address.params["PARTSTAT"] = vText("ACCEPTED")
    address.params["RSVP"] = vText("FALSE")
    return address


def _address(mailbox: Mailbox) -> vCalAddress:
    address = vCalAddress(mailto_url(mailbox.email))
    # Programs differ in how they read a quotation mark in a parameter.
    if name := one_line(mailbox.name).replace('"', "'").replace("^", ""):
        address.params["CN"] = vText(name)
    return address


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("A time needs a zone.")
    return moment.astimezone(UTC).replace(microsecond=0)


def paragraphs(text: str) -> str:
    """Return text that keeps its line breaks and no other control character."""
    return "\n".join(one_line(part) for part in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
