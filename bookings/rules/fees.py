"""Cancellation fees and deposits: until when cancelling is free, and what it costs.

Pure: takes the copied terms of a booking and instants. Instants are aware UTC, windows are elapsed minutes before the
start (a clock change in between moves the local deadline), money is integer minor units. Pages use these functions to
explain, operations to refuse and to charge, so that both always say the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bookings.enums import BookingStatus
from bookings.rules.terms import Terms
from core import money
from services.enums import DepositKind, DepositRule, FeeKind, PaymentMode
from services.values import TierValues as Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeFacts:
    """What the fees of one booking depend on: its terms, its times and its sums. Money is in ``currency``.

    ``status`` is that of the booking; CONFIRMED also describes a booking that is not made yet, as if it stood.
    ``confirmed_at`` is None before that. ``anchor_minor`` is the least that cancelling costs since a late move.
    ``deposit_minor`` is the deposit that was due when booking (``deposit_taken``): always kept if the rule says so, and
    the most that the customer can lose if fees are capped at it.
    """

    terms: Terms
    starts_at: datetime
    total_minor: int
    currency: str
    status: str = BookingStatus.CONFIRMED
    confirmed_at: datetime | None = None
    anchor_minor: int = 0
    deposit_minor: int = 0


@dataclass(frozen=True, slots=True)
class FeeStep:
    """Cancelling up to ``until`` (included) costs ``fee_minor``."""

    until: datetime
    fee_minor: int


def cancellation_fee(facts: FeeFacts, now: datetime) -> int:
    """Return what a customer owes who cancels at ``now``.

    At least the anchor of a late move, never more than the total; nothing before the booking is confirmed. The fee
    never falls as time passes: a tier that has begun to apply is the minimum from then on.
    """
    return 0 if is_fee_free(facts.status) else fee_within_bounds(facts, _fee_of_time(facts, now))


def fee_within_bounds(facts: FeeFacts, fee_minor: int) -> int:
    """Apply the bounds of a booking to a fee (``bounded_fee``)."""
    return bounded_fee(
        facts.terms,
        fee_minor,
        total_minor=facts.total_minor,
        deposit_minor=facts.deposit_minor,
        anchor_minor=facts.anchor_minor,
    )


def bounded_fee(terms: Terms, fee_minor: int, *, total_minor: int, deposit_minor: int, anchor_minor: int) -> int:
    """Raise a fee to what is owed in any case (anchor, a deposit that is always kept), and lower it to the cap.

    If the fee is capped at the deposit but this customer was not asked for one, the deposit of the terms is the cap: a
    customer who is spared the deposit must not lose more than one who is not.
    """
    most, least = total_minor, anchor_minor
    if terms.payment_mode == PaymentMode.DEPOSIT:
        if keeps_deposit(terms):
            least = max(least, deposit_minor)
        if terms.is_fee_capped_at_deposit:
            most = min(most, deposit_minor or deposit_of(terms, total_minor))
    return min(most, max(least, fee_minor))


def highest_fee(terms: Terms, *, total_minor: int, deposit_minor: int = 0) -> int:
    """Return the most that cancelling or not coming can ever cost: the cap of a saved card."""
    of_tiers = _tier_fee_at(terms, timedelta(0), total_minor) if terms.tiers else 0
    of_absence = fee_of(terms.no_show_fee_kind, terms.no_show_fee_value, total_minor)
    fee = max(of_tiers, of_absence)
    return bounded_fee(terms, fee, total_minor=total_minor, deposit_minor=deposit_minor, anchor_minor=0)


def deposit_of(terms: Terms, base_minor: int) -> int:
    """Return the deposit on a price, at most the price; percent rounds half up."""
    kind = FeeKind.PERCENT if terms.deposit_kind == DepositKind.PERCENT else FeeKind.FIXED
    return fee_of(kind, terms.deposit_value, base_minor)


def deposit_taken(terms: Terms, *, payment_mode: str, due_now_minor: int, total_minor: int) -> int:
    """Return what counts as the deposit of a booking that asked for ``due_now_minor`` by ``payment_mode``.

    A customer who paid everything, or extras in addition to the deposit, loses no more of it than other customers.
    """
    if terms.payment_mode != PaymentMode.DEPOSIT:
        return 0
    if payment_mode in {PaymentMode.FULL, PaymentMode.DEPOSIT}:
        return min(due_now_minor, deposit_of(terms, total_minor))
    return 0


def keeps_deposit(terms: Terms) -> bool:
    """Return whether a deposit is kept however early the customer cancels, also in the free minutes after booking."""
    return terms.payment_mode == PaymentMode.DEPOSIT and terms.deposit_rule == DepositRule.ALWAYS_KEEP


def is_fee_free(status: str) -> bool:
    """Return whether cancelling or moving is always free: the booking waits for an answer or for payment."""
    return status != BookingStatus.CONFIRMED


def fee_steps(facts: FeeFacts) -> list[FeeStep]:
    """Return the fee over time in ascending steps, each with another amount; the last one ends at the start.

    An instant belongs to the first step whose ``until`` it does not exceed.
    """
    starts_at = facts.starts_at
    ends = {starts_at, *(starts_at - timedelta(minutes=tier.until_minutes) for tier in facts.terms.tiers)}
    if (grace := _grace_until(facts)) is not None:
        ends.add(grace)
    steps: list[FeeStep] = []
    for end in sorted(ends):
        fee = cancellation_fee(facts, end)
        if steps and steps[-1].fee_minor == fee:
            steps.pop()
        steps.append(FeeStep(end, fee))
    return steps


def free_until(facts: FeeFacts) -> datetime | None:
    """Return the last instant (included) at which cancelling is free, by tiers or by grace; None if it never is."""
    if facts.anchor_minor or (facts.deposit_minor and keeps_deposit(facts.terms)):
        return None
    return free_by_time_until(facts)


def free_by_time_until(facts: FeeFacts) -> datetime | None:
    """Return the same as ``free_until``, ignoring a late move and a deposit that is kept."""
    ends = (_tiers_free_until(facts), _grace_until(facts))
    return max((end for end in ends if end is not None), default=None)


def tier_fee(tier: Tier, total_minor: int) -> int:
    """Return the fee of one tier, at most the total; percent rounds half up."""
    return fee_of(tier.kind, tier.value, total_minor)


def fee_of(kind: FeeKind, value: int, total_minor: int) -> int:
    """Return a fee of ``value`` basis points or minor units, at most the total; percent rounds half up."""
    match kind:
        case FeeKind.NONE:
            return 0
        case FeeKind.PERCENT:
            return min(total_minor, money.share(total_minor, value))
        case FeeKind.FIXED:
            return min(total_minor, value)
        case FeeKind.ALL:
            return total_minor


def _fee_of_time(facts: FeeFacts, now: datetime) -> int:
    grace = _grace_until(facts)
    if not facts.terms.tiers or (grace is not None and now <= grace):
        return 0
    return _tier_fee_at(facts.terms, facts.starts_at - min(now, facts.starts_at), facts.total_minor)


def _tier_fee_at(terms: Terms, left: timedelta, total_minor: int) -> int:
    """Return the fee by tiers with so much time left; there must be tiers."""
    fee = 0
    for tier in terms.tiers:
        fee = max(fee, tier_fee(tier, total_minor))
        if left >= timedelta(minutes=tier.until_minutes):
            return fee
    return total_minor


def _tiers_free_until(facts: FeeFacts) -> datetime | None:
    if not facts.terms.tiers:
        return facts.starts_at
    until = None
    for tier in facts.terms.tiers:
        if tier.kind != FeeKind.NONE and not (tier.kind != FeeKind.ALL and tier.value == 0):
            break
        until = facts.starts_at - timedelta(minutes=tier.until_minutes)
    return until


def _grace_until(facts: FeeFacts) -> datetime | None:
    """Return the end of the free minutes after booking, never after the start; None where there are none."""
    terms, confirmed_at = facts.terms, facts.confirmed_at
    if confirmed_at is None or not terms.grace_minutes:
        return None
    if facts.starts_at - confirmed_at <= timedelta(minutes=terms.grace_min_lead_minutes):
        return None
    return min(facts.starts_at, confirmed_at + timedelta(minutes=terms.grace_minutes))
