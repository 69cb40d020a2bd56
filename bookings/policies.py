"""May a customer cancel or move a booking, until when, and what does it cost.

Pure: the terms copied on a booking and some instants in, the answer out. Instants are aware UTC, windows are elapsed
minutes before the start (a clock change in between moves the local deadline), money is integer minor units. Pages use
these functions to explain, operations to refuse and to charge, so that both always say the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bookings.enums import BookingStatus
from core import money
from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode
from services.values import POLICY_CHOICES, CancellationPolicyValues
from services.values import TierValues as Tier

# What a customer may still call off or move. A hold is released instead, the rest is history.
_AGREED = frozenset({BookingStatus.CONFIRMED, BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT})
_OVER = frozenset({BookingStatus.STARTED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW})


class CancelRefusal(StrEnum):
    """Why a booking cannot be cancelled."""

    ALREADY_CANCELLED = "already_cancelled"
    NOT_BOOKED = "not_booked"  # never became an agreement: held, declined, expired
    ALREADY_STARTED = "already_started"  # the start has come, or the visit is over


class RescheduleRefusal(StrEnum):
    """Why a booking cannot be moved."""

    CANCELLED = "cancelled"
    NOT_BOOKED = "not_booked"
    ALREADY_STARTED = "already_started"
    TOO_LATE = "too_late"
    MOVE_LIMIT_REACHED = "move_limit_reached"


@dataclass(frozen=True, slots=True)
class FeeStep:
    """Cancelling up to ``until`` (included) costs ``fee_minor``."""

    until: datetime
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one booking, copied when its time was held. ``Terms()``: free to cancel and to move until the
    start.

    ``tiers`` go from far to near: the first one whose bound is not yet passed applies, and after the last one the
    whole price is due. A tier of 0 minutes therefore says what applies until the start. ``reschedule_until_minutes``
    None means: as long as cancelling is free. ``grace_minutes`` after confirmation cancelling is free, unless the
    visit starts within ``grace_min_lead_minutes`` of it.

    ``payment_mode`` says what is asked when booking and ``deposit_kind`` with ``deposit_value`` how much; where a
    deposit is asked, ``deposit_rule`` and ``is_fee_capped_at_deposit`` bind the fees to it. ``saves_card`` keeps the
    card of such a payment for later fees. Not coming costs ``no_show_fee_kind`` with ``no_show_fee_value``. It may be
    noted ``no_show_grace_minutes`` after the start; for ``waiver_hours`` the fee may be waived, then it is charged by
    itself if ``charges_fees_automatically``. The first time in ``first_no_show_free_days`` is free, if they are set.
    """

    tiers: tuple[Tier, ...] = ()
    reschedule_until_minutes: int | None = None
    free_move_count: int | None = None
    over_limit: OverLimit = OverLimit.BLOCKED
    change_fee_minor: int = 0
    grace_minutes: int = 0
    grace_min_lead_minutes: int = 0
    payment_mode: PaymentMode = PaymentMode.VENUE
    deposit_kind: DepositKind = DepositKind.PERCENT
    deposit_value: int = 0
    deposit_rule: DepositRule = DepositRule.REFUND_IF_FREE
    is_fee_capped_at_deposit: bool = True
    saves_card: bool = False
    no_show_fee_kind: FeeKind = FeeKind.NONE
    no_show_fee_value: int = 0
    no_show_grace_minutes: int = 15
    waiver_hours: int = 24
    charges_fees_automatically: bool = True
    first_no_show_free_days: int | None = None
    version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiers", tuple(sorted(self.tiers, key=lambda tier: -tier.until_minutes)))

    def to_json(self) -> dict[str, Any]:
        """Return what ``Booking.terms`` stores; ``from_json`` reads it back equal."""
        values = asdict(self)
        values["tiers"] = [[tier.until_minutes, str(tier.kind), tier.value] for tier in self.tiers]
        return values | {name: str(values[name]) for name in POLICY_CHOICES}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Terms":
        """Read stored terms. What an older booking did not store takes its default."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        if "tiers" in known:
            known["tiers"] = tuple(Tier(until, FeeKind(kind), value) for until, kind, value in known["tiers"])
        return cls(**known | {name: choice(known[name]) for name, choice in POLICY_CHOICES.items() if name in known})


def terms_of(policy: CancellationPolicyValues | None) -> Terms:
    """Copy a policy for a booking.

    Without a policy cancelling is free until the start. Equal rules have an equal version.
    """
    if policy is None:
        return Terms()
    values = {name: getattr(policy, name) for name in CancellationPolicyValues.__slots__}
    rules = json.dumps(Terms(**values).to_json(), sort_keys=True)
    return Terms(**values, version=hashlib.sha256(rules.encode()).hexdigest()[:12])


def cancellation_fee(
    terms: Terms,
    *,
    starts_at: datetime,
    confirmed_at: datetime | None,
    now: datetime,
    total_minor: int,
    anchor_minor: int = 0,
    deposit_minor: int = 0,
) -> int:
    """Return what a customer owes who cancels at ``now``: at least the anchor of a late move, never more than the
    total (policies.md 4).

    Where the terms ask for a deposit, ``deposit_minor`` is the one that was due when booking (``deposit_taken``): kept
    in any case if the rule says so, and the most that can be lost if fees are capped at it. The fee never falls as time
    passes: a tier that has begun to apply keeps applying at least.
    """
    fee = _fee_of_time(terms, starts_at, confirmed_at, now, total_minor)
    return bounded_fee(terms, fee, total_minor=total_minor, deposit_minor=deposit_minor, anchor_minor=anchor_minor)


def bounded_fee(terms: Terms, fee_minor: int, *, total_minor: int, deposit_minor: int, anchor_minor: int) -> int:
    """Bring a fee between what is owed in any case (anchor, a deposit that is always kept) and the most there can be.

    A cap that has no deposit to go by, because none was asked of this customer, takes the one the terms speak of: who
    is spared the deposit must not lose more than who is not.
    """
    most, least = total_minor, anchor_minor
    if terms.payment_mode == PaymentMode.DEPOSIT:
        if keeps_deposit(terms):
            least = max(least, deposit_minor)
        if terms.is_fee_capped_at_deposit:
            most = min(most, deposit_minor or deposit_of(terms, total_minor))
    return min(most, max(least, fee_minor))


def highest_fee(terms: Terms, *, total_minor: int, deposit_minor: int = 0) -> int:
    """Return the most that cancelling or not coming can ever cost (policies.md 7, 8: the cap of a saved card)."""
    of_tiers = _tier_fee_at(terms, timedelta(0), total_minor) if terms.tiers else 0
    of_absence = fee_of(terms.no_show_fee_kind, terms.no_show_fee_value, total_minor)
    fee = max(of_tiers, of_absence)
    return bounded_fee(terms, fee, total_minor=total_minor, deposit_minor=deposit_minor, anchor_minor=0)


def deposit_of(terms: Terms, base_minor: int) -> int:
    """Return the deposit on a price, at most the price; percent rounds half up (policies.md 2)."""
    kind = FeeKind.PERCENT if terms.deposit_kind == DepositKind.PERCENT else FeeKind.FIXED
    return fee_of(kind, terms.deposit_value, base_minor)


def deposit_taken(terms: Terms, *, payment_mode: str, due_now_minor: int, total_minor: int) -> int:
    """Return what counts as the deposit of a booking that asked ``due_now_minor`` by ``payment_mode``.

    Who had to pay everything, or extras beside the deposit, loses no more of it than others would.
    """
    if terms.payment_mode != PaymentMode.DEPOSIT:
        return 0
    if payment_mode in {PaymentMode.FULL, PaymentMode.DEPOSIT}:
        return min(due_now_minor, deposit_of(terms, total_minor))
    return 0


def keeps_deposit(terms: Terms) -> bool:
    """Whether a deposit is kept however early somebody cancels, also in the free minutes after booking."""
    return terms.payment_mode == PaymentMode.DEPOSIT and terms.deposit_rule == DepositRule.ALWAYS_KEEP


def is_fee_free(status: str) -> bool:
    """Whether calling off or moving costs nothing whenever it happens: nobody answered the request yet, or it is not
    paid yet.
    """
    return status != BookingStatus.CONFIRMED


def fee_steps(
    terms: Terms,
    *,
    starts_at: datetime,
    confirmed_at: datetime | None,
    total_minor: int,
    anchor_minor: int = 0,
    deposit_minor: int = 0,
) -> list[FeeStep]:
    """Return the fee over time, each step with another sum, ascending; the last one ends at the start.

    An instant belongs to the first step whose ``until`` it does not exceed.
    """
    ends = {starts_at, *(starts_at - timedelta(minutes=tier.until_minutes) for tier in terms.tiers)}
    if (grace := _grace_until(terms, starts_at, confirmed_at)) is not None:
        ends.add(grace)
    steps: list[FeeStep] = []
    for end in sorted(ends):
        fee = cancellation_fee(
            terms,
            starts_at=starts_at,
            confirmed_at=confirmed_at,
            now=end,
            total_minor=total_minor,
            anchor_minor=anchor_minor,
            deposit_minor=deposit_minor,
        )
        if steps and steps[-1].fee_minor == fee:
            steps.pop()
        steps.append(FeeStep(end, fee))
    return steps


def free_until(
    terms: Terms,
    starts_at: datetime,
    *,
    confirmed_at: datetime | None,
    anchor_minor: int = 0,
    deposit_minor: int = 0,
) -> datetime | None:
    """Return the last instant (included) at which cancelling is free, by tiers or by grace; None if it never is."""
    if anchor_minor or (deposit_minor and keeps_deposit(terms)):
        return None
    ends = (_tiers_free_until(terms, starts_at), _grace_until(terms, starts_at, confirmed_at))
    return max((end for end in ends if end is not None), default=None)


def reschedule_until(terms: Terms, starts_at: datetime, *, confirmed_at: datetime | None = None) -> datetime | None:
    """Return the last instant (included) at which a customer may move the booking; None if moving is never possible."""
    if terms.reschedule_until_minutes is not None:
        return starts_at - timedelta(minutes=terms.reschedule_until_minutes)
    return free_until(terms, starts_at, confirmed_at=confirmed_at)


def cancel_refusal(*, status: str, starts_at: datetime, now: datetime, by_staff: bool) -> CancelRefusal | None:
    """Say why this booking cannot be cancelled, or None if it can. From the start on only staff may."""
    if status == BookingStatus.CANCELLED:
        return CancelRefusal.ALREADY_CANCELLED
    if status in _OVER:
        return CancelRefusal.ALREADY_STARTED
    if status not in _AGREED:
        return CancelRefusal.NOT_BOOKED
    if not by_staff and now >= starts_at:
        return CancelRefusal.ALREADY_STARTED
    return None


def reschedule_refusal(
    terms: Terms,
    *,
    status: str,
    starts_at: datetime,
    move_count: int,
    now: datetime,
    by_staff: bool,
    confirmed_at: datetime | None = None,
) -> RescheduleRefusal | None:
    """Say why this booking cannot be moved, or None if it can. Cut-off and limit bind customers, not staff, and only
    once the booking is agreed.

    ``move_count`` counts the customer's own confirmed moves.
    """
    if status == BookingStatus.CANCELLED:
        return RescheduleRefusal.CANCELLED
    if status in _OVER:
        return RescheduleRefusal.ALREADY_STARTED
    if status not in _AGREED:
        return RescheduleRefusal.NOT_BOOKED
    if by_staff:
        return None
    if now >= starts_at:
        return RescheduleRefusal.ALREADY_STARTED
    if is_fee_free(status):
        return None
    until = reschedule_until(terms, starts_at, confirmed_at=confirmed_at)
    if until is None or now > until:
        return RescheduleRefusal.TOO_LATE
    if _is_over_limit(terms, move_count) and terms.over_limit == OverLimit.BLOCKED:
        return RescheduleRefusal.MOVE_LIMIT_REACHED
    return None


def move_fee(terms: Terms, *, status: str, move_count: int, by_staff: bool) -> int:
    """Return what the next move costs after ``move_count`` moves of the customer's own; nothing before it is agreed."""
    if by_staff or is_fee_free(status) or not _is_over_limit(terms, move_count) or terms.over_limit != OverLimit.FEE:
        return 0
    return terms.change_fee_minor


