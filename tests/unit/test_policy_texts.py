"""The policy sentences: every shape of rule, in the words a customer reads, to the exact local minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules import fees
from bookings.rules.fees import FeeFacts, cancellation_fee, fee_steps
from bookings.rules.moving import reschedule_until
from bookings.rules.terms import Terms, Tier
from bookings.wording.policies import (
    PolicyFacts,
    cancel_now,
    late_move_sentence,
    move_sentence,
    no_show_sentence,
    plain_no_show_sentence,
    plain_policy_sentence,
    policy_sentence,
)
from core import money
from services.enums import DepositRule, FeeKind, OverLimit, PaymentMode

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 27, 14, 30, tzinfo=BERLIN).astimezone(UTC)
BOOKED = START - timedelta(days=20)

FREE = Terms()
ONE = Terms(tiers=(Tier(1440, FeeKind.NONE, 0), Tier(0, FeeKind.PERCENT, 5000)))
SEVERAL = Terms(tiers=(Tier(2880, FeeKind.NONE, 0), Tier(1440, FeeKind.PERCENT, 5000), Tier(0, FeeKind.ALL, 0)))
FIXED = Terms(tiers=(Tier(1440, FeeKind.NONE, 0), Tier(0, FeeKind.FIXED, 2000)))
NEVER = Terms(tiers=(Tier(0, FeeKind.ALL, 0),))
NEVER_STEPPED = Terms(tiers=(Tier(1440, FeeKind.PERCENT, 3333), Tier(0, FeeKind.ALL, 0)))
ELSE_ALL = Terms(tiers=(Tier(1440, FeeKind.NONE, 0),))


_TOLD = ("zone", "language", "now", "paid_minor")


def fee_facts(terms: Terms, **values: Any) -> FeeFacts:
    known = {"starts_at": START, "confirmed_at": BOOKED, "total_minor": 8000, "currency": "EUR", **values}
    return FeeFacts(terms=terms, **known)


def facts(terms: Terms, **values: Any) -> PolicyFacts:
    told = {"zone": BERLIN, "language": "en", "now": BOOKED}
    told |= {name: values.pop(name) for name in _TOLD if name in values}
    return PolicyFacts(fees=fee_facts(terms, **values), **told)


def before(**duration: float) -> datetime:
    return START - timedelta(**duration)


@pytest.mark.parametrize(
    ("terms", "values", "expected"),
    [
        (FREE, {}, "Free to cancel until the start on Fri 27 Nov, 14:30."),
        (ONE, {"total_minor": 0}, "Free to cancel until the start on Fri 27 Nov, 14:30."),
        (ONE, {}, "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is due."),
        (ONE, {"paid_minor": 8000}, "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is kept."),
        (ONE, {"paid_minor": 1600}, "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is due."),
        (
            SEVERAL,
            {},
            "Free to cancel until Wed 25 Nov, 14:30; after that 50\xa0% (€40.00) is due, "
            "after Thu 26 Nov, 14:30 the whole price (€80.00).",
        ),
        (FIXED, {}, "Free to cancel until Thu 26 Nov, 14:30; after that €20.00 is due."),
        (ELSE_ALL, {}, "Free to cancel until Thu 26 Nov, 14:30; after that the whole price (€80.00) is due."),
        (NEVER, {}, "If you cancel, the whole price (€80.00) is due."),
        (NEVER, {"paid_minor": 8000}, "If you cancel, the whole price (€80.00) is kept."),
        (
            NEVER_STEPPED,
            {},
            "If you cancel, 33.33\xa0% (€26.66) is due, after Thu 26 Nov, 14:30 the whole price (€80.00).",
        ),
        (
            ONE,
            {"total_minor": 8800, "currency": "JPY"},
            "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (¥4,400) is due.",
        ),
    ],
)
def test_the_rule_from_the_beginning(terms: Terms, values: dict[str, Any], expected: str) -> None:
    assert plain_policy_sentence(facts(terms, **values)) == expected


@pytest.mark.parametrize(
    ("terms", "values", "expected"),
    [
        (
            SEVERAL,
            {"now": before(hours=49)},
            "Free to cancel until Wed 25 Nov, 14:30; after that 50\xa0% (€40.00) is due, "
            "after Thu 26 Nov, 14:30 the whole price (€80.00).",
        ),
        (
            SEVERAL,
            {"now": before(hours=48) + timedelta(seconds=1)},
            "Cancelling was free until Wed 25 Nov, 14:30. If you cancel now, 50\xa0% (€40.00) is due, "
            "after Thu 26 Nov, 14:30 the whole price (€80.00).",
        ),
        (
            SEVERAL,
            {"now": before(hours=2)},
            "Cancelling was free until Wed 25 Nov, 14:30. If you cancel now, the whole price (€80.00) is due.",
        ),
        (
            SEVERAL,
            {"now": before(hours=100), "anchor_minor": 4000},
            "You moved this appointment when cancelling was no longer free. If you cancel now, "
            "50\xa0% (€40.00) is due, after Thu 26 Nov, 14:30 the whole price (€80.00). "
            "If you do not come, 50\xa0% (€40.00) is due.",
        ),
        (
            FREE,
            {"now": before(hours=100), "anchor_minor": 1234},
            "You moved this appointment when cancelling was no longer free. If you cancel now, €12.34 is due. "
            "If you do not come, €12.34 is due.",
        ),
        (NEVER, {"now": before(hours=2)}, "If you cancel now, the whole price (€80.00) is due."),
    ],
)
def test_the_rule_from_where_we_stand(terms: Terms, values: dict[str, Any], expected: str) -> None:
    assert plain_policy_sentence(facts(terms, **values)) == expected


class TestBeforeBooking:
    """One sentence each for cancelling, moving and not coming."""

    def said(self, terms: Terms, **values: Any) -> str:
        return plain_policy_sentence(facts(terms, confirmed_at=None, **values))

    def test_all_three(self) -> None:
        terms = Terms(
            tiers=ONE.tiers,
            reschedule_until_minutes=2880,
            free_move_count=1,
            over_limit=OverLimit.FEE,
            change_fee_minor=1000,
            no_show_fee_kind=FeeKind.ALL,
        )

        assert self.said(terms) == (
            "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is due. "
            "You can move it until Wed 25 Nov, 14:30; 1 move is free, each further one costs €10.00. "
            "If you do not come, the whole price (€80.00) is due."
        )

    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            ({}, "You can move it until Thu 26 Nov, 14:30."),
            ({"reschedule_until_minutes": 60}, "You can move it until Fri 27 Nov, 13:30."),
            ({"free_move_count": 1}, "You can move it 1 time, until Thu 26 Nov, 14:30."),
            ({"free_move_count": 2}, "You can move it 2 times, until Thu 26 Nov, 14:30."),
            ({"free_move_count": 0}, "It cannot be moved online."),
            ({"tiers": NEVER.tiers}, "It cannot be moved online."),
            ({"free_move_count": 2, "over_limit": OverLimit.FEE}, "You can move it until Thu 26 Nov, 14:30."),
            (
                {"free_move_count": 0, "over_limit": OverLimit.FEE, "change_fee_minor": 500},
                "You can move it until Thu 26 Nov, 14:30; each move costs €5.00.",
            ),
            (
                {"free_move_count": 2, "over_limit": OverLimit.FEE, "change_fee_minor": 500},
                "You can move it until Thu 26 Nov, 14:30; 2 moves are free, each further one costs €5.00.",
            ),
        ],
    )
    def test_moving(self, rules: dict[str, Any], expected: str) -> None:
        assert self.said(Terms(**{"tiers": ONE.tiers, **rules})).endswith(f". {expected}")

    def test_moving_that_is_over_is_told_as_over(self) -> None:
        said = self.said(ONE, now=before(hours=2))

        assert said.endswith("Moving it online was possible until Thu 26 Nov, 14:30.")

    def test_free_minutes_after_booking_are_minutes_to_move_as_well(self) -> None:
        terms = Terms(tiers=ONE.tiers, grace_minutes=15)

        assert self.said(terms, now=before(hours=5)).endswith("You can move it until Fri 27 Nov, 09:45.")

    def test_once_booked_only_what_costs_money_is_repeated(self) -> None:
        terms = Terms(tiers=ONE.tiers, free_move_count=1, no_show_fee_kind=FeeKind.ALL)

        assert plain_policy_sentence(facts(terms, now=before(days=3))) == (
            "Free to cancel until Thu 26 Nov, 14:30; after that 50\xa0% (€40.00) is due. "
            "If you do not come, the whole price (€80.00) is due."
        )

    def test_from_the_start_on_nobody_is_warned_of_not_coming(self) -> None:
        terms = Terms(no_show_fee_kind=FeeKind.ALL)

        assert "do not come" in plain_policy_sentence(facts(terms, now=before(minutes=1)))
        assert "do not come" not in plain_policy_sentence(facts(terms, now=START))


class TestDeadlinesInThePast:
    """A page may be read inside the free window; nothing may be promised that is over."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (
                {"now": before(hours=16)},
                "Cancelling was free until Thu 26 Nov, 14:30. If you cancel, the deposit (€16.00) is kept.",
            ),
            (
                {"now": before(hours=24)},
                "Free to cancel until Thu 26 Nov, 14:30; after that the deposit (€16.00) is kept.",
            ),
        ],
    )
    def test_before_booking(self, values: dict[str, Any], expected: str) -> None:
        terms = Terms(
            tiers=(Tier(1440, FeeKind.NONE, 0), Tier(0, FeeKind.FIXED, 1600)), payment_mode=PaymentMode.DEPOSIT
        )
        paid = {"paid_minor": 1600, "deposit_minor": 1600, "confirmed_at": None}

        assert plain_policy_sentence(facts(terms, **paid, **values)).startswith(expected)

    @given(st.integers(-60, 10 * 1440), st.sampled_from([ONE, SEVERAL, FIXED, ELSE_ALL, NEVER_STEPPED]))
    def test_no_sentence_promises_a_passed_moment(self, minutes: int, terms: Terms) -> None:
        now = before(minutes=minutes)

        sentence = plain_policy_sentence(facts(terms, confirmed_at=None, now=now))

        promised = [step.until for step in fee_steps(fee_facts(terms, confirmed_at=None))]
        for at in (each for each in promised[:-1] if each < now):
            assert f"Free to cancel until {at.astimezone(BERLIN):%a %-d %b, %H:%M}" not in sentence
            assert f"after {at.astimezone(BERLIN):%a %-d %b, %H:%M}" not in sentence


