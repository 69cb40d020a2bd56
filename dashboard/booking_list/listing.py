"""The list of bookings: its columns and filters, and its rows. Fixed numbers of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Extract
from django.utils.translation import gettext_lazy as _

from accounts.customer_search import LONGEST_SEARCH, folded_column
from bookings.booked import local
from bookings.enums import CALLED_OFF, BookingStatus
from bookings.models import Booking, BookingLine
from bookings.refs import ref_column
from bookings.wording import visit
from core.money import major
from dashboard.lists.address import Asked, Column, Control, Filter, Listing, Text
from dashboard.lists.pages import Found, Source, chunks_of
from dashboard.lists.pages import page_of as page_of_sources
from dashboard.permissions import Rights, bookings_visible_to
from dashboard.queries import balances_of, has_contact, with_lines
from payments.queries import Balance, open_column
from services.models import Location, Service
from staff.hours import local_day
from staff.models import StaffMember

OPEN = "open"
# In seconds since 1970: later than every visit, with room to count back from.
_FAR = 10**11
# In the words of their badges.
STATUSES: Sequence[tuple[str, Text]] = [
    (BookingStatus.CONFIRMED, _("Confirmed")),
    (BookingStatus.REQUESTED, _("Needs answer")),
    (BookingStatus.PENDING_PAYMENT, _("Waiting for payment")),
    (BookingStatus.STARTED, _("Started")),
    (BookingStatus.COMPLETED, _("Completed")),
    (BookingStatus.NO_SHOW, _("No-show")),
    (BookingStatus.CANCELLED, _("Cancelled")),
    (BookingStatus.DECLINED, _("Declined")),
    (BookingStatus.EXPIRED, _("Hold ended")),
]


@dataclass(frozen=True, slots=True)
class Line:
    """A booking with its lines and place, and its balance."""

    booking: Booking
    balance: Balance

    def local(self, at: datetime) -> datetime:
        return local(at, self.booking)

    def sum(self, amount_minor: int) -> Decimal:
        return major(amount_minor, self.booking.currency)


_COLUMNS: Sequence[Column[Line]] = [
    Column(name="reference", csv=lambda line: line.booking.reference),
    Column(
        _("Visit"),
        "visit",
        F("starts_at"),
        is_falling=True,
        name="date",
        csv=lambda line: line.local(line.booking.starts_at).date().isoformat(),
    ),
    Column(name="start", csv=lambda line: f"{line.local(line.booking.starts_at):%H:%M}"),
    Column(name="end", csv=lambda line: f"{line.local(line.booking.ends_at):%H:%M}"),
    Column(
        _("Customer"),
        "customer",
        folded_column("contact_name"),
        name="name",
        csv=lambda line: line.booking.contact_name,
    ),
    Column(name="email", csv=lambda line: line.booking.contact_email),
    Column(name="phone", csv=lambda line: line.booking.contact_phone),
    Column(name="service", csv=lambda line: visit.what_text(line.booking)),
    Column(name="extras", csv=lambda line: visit.extras_text(line.booking)),
    Column(_("Therapist"), name="therapist", csv=lambda line: ", ".join(visit.staff_names(line.booking))),
    Column(name="location", csv=lambda line: line.booking.location.text("name")),
    Column(
        _("Booked"),
        "booked",
        F("created_at"),
        is_falling=True,
        name="booked",
        csv=lambda line: f"{line.local(line.booking.created_at):%Y-%m-%d %H:%M}",
    ),
    Column(name="channel", csv=lambda line: line.booking.channel),
    Column(_("Status"), name="status", csv=lambda line: line.booking.status),
    Column(
        _("Price"),
        "price",
        F("total_minor"),
        is_falling=True,
        is_sum=True,
        name="price",
        csv=lambda line: line.sum(line.booking.total_minor),
    ),
    Column(name="open", csv=lambda line: line.sum(line.balance.open_minor)),
    Column(name="currency", csv=lambda line: line.booking.currency),
]


def listing_for(rights: Rights, places: Sequence[Location], now: datetime, *, is_search: bool = False) -> Listing[Line]:
    """Return the columns and filters of the list. Two queries. A search lists what comes before what is past."""
    by_place = [(place.slug, place.text("name")) for place in places]
    people = [(each.slug, each.name) for each in _people(rights, places)]
    services = [(each.slug, each.text("name")) for each in Service.objects.all()]
    filters = [
        Filter("q", _("Search"), Control.TEXT, hint=_("Name, e-mail, phone or reference"), longest=LONGEST_SEARCH),
        Filter("status", _("Status"), choices=STATUSES),
        Filter("at", _("Location"), choices=by_place),
        Filter("who", _("Therapist"), choices=people),
        Filter("service", _("Service"), choices=services),
        Filter("from", _("From"), Control.DAY),
        Filter("until", _("Until"), Control.DAY),
        Filter("money", _("Money"), choices=[(OPEN, _("Balance due"))]),
    ]
    columns = [_nearest_first(now), *_COLUMNS] if is_search else _COLUMNS
    return Listing(columns, [each for each in filters if each.name != "at" or len(places) > 1])


def _nearest_first(now: datetime) -> Column[Line]:
    """Return the order of found bookings: visits to come, the soonest first, then the others, the latest first."""
    is_ahead = Q(ends_at__gt=now) & ~Q(status__in=CALLED_OFF)
    begins = Cast(Extract("starts_at", "epoch"), BigIntegerField())
    rest = Value(_FAR, BigIntegerField()) - begins
    order = Case(When(is_ahead, then=begins), default=rest, output_field=BigIntegerField())
    return Column(key="nearest", order=order)


def page_of(rights: Rights, asked: Asked[Line]) -> Found[Booking]:
    """Return the page that is asked for. Eleven queries at most."""
    return page_of_sources([_source(rights, asked)], asked)


def lines_of(rights: Rights, asked: Asked[Line]) -> Iterator[Line]:
    """Yield all matching bookings in order. Three queries for each chunk."""
    for chunk in chunks_of([_source(rights, asked)], asked):
        balances = balances_of(chunk)
        yield from (Line(booking, balances[booking.pk]) for booking in chunk)


def _source(rights: Rights, asked: Asked[Line]) -> Source[Booking]:
    # A hold that ended before anybody typed a name is no booking to look for.
    visible = bookings_visible_to(rights).exclude(status=BookingStatus.EXPIRED, contact_name="")
    # No row shows these, and reading them takes time.
    found = with_lines(_narrowed(visible, asked)).defer("terms", "customer_note")
    return Source(found, visible, mark="reference")


def _narrowed(found: QuerySet[Booking], asked: Asked[Line]) -> QuerySet[Booking]:
    if typed := asked.value("q"):
        found = found.filter(has_contact(typed))
    if status := asked.value("status"):
        found = found.filter(status=status)
    if at := asked.value("at"):
        found = found.filter(location__slug=at)
    lines = BookingLine.objects.filter(booking=OuterRef("pk"))
    if who := asked.value("who"):
        found = found.filter(Exists(lines.filter(staff_member__slug=who)))
    if service := asked.value("service"):
        found = found.filter(Exists(lines.filter(variant__service__slug=service)))
    first, last = asked.days("from", "until")
    if first or last:
        found = found.filter(_on(first, last))
    if asked.value("money") == OPEN:
        found = found.alias(ref=ref_column()).alias(open_minor=open_column("ref")).filter(open_minor__gt=0)
    return found


def _on(first: date | None, last: date | None) -> Q:
    """Match the visits that begin on these days, both included, by the clock of their place. One query."""
    on = Q(pk__in=[])
    for name in Location.objects.order_by().values_list("time_zone", flat=True).distinct():
        zone, here = ZoneInfo(name), Q(location__time_zone=name)
        if first:
            here &= Q(starts_at__gte=local_day(first, zone)[0])
        if last:
            here &= Q(starts_at__lt=local_day(last, zone)[1])
        on |= here
    return on


def _people(rights: Rights, places: Sequence[Location]) -> QuerySet[StaffMember]:
    """Return the staff members who work, or have had bookings, where the reader sees bookings; else the reader."""
    seen = rights.location_ids
    everyone = StaffMember.objects.order_by("-is_active", "position", "name")
    if seen is None:
        return everyone
    booked = BookingLine.objects.filter(staff_member=OuterRef("pk"), booking__location__in=seen)
    return everyone.filter(
        Q(pk=rights.staff_member_id) | Q(working_hours__location__in=seen) | Exists(booked)
    ).distinct()
