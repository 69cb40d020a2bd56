"""A list of the desk as its address asks for it: columns, filters, sort order and page. Knows no model and no query.

A list declares its columns and its filters once (``Listing``). ``asked_of`` reads an address with them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.utils.functional import Promise

from core.inputs import without_nul

Text = str | Promise
Cell = str | int | Decimal
Line = TypeVar("Line")
# What a list is read with beside its filters. A filter must not have one of these names.
SORT, ORDER, AFTER, BEFORE = "sort", "order", "after", "before"
_LONGEST_MARK = 24
_YEARS = range(2000, 2101)


class Order(StrEnum):
    RISING = "asc"
    FALLING = "desc"


class Control(StrEnum):
    """How a filter is filled in: free text, one of its choices, or a day as ``2027-01-05``."""

    TEXT = "text"
    CHOICE = "choice"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column(Generic[Line]):
    """One column of a list.

    A column with a ``label`` has a header cell on the page, one with an ``order`` sorts the list (``key`` names it in
    the address), one with a ``csv`` value is in the CSV under ``name``. Texts of the CSV are protected against
    formulas, numbers stay numbers. ``is_falling``: the first click sorts from large to small.
    """

    label: Text = ""
    key: str = ""
    order: Combinable | None = None
    is_falling: bool = False
    is_sum: bool = False
    name: str = ""
    csv: Callable[[Line], Cell] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter, and its name in the address. ``choices`` are pairs of value and label, without "any"; ``hint`` says
    what a text finds.
    """

    name: str
    label: Text
    control: Control = Control.CHOICE
    choices: Sequence[tuple[str, Text]] = ()
    hint: Text = ""
    longest: int = 80


@dataclass(frozen=True, slots=True)
class Listing(Generic[Line]):
    """What an address may ask for. Without a sort order in it the first column that sorts is taken."""

    columns: Sequence[Column[Line]]
    filters: Sequence[Filter] = ()

    @property
    def sorting(self) -> list[Column[Line]]:
        return [column for column in self.columns if column.order is not None]


@dataclass(frozen=True, slots=True)
class Asked(Generic[Line]):
    """The query of a list. ``values`` are the filters that are set; ``after`` and ``before`` mark the row at the edge
    of the neighbouring page; ``refused`` are filters with a value that the list does not know, and that value.
    """

    listing: Listing[Line]
    column: Column[Line]
    is_falling: bool
    values: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    before: str = ""
    refused: tuple[tuple[Filter, str], ...] = ()

    @property
    def order(self) -> Combinable:
        assert self.column.order is not None  # noqa: S101 (for mypy; ``asked_of`` takes only columns that sort)
        return self.column.order

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def day(self, name: str) -> date | None:
        return day_of(self.value(name))

    def days(self, first: str, last: str) -> tuple[date | None, date | None]:
        """Return the days of two filters, both included, the earlier one first."""
        begins, ends = self.day(first), self.day(last)
        return (ends, begins) if begins and ends and begins > ends else (begins, ends)

    @property
    def sorted_by(self) -> dict[str, str]:
        """Return the parameters of the sort order; empty for the usual one."""
        return self.parameters_of(self.column, is_falling=self.is_falling)

    def parameters_of(self, column: Column[Line], *, is_falling: bool) -> dict[str, str]:
        named = {SORT: "" if column is self.listing.sorting[0] else column.key}
        if is_falling != column.is_falling:
            named[ORDER] = Order.FALLING if is_falling else Order.RISING
        return {name: value for name, value in named.items() if value}

    def query(self, **changes: str) -> str:
        """Return the query string with other filters. It starts at the first page unless a change names another one."""
        return _query({**self.values, **self.sorted_by, **changes})

    def query_sorted(self, column: Column[Line], *, is_falling: bool) -> str:
        return _query({**self.values, **self.parameters_of(column, is_falling=is_falling)})

    @property
    def typed_query(self) -> str:
        """Return the query string with the values that the list does not know as well."""
        return self.query(**{each.name: typed for each, typed in self.refused})

    @property
    def whole_query(self) -> str:
        """Return the query string of this very page."""
        return self.query(**{AFTER: self.after, BEFORE: self.before})


def asked_of(
    query: Mapping[str, str] | QueryDict, listing: Listing[Line], usual: Mapping[str, str] | None = None
) -> Asked[Line]:
    """Read an address. A filter with an unknown value counts as not given, and so does an unknown sort order.

    ``usual`` are the values of filters that the address does not give.
    """
    values, refused = dict(usual or {}), []
    for each in listing.filters:
        typed = _text(query, each.name, each.longest)
        if typed and _is_known(each, typed):
            values[each.name] = typed
        elif typed:
            refused.append((each, typed))
    column, is_falling = _sorting(query, listing)
    return Asked(
        listing=listing,
        column=column,
        is_falling=is_falling,
        values=values,
        after=_text(query, AFTER, _LONGEST_MARK),
        before=_text(query, BEFORE, _LONGEST_MARK),
        refused=tuple(refused),
    )


def day_of(typed: str) -> date | None:
    """Read an ISO day; None for other text and for years outside 2000 to 2100."""
    try:
        on = date.fromisoformat(typed)
    except ValueError:
        return None
    return on if on.year in _YEARS else None


def _sorting(query: Mapping[str, str] | QueryDict, listing: Listing[Line]) -> tuple[Column[Line], bool]:
    typed, order = _text(query, SORT, _LONGEST_MARK), _text(query, ORDER, _LONGEST_MARK)
    sorting = listing.sorting
    column = next((each for each in sorting if each.key == typed), sorting[0])
    return column, order == Order.FALLING if order in set(Order) else column.is_falling


def _is_known(each: Filter, typed: str) -> bool:
    match each.control:
        case Control.CHOICE:
            return any(typed == value for value, _ in each.choices)
        case Control.DAY:
            return day_of(typed) is not None
        case _:
            return True


def _text(query: Mapping[str, str] | QueryDict, name: str, longest: int) -> str:
    return without_nul(str(query.get(name, ""))).strip()[:longest]


def _query(named: Mapping[str, Any]) -> str:
    return urlencode({name: value for name, value in named.items() if value})
