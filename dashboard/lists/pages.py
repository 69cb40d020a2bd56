"""Pages and chunks of a list by keys: each begins after the last row of the one before, so that a late page costs no
more than the first. Knows no model: a list is one queryset, or several whose rows are merged in one order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from django.db.models import IntegerField, Model, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from dashboard.lists.address import Asked

PAGE_LENGTH = 50
CHUNK_LENGTH = 500
# The count stops here: a larger number helps no reader and costs time.
MOST_COUNTED = 1000
_LONGEST_ID = 18
_PK = "pk"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Source(Generic[Row]):
    """Rows of one model. ``visible`` has at least the rows of ``found``: a row at the edge of a page keeps its place
    when it no longer matches the filters. ``mark`` is the field that names a row in the address, after ``prefix``.
    """

    found: QuerySet[Row]
    visible: QuerySet[Row]
    mark: str = _PK
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """One page. ``count`` is at most ``MOST_COUNTED`` + 1 for each source. ``after`` and ``before`` are the marks of
    the neighbouring pages; empty at the ends of the list.
    """

    rows: list[Row]
    count: int
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A position in the list: the sort key of a row, the number of its source, and its id."""

    key: Any
    rank: int
    pk: int


def page_of(
    sources: Sequence[Source[Row]], asked: Asked[Any], *, order: Combinable | None = None, length: int = PAGE_LENGTH
) -> Found[Row]:
    """Return the page that is asked for: three queries for one source, at most five for two.

    Every source sorts by the same expression, ``order`` or that of the column. The keys of several sources are compared
    here as well: a text needs the collation "C".
    """
    order = order or asked.order
    is_back = bool(asked.before) and not asked.after
    place = _place(sources, order, asked.after or asked.before)
    is_falling = asked.is_falling != is_back
    rows = _rows(sources, order, place, is_falling=is_falling, limit=length + 1)
    has_more, rows = len(rows) > length, rows[:length]
    if is_back:
        rows.reverse()
    has_after, has_before = (bool(place), has_more) if is_back else (has_more, bool(place))
    return Found(
        rows=rows,
        count=sum(each.found.order_by().values(_PK)[: MOST_COUNTED + 1].count() for each in sources),
        after=_mark(sources, rows[-1]) if has_after and rows else "",
        before=_mark(sources, rows[0]) if has_before and rows else "",
    )


def chunks_of(sources: Sequence[Source[Row]], asked: Asked[Any]) -> Iterator[list[Row]]:
    """Yield all rows in order, in chunks. Each chunk takes one query for each source."""
    place: _Place | None = None
    while rows := _rows(sources, asked.order, place, is_falling=asked.is_falling, limit=CHUNK_LENGTH):
        yield rows
        place = _place_of(rows[-1])


def _rows(
    sources: Sequence[Source[Row]], order: Combinable, place: _Place | None, *, is_falling: bool, limit: int
) -> list[Row]:
    found = [
        _ordered(_beyond(_keyed(source.found, order, rank), rank, place, is_falling), is_falling)[:limit]
        for rank, source in enumerate(sources)
    ]
    if len(found) == 1:
        return list(found[0])
    return sorted(chain(*found), key=_key, reverse=is_falling)[:limit]


def _keyed(rows: QuerySet[Any], order: Combinable, rank: int) -> QuerySet[Any]:
    keyed: QuerySet[Any] = rows.annotate(sort_key=order, sort_rank=Value(rank, output_field=IntegerField()))
    return keyed


def _beyond(rows: QuerySet[Any], rank: int, place: _Place | None, is_falling: bool) -> QuerySet[Any]:
    """Keep the rows after a place. The first condition is redundant, but lets an index find the position."""
    if place is None:
        return rows
    sign = "lt" if is_falling else "gt"
    is_beyond, is_level = Q(**{f"sort_key__{sign}": place.key}), Q(**{f"sort_key__{sign}e": place.key})
    if rank == place.rank:
        wanted = is_level & (is_beyond | Q(**{f"pk__{sign}": place.pk}))
    else:
        wanted = is_level if (rank < place.rank) == is_falling else is_beyond
    beyond: QuerySet[Any] = rows.filter(wanted)
    return beyond


def _ordered(rows: QuerySet[Any], is_falling: bool) -> QuerySet[Any]:
    return rows.order_by("-sort_key", "-pk") if is_falling else rows.order_by("sort_key", "pk")


def _place(sources: Sequence[Source[Row]], order: Combinable, mark: str) -> _Place | None:
    """Find the row at the edge of the page; None for the first page, and for a mark of no visible row."""
    for rank, source in enumerate(sources):
        value = mark.removeprefix(source.prefix)
        if not value or not mark.startswith(source.prefix):
            continue
        if source.mark == _PK and not (value.isascii() and value.isdecimal() and len(value) <= _LONGEST_ID):
            continue
        keyed = _keyed(source.visible, order, rank).filter(**{source.mark: value})
        found = keyed.order_by().values_list("sort_key", "pk").first()
        return _Place(found[0], rank, found[1]) if found else None
    return None


def _place_of(row: Any) -> _Place:
    return _Place(row.sort_key, row.sort_rank, row.pk)


def _key(row: Any) -> tuple[Any, int, int]:
    return row.sort_key, row.sort_rank, row.pk


def _mark(sources: Sequence[Source[Row]], row: Any) -> str:
    source = sources[row.sort_rank]
    return f"{source.prefix}{getattr(row, source.mark)}"