class TestGrace:
    terms = Terms(tiers=ELSE_ALL.tiers, grace_minutes=15, grace_min_lead_minutes=120)

    def said(self, **values: Any) -> str:
        sentences = plain_policy_sentence(facts(self.terms, confirmed_at=None, **values))
        return sentences.partition(" You can move it")[0].partition(" Moving it")[0]

    def test_is_mentioned_plainly_where_it_will_be_given(self) -> None:
        assert self.said(now=before(hours=5)).endswith("is due. For 15 min after booking you can cancel free.")

    def test_is_not_mentioned_where_it_adds_nothing_or_is_not_given(self) -> None:
        assert "For 15 min" not in self.said(now=before(days=5))
        assert "For 15 min" not in self.said(now=before(hours=2))
        assert "For 15 min" not in plain_policy_sentence(facts(self.terms))

    def test_is_the_deadline_after_booking_and_never_promises_a_second_too_much(self) -> None:
        booked = before(hours=5) + timedelta(seconds=59)

        sentence = plain_policy_sentence(facts(self.terms, confirmed_at=booked, now=booked))

        assert sentence == "Free to cancel until Fri 27 Nov, 09:45; after that the whole price (€80.00) is due."


def test_the_minute_is_bold_and_the_rest_escaped() -> None:
    html = policy_sentence(facts(ONE))

    assert html == ("Free to cancel until <strong>Thu 26 Nov, 14:30</strong>; after that 50\xa0% (€40.00) is due.")
    assert hasattr(html, "__html__")


