"""What a fee does to the money: the worked examples of fees-and-prices.md, and sums that always add up."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.enums import BookingStatus
from bookings.rules.fees import FeeFacts, cancellation_fee, deposit_taken, free_until
from bookings.rules.moving import anchor_after_move
from bookings.rules.no_shows import no_show_fee, waiver_until
from bookings.rules.prepayment import payment_demand
from bookings.rules.settlement import CancelQuote, Paid, Settlement, cancel_quote, settlement
from bookings.rules.terms import Terms, Tier
from payments.stripe.amounts import chargeable, rounded_down
from services.enums import DepositRule, FeeKind, PaymentMode

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2027, 3, 10, 14, 0, tzinfo=UTC)
LONG_AGO = START - timedelta(days=60)
PRICE = 8000
SECOND = timedelta(seconds=1)
RULES: dict[str, Any] = {
    "tiers": (Tier(2880, FeeKind.NONE, 0), Tier(1440, FeeKind.PERCENT, 5000), Tier(0, FeeKind.ALL, 0)),
    "no_show_fee_kind": FeeKind.ALL,
}
DEPOSIT = Terms(**RULES, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000)
UNCAPPED = Terms(**RULES, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000, is_fee_capped_at_deposit=False)
WITH_CARD = Terms(
    **RULES, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000, is_fee_capped_at_deposit=False, saves_card=True
)
KEPT = Terms(**RULES, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000, deposit_rule=DepositRule.ALWAYS_KEEP)
FULL = Terms(**RULES, payment_mode=PaymentMode.FULL)
CARD = Terms(**RULES, payment_mode=PaymentMode.CARD)


def before(**duration: float) -> datetime:
    return START - timedelta(**duration)


def facts(terms: Terms, **values: Any) -> FeeFacts:
    """A booking that stands since long ago."""
    known = {"starts_at": START, "confirmed_at": LONG_AGO, "total_minor": PRICE, "currency": "EUR", **values}
    return FeeFacts(terms=terms, **known)


def quote(terms: Terms, now: datetime, **values: Any) -> CancelQuote:
    """What cancelling does to the money of a booking that paid what its terms ask for."""
    asked = payment_demand(terms, total_minor=PRICE, at_visit_minor=0, currency="EUR", has_stripe=True)
    deposit = deposit_taken(terms, payment_mode=asked.mode, due_now_minor=asked.due_now_minor, total_minor=PRICE)
    paid = Paid(asked.due_now_minor, asked.cap_minor if asked.saves_card else None)
    return cancel_quote(facts(terms, deposit_minor=deposit, **values), paid, now)


@pytest.mark.parametrize(
    ("terms", "now", "expected"),
    [
        (DEPOSIT, before(hours=50), Settlement(0, 1600, 0, 0)),
        (DEPOSIT, before(hours=48) - SECOND, Settlement(0, 1600, 0, 0)),
        (DEPOSIT, before(hours=48), Settlement(0, 1600, 0, 0)),
        (DEPOSIT, before(hours=48) + SECOND, Settlement(1600, 0, 0, 0)),
        (UNCAPPED, before(hours=48), Settlement(0, 1600, 0, 0)),
        (WITH_CARD, before(hours=30), Settlement(1600, 0, 2400, 0)),
        (UNCAPPED, before(hours=30), Settlement(1600, 0, 0, 2400)),
        (DEPOSIT, before(hours=30), Settlement(1600, 0, 0, 0)),
        (DEPOSIT, before(hours=1), Settlement(1600, 0, 0, 0)),
        (FULL, before(hours=30), Settlement(4000, 4000, 0, 0)),
        (FULL, before(hours=24), Settlement(4000, 4000, 0, 0)),
        (FULL, before(hours=24) + SECOND, Settlement(8000, 0, 0, 0)),
        (CARD, before(hours=30), Settlement(0, 0, 4000, 0)),
        (Terms(**RULES), before(hours=30), Settlement(0, 0, 0, 4000)),
        (KEPT, before(days=30), Settlement(1600, 0, 0, 0)),
    ],
)
def test_worked_examples_of_cancelling(terms: Terms, now: datetime, expected: Settlement) -> None:
    assert quote(terms, now).now == expected


def test_worked_example_of_not_coming() -> None:
    fee = no_show_fee(facts(CARD), is_first=False)

    assert settlement(fee, Paid(0, 8000)) == Settlement(0, 0, 8000, 0)
    assert waiver_until(CARD, START + timedelta(hours=1)) == START + timedelta(hours=25)


def test_worked_example_of_the_business_cancelling() -> None:
    assert settlement(0, Paid(PRICE, 0)) == Settlement(0, 8000, 0, 0)


def test_worked_example_of_a_late_move() -> None:
    moved_to = START + timedelta(days=7)
    anchor = anchor_after_move(facts(FULL), before(hours=30))

    later = quote(FULL, moved_to - timedelta(hours=100), starts_at=moved_to, anchor_minor=anchor)

    assert later.now == Settlement(4000, 4000, 0, 0)


@pytest.mark.parametrize(
    ("starts", "deadline"),
    [
        (datetime(2026, 3, 29, 10, 0, tzinfo=BERLIN), "2026-03-28T09:00:00+01:00"),
        (datetime(2026, 10, 25, 10, 0, tzinfo=BERLIN), "2026-10-24T11:00:00+02:00"),
    ],
)
def test_worked_example_of_changing_clocks(starts: datetime, deadline: str) -> None:
    terms = Terms(tiers=(Tier(1440, FeeKind.NONE, 0),), payment_mode=PaymentMode.FULL)
    starts_at = starts.astimezone(UTC)

    until = free_until(facts(terms, starts_at=starts_at, confirmed_at=None))

    assert until is not None
    assert until.astimezone(BERLIN).isoformat() == deadline
    assert quote(terms, until, starts_at=starts_at).now == Settlement(0, 8000, 0, 0)
    assert quote(terms, until + SECOND, starts_at=starts_at).now == Settlement(8000, 0, 0, 0)


@pytest.mark.parametrize("status", [BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT])
def test_what_is_not_agreed_or_not_paid_costs_nothing(status: BookingStatus) -> None:
    assert quote(FULL, before(hours=1), status=status) == CancelQuote(Settlement(0, 8000, 0, 0))
    assert quote(KEPT, before(hours=1), status=status) == CancelQuote(Settlement(0, 1600, 0, 0))


def test_a_quote_says_when_it_changes_and_to_what() -> None:
    found = quote(FULL, before(hours=50))

    assert found == CancelQuote(Settlement(0, 8000, 0, 0), before(hours=48), Settlement(4000, 4000, 0, 0))
    assert quote(FULL, before(hours=1)) == CancelQuote(Settlement(8000, 0, 0, 0))
    assert quote(KEPT, before(days=30)) == CancelQuote(Settlement(1600, 0, 0, 0))


def test_who_was_spared_the_deposit_loses_no_more_than_who_paid_it() -> None:
    assert cancellation_fee(facts(DEPOSIT, confirmed_at=None), START) == 1600
    assert cancellation_fee(facts(KEPT, confirmed_at=None), before(days=30)) == 0


def test_what_the_card_may_not_pay_stays_open() -> None:
    assert settlement(4000, Paid(0, 3000)) == Settlement(0, 0, 3000, 1000)
    assert settlement(49, Paid(0, 8000), currency="EUR") == Settlement(0, 0, 0, 49)


@pytest.mark.parametrize(
    ("currency", "fee", "paid", "expected"),
    [
        ("KWD", 4063, 8120, Settlement(4060, 4060, 0, 0, 3)),  # 4.057 back is rounded up to 4.060
        ("KWD", 4063, 0, Settlement(0, 0, 4060, 3)),
        ("KWD", 1234, 1235, Settlement(1225, 10, 0, 0, 9)),
        ("JPY", 4401, 8800, Settlement(4401, 4399, 0, 0)),
        ("EUR", 4001, 8000, Settlement(4001, 3999, 0, 0)),
    ],
)
def test_sums_are_what_stripe_can_move(currency: str, fee: int, paid: int, expected: Settlement) -> None:
    assert settlement(fee, Paid(paid, 9000), currency=currency) == expected


_sums = st.integers(0, 20_000)


@given(_sums, _sums, st.booleans(), _sums)
def test_everything_paid_and_every_fee_is_accounted_for(fee: int, paid: int, can_charge: bool, cap: int) -> None:
    settled = settlement(fee, Paid(paid, cap if can_charge else None))

    assert settled.keep_minor + settled.refund_minor == paid
    assert settled.keep_minor + settled.charge_minor + settled.open_minor == fee == settled.fee_minor
    assert min(settled.keep_minor, settled.refund_minor, settled.charge_minor, settled.open_minor) >= 0
    assert settled.charge_minor <= (cap if can_charge else 0)


@given(_sums, _sums, st.booleans(), _sums, st.sampled_from(["EUR", "JPY", "KWD", "ISK"]))
def test_rounding_is_never_against_the_customer(fee: int, paid: int, can_charge: bool, cap: int, currency: str) -> None:
    paid = rounded_down(paid, currency)
    settled = settlement(fee, Paid(paid, cap if can_charge else None), currency=currency)

    assert settled.keep_minor + settled.refund_minor == paid
    assert settled.fee_minor + settled.waived_minor == fee
    assert 0 <= settled.waived_minor < 10
    assert settled.fee_minor == fee or settled.refund_minor > 0
    assert rounded_down(settled.refund_minor, currency) == settled.refund_minor
    assert chargeable(settled.charge_minor, currency) == settled.charge_minor
