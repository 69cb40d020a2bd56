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
from services.enums import FeeKind, OverLimit
from services.values import CancellationPolicyValues
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
    """

    tiers: tuple[Tier, ...] = ()
    reschedule_until_minutes: int | None = None
    free_move_count: int | None = None
    over_limit: OverLimit = OverLimit.BLOCKED
    change_fee_minor: int = 0
    grace_minutes: int = 0
    grace_min_lead_minutes: int = 0
    version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiers", tuple(sorted(self.tiers, key=lambda tier: -tier.until_minutes)))

    def to_json(self) -> dict[str, Any]:
        """Return what ``Booking.terms`` stores; ``from_json`` reads it back equal."""
        values = asdict(self)
        values["tiers"] = [[tier.until_minutes, str(tier.kind), tier.value] for tier in self.tiers]
        values["over_limit"] = str(self.over_limit)
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Terms":
        """Read stored terms. What an older booking did not store takes its default."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        if "tiers" in known:
            known["tiers"] = tuple(Tier(until, FeeKind(kind), value) for until, kind, value in known["tiers"])
        if "over_limit" in known:
            known["over_limit"] = OverLimit(known["over_limit"])
        return cls(**known)


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
) -> int:
    """Return what a customer owes who cancels at ``now``: at least the anchor of a late move, never more than the
    total.

    The fee never falls as time passes: a tier that has begun to apply keeps applying at least.
    """
    return min(total_minor, max(anchor_minor, _fee_of_time(terms, starts_at, confirmed_at, now, total_minor)))


def fee_steps(
    terms: Terms,
    *,
    starts_at: datetime,
    confirmed_at: datetime | None,
    total_minor: int,
    anchor_minor: int = 0,
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
        )
        if steps and steps[-1].fee_minor == fee:
            steps.pop()
        steps.append(FeeStep(end, fee))
    return steps


def free_until(
    terms: Terms, starts_at: datetime, *, confirmed_at: datetime | None, anchor_minor: int = 0
) -> datetime | None:
    """Return the last instant (included) at which cancelling is free, by tiers or by grace; None if it never is."""
    if anchor_minor:
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
    """Say why this booking cannot be moved, or None if it can. Cut-off and limit bind customers, not staff.

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
    until = reschedule_until(terms, starts_at, confirmed_at=confirmed_at)
    if until is None or now > until:
        return RescheduleRefusal.TOO_LATE
    if _is_over_limit(terms, move_count) and terms.over_limit == OverLimit.BLOCKED:
        return RescheduleRefusal.MOVE_LIMIT_REACHED
    return None


def move_fee(terms: Terms, *, move_count: int, by_staff: bool) -> int:
    """Return what the next move costs after ``move_count`` moves of the customer's own."""
    if by_staff or not _is_over_limit(terms, move_count) or terms.over_limit != OverLimit.FEE:
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
    )


def tier_fee(tier: Tier, total_minor: int) -> int:
    """Return the fee of one tier, at most the total; percent rounds half up."""
    match tier.kind:
        case FeeKind.NONE:
            return 0
        case FeeKind.PERCENT:
            return min(total_minor, money.share(total_minor, tier.value))
        case FeeKind.FIXED:
            return min(total_minor, tier.value)
        case FeeKind.ALL:
            return total_minor


def _fee_of_time(
    terms: Terms, starts_at: datetime, confirmed_at: datetime | None, now: datetime, total_minor: int
) -> int:
    grace = _grace_until(terms, starts_at, confirmed_at)
    if not terms.tiers or (grace is not None and now <= grace):
        return 0
    left = starts_at - min(now, starts_at)
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
