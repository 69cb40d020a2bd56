"""Policies of the catalogue as plain values, so that pure rules need not know their tables."""

from dataclasses import dataclass

from services.enums import FeeKind, OverLimit


@dataclass(frozen=True, slots=True)
class TierValues:
    """What cancelling costs up to ``until_minutes`` before the start, that instant included.

    ``value`` is in basis points where the fee is a percentage, in minor units where it is fixed.
    """

    until_minutes: int
    kind: FeeKind
    value: int


@dataclass(frozen=True, slots=True)
class CancellationPolicyValues:
    """A cancellation policy as it stands now. Durations are minutes."""

    tiers: tuple[TierValues, ...] = ()
    reschedule_until_minutes: int | None = None
    free_move_count: int | None = None
    over_limit: OverLimit = OverLimit.BLOCKED
    change_fee_minor: int = 0
    grace_minutes: int = 0
    grace_min_lead_minutes: int = 0
