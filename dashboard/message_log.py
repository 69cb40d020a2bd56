"""The message log: its columns and filters, and its rows. Each read runs a fixed number of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact.same_phones import phone_hash
from accounts.customer_search import LONGEST_SEARCH
from bookings.messages.catalogue import TYPES, message_type
from bookings.models import Booking
from bookings.refs import booking_id_of, ref_column, subject_ref
from core.references import parsed_reference
from dashboard.lists.address import Asked, Column, Control, Filter, Listing, Text
from dashboard.lists.pages import Found, Source, chunks_of
from dashboard.lists.pages import page_of as page_of_sources
from dashboard.permissions import Rights, bookings_run_by
from dashboard.queries import phone_number_in
from notifications.addresses import TEXT_CHANNELS
from notifications.enums import Channel, NotificationStatus, RecipientRole
from notifications.models import Notification
from notifications.queries import sent_again
from services.models import Location
from staff.hours import local_day

FAILED = (NotificationStatus.PERMANENT_FAILURE, NotificationStatus.TECHNICAL_FAILURE)
WAITING = (NotificationStatus.QUEUED, NotificationStatus.SENDING, NotificationStatus.TEMPORARY_FAILURE)
_GONE = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
# Name in the address, words, statuses.
STATES: Sequence[tuple[str, Text, Sequence[str]]] = [
    ("failed", _("Did not arrive"), FAILED),
    ("waiting", _("Still to go"), WAITING),
    ("sent", _("Sent"), _GONE),
    ("cancelled", _("No longer wanted"), (NotificationStatus.CANCELLED,)),
]
SHOWN_AT = Coalesce("sent_at", "not_before")


@dataclass(frozen=True, slots=True)
class Line:
    """A message in the CSV. Times are by the clock of the booking's place."""

    row: Notification
    booking: Booking | None
    zone: ZoneInfo

    @property
    def at(self) -> datetime:
        return shown_at(self.row).astimezone(self.zone)


_COLUMNS: Sequence[Column[Line]] = [
    Column(_("When"), "when", SHOWN_AT, is_falling=True, name="date", csv=lambda line: line.at.date().isoformat()),
    Column(name="time", csv=lambda line: f"{line.at:%H:%M}"),
    Column(name="time zone", csv=lambda line: line.zone.key),
    Column(
        _("Message"),
        "kind",
        Concat("kind", Value(" "), "recipient_role"),
        name="message",
        csv=lambda line: kind_label(line.row.kind, line.row.recipient_role),
    ),
    Column(name="to", csv=lambda line: line.row.recipient_role),
    Column(name="channel", csv=lambda line: line.row.channel),
    Column(name="email", csv=lambda line: line.row.address if line.row.channel == Channel.EMAIL else ""),
    Column(name="phone", csv=lambda line: line.row.phone),
    Column(_("Status"), "status", F("status"), name="status", csv=lambda line: line.row.status),
    Column(name="error", csv=lambda line: line.row.error),
    Column(name="booking", csv=lambda line: line.booking.reference if line.booking else ""),
    Column(name="name", csv=lambda line: line.booking.contact_name if line.booking else ""),
]


def messages_visible_to(rights: Rights) -> QuerySet[Notification]:
    """Return the messages about bookings that the reader may see; a reader of every place sees every message."""
    if rights.location_ids is None:
        return Notification.objects.all()
    return Notification.objects.filter(subject_ref__in=_refs(bookings_run_by(rights)))


def listing_for(places: Sequence[Location]) -> Listing[Line]:
    kinds = [(f"{each.kind}-{each.role}", kind_label(each.kind, each.role, with_role=True)) for each in TYPES]
    filters = [
        Filter("q", _("Search"), Control.TEXT, hint=_("E-mail, phone, name or reference"), longest=LONGEST_SEARCH),
        Filter("kind", _("Message"), choices=kinds),
        Filter("channel", _("Channel"), choices=[(value, capfirst(label)) for value, label in Channel.choices]),
        Filter("only", _("Status"), choices=[(name, label) for name, label, _statuses in STATES]),
        Filter("at", _("Location"), choices=[(place.slug, place.text("name")) for place in places]),
        Filter("from", _("From"), Control.DAY),
        Filter("until", _("Until"), Control.DAY),
    ]
    return Listing(_COLUMNS, [each for each in filters if each.name != "at" or len(places) > 1])


