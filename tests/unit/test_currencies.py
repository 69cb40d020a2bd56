"""Amounts in Stripe's units: conversion, smallest and largest charges, and exact amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money
from payments.stripe.amounts import (
    chargeable,
    from_stripe_amount,
    maximum_charge,
    minimum_charge,
    rounded_down,
    stripe_amount,
)

CURRENCIES = ["EUR", "USD", "JPY", "KWD", "ISK", "UGX", "HUF", "TWD", "RSD", "LBP", "IDR", "COP", "TND", "MGA", "ILS"]


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1600, "EUR", 1600),
        (1600, "eur", 1600),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (5000, "UGX", 500_000),
        (120, "RSD", 12_000),
        (5120, "KWD", 5120),
        (17_500, "HUF", 17_500),
    ],
)
def test_amounts_are_written_in_the_unit_stripe_counts_in(minor: int, currency: str, amount: int) -> None:
    assert stripe_amount(minor, currency) == amount
    assert from_stripe_amount(amount, currency) == minor


@pytest.mark.parametrize("minor", [5124, 5121, 9])
def test_three_decimals_must_end_in_zero(minor: int) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        stripe_amount(minor, "KWD")


def test_an_amount_our_unit_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole sum of ISK"):
        from_stripe_amount(550, "ISK")


@pytest.mark.parametrize(
    ("currency", "smallest"),
    [
        ("EUR", 50),
        ("GBP", 30),
        ("JPY", 50),
        ("HUF", 17_500),
        ("KWD", 1000),
        ("ISK", 100),
        ("UGX", 3000),
        ("XPD", 100_000),
    ],
)
def test_the_smallest_charge(currency: str, smallest: int) -> None:
    assert minimum_charge(currency) == smallest
    assert chargeable(smallest, currency) == smallest
    assert chargeable(smallest - 1, currency) == 0


@pytest.mark.parametrize(
    ("currency", "largest"),
    [("EUR", 99_999_999), ("JPY", 9_999_999_999), ("KWD", 99_999_990), ("ISK", 999_999)],
)
def test_the_largest_charge(currency: str, largest: int) -> None:
    assert maximum_charge(currency) == largest
    assert chargeable(largest * 5, currency) == largest


def test_what_cannot_be_charged_exactly_is_rounded_down() -> None:
    assert chargeable(5129, "KWD") == 5120
    assert rounded_down(9, "KWD") == 0
    assert rounded_down(9, "EUR") == 9


@given(st.integers(0, 10**13), st.sampled_from(CURRENCIES))
def test_what_is_chargeable_is_exact_and_the_most(minor: int, currency: str) -> None:
    found = chargeable(minor, currency)

    assert 0 <= found <= minor
    if found:
        assert minimum_charge(currency) <= found <= maximum_charge(currency)
        assert from_stripe_amount(stripe_amount(found, currency), currency) == found
        step = 10 if currency in {"KWD", "TND"} else 1
        assert found == maximum_charge(currency) or minor - found < step
    else:
        assert minor < minimum_charge(currency) + 10


@given(st.integers(0, 10**9), st.sampled_from(CURRENCIES))
def test_stripes_unit_is_never_coarser_than_a_whole_unit_of_money(minor: int, currency: str) -> None:
    whole = minor * 10 ** money.exponent(currency)

    assert from_stripe_amount(stripe_amount(whole, currency), currency) == whole