def test_deadline_is_elapsed_time_in_the_locations_zone() -> None:
    starts_at = datetime(2026, 3, 29, 10, 0, tzinfo=BERLIN).astimezone(UTC)

    def said(zone: ZoneInfo) -> str:
        return plain_policy_sentence(facts(ONE, now=starts_at - timedelta(days=9), starts_at=starts_at, zone=zone))

    assert "until Sat 28 Mar, 09:00;" in said(BERLIN)
    assert "until Sat 28 Mar, 17:00;" in said(ZoneInfo("Asia/Tokyo"))


def test_a_repeated_minute_says_which_one() -> None:
    first = datetime(2026, 10, 26, 0, 30, tzinfo=UTC)  # 24 h after the first 02:30 of that night

    assert "until Sun 25 Oct, 02:30 CEST;" in plain_policy_sentence(
        facts(ONE, now=BOOKED - timedelta(days=40), starts_at=first)
    )
    assert "until Sun 25 Oct, 02:30 CET;" in plain_policy_sentence(
        facts(ONE, now=BOOKED - timedelta(days=40), starts_at=first + timedelta(hours=1))
    )


def test_speaks_the_language_it_is_asked_for() -> None:
    sentence = plain_policy_sentence(facts(ONE, language="de"))

    assert "Do 26 Nov" in sentence.replace(".", "")
    assert "40,00\xa0€" in sentence


