"""Sentences about money: what is asked, what comes back, and what a card may be charged, to the cent and the minute."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules.fees import FeeFacts
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.settlement import Paid, Settlement, settlement
from bookings.rules.terms import Terms, Tier
from bookings.wording.payments import card_consent, card_words, demand_sentence, refund_sentence, settlement_sentence
from bookings.wording.policies import PolicyFacts
from bookings.wording.policy_preview import policy_preview
from core import money
from services.enums import FeeKind, PaymentMode
from services.values import CancellationPolicyValues, TierValues

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 27, 14, 30, tzinfo=BERLIN).astimezone(UTC)
TIERS = (Tier(1440, FeeKind.NONE, 0), Tier(0, FeeKind.PERCENT, 5000))


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        (Demand(PaymentMode.VENUE, 0, 0), "There is nothing to pay."),
        (Demand(PaymentMode.NONE, 0, 8000), "Nothing to pay online."),
        (Demand(PaymentMode.VENUE, 0, 8000), "Nothing to pay now; €80.00 at the visit."),
        (Demand(PaymentMode.DEPOSIT, 1600, 6400), "Deposit now €16.00, rest at the visit €64.00."),
        (Demand(PaymentMode.FULL, 8000, 0), "€80.00 now, nothing at the visit."),
        (Demand(PaymentMode.FULL, 8000, 800), "€80.00 now, €8.00 at the visit."),
        (
            Demand(PaymentMode.CARD, 0, 8000, saves_card=True, cap_minor=4000),
            "Nothing to pay now; €80.00 at the visit. Your card is kept for fees only.",
        ),
    ],
)
def test_says_what_is_due_now_and_later(demand: Demand, expected: str) -> None:
    assert demand_sentence(demand, currency="EUR", language="en") == expected


def consent(terms: Terms, *, deposit_minor: int = 0) -> str:
    demand = payment_demand(terms, total_minor=8000, at_visit_minor=0, currency="EUR", has_stripe=True)
    facts = PolicyFacts(
        fees=FeeFacts(terms=terms, starts_at=START, total_minor=8000, currency="EUR", deposit_minor=deposit_minor),
        zone=BERLIN,
        language="en",
        now=datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
        paid_minor=demand.due_now_minor,
    )
    return card_consent(facts, demand, business_name="Linden Studio")


def test_consent_says_who_may_charge_when_how_much_and_how_to_cancel() -> None:
    terms = Terms(tiers=TIERS, payment_mode=PaymentMode.CARD, no_show_fee_kind=FeeKind.ALL)

    assert consent(terms) == (
        "Linden Studio keeps your card for this appointment and may later charge it €80.00 at most, only for a fee by "
        "these rules. Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is due. If you do not come, "
        "the whole price (€80.00) is due. It is charged 24 hours after we write to you about it, at the earliest. "
        "To cancel, use the link in your confirmation."
    )


def test_consent_beside_a_deposit_speaks_of_what_comes_on_top() -> None:
    terms = Terms(
        tiers=TIERS,
        payment_mode=PaymentMode.DEPOSIT,
        deposit_value=2000,
        saves_card=True,
        is_fee_capped_at_deposit=False,
    )

    assert consent(terms, deposit_minor=1600).startswith(
        "Linden Studio keeps your card for this appointment and may later charge it €24.00 at most beyond what you "
        "pay now, only for a fee by these rules."
    )


@pytest.mark.parametrize("mode", [PaymentMode.VENUE, PaymentMode.FULL, PaymentMode.DEPOSIT])
def test_no_consent_without_a_card_that_is_kept(mode: PaymentMode) -> None:
    assert consent(Terms(tiers=TIERS, payment_mode=mode, deposit_value=2000)) == ""


@pytest.mark.parametrize(
    ("brand", "last4", "expected"),
    [
        ("visa", "4242", "€16.00 goes back to your Visa ending 4242, usually in 5–10 business days."),
        ("amex", "0005", "€16.00 goes back to your American Express ending 0005, usually in 5–10 business days."),
        ("new_brand", "1", "€16.00 goes back to your New brand ending 1, usually in 5–10 business days."),
        ("", "", "€16.00 goes back the way you paid, usually in 5–10 business days."),
    ],
)
def test_says_where_a_refund_goes_and_how_long_it_takes(brand: str, last4: str, expected: str) -> None:
    assert refund_sentence(1600, currency="EUR", language="en", card_brand=brand, card_last4=last4) == expected


def test_no_refund_no_sentence() -> None:
    assert refund_sentence(0, currency="EUR", language="en") == ""


@pytest.mark.parametrize(
    ("settled", "expected"),
    [
        (Settlement(0, 1600, 0, 0), "You get €16.00 back."),
        (Settlement(4000, 4000, 0, 0), "You get €40.00 back. €40.00 is kept."),
        (Settlement(1600, 0, 2400, 0), "€16.00 is kept. €24.00 is charged to your Visa ending 4242."),
        (Settlement(1600, 0, 0, 2400), "€16.00 is kept. €24.00 is still to be paid."),
        (Settlement(0, 0, 0, 0), "There is nothing to pay."),
    ],
)
def test_says_what_cancelling_does_to_the_money(settled: Settlement, expected: str) -> None:
    card = card_words("visa", "4242")

    assert settlement_sentence(settled, currency="EUR", language="en", card=card) == expected


@given(st.integers(0, 9000), st.integers(0, 9000), st.booleans(), st.integers(0, 9000))
def test_names_every_sum_that_moves(fee: int, paid: int, can_charge: bool, cap: int) -> None:
    settled = settlement(fee, Paid(paid, cap if can_charge else None))

    said = settlement_sentence(settled, currency="EUR", language="de")

    for name in Settlement.__slots__:
        if amount := getattr(settled, name):
            assert money.formatted(amount, "EUR", "de") in said


def preview(policy: CancellationPolicyValues, **values: Any) -> list[str]:
    options = {
        "business_name": "Linden Studio",
        "currency": "EUR",
        "language": "en",
        "zone": BERLIN,
        "has_stripe": True,
        "now": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        **values,
    }
    with override("en"):
        return policy_preview(policy, **options)


def test_preview_is_what_customers_read_of_an_example() -> None:
    tiers = (TierValues(1440, FeeKind.NONE, 0), TierValues(0, FeeKind.ALL, 0))
    policy = CancellationPolicyValues(
        tiers=tiers, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000, no_show_fee_kind=FeeKind.ALL
    )

    assert preview(policy) == [
        "Example: €80.00 on Fri 27 Nov, 14:00.",
        "Deposit now €16.00, rest at the visit €64.00.",
        "Free to cancel until Thu 26 Nov, 14:00; after that the deposit (€16.00) is kept. "
        "You can move it until Thu 26 Nov, 14:00. If you do not come, the deposit (€16.00) is kept.",
    ]
    assert preview(policy, has_stripe=False)[1] == "Nothing to pay now; €80.00 at the visit."


def test_preview_starts_before_the_first_step_is_over() -> None:
    policy = CancellationPolicyValues(tiers=(TierValues(14 * 1440, FeeKind.NONE, 0), TierValues(0, FeeKind.ALL, 0)))

    assert preview(policy, currency="JPY") == [
        "Example: ¥8,000 on Sun 6 Dec, 14:00.",
        "Nothing to pay now; ¥8,000 at the visit.",
        "Free to cancel until Sun 22 Nov, 14:00; after that the whole price (¥8,000) is due. "
        "You can move it until Sun 22 Nov, 14:00.",
    ]
