"""Money: decimals by currency, texts by language, rounding half up, parts that add up."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money


@pytest.mark.parametrize(("currency", "places"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0)])
def test_exponent_is_the_currencys(currency: str, places: int) -> None:
    assert money.exponent(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (1600, "EUR", "en", "€16.00"),
        (1600, "EUR", "de", "16,00\xa0€"),
        (123_456, "USD", "en", "$1,234.56"),
        (8800, "JPY", "en", "¥8,800"),
        (8800, "JPY", "ja", "￥8,800"),
        (25_500, "KWD", "en", "KWD\xa025.500"),
        (0, "EUR", "en", "€0.00"),
        (-1600, "EUR", "en", "-€16.00"),
        (1600, "CHF", "en", "CHF\xa016.00"),
        (1600, "CHF", "de-ch", "CHF\xa016.00"),
        (1600, "EUR", "zh-hans", "€16.00"),
    ],
)
def test_formatted_as_people_of_the_language_write(amount: int, currency: str, language: str, expected: str) -> None:
    assert money.formatted(amount, currency, language) == expected


def test_unknown_language_falls_back_to_english() -> None:
    assert money.formatted(1600, "EUR", "xx-yy") == "€16.00"


def test_formatting_again_costs_next_to_nothing() -> None:
    money.formatted(4711, "EUR", "en")
    before = money.formatted.cache_info().hits

    money.formatted(4711, "EUR", "en")

    assert money.formatted.cache_info().hits == before + 1


@pytest.mark.parametrize(
    ("amount", "basis_points", "expected"),
    [(8000, 2000, 1600), (1, 5000, 1), (1, 4999, 0), (3, 5000, 2), (0, 5000, 0), (999, 10_000, 999)],
)
def test_share_rounds_half_up(amount: int, basis_points: int, expected: int) -> None:
    assert money.share(amount, basis_points) == expected


@given(st.integers(0, 10**9), st.integers(0, 10_000))
def test_share_is_exact_decimal_arithmetic(amount: int, basis_points: int) -> None:
    exact = (Decimal(amount) * basis_points / 10_000).quantize(Decimal(1), rounding=ROUND_HALF_UP)

    assert money.share(amount, basis_points) == exact


@given(st.integers(0, 10**9), st.integers(0, 5000))
def test_included_tax_is_nearest_and_leaves_a_net_that_taxes_back(gross: int, basis_points: int) -> None:
    tax = money.included_tax(gross, basis_points)
    double_error = 2 * tax * (10_000 + basis_points) - 2 * gross * basis_points

    assert 0 <= tax <= gross
    assert -(10_000 + basis_points) < double_error <= 10_000 + basis_points
    assert abs(money.share(gross - tax, basis_points) - tax) <= 1


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_split_adds_up(amount: int, weights: list[int]) -> None:
    parts = money.split(amount, weights)

    assert sum(parts) == amount
    assert len(parts) == len(weights)
    assert min(parts) >= 0


def test_split_puts_the_remainder_last() -> None:
    assert money.split(100, [1, 1, 1]) == [33, 33, 34]
    assert money.split(100, [0, 0]) == [0, 100]
    assert money.split(100, []) == []