class TestCancelNow:
    def test_free_until_it_changes(self) -> None:
        result = cancel_now(facts(SEVERAL, now=before(hours=50)))

        assert (result.fee_minor, result.changes_after, result.next_fee_minor) == (0, before(hours=48), 4000)
        assert result.sentence == (
            "Cancelling now is free. After <strong>Wed 25 Nov, 14:30</strong>, 50\xa0% (€40.00) is due."
        )

    def test_fee_until_it_grows(self) -> None:
        result = cancel_now(facts(SEVERAL, now=before(hours=30), paid_minor=8000))

        assert (result.fee_minor, result.changes_after, result.next_fee_minor) == (4000, before(hours=24), 8000)
        assert result.sentence == (
            "If you cancel now, 50\xa0% (€40.00) is kept. "
            "After <strong>Thu 26 Nov, 14:30</strong>, the whole price (€80.00) is kept."
        )

    @pytest.mark.parametrize(
        ("terms", "fee", "sentence"),
        [
            (FREE, 0, "Cancelling now is free."),
            (NEVER, 8000, "If you cancel now, the whole price (€80.00) is due."),
        ],
    )
    def test_what_never_changes(self, terms: Terms, fee: int, sentence: str) -> None:
        result = cancel_now(facts(terms, now=before(hours=1)))

        assert (result.fee_minor, result.sentence, result.changes_after, result.next_fee_minor) == (
            fee,
            sentence,
            None,
            None,
        )


class TestDeposit:
    capped = Terms(tiers=SEVERAL.tiers, payment_mode=PaymentMode.DEPOSIT, deposit_value=2000)
    kept = Terms(
        tiers=SEVERAL.tiers,
        payment_mode=PaymentMode.DEPOSIT,
        deposit_value=2000,
        deposit_rule=DepositRule.ALWAYS_KEEP,
        is_fee_capped_at_deposit=False,
        grace_minutes=15,
    )
    paid: ClassVar[dict[str, int]] = {"paid_minor": 1600, "deposit_minor": 1600}

    def test_a_capped_fee_is_the_deposit(self) -> None:
        assert plain_policy_sentence(facts(self.capped, **self.paid)) == (
            "Free to cancel until Wed 25 Nov, 14:30; after that the deposit (€16.00) is kept."
        )

    def test_one_that_is_always_kept_is_never_called_free(self) -> None:
        assert plain_policy_sentence(facts(self.kept, **self.paid, confirmed_at=None)) == (
            "If you cancel, the deposit (€16.00) is due, after Wed 25 Nov, 14:30 50\xa0% (€40.00), "
            "after Thu 26 Nov, 14:30 the whole price (€80.00). "
            "You can move it until Wed 25 Nov, 14:30. If you do not come, the deposit (€16.00) is kept."
        )

    def test_it_bounds_what_a_late_move_leaves(self) -> None:
        assert late_move_sentence(facts(self.capped, **self.paid, now=before(hours=2))) == (
            "Cancelling costs the deposit (€16.00) now, and at least as much after a move."
        )


class TestNoShow:
    @pytest.mark.parametrize(
        ("terms", "values", "expected"),
        [
            (FREE, {}, ""),
            (Terms(no_show_fee_kind=FeeKind.ALL), {"total_minor": 0}, ""),
            (Terms(no_show_fee_kind=FeeKind.ALL), {}, "If you do not come, the whole price (€80.00) is due."),
            (
                Terms(no_show_fee_kind=FeeKind.ALL),
                {"paid_minor": 8000},
                "If you do not come, the whole price (€80.00) is kept.",
            ),
            (
                Terms(no_show_fee_kind=FeeKind.PERCENT, no_show_fee_value=2500),
                {},
                "If you do not come, 25\xa0% (€20.00) is due.",
            ),
            (
                Terms(no_show_fee_kind=FeeKind.FIXED, no_show_fee_value=1500, first_no_show_free_days=365),
                {},
                "If you do not come, €15.00 is due. The first time in 365 days is free.",
            ),
            (
                Terms(no_show_fee_kind=FeeKind.FIXED, no_show_fee_value=1500, first_no_show_free_days=365),
                {"anchor_minor": 500},
                "If you do not come, €15.00 is due.",
            ),
        ],
    )
    def test_says_what_not_coming_costs(self, terms: Terms, values: dict[str, Any], expected: str) -> None:
        assert plain_no_show_sentence(facts(terms, **values)) == no_show_sentence(facts(terms, **values)) == expected

    def test_says_nothing_to_whom_it_is_free(self) -> None:
        terms = Terms(no_show_fee_kind=FeeKind.ALL, first_no_show_free_days=365)

        assert no_show_sentence(facts(terms), is_first=True) == ""


