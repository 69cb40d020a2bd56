"""What every list of the desk shows around its rows, as text: header cells, filters, links to other pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext

from core import formats
from dashboard.lists.address import AFTER, BEFORE, Asked, Control, Filter
from dashboard.lists.pages import Found


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A header cell. ``url`` sorts by the column; empty if it does not sort. ``direction`` is the value of aria-sort,
    empty unless the list is sorted by this column.
    """

    label: str
    key: str
    url: str
    direction: str
    is_sum: bool


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One control of the filter form."""

    name: str
    label: str
    hint: str
    control: str
    value: str
    options: tuple[Option, ...]
    longest: int


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class ListFrame:
    """``own_url`` is the address of this very page. ``chosen`` are the filters that are set, each with the address
    without it. ``hidden`` keeps the sort order when the form is sent. ``notes`` are sentences about filters that were
    left out.
    """

    url: str
    own_url: str
    head: tuple[HeadCell, ...]
    fields: tuple[Field, ...]
    chosen: tuple[Link, ...]
    hidden: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    count: str
    csv_url: str
    before_url: str
    after_url: str
    is_narrowed: bool

    @property
    def searches(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.control == Control.TEXT)

    @property
    def choices(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.control != Control.TEXT)


def frame_of(
    asked: Asked[Any], found: Found[Any], *, url: str, count: str, csv_url: str = "", always: Sequence[str] = ()
) -> ListFrame:
    """``csv_url`` is empty for a reader who may not download. ``always`` are filters that always have a value."""
    chosen = [each for each in asked.listing.filters if each.name in asked.values and each.name not in always]
    return ListFrame(
        url=url,
        own_url=address(url, asked.whole_query),
        head=tuple(head_of(asked, url)),
        fields=tuple(_field(each, asked.value(each.name)) for each in asked.listing.filters),
        chosen=tuple(
            Link(_chosen_text(each, asked.value(each.name)), address(url, asked.query(**{each.name: ""})))
            for each in chosen
        ),
        hidden=tuple(asked.sorted_by.items()),
        notes=tuple(_refused_text(each, typed) for each, typed in asked.refused),
        count=count,
        csv_url=address(csv_url, asked.query()) if csv_url and found.rows else "",
        before_url=address(url, asked.query(**{BEFORE: found.before})) if found.before else "",
        after_url=address(url, asked.query(**{AFTER: found.after})) if found.after else "",
        is_narrowed=bool(chosen),
    )


def head_of(asked: Asked[Any], url: str) -> Iterator[HeadCell]:
    """Yield a header cell for each column with a label. The column of the sort order turns it around."""
    for column in asked.listing.columns:
        if not column.label:
            continue
        is_on = column is asked.column
        is_falling = not asked.is_falling if is_on else column.is_falling
        yield HeadCell(
            label=str(column.label),
            key=column.key,
            url=address(url, asked.query_sorted(column, is_falling=is_falling)) if column.order is not None else "",
            direction=("descending" if asked.is_falling else "ascending") if is_on else "",
            is_sum=column.is_sum,
        )


def range_links(
    asked: Asked[Any], url: str, ranges: Sequence[tuple[object, date | None, date | None]]
) -> tuple[Link, ...]:
    """Return a link for each range of days, given as label, first and last day. None leaves that end open."""
    shown = asked.value("from"), asked.value("until")
    links = []
    for label, first, last in ranges:
        days = first.isoformat() if first else "", last.isoformat() if last else ""
        links.append(
            Link(str(label), address(url, asked.query(**{"from": days[0], "until": days[1]})), is_on=days == shown)
        )
    return tuple(links)


def address(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _field(each: Filter, value: str) -> Field:
    options = [Option("", gettext("Any"), not value)] if each.control is Control.CHOICE else []
    options += [Option(choice, str(label), choice == value) for choice, label in each.choices]
    return Field(
        name=each.name,
        label=str(each.label),
        hint=str(each.hint),
        control=each.control.value,
        value=value,
        options=tuple(options),
        longest=each.longest,
    )


def _chosen_text(each: Filter, value: str) -> str:
    words = {"label": str(each.label), "value": _value_text(each, value)}
    return gettext("%(label)s: %(value)s") % words


def _value_text(each: Filter, value: str) -> str:
    match each.control:
        case Control.CHOICE:
            return next((str(label) for choice, label in each.choices if choice == value), value)
        case Control.DAY:
            return formats.full_day_text(date.fromisoformat(value))
        case _:
            return formats.isolated(f"“{value}”")


def _refused_text(each: Filter, typed: str) -> str:
    words = {"label": str(each.label), "value": formats.isolated(typed)}
    return gettext("“%(label)s” is left out, because the list does not know “%(value)s”.") % words
