"""Prices: taxes inside and on top, and sums that add up to the last unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules.pricing import PricedLine, QuoteLine, quote
from core import money


def test_tax_inside_the_price() -> None:
    result = quote([PricedLine("Massage", 8000, 1900)], prices_include_tax=True, currency="EUR")

    assert result.lines == (QuoteLine("Massage", 1, 6723, 1277, 8000, 1900),)
    assert (result.net_minor, result.tax_minor, result.total_minor) == (6723, 1277, 8000)
    assert result.taxes == ((1900, 1277),)


def test_tax_on_top_of_the_price() -> None:
    result = quote([PricedLine("Massage", 8000, 825)], prices_include_tax=False, currency="USD")

    assert (result.net_minor, result.tax_minor, result.total_minor) == (8000, 660, 8660)


def test_tax_of_several_lines_is_the_tax_of_their_sum() -> None:
    lines = [PricedLine("One", 333, 700), PricedLine("Two", 333, 700), PricedLine("Three", 333, 700)]

    result = quote(lines, prices_include_tax=False, currency="EUR")

    assert result.tax_minor == money.share(999, 700) == 70
    assert [line.tax_minor for line in result.lines] == [23, 24, 23]


def test_each_rate_is_summed_by_itself() -> None:
    lines = [PricedLine("Massage", 8000, 1900), PricedLine("Book", 1000, 700), PricedLine("Tip", 500, 0)]

    result = quote(lines, prices_include_tax=True, currency="EUR")

    assert result.taxes == ((700, 65), (1900, 1277))
    assert result.total_minor == 9500


def test_quantity_multiplies_before_rounding() -> None:
    result = quote([PricedLine("Seat", 99, 1900, quantity=3)], prices_include_tax=True, currency="EUR")

    assert result.lines[0].gross_minor == 297
    assert result.lines[0].tax_minor == money.included_tax(297, 1900)


@pytest.mark.parametrize(
    ("currency", "price", "rate", "tax"),
    [("JPY", 8800, 1000, 800), ("EUR", 8000, 1900, 1277), ("KWD", 25_500, 500, 1214)],
)
def test_units_are_those_of_the_currency(currency: str, price: int, rate: int, tax: int) -> None:
    result = quote([PricedLine("Service", price, rate)], prices_include_tax=True, currency=currency)

    assert (result.total_minor, result.tax_minor, result.currency) == (price, tax, currency)


def test_nothing_costs_nothing() -> None:
    result = quote([], prices_include_tax=True, currency="EUR")

    assert (result.lines, result.net_minor, result.tax_minor, result.total_minor, result.taxes) == ((), 0, 0, 0, ())


@pytest.mark.parametrize("line", [PricedLine("x", -1, 0), PricedLine("x", 1, -1), PricedLine("x", 1, 0, -1)])
def test_negative_values_are_refused(line: PricedLine) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        quote([line], prices_include_tax=True, currency="EUR")


_lines = st.lists(
    st.builds(
        PricedLine,
        text=st.just("line"),
        price_minor=st.integers(0, 10**7),
        tax_basis_points=st.sampled_from([0, 500, 700, 825, 1900, 2500]),
        quantity=st.integers(1, 5),
    ),
    max_size=8,
)


@given(_lines, st.booleans())
def test_everything_adds_up(lines: list[PricedLine], prices_include_tax: bool) -> None:
    result = quote(lines, prices_include_tax=prices_include_tax, currency="EUR")

    assert result.net_minor + result.tax_minor == result.total_minor
    assert sum(tax for _, tax in result.taxes) == result.tax_minor
    for line, priced in zip(result.lines, lines, strict=True):
        assert line.net_minor + line.tax_minor == line.gross_minor
        assert min(line.net_minor, line.tax_minor) >= 0
        stated = line.gross_minor if prices_include_tax else line.net_minor
        assert stated == priced.price_minor * priced.quantity


@given(_lines, st.booleans())
def test_tax_per_rate_is_rounded_once_and_each_line_is_within_one_unit(
    lines: list[PricedLine], prices_include_tax: bool
) -> None:
    tax_of = money.included_tax if prices_include_tax else money.share
    result = quote(lines, prices_include_tax=prices_include_tax, currency="EUR")

    for rate, tax in result.taxes:
        assert tax == tax_of(sum(p.price_minor * p.quantity for p in lines if p.tax_basis_points == rate), rate)
    for line, priced in zip(result.lines, lines, strict=True):
        assert abs(line.tax_minor - tax_of(priced.price_minor * priced.quantity, priced.tax_basis_points)) <= 1


@pytest.mark.parametrize("prices_include_tax", [True, False])
def test_extras_paid_at_the_visit_are_summed_with_their_tax(prices_include_tax: bool) -> None:
    lines = [PricedLine("Massage", 8000, 1900), PricedLine("Towel", 800, 1900, is_paid_at_visit=True)]

    found = quote(lines, prices_include_tax=prices_include_tax, currency="EUR")

    assert found.at_visit_minor == (800 if prices_include_tax else 952)
    assert found.at_visit_minor == found.lines[1].gross_minor