class TestMoves:
    def said(self, terms: Terms, **values: Any) -> str:
        move_count = values.pop("move_count", 0)
        return str(move_sentence(facts(terms, **{"now": before(hours=50), **values}), move_count=move_count))

    def test_without_limit(self) -> None:
        assert self.said(SEVERAL) == "You can move it until <strong>Wed 25 Nov, 14:30</strong>."

    @pytest.mark.parametrize(
        ("move_count", "end"),
        [(0, "2 free moves are left."), (1, "1 free move is left."), (2, "0 free moves are left.")],
    )
    def test_free_moves_are_counted(self, move_count: int, end: str) -> None:
        assert self.said(Terms(free_move_count=2), move_count=move_count).endswith(end)

    def test_fee_of_the_next_move(self) -> None:
        terms = Terms(free_move_count=1, over_limit=OverLimit.FEE, change_fee_minor=500)

        assert self.said(terms, move_count=0).endswith("1 free move is left.")
        assert self.said(terms, move_count=1).endswith("The next move costs €5.00.")

    def test_says_nothing_when_it_is_too_late(self) -> None:
        assert self.said(SEVERAL, now=before(hours=47)) == ""
        assert self.said(NEVER) == ""

    def test_late_move_is_warned_about(self) -> None:
        assert late_move_sentence(facts(SEVERAL, now=before(hours=48))) == ""
        assert late_move_sentence(facts(SEVERAL, now=before(hours=47))) == (
            "Cancelling costs 50\xa0% (€40.00) now, and at least as much after a move."
        )


_tiers = st.lists(
    st.builds(Tier, st.integers(0, 4000), st.sampled_from(FeeKind), st.integers(0, 10_000)),
    max_size=4,
    unique_by=lambda tier: tier.until_minutes,
).map(tuple)


_deposits = st.builds(
    dict,
    payment_mode=st.sampled_from(PaymentMode),
    deposit_value=st.integers(1, 10_000),
    deposit_rule=st.sampled_from(DepositRule),
    is_fee_capped_at_deposit=st.booleans(),
)


@given(
    _tiers,
    _deposits,
    st.integers(0, 3000),
    st.integers(0, 9000),
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.sampled_from(["en", "de"]),
)
def test_says_the_sum_that_would_be_charged(
    tiers: tuple[Tier, ...],
    money_rules: dict[str, Any],
    minutes_left: int,
    total: int,
    anchor: int,
    deposit: int,
    language: str,
) -> None:
    terms = Terms(tiers=tiers, **money_rules)
    now = before(minutes=minutes_left)
    sums = {"total_minor": total, "anchor_minor": anchor, "deposit_minor": deposit}
    known = facts(terms, now=now, language=language, **sums)
    fee = cancellation_fee(known.fees, now)

    result = cancel_now(known)
    rule = plain_policy_sentence(known)

    assert result.fee_minor == fee
    assert (money.formatted(fee, "EUR", language) in result.sentence) or fee == 0
    for step in fee_steps(known.fees):
        if step.until >= now and step.fee_minor:
            assert money.formatted(step.fee_minor, "EUR", language) in rule


@pytest.mark.parametrize(
    ("zone", "start", "free_until"),
    [
        ("Europe/Berlin", "2027-03-28 10:00", "Sat 27 Mar, 09:00"),
        ("Europe/Berlin", "2027-10-31 10:00", "Sat 30 Oct, 11:00"),
        ("Australia/Lord_Howe", "2027-10-03 10:00", "Sat 2 Oct, 09:30"),
        ("Australia/Lord_Howe", "2027-04-04 10:00", "Sat 3 Apr, 10:30"),
    ],
)
def test_deadlines_count_elapsed_time_over_a_change_of_clocks(zone: str, start: str, free_until: str) -> None:
    """What the sentence promises and what the fee is, to the second."""
    place = ZoneInfo(zone)
    starts_at = datetime.fromisoformat(start).replace(tzinfo=place).astimezone(UTC)
    deadline = starts_at - timedelta(hours=24)
    known = facts(
        ONE,
        starts_at=starts_at,
        confirmed_at=deadline - timedelta(days=9),
        zone=place,
        now=deadline - timedelta(days=5),
    )

    sentence = plain_policy_sentence(known)

    assert sentence.startswith(f"Free to cancel until {free_until};")
    assert cancellation_fee(known.fees, deadline) == 0
    assert cancellation_fee(known.fees, deadline + timedelta(seconds=1)) == 4000
    until = reschedule_until(replace(known.fees, terms=replace(ONE, reschedule_until_minutes=1440)))
    assert fees.free_until(known.fees) == until == deadline
