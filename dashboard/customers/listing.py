"""The list of customers: its columns and filters, its rows, and what they show. Fixed numbers of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import DateTimeField, Exists, F, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from accounts.customer_search import LONGEST_SEARCH, NAME_ORDER, has_words
from accounts.models import TAG_LIMIT, Customer
from bookings.booked import local
from bookings.enums import EXPECTED, STANDING, WAITING, BookingStatus
from bookings.models import Booking
from dashboard.lists.address import Asked, Column, Control, Filter, Listing
from dashboard.lists.pages import Found, Source, chunks_of
from dashboard.lists.pages import page_of as page_of_sources
from dashboard.permissions import Rights, bookings_visible_to, customers_visible_to
from dashboard.queries import has_phone
from dashboard.visits import Visits, visits_of

COMING = EXPECTED | WAITING
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Show(StrEnum):
    """Which customers are listed."""

    ALL = ""
    AHEAD = "ahead"
    MISSED = "missed"
    BLOCKED = "blocked"


SHOWN = {
    Show.ALL: _("All"),
    Show.AHEAD: _("With a visit ahead"),
    Show.MISSED: _("With a no-show"),
    Show.BLOCKED: _("Blocked"),
}
_FILTERS = (
    Filter("q", _("Search"), Control.TEXT, longest=LONGEST_SEARCH),
    # Any text: a tag in the address may be one that nobody has any more.
    Filter("tag", _("Tag"), Control.TEXT, longest=TAG_LIMIT),
    Filter("show", _("Show"), choices=[(show, label) for show, label in SHOWN.items() if show]),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The visits of one customer in the list, limited to those that the reader may see."""

    visits: Visits
    last: Booking | None = None
    next: Booking | None = None


@dataclass(frozen=True, slots=True)
class Line:
    customer: Customer
    seen: Seen


def listing_for(rights: Rights, now: datetime) -> Listing[Line]:
    """Return the columns and filters of the list. Days in the CSV are those of the visit's place."""
    columns: list[Column[Line]] = [
        Column(_("Customer"), "name", NAME_ORDER, name="name", csv=lambda line: line.customer.name),
        Column(_("Contact")),
        Column(name="email", csv=lambda line: line.customer.email),
        Column(name="phone", csv=lambda line: line.customer.phone),
        Column(name="language", csv=lambda line: line.customer.language),
        Column(name="tags", csv=lambda line: ", ".join(line.customer.tags)),
        Column(name="visits", csv=lambda line: line.seen.visits.came),
        Column(name="missed", csv=lambda line: line.seen.visits.missed),
        Column(
            _("Last visit"),
            "visit",
            _latest_visit(rights, now),
            is_falling=True,
            name="last visit",
            csv=lambda line: _day(line.seen.last),
        ),
        Column(_("Next visit"), name="next visit", csv=lambda line: _day(line.seen.next)),
        Column(_("Added"), "added", F("created_at"), is_falling=True),
        Column(name="blocked", csv=lambda line: "yes" if line.customer.is_blocked else ""),
    ]
    return Listing(columns, _FILTERS)


def customers_found(
    rights: Rights, now: datetime, *, typed: str = "", tag: str = "", show: str = Show.ALL
) -> QuerySet[Customer]:
    """Return every matching customer, unordered. Five queries at most."""
    found = customers_visible_to(rights)
    if typed:
        found = found.filter(has_words(typed) | has_phone(typed))
    if tag:
        found = found.filter(tags__contains=[tag])
    own = bookings_visible_to(rights).filter(customer_id=OuterRef("pk"))
    match show:
        case Show.AHEAD:
            return found.filter(Exists(own.filter(status__in=COMING, starts_at__gt=now)))
        case Show.MISSED:
            return found.filter(Exists(own.filter(status=BookingStatus.NO_SHOW)))
        case Show.BLOCKED:
            return found.filter(is_blocked=True)
        case _:
            return found


def page_of(rights: Rights, asked: Asked[Line], now: datetime) -> Found[Customer]:
    """Return the requested page. Eight queries at most, whatever the number of customers."""
    order = asked.order
    if len(asked.value("q")) > 1 and order is NAME_ORDER:
        # The appended "" keeps PostgreSQL off the name index, which it would read from the start to the first match.
        order = Concat(order, Value(""))
    return page_of_sources([_source(rights, asked, now)], asked, order=order)


def lines_of(rights: Rights, asked: Asked[Line], now: datetime) -> Iterator[Line]:
    """Yield all matching customers in order. Five queries at most for each chunk."""
    for chunk in chunks_of([_source(rights, asked, now)], asked):
        seen = seen_of(rights, chunk, now)
        yield from (Line(customer, seen[customer.pk]) for customer in chunk)


def seen_of(rights: Rights, customers: Sequence[Customer], now: datetime) -> dict[int, Seen]:
    """Return the visits of some customers by customer id. Four queries at most, whatever their number."""
    ids = [customer.pk for customer in customers]
    visible = bookings_visible_to(rights).filter(customer_id__in=ids)
    shown = visible.select_related("location").only("customer_id", "starts_at", "location", "reference")
    one_each = shown.distinct("customer_id")
    last = one_each.filter(status__in=STANDING, starts_at__lte=now).order_by("customer_id", "-starts_at", "-pk")
    coming = one_each.filter(status__in=COMING, starts_at__gt=now).order_by("customer_id", "starts_at", "pk")
    of: dict[int, dict[str, Any]] = {pk: {"visits": visits} for pk, visits in visits_of(rights, ids).items()}
    for booking in last:
        of[booking.customer_id or 0]["last"] = booking
    for booking in coming:
        of[booking.customer_id or 0]["next"] = booking
    return {pk: Seen(**values) for pk, values in of.items()}


def _source(rights: Rights, asked: Asked[Line], now: datetime) -> Source[Customer]:
    found = customers_found(rights, now, typed=asked.value("q"), tag=asked.value("tag"), show=asked.value("show"))
    return Source(found, customers_visible_to(rights), mark="reference")


def _latest_visit(rights: Rights, now: datetime) -> Combinable:
    came = bookings_visible_to(rights).filter(customer_id=OuterRef("pk"), status__in=STANDING, starts_at__lte=now)
    # order_by() drops the default order, so that there is one group: the latest start.
    latest = came.order_by().values("customer_id").annotate(latest=Max("starts_at")).values("latest")
    return Coalesce(Subquery(latest), Value(_LONG_AGO), output_field=DateTimeField())


def _day(booking: Booking | None) -> str:
    return local(booking.starts_at, booking).date().isoformat() if booking else ""
