"""The list of customers: the filters in the address, and one page of results. Fixed numbers of queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, DateTimeField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat
from django.http import QueryDict

from accounts.contact.same_phones import PHONE_END, phone_end_hash
from accounts.customer_search import LONGEST_SEARCH, NAME_ORDER, folded_words, has_word
from accounts.models import Customer
from bookings.enums import EXPECTED, STANDING, TOOK_PLACE, WAITING, BookingStatus
from bookings.models import Booking
from core.inputs import without_nul
from dashboard.permissions import Rights, bookings_visible_to, customers_visible_to
from dashboard.queries import has_phone

PAGE_LENGTH = 50
CHUNK_LENGTH = 500
# The count stops here: a larger number helps no reader and costs time.
MOST_COUNTED = 1000
COMING = EXPECTED | WAITING
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Show(StrEnum):
    """Which customers are listed."""

    ALL = ""
    AHEAD = "ahead"
    MISSED = "missed"
    BLOCKED = "blocked"


class Sort(StrEnum):
    NAME = ""
    VISIT = "visit"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of the list. ``after`` and ``before`` are customer references at the edge of the neighbouring pages."""

    typed: str = ""
    tag: str = ""
    show: Show = Show.ALL
    sort: Sort = Sort.NAME
    after: str = ""
    before: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.typed or self.tag or self.show)

    def query(self, **changes: Any) -> str:
        """Return the query string with changes. It starts at the first page unless the changes name another one."""
        asked = replace(self, **{"after": "", "before": "", **changes})
        values = {"q": asked.typed, "tag": asked.tag, "show": asked.show, "sort": asked.sort}
        values |= {"after": asked.after, "before": asked.before}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Found:
    """One page of customers. ``count`` is at most ``MOST_COUNTED`` + 1."""

    customers: list[Customer]
    count: int
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The visits of one customer in the list, limited to those that the reader may see."""

    last: Booking | None = None
    next: Booking | None = None
    came: int = 0
    missed: int = 0


def asked_of(query: Mapping[str, str] | QueryDict) -> Asked:
    """Read an address. An unknown choice counts as not given."""

    def text(name: str, limit: int) -> str:
        return without_nul(str(query.get(name, ""))).strip()[:limit]

    show, sort = text("show", 10), text("sort", 10)
    return Asked(
        typed=text("q", LONGEST_SEARCH),
        tag=text("tag", 40),
        show=Show(show) if show in set(Show) else Show.ALL,
        sort=Sort(sort) if sort in set(Sort) else Sort.NAME,
        after=text("after", 12),
        before=text("before", 12),
    )


def customers_found(rights: Rights, asked: Asked, now: datetime) -> QuerySet[Customer]:
    """Return every matching customer, unordered. Four queries at most."""
    found = customers_visible_to(rights)
    if asked.typed:
        found = found.filter(_typed(asked.typed))
    if asked.tag:
        found = found.filter(tags__contains=[asked.tag])
    own = bookings_visible_to(rights).filter(customer_id=OuterRef("pk"))
    match asked.show:
        case Show.AHEAD:
            return found.filter(Exists(own.filter(status__in=COMING, starts_at__gt=now)))
        case Show.MISSED:
            return found.filter(Exists(own.filter(status=BookingStatus.NO_SHOW)))
        case Show.BLOCKED:
            return found.filter(is_blocked=True)
        case _:
            return found


def page_of(rights: Rights, asked: Asked, now: datetime) -> Found:
    """Return the requested page. Six queries at most, whatever the number of customers."""
    found = customers_found(rights, asked, now)
    order, is_falling = sort_order(rights, asked.sort, now)
    if len(asked.typed) > 1 and asked.sort is Sort.NAME:
        # The appended "" keeps PostgreSQL off the name index, which it would read from the start to the first match.
        order = Concat(order, Value(""))
    keyed = found.annotate(sort_key=order)
    is_back = bool(asked.before) and not asked.after
    place = _place(customers_visible_to(rights).annotate(sort_key=order), asked.after or asked.before)
    if place:
        keyed = keyed.filter(_beyond(*place, is_falling=is_falling != is_back))
    rows = list(_ordered(keyed, is_falling=is_falling != is_back)[: PAGE_LENGTH + 1])
    has_more, rows = len(rows) > PAGE_LENGTH, rows[:PAGE_LENGTH]
    if is_back:
        rows.reverse()
    has_after, has_before = (bool(place), has_more) if is_back else (has_more, bool(place))
    return Found(
        customers=rows,
        count=found.order_by().values("pk")[: MOST_COUNTED + 1].count(),
        after=rows[-1].reference if has_after and rows else "",
        before=rows[0].reference if has_before and rows else "",
    )


def all_in_order(rights: Rights, asked: Asked, now: datetime) -> Iterator[list[Customer]]:
    """Yield all matching customers in order, in chunks. Each chunk takes one query."""
    order, is_falling = sort_order(rights, asked.sort, now)
    keyed: QuerySet[Any] = customers_found(rights, asked, now).annotate(sort_key=order)
    rows: list[Any] = list(_ordered(keyed, is_falling=is_falling)[:CHUNK_LENGTH])
    while rows:
        yield rows
        beyond = _beyond(rows[-1].sort_key, rows[-1].pk, is_falling=is_falling)
        rows = list(_ordered(keyed.filter(beyond), is_falling=is_falling)[:CHUNK_LENGTH])


def sort_order(rights: Rights, sort: Sort, now: datetime) -> tuple[Combinable, bool]:
    """Return the sort expression, and whether the order is descending."""
    match sort:
        case Sort.ADDED:
            return F("created_at"), True
        case Sort.VISIT:
            came = bookings_visible_to(rights).filter(
                customer_id=OuterRef("pk"), status__in=STANDING, starts_at__lte=now
            )
            # order_by() drops the default order, so that there is one group: the latest start.
            latest = came.order_by().values("customer_id").annotate(latest=Max("starts_at")).values("latest")
            return Coalesce(Subquery(latest), Value(_LONG_AGO), output_field=DateTimeField()), True
        case _:
            return NAME_ORDER, False


def seen_of(rights: Rights, customers: Sequence[Customer], now: datetime) -> dict[int, Seen]:
    """Return the visits of some customers by customer id. Three queries, whatever their number."""
    ids = [customer.pk for customer in customers]
    visible = bookings_visible_to(rights).filter(customer_id__in=ids)
    shown = visible.select_related("location").only("customer_id", "starts_at", "location", "reference")
    one_each = shown.distinct("customer_id")
    last = one_each.filter(status__in=STANDING, starts_at__lte=now).order_by("customer_id", "-starts_at", "-pk")
    coming = one_each.filter(status__in=COMING, starts_at__gt=now).order_by("customer_id", "starts_at", "pk")
    counts = (
        visible.order_by()
        .values("customer_id")
        .annotate(
            came=Count("pk", filter=Q(status__in=TOOK_PLACE)),
            missed=Count("pk", filter=Q(status=BookingStatus.NO_SHOW)),
        )
    )
    of: dict[int, dict[str, Any]] = {pk: {} for pk in ids}
    for booking in last:
        of[booking.customer_id or 0]["last"] = booking
    for booking in coming:
        of[booking.customer_id or 0]["next"] = booking
    for row in counts:
        of[row["customer_id"]] |= {"came": row["came"], "missed": row["missed"]}
    return {pk: Seen(**values) for pk, values in of.items()}


def _typed(typed: str) -> Q:
    """Match a whole phone number, or words that must all occur; four digits also match the end of a phone number."""
    words = folded_words(typed)
    wanted = Q() if words else Q(pk__in=[])
    for word in words:
        is_end = len(word) == PHONE_END and word.isdecimal()
        here = Q(has_word(word))
        wanted &= here | Q(phone_end_hash=phone_end_hash(word)) if is_end else here
    return wanted | has_phone(typed)


def _place(keyed: QuerySet[Any], reference: str) -> tuple[Any, int] | None:
    """Return sort key and id of the customer at the edge of the page; None for the first page."""
    return keyed.filter(reference=reference).values_list("sort_key", "pk").first() if reference else None


def _beyond(key: Any, pk: int, *, is_falling: bool) -> Q:
    """Match the rows after that customer. The first condition is redundant, but lets an index find the position."""
    if is_falling:
        return Q(sort_key__lte=key) & (Q(sort_key__lt=key) | Q(pk__lt=pk))
    return Q(sort_key__gte=key) & (Q(sort_key__gt=key) | Q(pk__gt=pk))


def _ordered(keyed: QuerySet[Any], *, is_falling: bool) -> QuerySet[Customer]:
    return keyed.order_by("-sort_key", "-pk") if is_falling else keyed.order_by("sort_key", "pk")
