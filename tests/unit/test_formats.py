"""Sums and names in the form in which people read them."""

from datetime import UTC, date, datetime

import pytest
from django.utils.translation import override

from core import formats


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (0, "EUR", "en", "€0"),
        (4500, "EUR", "en", "€45"),
        (4550, "EUR", "en", "€45.50"),
        (-4500, "EUR", "en", "−€45"),
        (4500, "EUR", "de", "45\xa0€"),
        (0, "KWD", "en", "KWD\xa00"),
        (4500, "CHF", "en", "CHF\xa045"),
        (1500, "JPY", "en", "¥1,500"),
    ],
)
def test_short_sum_leaves_out_cents_that_are_none(amount: int, currency: str, language: str, expected: str) -> None:
    with override(language):
        assert formats.money_text(amount, currency, short=True) == expected


@pytest.mark.parametrize("name", ["", "Jana Weber", "山田 太郎", "Zoë 😀"])
def test_name_that_runs_with_the_page_stays_as_it_is(name: str) -> None:
    assert formats.isolated(name) == name


@pytest.mark.parametrize("name", ["محمد", "Ali (علي)", "דנה"])
def test_name_that_runs_the_other_way_is_kept_apart(name: str) -> None:
    assert formats.isolated(name) == f"\u2068{name}\u2069"


def test_a_moment_far_away_has_its_year() -> None:
    moment = datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
    assert formats.dated_moment_text(moment, date(2026, 12, 31)) == "Tue 5 Jan, 09:30"
    assert formats.dated_moment_text(moment, date(2026, 1, 5)) == "Tue 5 Jan 2027, 09:30"
