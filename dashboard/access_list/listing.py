"""The access log as a list: its columns and filters, and its rows. Fixed numbers of queries."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog, Customer, User
from bookings.models import Booking
from dashboard.lists.address import Asked, Column, Control, Filter, Listing
from dashboard.lists.pages import Found, Source, chunks_of
from dashboard.lists.pages import page_of as page_of_sources
from staff.hours import local_day

# Enough of the pseudonym of a network address to tell places apart.
CODE_LENGTH = 6
_CODE = re.compile(rf"[0-9a-f]{{{CODE_LENGTH},32}}")
# Of a customer with more bookings, readings of the latest ones are found.
MOST_BOOKINGS = 300
MOST_LAST = 10
# The users in the log, by one look into its index for each of them. Most users are customers, who are not in it.
_READERS = """
    WITH RECURSIVE readers AS (
        SELECT min(user_id) AS id FROM accounts_accesslog
        UNION ALL
        SELECT (SELECT min(user_id) FROM accounts_accesslog WHERE user_id > readers.id)
        FROM readers WHERE readers.id IS NOT NULL
    )
    SELECT id FROM readers WHERE id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A reading in the CSV. Its time is by the clock of the first location."""

    row: AccessLog
    zone: ZoneInfo

    @property
    def at(self) -> datetime:
        return self.row.at.astimezone(self.zone)


_COLUMNS: Sequence[Column[Line]] = [
    Column(_("When"), "when", F("at"), is_falling=True, name="date", csv=lambda line: line.at.date().isoformat()),
    Column(name="time", csv=lambda line: f"{line.at:%H:%M:%S}"),
    Column(name="time zone", csv=lambda line: line.zone.key),
    Column(_("Who"), "who", F("user_name"), name="user", csv=lambda line: line.row.user_name),
    Column(name="roles", csv=lambda line: line.row.roles),
    Column(_("What"), "what", F("record"), name="record", csv=lambda line: line.row.record),
    Column(name="reference", csv=lambda line: line.row.reference),
    Column(name="rows", csv=lambda line: "" if line.row.count is None else line.row.count),
    Column(_("From where"), name="address code", csv=lambda line: code_of(line.row)),
    Column(_("Act"), "act", F("act"), name="act", csv=lambda line: line.row.act),
    Column(name="request", csv=lambda line: line.row.request_id),
]


def listing_for() -> Listing[Line]:
    """Return the columns and filters of the list. One query."""
    readers = User.objects.filter(pk__in=RawSQL(_READERS, [])).order_by("name", "email")  # noqa: S611 (no parameters)
    filters = [
        Filter("q", _("Search"), Control.TEXT, hint=_("Reference, or code of an address"), longest=32),
        Filter("who", _("Person"), choices=[(str(each.pk), str(each)) for each in readers]),
        Filter("record", _("Record"), choices=RecordKind.choices),
        Filter("act", _("Act"), choices=Reading.choices),
        Filter("from", _("From"), Control.DAY),
        Filter("until", _("Until"), Control.DAY),
    ]
    return Listing(_COLUMNS, filters)


def page_of(asked: Asked[Line], zone: ZoneInfo) -> Found[AccessLog]:
    """Return the page that is asked for. Three queries, and two more for a search."""
    return page_of_sources([_source(asked, zone)], asked)


def lines_of(asked: Asked[Line], zone: ZoneInfo) -> Iterator[Line]:
    """Yield all matching readings in order. One query for each chunk."""
    for chunk in chunks_of([_source(asked, zone)], asked):
        yield from (Line(row, zone) for row in chunk)


def code_of(row: AccessLog) -> str:
    """Return the short code of the network address that a reading came from."""
    return row.address_hash[:CODE_LENGTH]


def from_elsewhere(rows: Sequence[AccessLog]) -> set[int]:
    """Return the ids of readings from another network address than the user's reading before. One query."""
    earlier = AccessLog.objects.filter(user=OuterRef("user"), at__lte=OuterRef("at")).exclude(pk__gte=OuterRef("pk"))
    before = Subquery(earlier.order_by("-at", "-pk").values("address_hash")[:1])
    found = AccessLog.objects.filter(pk__in=[row.pk for row in rows]).annotate(before=before)
    moved = found.exclude(before=None).exclude(before=F("address_hash"))
    return set(moved.order_by().values_list("pk", flat=True))


def last_readings(customer: Customer) -> list[AccessLog]:
    """Return the last readings of a customer's record and bookings, of merged records too, the latest first.

    Refused ones showed nothing and are left out. Three queries.
    """
    found = AccessLog.objects.filter(_is_about(_references_of(customer.reference))).exclude(act=Reading.REFUSED)
    return list(found.order_by("-at", "-pk")[:MOST_LAST])


def names_of(rows: Sequence[AccessLog]) -> dict[str, str]:
    """Return the names of the customers of these records by reference. A name is empty after erasing. Two queries."""
    references = {row.reference for row in rows if row.reference}
    named = Booking.objects.filter(reference__in=references).order_by().values_list("reference", "contact_name")
    customers = Customer.objects.filter(reference__in=references).order_by().values_list("reference", "name")
    return {**dict(named), **dict(customers)}


def _source(asked: Asked[Line], zone: ZoneInfo) -> Source[AccessLog]:
    everything = AccessLog.objects.all()
    return Source(_narrowed(everything, asked, zone), everything)


def _narrowed(found: QuerySet[AccessLog], asked: Asked[Line], zone: ZoneInfo) -> QuerySet[AccessLog]:
    if typed := asked.value("q"):
        found = found.filter(_finds(typed))
    if who := asked.value("who"):
        found = found.filter(user_id=int(who))
    if record := asked.value("record"):
        found = found.filter(record=record)
    if act := asked.value("act"):
        found = found.filter(act=act)
    first, last = asked.days("from", "until")
    if first:
        found = found.filter(at__gte=local_day(first, zone)[0])
    if last:
        found = found.filter(at__lt=local_day(last, zone)[1])
    return found


def _finds(typed: str) -> Q:
    """Match a booking's reference, a customer's with all their bookings, or the code of a network address."""
    wanted = _is_about({typed, *_references_of(re.sub(r"[\s-]", "", typed).upper())})
    if _CODE.fullmatch(typed.lower()):
        wanted |= Q(address_hash__startswith=typed.lower())
    return wanted


def _is_about(references: set[str]) -> Q:
    # The second condition is redundant, but PostgreSQL needs it to use the index of readings with a reference.
    return Q(reference__in=references) & ~Q(reference="")


def _references_of(reference: str) -> set[str]:
    """Return the reference, and if it is a customer's those of merged records and of the bookings. Two queries."""
    merged = Customer.objects.filter(merged_into__reference=reference).order_by()
    booked = Booking.objects.filter(customer__reference=reference).order_by("-pk")
    return {
        reference,
        *merged.values_list("reference", flat=True),
        *booked.values_list("reference", flat=True)[:MOST_BOOKINGS],
    }
