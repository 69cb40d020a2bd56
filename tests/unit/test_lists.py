"""The address of a list, and its CSV: what is read from it, and where its links lead."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import F

from dashboard.lists.address import Asked, Column, Control, Filter, Listing, asked_of
from dashboard.lists.csv import csv_lines
from dashboard.lists.pages import Found
from dashboard.lists.presenter import frame_of

WHEN: Column[str] = Column("When", "when", F("at"), is_falling=True)
NAME: Column[str] = Column("Name", "name", F("name"), name="name", csv=lambda line: line)
LIST: Listing[str] = Listing(
    [WHEN, Column("Contact"), NAME],
    [
        Filter("q", "Search", Control.TEXT, longest=5),
        Filter("status", "Status", choices=[("open", "Open"), ("done", "Done")]),
        Filter("from", "From", Control.DAY),
        Filter("until", "Until", Control.DAY),
    ],
)


def asked(**query: str) -> Asked[str]:
    return asked_of(query, LIST)


def test_an_address_without_anything_is_the_first_page_in_the_usual_order() -> None:
    found = asked()

    assert (found.column, found.is_falling, found.values, found.query()) == (WHEN, True, {}, "")


@pytest.mark.parametrize(
    ("query", "column", "is_falling"),
    [
        ({"sort": "name"}, NAME, False),
        ({"sort": "name", "order": "desc"}, NAME, True),
        ({"order": "asc"}, WHEN, False),
        ({"sort": "nonsense", "order": "nonsense"}, WHEN, True),
        # A column without an order.
        ({"sort": ""}, WHEN, True),
    ],
)
def test_the_order_of_an_address(query: dict[str, str], column: Column[str], is_falling: bool) -> None:
    found = asked(**query)

    assert (found.column, found.is_falling) == (column, is_falling)


def test_filters_are_cleaned_and_unknown_values_are_left_out() -> None:
    found = asked(q=" a\0bcdefgh ", status="nonsense", **{"from": "2027-02-30", "until": "2027-03-01"})

    assert found.values == {"q": "abcde", "until": "2027-03-01"}
    assert [(each.name, typed) for each, typed in found.refused] == [("status", "nonsense"), ("from", "2027-02-30")]


@pytest.mark.parametrize("typed", ["1999-12-31", "2101-01-01", "nonsense", "٢٠٢٧-01-01", "9" * 500])
def test_a_day_is_a_day_of_this_century(typed: str) -> None:
    assert asked(until=typed).day("until") is None


def test_days_that_are_turned_around_are_put_right() -> None:
    found = asked(**{"from": "2027-03-02", "until": "2027-03-01"})

    assert found.days("from", "until") == (date(2027, 3, 1), date(2027, 3, 2))
    assert asked(until="2027-03-01").days("from", "until") == (None, date(2027, 3, 1))


def test_links_keep_the_filters_and_the_order_and_start_at_the_first_page() -> None:
    found = asked(q="ann", sort="name", order="desc", after="X")

    assert found.query() == "q=ann&sort=name&order=desc"
    assert found.query(status="open", q="") == "sort=name&order=desc&status=open"
    assert found.query(after="Y") == "q=ann&sort=name&order=desc&after=Y"
    assert found.whole_query == "q=ann&sort=name&order=desc&after=X"


def test_values_that_an_address_does_not_give_are_the_usual_ones() -> None:
    usual = {"from": "2027-03-01"}

    assert asked_of({}, LIST, usual).values == usual
    assert asked_of({"from": "nonsense"}, LIST, usual).values == usual
    assert asked_of({"from": "2027-04-01"}, LIST, usual).value("from") == "2027-04-01"


def test_a_header_cell_turns_its_own_order_around() -> None:
    when, contact, name = frame_of(asked(sort="name", q="ann"), Found([], 0), url="/list/", count="").head

    assert (when.direction, when.url) == ("", "/list/?q=ann")
    assert (contact.direction, contact.url) == ("", "")
    assert (name.direction, name.url) == ("ascending", "/list/?q=ann&sort=name&order=desc")
    turned = frame_of(asked(sort="name", order="desc"), Found([], 0), url="/list/", count="").head[2]
    assert (turned.direction, turned.url) == ("descending", "/list/?sort=name")


def test_each_filter_can_be_taken_away_by_itself() -> None:
    frame = frame_of(asked(q="ann", status="open", until="2027-03-01"), Found([], 0), url="/list/", count="")

    assert [(each.label, each.url) for each in frame.chosen] == [
        ("Search: “ann”", "/list/?status=open&until=2027-03-01"),
        ("Status: Open", "/list/?q=ann&until=2027-03-01"),
        ("Until: Mon 1 Mar 2027", "/list/?q=ann&status=open"),
    ]
    assert frame.is_narrowed
    assert not frame_of(asked(until="2027-03-01"), Found([], 0), url="/", count="", always=["until"]).is_narrowed


def test_a_filter_that_was_left_out_is_said() -> None:
    frame = frame_of(asked(until="tomorrow"), Found([], 0), url="/list/", count="")

    assert frame.notes == ("“Until” is left out, because the list does not know “tomorrow”.",)


def test_the_csv_has_texts_that_are_no_formulas_and_numbers_that_stay_numbers() -> None:
    of: Listing[tuple[str, int]] = Listing(
        [
            Column("Name", "name", F("name"), name="name", csv=lambda line: line[0]),
            Column("Contact"),
            Column(name="sum", csv=lambda line: Decimal(line[1]).scaleb(-2)),
            Column(name="count", csv=lambda line: line[1]),
        ]
    )

    lines = list(csv_lines(of, [("=1+1", -1250), ("Ann", 5)]))

    assert lines == [["name", "sum", "count"], ["'=1+1", "-12.50", "-1250"], ["Ann", "0.05", "5"]]
