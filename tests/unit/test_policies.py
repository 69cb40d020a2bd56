"""Cancelling and moving: the worked examples of the rules, every boundary to the second, and laws that always hold."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.enums import BookingStatus
from bookings.rules.cancelling import CancelRefusal, cancel_refusal
from bookings.rules.fees import FeeFacts, FeeStep, cancellation_fee, fee_steps, free_until, highest_fee
from bookings.rules.moving import RescheduleRefusal, anchor_after_move, move_fee, reschedule_refusal, reschedule_until
from bookings.rules.terms import Terms, Tier, terms_of
from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode
from services.values import CancellationPolicyValues

START = datetime(2027, 3, 10, 14, 0, tzinfo=UTC)
LONG_AGO = START - timedelta(days=60)
PRICE = 8000
SECOND = timedelta(seconds=1)

# At least 48 h before nothing, at least 24 h half, then all.
STEPPED = Terms(tiers=(Tier(2880, FeeKind.NONE, 0), Tier(1440, FeeKind.PERCENT, 5000), Tier(0, FeeKind.ALL, 0)))


def before(**duration: float) -> datetime:
    return START - timedelta(**duration)


def facts(terms: Terms, **values: Any) -> FeeFacts:
    """A booking that stands since long ago."""
    known = {"starts_at": START, "confirmed_at": LONG_AGO, "total_minor": PRICE, "currency": "EUR", **values}
    return FeeFacts(terms=terms, **known)


def fee(terms: Terms, now: datetime, **values: Any) -> int:
    return cancellation_fee(facts(terms, **values), now)


class TestCancellationFee:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (before(days=30), 0),
            (before(hours=50), 0),
            (before(hours=48) - SECOND, 0),
            (before(hours=48), 0),
            (before(hours=48) + SECOND, 4000),
            (before(hours=48) + timedelta(microseconds=1), 4000),
            (before(hours=30), 4000),
            (before(hours=24) - SECOND, 4000),
            (before(hours=24), 4000),
            (before(hours=24) + SECOND, 8000),
            (before(hours=1), 8000),
            (START, 8000),
            (START + timedelta(hours=3), 8000),
        ],
    )
    def test_follows_the_tiers_to_the_second(self, now: datetime, expected: int) -> None:
        assert fee(STEPPED, now) == expected

    def test_is_nothing_without_tiers_even_at_the_start(self) -> None:
        assert fee(Terms(), START) == 0

    @pytest.mark.parametrize("now", [before(hours=1), START])
    def test_after_the_last_tier_the_whole_price_is_due(self, now: datetime) -> None:
        assert fee(Terms(tiers=(Tier(1440, FeeKind.NONE, 0),)), now) == PRICE

    def test_a_tier_of_zero_minutes_applies_until_the_start(self) -> None:
        terms = Terms(tiers=(Tier(0, FeeKind.FIXED, 1500),))

        assert fee(terms, START) == 1500

    @pytest.mark.parametrize(
        ("total", "kind", "value", "expected"),
        [
            (8000, FeeKind.PERCENT, 5000, 4000),
            (101, FeeKind.PERCENT, 5000, 51),  # 50.5 rounds up
            (99, FeeKind.PERCENT, 3333, 33),  # 32.9967
            (1, FeeKind.PERCENT, 4999, 0),
            (1, FeeKind.PERCENT, 5000, 1),
            (8000, FeeKind.PERCENT, 10_000, 8000),
            (8000, FeeKind.FIXED, 2000, 2000),
            (1500, FeeKind.FIXED, 2000, 1500),
            (8000, FeeKind.ALL, 0, 8000),
            (0, FeeKind.ALL, 0, 0),
            (8000, FeeKind.NONE, 7, 0),
        ],
    )
    def test_rounds_half_up_and_never_exceeds_the_total(
        self, total: int, kind: FeeKind, value: int, expected: int
    ) -> None:
        terms = Terms(tiers=(Tier(0, kind, value),))

        assert fee(terms, before(hours=1), total_minor=total) == expected

    def test_a_tier_that_has_begun_keeps_applying_at_least(self) -> None:
        upside_down = Terms(tiers=(Tier(2880, FeeKind.FIXED, 3000), Tier(0, FeeKind.NONE, 0)))

        assert fee(upside_down, before(hours=1)) == 3000

    def test_tiers_may_be_given_in_any_order(self) -> None:
        assert Terms(tiers=tuple(reversed(STEPPED.tiers))) == STEPPED

    def test_windows_are_elapsed_time_across_a_clock_change(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        starts_at = datetime(2026, 3, 29, 10, 0, tzinfo=berlin).astimezone(UTC)
        terms = Terms(tiers=(Tier(1440, FeeKind.NONE, 0), Tier(0, FeeKind.ALL, 0)))

        deadline = free_until(facts(terms, starts_at=starts_at, confirmed_at=None))

        assert deadline is not None
        assert deadline.astimezone(berlin).isoformat() == "2026-03-28T09:00:00+01:00"
        assert fee(terms, deadline, starts_at=starts_at) == 0
        assert fee(terms, deadline + SECOND, starts_at=starts_at) == PRICE

    def test_windows_are_elapsed_time_when_the_clock_goes_back(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        starts_at = datetime(2026, 10, 25, 10, 0, tzinfo=berlin).astimezone(UTC)

        deadline = free_until(
            facts(Terms(tiers=(Tier(1440, FeeKind.NONE, 0),)), starts_at=starts_at, confirmed_at=None)
        )

        assert deadline is not None
        assert deadline.astimezone(berlin).isoformat() == "2026-10-24T11:00:00+02:00"


class TestGrace:
    terms = Terms(tiers=(Tier(0, FeeKind.ALL, 0),), grace_minutes=15, grace_min_lead_minutes=120)

    @pytest.mark.parametrize(
        ("after_booking", "expected"),
        [
            (timedelta(0), 0),
            (timedelta(minutes=15) - SECOND, 0),
            (timedelta(minutes=15), 0),
            (timedelta(minutes=15) + SECOND, PRICE),
        ],
    )
    def test_is_free_for_its_minutes(self, after_booking: timedelta, expected: int) -> None:
        booked = before(hours=5)

        assert fee(self.terms, booked + after_booking, confirmed_at=booked) == expected

    @pytest.mark.parametrize(
        ("lead", "expected"),
        [
            (timedelta(minutes=120) + SECOND, 0),
            (timedelta(minutes=120), PRICE),
            (timedelta(minutes=120) - SECOND, PRICE),
        ],
    )
    def test_is_not_given_for_visits_that_start_soon(self, lead: timedelta, expected: int) -> None:
        booked = START - lead

        assert fee(self.terms, booked + SECOND, confirmed_at=booked) == expected

    def test_counts_only_from_confirmation(self) -> None:
        assert fee(self.terms, before(hours=5), confirmed_at=None) == PRICE
        assert free_until(facts(self.terms, confirmed_at=None)) is None

    def test_extends_the_free_time(self) -> None:
        booked = before(hours=30)
        terms = Terms(tiers=STEPPED.tiers, grace_minutes=15)

        assert free_until(facts(terms, confirmed_at=booked)) == booked + timedelta(minutes=15)
        assert free_until(facts(terms)) == before(hours=48)

    def test_never_outlasts_the_start(self) -> None:
        terms = Terms(tiers=(Tier(0, FeeKind.ALL, 0),), grace_minutes=600)

        assert free_until(facts(terms, confirmed_at=before(hours=1))) == START


class TestFreeUntil:
    @pytest.mark.parametrize(
        ("tiers", "expected"),
        [
            ((), START),
            (STEPPED.tiers, before(hours=48)),
            ((Tier(0, FeeKind.NONE, 0),), START),
            ((Tier(0, FeeKind.ALL, 0),), None),
            ((Tier(1440, FeeKind.PERCENT, 0), Tier(0, FeeKind.ALL, 0)), before(hours=24)),
            ((Tier(2880, FeeKind.NONE, 0), Tier(1440, FeeKind.NONE, 0)), before(hours=24)),
            ((Tier(2880, FeeKind.FIXED, 1), Tier(1440, FeeKind.NONE, 0)), None),
        ],
    )
    def test_is_the_last_free_instant(self, tiers: tuple[Tier, ...], expected: datetime | None) -> None:
        assert free_until(facts(Terms(tiers=tiers), confirmed_at=None)) == expected

    def test_is_never_once_a_late_move_left_an_anchor(self) -> None:
        assert free_until(facts(STEPPED, confirmed_at=None, anchor_minor=4000)) is None


class TestAnchor:
    def test_late_move_then_early_cancel_still_costs_what_was_due(self) -> None:
        anchor = anchor_after_move(facts(STEPPED), before(hours=30))
        moved_to = START + timedelta(days=7)

        assert anchor == 4000
        assert fee(STEPPED, moved_to - timedelta(hours=100), starts_at=moved_to, anchor_minor=anchor) == 4000
        assert fee(STEPPED, moved_to - timedelta(hours=1), starts_at=moved_to, anchor_minor=anchor) == 8000

    def test_early_move_leaves_none(self) -> None:
        assert (
            anchor_after_move(
                facts(STEPPED),
                before(hours=48),
            )
            == 0
        )

    def test_keeps_the_highest_of_several(self) -> None:
        assert (
            anchor_after_move(
                facts(STEPPED, anchor_minor=4000),
                before(hours=100),
            )
            == 4000
        )

    def test_never_exceeds_the_total(self) -> None:
        assert fee(Terms(), before(hours=100), anchor_minor=9999) == PRICE


class TestFeeSteps:
    def test_are_the_tiers_in_time(self) -> None:
        steps = fee_steps(facts(STEPPED))

        assert steps == [FeeStep(before(hours=48), 0), FeeStep(before(hours=24), 4000), FeeStep(START, 8000)]

    def test_are_one_where_the_sum_never_changes(self) -> None:
        assert fee_steps(facts(Terms(), confirmed_at=None)) == [FeeStep(START, 0)]
        assert fee_steps(facts(STEPPED, confirmed_at=None, total_minor=0)) == [FeeStep(START, 0)]

    def test_include_the_price_after_the_last_tier(self) -> None:
        terms = Terms(tiers=(Tier(1440, FeeKind.NONE, 0),))

        assert fee_steps(facts(terms, confirmed_at=None)) == [
            FeeStep(before(hours=24), 0),
            FeeStep(START, PRICE),
        ]

    def test_start_from_the_anchor(self) -> None:
        steps = fee_steps(facts(STEPPED, confirmed_at=None, anchor_minor=4000))

        assert steps == [FeeStep(before(hours=24), 4000), FeeStep(START, 8000)]

    def test_include_grace(self) -> None:
        booked = before(hours=5)
        terms = Terms(tiers=STEPPED.tiers, grace_minutes=15)

        assert fee_steps(facts(terms, confirmed_at=booked)) == [
            FeeStep(booked + timedelta(minutes=15), 0),
            FeeStep(START, 8000),
        ]


AGREED = [BookingStatus.CONFIRMED, BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT]
NOT_BOOKED = [BookingStatus.HELD, BookingStatus.EXPIRED, BookingStatus.DECLINED]
OVER = [BookingStatus.STARTED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW]


class TestDeposit:
    kept = Terms(
        tiers=STEPPED.tiers,
        payment_mode=PaymentMode.DEPOSIT,
        deposit_value=2000,
        deposit_rule=DepositRule.ALWAYS_KEEP,
        is_fee_capped_at_deposit=False,
        grace_minutes=15,
    )
    capped = Terms(tiers=STEPPED.tiers, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000)

    def test_one_that_is_always_kept_is_the_least_that_cancelling_costs(self) -> None:
        steps = fee_steps(facts(self.kept, deposit_minor=1600))

        assert steps == [FeeStep(before(hours=48), 1600), FeeStep(before(hours=24), 4000), FeeStep(START, 8000)]
        assert free_until(facts(self.kept, deposit_minor=1600)) is None
        # Also in the free minutes after booking.
        assert fee(self.kept, before(days=9), confirmed_at=before(days=9), deposit_minor=1600) == 1600

    def test_who_was_asked_for_none_keeps_the_free_time(self) -> None:
        assert free_until(facts(self.kept, confirmed_at=None)) == before(hours=48)
        assert fee(self.kept, before(hours=48)) == 0

    def test_a_capped_fee_is_at_most_the_deposit(self) -> None:
        steps = fee_steps(facts(self.capped, deposit_minor=1600))

        assert steps == [FeeStep(before(hours=48), 0), FeeStep(START, 1600)]

    @pytest.mark.parametrize("mode", [PaymentMode.VENUE, PaymentMode.CARD, PaymentMode.FULL, PaymentMode.NONE])
    @pytest.mark.parametrize("rule", DepositRule)
    def test_its_rules_bind_only_where_a_deposit_is_asked(self, mode: PaymentMode, rule: DepositRule) -> None:
        terms = Terms(tiers=STEPPED.tiers, payment_mode=mode, deposit_rule=rule, deposit_value=2000)

        assert fee(terms, before(hours=50), deposit_minor=1600) == 0
        assert fee(terms, before(hours=30), deposit_minor=1600) == 4000

    def test_one_that_is_always_kept_does_not_forbid_moving(self) -> None:
        assert reschedule_until(facts(self.kept)) == before(hours=48)

    def test_a_late_move_is_bounded_by_it_too(self) -> None:
        assert anchor_after_move(facts(self.capped, confirmed_at=None, deposit_minor=1600), before(hours=1)) == 1600
        assert anchor_after_move(facts(self.kept, confirmed_at=None, deposit_minor=1600), before(days=9)) == 1600


class TestCancelRefusal:
    @pytest.mark.parametrize("by_staff", [False, True])
    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            (AGREED, None),
            (NOT_BOOKED, CancelRefusal.NOT_BOOKED),
            (OVER, CancelRefusal.ALREADY_STARTED),
            ([BookingStatus.CANCELLED], CancelRefusal.ALREADY_CANCELLED),
        ],
    )
    def test_by_status(self, statuses: list[BookingStatus], expected: CancelRefusal | None, by_staff: bool) -> None:
        for status in statuses:
            assert cancel_refusal(status=status, starts_at=START, now=before(hours=1), by_staff=by_staff) == expected

    def test_every_status_is_decided(self) -> None:
        assert {*AGREED, *NOT_BOOKED, *OVER, BookingStatus.CANCELLED} == set(BookingStatus)

    @pytest.mark.parametrize(
        ("now", "by_staff", "expected"),
        [
            (START - SECOND, False, None),
            (START, False, CancelRefusal.ALREADY_STARTED),
            (START + SECOND, False, CancelRefusal.ALREADY_STARTED),
            (START + SECOND, True, None),
        ],
    )
    def test_from_the_start_on_only_staff_may(
        self, now: datetime, by_staff: bool, expected: CancelRefusal | None
    ) -> None:
        assert cancel_refusal(status=BookingStatus.CONFIRMED, starts_at=START, now=now, by_staff=by_staff) == expected


class TestReschedule:
    def refusal(self, terms: Terms, now: datetime, **values: object) -> RescheduleRefusal | None:
        known: dict[str, Any] = {"confirmed_at": None, **values}
        rest = {name: known.pop(name, default) for name, default in (("move_count", 0), ("by_staff", False))}
        return reschedule_refusal(facts(terms, **known), now=now, **rest)

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (before(hours=2) - SECOND, None),
            (before(hours=2), None),
            (before(hours=2) + SECOND, RescheduleRefusal.TOO_LATE),
            (START, RescheduleRefusal.ALREADY_STARTED),
        ],
    )
    def test_own_cut_off_to_the_second(self, now: datetime, expected: RescheduleRefusal | None) -> None:
        terms = Terms(tiers=STEPPED.tiers, reschedule_until_minutes=120)

        assert self.refusal(terms, now) == expected

    def test_without_own_cut_off_as_long_as_cancelling_is_free(self) -> None:
        assert reschedule_until(facts(STEPPED, confirmed_at=None)) == before(hours=48)
        assert self.refusal(STEPPED, before(hours=48)) is None
        assert self.refusal(STEPPED, before(hours=48) + SECOND) == RescheduleRefusal.TOO_LATE

    def test_never_where_cancelling_is_never_free(self) -> None:
        terms = Terms(tiers=(Tier(0, FeeKind.ALL, 0),))

        assert reschedule_until(facts(terms, confirmed_at=None)) is None
        assert self.refusal(terms, before(days=30)) == RescheduleRefusal.TOO_LATE

    def test_within_the_grace_of_the_booking(self) -> None:
        terms = Terms(tiers=(Tier(0, FeeKind.ALL, 0),), grace_minutes=15)
        booked = before(hours=5)

        assert self.refusal(terms, booked + timedelta(minutes=15), confirmed_at=booked) is None
        assert self.refusal(terms, booked + timedelta(minutes=16), confirmed_at=booked) == RescheduleRefusal.TOO_LATE

    @pytest.mark.parametrize("status", [BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT])
    def test_freely_until_the_start_before_it_is_agreed(self, status: BookingStatus) -> None:
        terms = Terms(
            tiers=(Tier(0, FeeKind.ALL, 0),), free_move_count=0, over_limit=OverLimit.FEE, change_fee_minor=500
        )
        blocked = Terms(tiers=STEPPED.tiers, free_move_count=0, over_limit=OverLimit.BLOCKED)

        assert self.refusal(terms, START - SECOND, status=status) is None
        assert self.refusal(blocked, START - SECOND, status=status, move_count=9) is None
        assert self.refusal(terms, START, status=status) == RescheduleRefusal.ALREADY_STARTED
        assert move_fee(facts(terms, status=status), move_count=9, by_staff=False) == 0

    def test_until_the_start_without_any_rule(self) -> None:
        assert reschedule_until(facts(Terms(), confirmed_at=None)) == START
        assert self.refusal(Terms(), START - SECOND) is None

    @pytest.mark.parametrize(
        ("move_count", "over_limit", "expected", "fee_minor"),
        [
            (0, OverLimit.BLOCKED, None, 0),
            (1, OverLimit.BLOCKED, None, 0),
            (2, OverLimit.BLOCKED, RescheduleRefusal.MOVE_LIMIT_REACHED, 0),
            (1, OverLimit.FEE, None, 0),
            (2, OverLimit.FEE, None, 500),
            (9, OverLimit.FEE, None, 500),
        ],
    )
    def test_free_moves_are_counted(
        self, move_count: int, over_limit: OverLimit, expected: RescheduleRefusal | None, fee_minor: int
    ) -> None:
        terms = Terms(free_move_count=2, over_limit=over_limit, change_fee_minor=500)

        assert self.refusal(terms, before(hours=1), move_count=move_count) == expected
        assert move_fee(facts(terms), move_count=move_count, by_staff=False) == fee_minor

    def test_no_limit_means_no_limit(self) -> None:
        terms = Terms(free_move_count=None, over_limit=OverLimit.FEE, change_fee_minor=500)

        assert self.refusal(terms, before(hours=1), move_count=99) is None
        assert move_fee(facts(terms), move_count=99, by_staff=False) == 0

    def test_staff_are_bound_by_neither(self) -> None:
        terms = Terms(tiers=STEPPED.tiers, free_move_count=0, over_limit=OverLimit.FEE, change_fee_minor=500)

        assert self.refusal(terms, START + SECOND, by_staff=True, move_count=5) is None
        assert move_fee(facts(terms), move_count=5, by_staff=True) == 0

    @pytest.mark.parametrize("by_staff", [False, True])
    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            (AGREED, None),
            (NOT_BOOKED, RescheduleRefusal.NOT_BOOKED),
            (OVER, RescheduleRefusal.ALREADY_STARTED),
            ([BookingStatus.CANCELLED], RescheduleRefusal.CANCELLED),
        ],
    )
    def test_by_status(self, statuses: list[BookingStatus], expected: RescheduleRefusal | None, by_staff: bool) -> None:
        for status in statuses:
            assert self.refusal(Terms(), before(hours=1), status=status, by_staff=by_staff) == expected


class TestStorage:
    def test_booking_without_stored_terms_may_be_cancelled_free(self) -> None:
        assert Terms.from_json({}) == Terms()

    def test_unknown_parts_of_a_newer_version_are_ignored(self) -> None:
        assert Terms.from_json({**STEPPED.to_json(), "no_show": "all"}) == STEPPED

    def test_terms_of_before_there_were_payments_ask_for_nothing(self) -> None:
        stored = {"tiers": [[1440, "none", 0]], "over_limit": "fee", "change_fee_minor": 500, "version": "abc"}

        assert Terms.from_json(stored) == Terms(
            tiers=(Tier(1440, FeeKind.NONE, 0),), over_limit=OverLimit.FEE, change_fee_minor=500, version="abc"
        )
        assert Terms.from_json(stored).payment_mode == PaymentMode.VENUE

    @pytest.mark.parametrize(
        "change",
        [
            {"payment_mode": PaymentMode.FULL},
            {"deposit_value": 2000},
            {"deposit_kind": DepositKind.FIXED},
            {"deposit_rule": DepositRule.ALWAYS_KEEP},
            {"is_fee_capped_at_deposit": False},
            {"saves_card": True},
            {"no_show_fee_kind": FeeKind.ALL},
            {"waiver_hours": 48},
            {"charges_fees_automatically": False},
            {"first_no_show_free_days": 365},
        ],
    )
    def test_version_covers_every_rule_of_money(self, change: dict[str, Any]) -> None:
        assert terms_of(CancellationPolicyValues(**change)).version != terms_of(CancellationPolicyValues()).version

    def test_no_policy_is_free(self) -> None:
        assert terms_of(None) == Terms()

    def test_copies_a_policy(self) -> None:
        policy = CancellationPolicyValues(tiers=STEPPED.tiers, free_move_count=2, grace_minutes=15)

        terms = terms_of(policy)

        assert (terms.tiers, terms.free_move_count, terms.grace_minutes) == (STEPPED.tiers, 2, 15)

    def test_version_names_the_rules(self) -> None:
        policy = CancellationPolicyValues(tiers=STEPPED.tiers)
        other = CancellationPolicyValues(tiers=STEPPED.tiers, grace_minutes=15)

        assert len(terms_of(policy).version) == 12
        assert terms_of(policy).version == terms_of(CancellationPolicyValues(tiers=STEPPED.tiers)).version
        assert terms_of(policy).version != terms_of(other).version


_minutes = st.integers(0, 30 * 1440)
_tiers = st.lists(
    st.builds(Tier, _minutes, st.sampled_from(FeeKind), st.integers(0, 10_000)),
    max_size=4,
    unique_by=lambda tier: tier.until_minutes,
).map(tuple)
_terms = st.builds(
    Terms,
    tiers=_tiers,
    reschedule_until_minutes=st.none() | _minutes,
    free_move_count=st.none() | st.integers(0, 5),
    over_limit=st.sampled_from(OverLimit),
    change_fee_minor=st.integers(0, 10_000),
    grace_minutes=st.integers(0, 2000),
    grace_min_lead_minutes=st.integers(0, 2000),
    payment_mode=st.sampled_from(PaymentMode),
    deposit_kind=st.sampled_from(DepositKind),
    deposit_value=st.integers(1, 10_000),  # a deposit of nothing is no deposit, the database says so too
    deposit_rule=st.sampled_from(DepositRule),
    is_fee_capped_at_deposit=st.booleans(),
    saves_card=st.booleans(),
    no_show_fee_kind=st.sampled_from(FeeKind),
    no_show_fee_value=st.integers(0, 10_000),
    no_show_grace_minutes=st.integers(0, 60),
    waiver_hours=st.integers(0, 72),
    charges_fees_automatically=st.booleans(),
    first_no_show_free_days=st.none() | st.integers(1, 400),
    version=st.text(max_size=12),
)
_instants = st.timedeltas(timedelta(days=-1), timedelta(days=40)).map(lambda left: START - left)
_confirmed = st.none() | st.timedeltas(timedelta(0), timedelta(days=40)).map(lambda left: START - left)
_money = st.integers(0, 20_000)


class TestLaws:
    @given(_terms)
    def test_terms_survive_storage(self, terms: Terms) -> None:
        assert Terms.from_json(terms.to_json()) == terms

    @given(_terms, _confirmed, _instants, _instants, _money, _money, _money)
    def test_fee_is_within_bounds_and_never_falls(
        self,
        terms: Terms,
        confirmed_at: datetime | None,
        one: datetime,
        other: datetime,
        total: int,
        anchor: int,
        deposit: int,
    ) -> None:
        early, late = sorted([one, other])
        at_early, at_late = (
            fee(terms, now, confirmed_at=confirmed_at, total_minor=total, anchor_minor=anchor, deposit_minor=deposit)
            for now in (early, late)
        )
        is_capped = terms.payment_mode == PaymentMode.DEPOSIT and terms.is_fee_capped_at_deposit

        assert 0 <= at_early <= at_late <= total
        assert at_early >= min(anchor, total) or is_capped
        assert at_late <= max(min(anchor, total), highest_fee(terms, total_minor=total, deposit_minor=deposit))
        if is_capped and deposit:
            assert at_late <= deposit

    @given(_terms, _confirmed, _instants, _money, _money, _money)
    def test_steps_agree_with_the_fee_at_every_instant(
        self, terms: Terms, confirmed_at: datetime | None, now: datetime, total: int, anchor: int, deposit: int
    ) -> None:
        known = facts(terms, confirmed_at=confirmed_at, total_minor=total, anchor_minor=anchor, deposit_minor=deposit)
        steps = fee_steps(known)

        assert steps[-1].until == START
        assert [step.until for step in steps] == sorted({step.until for step in steps})
        assert [step.fee_minor for step in steps] == sorted({step.fee_minor for step in steps})
        edges = [edge + nudge for edge in (step.until for step in steps) for nudge in (-SECOND, timedelta(0), SECOND)]
        for instant in [now, *edges]:
            if instant <= START:
                step = next(step for step in steps if instant <= step.until)
                assert cancellation_fee(known, instant) == step.fee_minor

    @given(_terms, _confirmed, st.integers(1, 20_000))
    def test_free_until_is_free_and_a_moment_later_is_not(
        self, terms: Terms, confirmed_at: datetime | None, total: int
    ) -> None:
        until = free_until(facts(terms, confirmed_at=confirmed_at))

        if until is None:
            # Whatever the terms call a fee may still round to nothing; a large total shows it.
            assert fee(terms, START - timedelta(days=31), confirmed_at=None, total_minor=10**6) > 0
        else:
            assert fee(terms, until, confirmed_at=confirmed_at, total_minor=total) == 0
            if until < START:
                assert fee(terms, until + SECOND, confirmed_at=confirmed_at, total_minor=10**6) > 0

    @given(_terms, _confirmed, _instants, _money, _money)
    def test_a_move_never_lowers_what_cancelling_costs(
        self, terms: Terms, confirmed_at: datetime | None, now: datetime, total: int, anchor: int
    ) -> None:
        values: dict[str, Any] = {"confirmed_at": confirmed_at, "total_minor": total}
        due = fee(terms, now, **values, anchor_minor=anchor)
        after = anchor_after_move(facts(terms, confirmed_at=confirmed_at, total_minor=total, anchor_minor=anchor), now)

        assert fee(terms, now, **values, starts_at=START + timedelta(days=30), anchor_minor=after) >= due
