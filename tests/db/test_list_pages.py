"""Pages of lists over real rows: everything once in either direction, also where two models are merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db.models import F, QuerySet
from django.db.models.functions import Collate

from accounts.models import Customer, CustomerTag
from dashboard.lists import pages as list_pages
from dashboard.lists.address import Asked, Column, Listing
from dashboard.lists.pages import Source, chunks_of, page_of
from tests.factories import NOW

pytestmark = pytest.mark.django_db

NAME: Column[Any] = Column("Name", "name", Collate("name", "C"))
ADDED: Column[Any] = Column("Added", "added", F("created_at"))
LIST: Listing[Any] = Listing([NAME, ADDED])


def asked(column: Column[Any] = NAME, *, is_falling: bool = False, **edge: str) -> Asked[Any]:
    return Asked(LIST, column, is_falling, **edge)


def pages(sources: Sequence[Source[Any]], of: Asked[Any], length: int) -> list[list[Any]]:
    """Every page from the first to the last."""
    found = page_of(sources, of, length=length)
    rows = [found.rows]
    while found.after:
        found = page_of(sources, replace(of, after=found.after), length=length)
        rows.append(found.rows)
    return rows


def customers(*names: str) -> QuerySet[Customer]:
    for number, name in enumerate(names):
        Customer.objects.create(name=name, created_at=NOW + timedelta(minutes=number // 2))
    return Customer.objects.all()


def merged() -> list[Source[Any]]:
    """Customers and tags in one order, with equal names in both."""
    found = customers(*(f"N{number % 3}" for number in range(7)))
    for name in ("N0", "N1", "N2", "N3"):
        CustomerTag.objects.create(name=name)
    tags = CustomerTag.objects.all()
    return [Source(found, found, prefix="c"), Source(tags, tags, prefix="t")]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 11, 12])
@pytest.mark.parametrize("is_falling", [False, True])
def test_two_models_are_one_list_in_both_directions(
    monkeypatch: pytest.MonkeyPatch, length: int, is_falling: bool
) -> None:
    sources = merged()
    of = asked(is_falling=is_falling)

    forwards = pages(sources, of, length)
    rows = [row for page in forwards for row in page]

    keys = [(row.name, isinstance(row, CustomerTag), row.pk) for row in rows]
    assert len(set(keys)) == 11
    assert keys == sorted(keys, reverse=is_falling)
    # And back, from the last page.
    edge = page_of(sources, of, length=100).rows
    for number in count(1):
        before = f"{'t' if isinstance(edge[-1], CustomerTag) else 'c'}{edge[-1].pk}"
        page = page_of(sources, replace(of, before=before), length=length)
        expected = edge[:-1][-length:]
        assert (page.rows, bool(page.before)) == (expected, len(edge) - 1 > length)
        edge = edge[:-1]
        if len(edge) == 1:
            break
        assert number < 20
    monkeypatch.setattr(list_pages, "CHUNK_LENGTH", length)
    assert [row for chunk in chunks_of(sources, of) for row in chunk] == rows


@pytest.mark.parametrize("column", [NAME, ADDED], ids=["name", "added"])
def test_a_row_that_no_longer_matches_still_marks_its_place(column: Column[Any]) -> None:
    everybody = customers("A", "B", "C", "D")
    mark = Customer.objects.get(name="B").reference
    sources = [Source(everybody.exclude(name="B"), everybody, mark="reference")]

    found = page_of(sources, asked(column, after=mark), length=10)

    assert [row.name for row in found.rows] == ["C", "D"]
    assert (bool(found.before), found.after, found.count) == (True, "", 3)


@pytest.mark.parametrize("mark", ["x1", "c", "c-1", "c١", "c99999999999999999999", "c999999", "\u0000", "1"])
def test_a_mark_of_no_row_is_the_first_page(mark: str) -> None:
    sources = merged()

    found = page_of(sources, asked(after=mark), length=3)

    assert [row.name for row in found.rows] == ["N0", "N0", "N0"]
    assert found.before == ""


def test_an_empty_list_has_no_neighbours() -> None:
    nobody = Customer.objects.none()

    found = page_of([Source(nobody, nobody)], asked(), length=3)

    assert (found.rows, found.count, found.after, found.before) == ([], 0, "", "")


def test_a_row_that_is_added_meanwhile_moves_no_other_to_a_page_twice() -> None:
    found = customers(*"BDFH")
    sources = [Source(found, found, mark="reference")]
    first = page_of(sources, asked(), length=2)

    customers("A", "E")
    second = page_of(sources, asked(after=first.after), length=2)

    assert ([row.name for row in first.rows], [row.name for row in second.rows]) == (["B", "D"], ["E", "F"])