def page_of(rights: Rights, asked: Asked[Line], zone: ZoneInfo) -> Found[Notification]:
    """Return the page that is asked for: three queries, and two more for a phone number."""
    return page_of_sources([_source(rights, asked, zone)], asked)


def lines_of(rights: Rights, asked: Asked[Line], zone: ZoneInfo) -> Iterator[Line]:
    """Yield all matching messages in order. Two queries for each chunk."""
    for chunk in chunks_of([_source(rights, asked, zone)], asked):
        bookings = bookings_of(rights, chunk)
        for row in chunk:
            booking = bookings.get(row.subject_ref)
            yield Line(row, booking, ZoneInfo(booking.location.time_zone) if booking else zone)


def kind_label(kind: str, role: str, *, with_role: bool = False) -> str:
    """Return the name of a kind of message; ``with_role`` tells apart what staff and customers get."""
    of = message_type(kind, role)
    label = str(of.label) if of else kind.replace("_", " ").capitalize()
    if with_role and role != RecipientRole.CUSTOMER:
        return gettext("%(label)s, to staff") % {"label": label}
    return label


def shown_at(row: Notification) -> datetime:
    """Return when the message was sent, or its earliest sending time: the time that its row shows."""
    return row.sent_at or row.not_before


def of_booking(booking: Booking) -> list[Notification]:
    """Return every message about a booking, planned ones included, the latest first. One query."""
    return list(Notification.objects.filter(subject_ref=subject_ref(booking)).order_by("-id"))


def failed_count(booking: Booking) -> int:
    """Count the messages about a booking that failed and were not resent. One query."""
    about = Notification.objects.filter(subject_ref=subject_ref(booking), status__in=FAILED)
    return about.filter(~sent_again()).count()


def message_by_number(rights: Rights, number: int) -> Notification | None:
    return messages_visible_to(rights).filter(pk=number).first()


def bookings_of(rights: Rights, rows: Sequence[Notification]) -> dict[str, Booking]:
    """Return the bookings that messages are about, by the subject of the message. One query."""
    ids = list(filter(None, (booking_id_of(row.subject_ref) for row in rows)))
    found = bookings_run_by(rights).filter(pk__in=ids).select_related("location")
    return {subject_ref(booking): booking for booking in found}


def _source(rights: Rights, asked: Asked[Line], zone: ZoneInfo) -> Source[Notification]:
    # The sent text is long and encrypted, and no list shows it.
    visible = messages_visible_to(rights).defer("body")
    return Source(_narrowed(rights, visible, asked, zone), visible)


def _narrowed(
    rights: Rights, found: QuerySet[Notification], asked: Asked[Line], zone: ZoneInfo
) -> QuerySet[Notification]:
    if typed := asked.value("q"):
        found = found.filter(_reaches(rights, typed))
    if kind := asked.value("kind"):
        name, _dash, role = kind.rpartition("-")
        found = found.filter(kind=name, recipient_role=role)
    if channel := asked.value("channel"):
        found = found.filter(channel=channel)
    if only := asked.value("only"):
        found = found.filter(status__in=next(statuses for name, _label, statuses in STATES if name == only))
    if at := asked.value("at"):
        found = found.filter(subject_ref__in=_refs(bookings_run_by(rights).filter(location__slug=at)))
    first, last = asked.days("from", "until")
    if first:
        found = found.alias(at=SHOWN_AT).filter(at__gte=local_day(first, zone)[0])
    if last:
        found = found.alias(at=SHOWN_AT).filter(at__lt=local_day(last, zone)[1])
    return found


def _reaches(rights: Rights, typed: str) -> Q:
    """Match the messages to an e-mail address (or a part of it) or to a whole phone number, and those about bookings
    with that name or reference. A phone number is stored as a pseudonym, so a part of it finds nothing.
    """
    about = Q(contact_name__icontains=typed)
    if reference := parsed_reference(typed):
        about |= Q(reference=reference)
    wanted = Q(channel=Channel.EMAIL, address__icontains=typed)
    wanted |= Q(subject_ref__in=_refs(bookings_run_by(rights).filter(about)))
    number = phone_number_in(typed)
    return wanted | Q(channel__in=TEXT_CHANNELS, address=phone_hash(number)) if number else wanted


def _refs(bookings: QuerySet[Booking]) -> QuerySet[Any]:
    return bookings.order_by().annotate(ref=ref_column()).values("ref")