def anchor_after_move(
    terms: Terms,
    *,
    starts_at: datetime,
    confirmed_at: datetime | None,
    now: datetime,
    total_minor: int,
    anchor_minor: int,
    deposit_minor: int = 0,
) -> int:
    """Return the least that cancelling costs after a customer's move at ``now`` away from ``starts_at``.

    Moving when already late must not be a way around the fee that cancelling would have cost then.
    """
    return cancellation_fee(
        terms,
        starts_at=starts_at,
        confirmed_at=confirmed_at,
        now=now,
        total_minor=total_minor,
        anchor_minor=anchor_minor,
        deposit_minor=deposit_minor,
    )


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


def _fee_of_time(
    terms: Terms, starts_at: datetime, confirmed_at: datetime | None, now: datetime, total_minor: int
) -> int:
    grace = _grace_until(terms, starts_at, confirmed_at)
    if not terms.tiers or (grace is not None and now <= grace):
        return 0
    return _tier_fee_at(terms, starts_at - min(now, starts_at), total_minor)


def _tier_fee_at(terms: Terms, left: timedelta, total_minor: int) -> int:
    """Return the fee by tiers with so much time left; there must be tiers."""
    fee = 0
    for tier in terms.tiers:
        fee = max(fee, tier_fee(tier, total_minor))
        if left >= timedelta(minutes=tier.until_minutes):
            return fee
    return total_minor


def _tiers_free_until(terms: Terms, starts_at: datetime) -> datetime | None:
    if not terms.tiers:
        return starts_at
    until = None
    for tier in terms.tiers:
        if tier.kind != FeeKind.NONE and not (tier.kind != FeeKind.ALL and tier.value == 0):
            break
        until = starts_at - timedelta(minutes=tier.until_minutes)
    return until


def _grace_until(terms: Terms, starts_at: datetime, confirmed_at: datetime | None) -> datetime | None:
    """Return the end of the free minutes after booking, never after the start; None where there are none."""
    if confirmed_at is None or not terms.grace_minutes:
        return None
    if starts_at - confirmed_at <= timedelta(minutes=terms.grace_min_lead_minutes):
        return None
    return min(starts_at, confirmed_at + timedelta(minutes=terms.grace_minutes))


def _is_over_limit(terms: Terms, move_count: int) -> bool:
    return terms.free_move_count is not None and move_count >= terms.free_move_count
