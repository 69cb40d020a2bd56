"""Sharing a refund among payments: exact if possible, never too little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.returns import Left, shares
from payments.stripe.amounts import rounded_down, smallest_step

STEPS = {"JPY": 1, "EUR": 1, "ISK": 1, "KWD": 10}


@pytest.mark.parametrize(("currency", "step"), STEPS.items())
def test_smallest_step(currency: str, step: int) -> None:
    assert smallest_step(currency) == step


@pytest.mark.parametrize(
    ("amount", "payments", "expected"),
    [
        (4000, [Left(3000, True), Left(3000, False)], [3000, 1000]),
        (4063, [Left(8120, True)], [4070]),
        (4063, [Left(8120, True), Left(5, False)], [4060, 3]),
        (4070, [Left(5, False), Left(8120, True)], [0, 4070]),
        (4063, [Left(1, False), Left(8120, True)], [0, 4070]),
        (4065, [Left(4000, True), Left(5, False), Left(4000, True)], [4000, 5, 60]),
        (9000, [Left(8120, True), Left(5, False)], [8120, 5]),
        (0, [Left(8120, True)], [0]),
        (4063, [], []),
    ],
)
def test_shares_of_three_decimals(amount: int, payments: list[Left], expected: list[int]) -> None:
    assert shares(amount, payments, "KWD") == expected


@st.composite
def returns(draw: st.DrawFn) -> tuple[int, list[Left], str]:
    currency = draw(st.sampled_from(sorted(STEPS)))
    lefts = draw(st.lists(st.builds(Left, st.integers(0, 5000), st.booleans()), max_size=5))
    writable = [
        Left(rounded_down(each.minor, currency) if each.is_online else each.minor, each.is_online) for each in lefts
    ]
    return draw(st.integers(0, 12_000)), writable, currency


@given(returns())
def test_what_goes_back_is_the_sum_or_everything_and_can_be_written(case: tuple[int, list[Left], str]) -> None:
    amount, payments, currency = case
    wanted = min(amount, sum(each.minor for each in payments))

    parts = shares(amount, payments, currency)

    assert wanted <= sum(parts) < wanted + STEPS[currency]
    assert all(0 <= part <= each.minor for part, each in zip(parts, payments, strict=True))
    assert all(part % STEPS[currency] == 0 for part, each in zip(parts, payments, strict=True) if each.is_online)


@given(returns())
def test_a_sum_that_can_be_written_goes_back_exactly(case: tuple[int, list[Left], str]) -> None:
    amount, payments, currency = case
    amount = min(rounded_down(amount, currency), rounded_down(sum(each.minor for each in payments), currency))

    assert sum(shares(amount, payments, currency)) == amount
