"""What is asked when booking: every mode, what Stripe cannot take, and sums that always add up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules.fees import deposit_taken
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.terms import Terms, Tier
from payments.stripe.amounts import chargeable, stripe_amount
from services.enums import DepositKind, DepositRule, FeeKind, PaymentMode

STEPPED = (Tier(2880, FeeKind.NONE, 0), Tier(1440, FeeKind.PERCENT, 5000))
DEPOSIT = Terms(payment_mode=PaymentMode.DEPOSIT, deposit_value=2000, tiers=STEPPED)
FULL = Terms(payment_mode=PaymentMode.FULL, tiers=STEPPED)
CARD = Terms(payment_mode=PaymentMode.CARD, tiers=STEPPED)


def demand(terms: Terms, **values: Any) -> Demand:
    given_values = {"total_minor": 8000, "at_visit_minor": 0, "currency": "EUR", "has_stripe": True, **values}
    return payment_demand(terms, **given_values)


def fixed(value: int, **values: Any) -> Terms:
    return Terms(
        payment_mode=PaymentMode.DEPOSIT,
        deposit_kind=DepositKind.FIXED,
        deposit_value=value,
        tiers=STEPPED,
        **values,
    )


@pytest.mark.parametrize(
    ("terms", "values", "expected"),
    [
        (Terms(), {}, Demand(PaymentMode.VENUE, 0, 8000)),
        (Terms(payment_mode=PaymentMode.NONE), {}, Demand(PaymentMode.NONE, 0, 8000)),
        (DEPOSIT, {}, Demand(PaymentMode.DEPOSIT, 1600, 6400)),
        (DEPOSIT, {"at_visit_minor": 800, "total_minor": 8800}, Demand(PaymentMode.DEPOSIT, 1600, 7200)),
        (fixed(2000), {}, Demand(PaymentMode.DEPOSIT, 2000, 6000)),
        (FULL, {}, Demand(PaymentMode.FULL, 8000, 0)),
        (FULL, {"at_visit_minor": 800, "total_minor": 8800}, Demand(PaymentMode.FULL, 8000, 800)),
        (CARD, {}, Demand(PaymentMode.CARD, 0, 8000, saves_card=True, cap_minor=8000)),
    ],
)
def test_each_mode_asks_for_its_part(terms: Terms, values: dict[str, Any], expected: Demand) -> None:
    assert demand(terms, **values) == expected


# A visit of €80, an extra of €8 at the visit and one of €10 when booking.
EXTRAS = {"total_minor": 9800, "at_visit_minor": 800, "at_booking_minor": 1000}


@pytest.mark.parametrize(
    ("terms", "values", "expected"),
    [
        (DEPOSIT, {}, Demand(PaymentMode.DEPOSIT, 2600, 7200, has_extras=True)),
        (fixed(2000), {}, Demand(PaymentMode.DEPOSIT, 3000, 6800, has_extras=True)),
        (fixed(8000), {}, Demand(PaymentMode.FULL, 9000, 800)),
        (FULL, {}, Demand(PaymentMode.FULL, 9000, 800)),
        (Terms(), {}, Demand(PaymentMode.DEPOSIT, 1000, 8800, has_extras=True)),
        (CARD, {}, Demand(PaymentMode.DEPOSIT, 1000, 8800, saves_card=True, cap_minor=8800, has_extras=True)),
        (Terms(payment_mode=PaymentMode.NONE), {}, Demand(PaymentMode.NONE, 0, 9800)),
        (Terms(), {"total_minor": 1000, "at_visit_minor": 0}, Demand(PaymentMode.FULL, 1000, 0)),
        # Too small to charge.
        (Terms(), {"at_booking_minor": 49}, Demand(PaymentMode.VENUE, 0, 9800)),
        (CARD, {"at_booking_minor": 49}, Demand(PaymentMode.CARD, 0, 9800, saves_card=True, cap_minor=9800)),
        (Terms(), {"is_exempt": True}, Demand(PaymentMode.VENUE, 0, 9800)),
        (DEPOSIT, {"has_stripe": False}, Demand(PaymentMode.VENUE, 0, 9800)),
        (DEPOSIT, {"must_prepay": True}, Demand(PaymentMode.FULL, 9000, 800)),
    ],
)
def test_extras_paid_when_booking_are_due_now_in_full(terms: Terms, values: dict[str, Any], expected: Demand) -> None:
    assert demand(terms, **{**EXTRAS, **values}) == expected


@pytest.mark.parametrize(
    ("total", "points", "currency", "expected"),
    [
        (8000, 3333, "EUR", 2666),
        (8001, 5000, "EUR", 4001),  # 4000.5 rounds up
        (8001, 5000, "JPY", 4001),
        (8125, 2000, "KWD", 1620),  # 1.625 is more than Stripe can write
        (90_000, 2000, "UGX", 18_000),
        (90_000, 2000, "ISK", 18_000),
    ],
)
def test_a_percentage_rounds_half_up_to_what_stripe_can_take(
    total: int, points: int, currency: str, expected: int
) -> None:
    terms = Terms(payment_mode=PaymentMode.DEPOSIT, deposit_value=points)

    asked = demand(terms, total_minor=total, currency=currency)

    assert (asked.due_now_minor, asked.due_later_minor) == (expected, total - expected)


@pytest.mark.parametrize("value", [8000, 8001, 12_000])
def test_a_deposit_as_large_as_the_price_is_the_whole_price(value: int) -> None:
    assert demand(fixed(value)) == Demand(PaymentMode.FULL, 8000, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (50, Demand(PaymentMode.DEPOSIT, 50, 7950)),
        (49, Demand(PaymentMode.CARD, 0, 8000, saves_card=True, cap_minor=8000)),
    ],
)
def test_a_deposit_below_the_smallest_charge_is_a_card_on_file(value: int, expected: Demand) -> None:
    assert demand(fixed(value, is_fee_capped_at_deposit=False)) == expected


def test_no_card_is_asked_for_where_no_fee_could_be_charged() -> None:
    assert demand(Terms(payment_mode=PaymentMode.CARD)) == Demand(PaymentMode.VENUE, 0, 8000)
    assert demand(CARD, total_minor=49) == Demand(PaymentMode.VENUE, 0, 49)
    # A fee of at most this deposit could not be charged either.
    assert demand(fixed(49)) == Demand(PaymentMode.VENUE, 0, 8000)


@pytest.mark.parametrize("terms", [DEPOSIT, FULL, CARD])
@pytest.mark.parametrize(
    "values",
    [
        {"has_stripe": False},
        {"has_stripe": False, "must_prepay": True},
        {"is_exempt": True},
        {"is_exempt": True, "must_prepay": True},
        {"by_staff": True},
    ],
)
def test_without_stripe_and_for_the_spared_everything_is_at_the_visit(terms: Terms, values: dict[str, Any]) -> None:
    assert demand(terms, **values) == Demand(PaymentMode.VENUE, 0, 8000)


@pytest.mark.parametrize("terms", [Terms(), Terms(payment_mode=PaymentMode.NONE), DEPOSIT, FULL, CARD])
def test_who_must_prepay_pays_everything(terms: Terms) -> None:
    assert demand(terms, must_prepay=True) == Demand(PaymentMode.FULL, 8000, 0)


@pytest.mark.parametrize(
    ("terms", "cap"),
    [
        (Terms(payment_mode=PaymentMode.CARD, no_show_fee_kind=FeeKind.PERCENT, no_show_fee_value=5000), 4000),
        (Terms(payment_mode=PaymentMode.CARD, tiers=(Tier(0, FeeKind.FIXED, 2000),)), 2000),
        (
            Terms(payment_mode=PaymentMode.CARD, tiers=(Tier(0, FeeKind.FIXED, 2000),), no_show_fee_kind=FeeKind.ALL),
            8000,
        ),
        (Terms(payment_mode=PaymentMode.CARD, no_show_fee_kind=FeeKind.FIXED, no_show_fee_value=9000), 8000),
        (fixed(1600, saves_card=True, is_fee_capped_at_deposit=False), 6400),
        (fixed(1600, saves_card=True, is_fee_capped_at_deposit=True), 0),
        (fixed(1600, saves_card=False, is_fee_capped_at_deposit=False), 0),
        (Terms(payment_mode=PaymentMode.FULL, saves_card=True, tiers=STEPPED), 0),
        (Terms(payment_mode=PaymentMode.VENUE, saves_card=True, tiers=STEPPED), 0),
    ],
)
def test_the_cap_is_the_highest_fee_less_what_is_paid(terms: Terms, cap: int) -> None:
    asked = demand(terms)

    assert (asked.cap_minor, asked.saves_card) == (cap, cap > 0)


@pytest.mark.parametrize(
    ("terms", "mode", "due", "expected"),
    [
        (DEPOSIT, PaymentMode.DEPOSIT, 1600, 1600),
        (DEPOSIT, PaymentMode.FULL, 8000, 1600),  # had to prepay
        (fixed(9000), PaymentMode.FULL, 8000, 8000),
        (DEPOSIT, PaymentMode.CARD, 0, 0),
        (DEPOSIT, PaymentMode.VENUE, 0, 0),
        (FULL, PaymentMode.FULL, 8000, 0),
    ],
)
def test_what_counts_as_the_deposit_later(terms: Terms, mode: str, due: int, expected: int) -> None:
    assert deposit_taken(terms, payment_mode=mode, due_now_minor=due, total_minor=8000) == expected


_terms = st.builds(
    Terms,
    tiers=st.lists(
        st.builds(Tier, st.integers(0, 5000), st.sampled_from(FeeKind), st.integers(0, 10_000)), max_size=3
    ).map(tuple),
    payment_mode=st.sampled_from(PaymentMode),
    deposit_kind=st.sampled_from(DepositKind),
    deposit_value=st.integers(0, 10_000),
    deposit_rule=st.sampled_from(DepositRule),
    is_fee_capped_at_deposit=st.booleans(),
    saves_card=st.booleans(),
    no_show_fee_kind=st.sampled_from(FeeKind),
    no_show_fee_value=st.integers(0, 10_000),
)


@given(
    _terms,
    st.integers(0, 10**7),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.sampled_from(["EUR", "JPY", "KWD", "ISK", "UGX"]),
    st.fixed_dictionaries({name: st.booleans() for name in ("has_stripe", "is_exempt", "must_prepay", "by_staff")}),
)
def test_sums_add_up_and_stripe_can_take_them(
    terms: Terms, base: int, at_visit: int, at_booking: int, currency: str, flags: dict[str, bool]
) -> None:
    base += at_booking
    total = base + at_visit
    sums = {"total_minor": total, "at_visit_minor": at_visit, "at_booking_minor": at_booking}
    asked = payment_demand(terms, **sums, currency=currency, **flags)

    assert asked.due_now_minor + asked.due_later_minor == total
    assert 0 <= asked.due_now_minor <= base
    assert 0 <= asked.cap_minor <= total - asked.due_now_minor
    assert asked.saves_card == (asked.cap_minor > 0)
    assert asked.needs_stripe == (asked.mode in {PaymentMode.DEPOSIT, PaymentMode.FULL, PaymentMode.CARD})
    if asked.due_now_minor:
        assert chargeable(asked.due_now_minor, currency) == asked.due_now_minor
        stripe_amount(asked.due_now_minor, currency)
    if asked.due_now_minor:
        assert asked.due_now_minor >= chargeable(at_booking, currency)
    if not flags["has_stripe"]:
        assert not asked.needs_stripe
