"""Not coming: what it costs, and when it may be noted, taken back and waived, to the second."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bookings.enums import BookingStatus
from bookings.rules.fees import FeeFacts
from bookings.rules.no_shows import (
    NoShowRefusal,
    markable_from,
    markable_until,
    no_show_fee,
    no_show_refusal,
    undo_no_show_refusal,
    waiver_until,
)
from bookings.rules.terms import Terms
from services.enums import DepositRule, FeeKind, PaymentMode

START = datetime(2027, 3, 10, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HALF = Terms(no_show_fee_kind=FeeKind.PERCENT, no_show_fee_value=5000)


def facts(terms: Terms, **values: Any) -> FeeFacts:
    return FeeFacts(terms=terms, **{"starts_at": START, "total_minor": 8000, "currency": "EUR", **values})


def fee(terms: Terms, *, is_first: bool = False, **values: Any) -> int:
    return no_show_fee(facts(terms, **values), is_first=is_first)


@pytest.mark.parametrize(
    ("kind", "value", "total", "expected"),
    [
        (FeeKind.NONE, 0, 8000, 0),
        (FeeKind.PERCENT, 5000, 8000, 4000),
        (FeeKind.PERCENT, 5000, 101, 51),
        (FeeKind.FIXED, 2500, 8000, 2500),
        (FeeKind.FIXED, 2500, 2000, 2000),
        (FeeKind.ALL, 0, 8000, 8000),
    ],
)
def test_fee_by_its_kind(kind: FeeKind, value: int, total: int, expected: int) -> None:
    assert fee(Terms(no_show_fee_kind=kind, no_show_fee_value=value), total_minor=total) == expected


def test_the_first_time_is_free_where_the_terms_say_so() -> None:
    lenient = Terms(no_show_fee_kind=FeeKind.ALL, first_no_show_free_days=365)

    assert (fee(lenient, is_first=True), fee(lenient, is_first=False)) == (0, 8000)
    assert fee(HALF, is_first=True) == 4000
    assert fee(lenient, is_first=True, anchor_minor=4000) == 4000


def test_a_late_move_costs_at_least_what_it_made_due() -> None:
    assert (fee(HALF, anchor_minor=6000), fee(HALF, anchor_minor=9000)) == (6000, 8000)


@pytest.mark.parametrize(
    ("rule", "is_capped", "is_first", "expected"),
    [
        (DepositRule.REFUND_IF_FREE, True, False, 1600),
        (DepositRule.REFUND_IF_FREE, False, False, 8000),
        (DepositRule.REFUND_IF_FREE, False, True, 0),
        (DepositRule.ALWAYS_KEEP, False, True, 1600),
        (DepositRule.ALWAYS_KEEP, True, False, 1600),
    ],
)
def test_the_deposit_bounds_it(rule: DepositRule, is_capped: bool, is_first: bool, expected: int) -> None:
    terms = Terms(
        payment_mode=PaymentMode.DEPOSIT,
        deposit_value=2000,
        deposit_rule=rule,
        is_fee_capped_at_deposit=is_capped,
        no_show_fee_kind=FeeKind.ALL,
        first_no_show_free_days=90,
    )

    assert fee(terms, deposit_minor=1600, is_first=is_first) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START + timedelta(minutes=15) - SECOND, NoShowRefusal.TOO_EARLY),
        (START + timedelta(minutes=15), None),
        (START + timedelta(days=14), None),
        (START + timedelta(days=14) + SECOND, NoShowRefusal.TOO_LATE),
    ],
)
def test_may_be_noted_from_some_minutes_after_the_start_for_a_fortnight(
    now: datetime, expected: NoShowRefusal | None
) -> None:
    assert no_show_refusal(facts(Terms()), now) == expected
    assert (markable_from(Terms(), START) <= now <= markable_until(START)) == (expected is None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (BookingStatus.CONFIRMED, None),
        (BookingStatus.NO_SHOW, NoShowRefusal.ALREADY_MARKED),
        (BookingStatus.CANCELLED, NoShowRefusal.CANCELLED),
        (BookingStatus.STARTED, NoShowRefusal.CAME),
        (BookingStatus.COMPLETED, NoShowRefusal.CAME),
        (BookingStatus.HELD, NoShowRefusal.NOT_BOOKED),
        (BookingStatus.REQUESTED, NoShowRefusal.NOT_BOOKED),
        (BookingStatus.PENDING_PAYMENT, NoShowRefusal.NOT_BOOKED),
        (BookingStatus.DECLINED, NoShowRefusal.NOT_BOOKED),
        (BookingStatus.EXPIRED, NoShowRefusal.NOT_BOOKED),
    ],
)
def test_only_an_agreed_booking_can_be_missed(status: BookingStatus, expected: NoShowRefusal | None) -> None:
    now = START + timedelta(hours=1)

    assert no_show_refusal(facts(Terms(), status=status), now) == expected


@pytest.mark.parametrize(
    ("status", "after", "expected"),
    [
        (BookingStatus.NO_SHOW, timedelta(0), None),
        (BookingStatus.NO_SHOW, timedelta(days=14), None),
        (BookingStatus.NO_SHOW, timedelta(days=14) + SECOND, NoShowRefusal.TOO_LATE),
        (BookingStatus.CONFIRMED, timedelta(hours=1), NoShowRefusal.NOT_MARKED),
    ],
)
def test_may_be_taken_back_in_the_same_period(
    status: BookingStatus, after: timedelta, expected: NoShowRefusal | None
) -> None:
    assert undo_no_show_refusal(status=status, starts_at=START, now=START + after) == expected


@pytest.mark.parametrize("hours", [0, 24, 48])
def test_the_fee_may_be_waived_for_elapsed_hours(hours: int) -> None:
    assert waiver_until(Terms(waiver_hours=hours), START) == START + timedelta(hours=hours)
