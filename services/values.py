"""Policies as plain values, so that pure rules do not depend on models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode


@dataclass(frozen=True, slots=True)
class TierValues:
    """The cost of cancelling up to ``until_minutes`` before the start, that instant included.

    ``value`` is in basis points if the fee is a percentage, in minor units if it is fixed.
    """

    until_minutes: int
    kind: FeeKind
    value: int


@dataclass(frozen=True, slots=True)
class CancellationPolicyValues:
    """The current values of a cancellation policy. Durations are minutes unless the name says hours or days.

    ``deposit_value`` and ``no_show_fee_value`` are basis points if their kind is a percentage, else minor units.
    """

    tiers: tuple[TierValues, ...] = ()
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


@dataclass(frozen=True, slots=True)
class PaymentOverride:
    """A service's own payment rules. Empty fields leave the policy's values."""

    payment_mode: str = ""
    deposit_kind: str = ""
    deposit_value: int | None = None


POLICY_FIELDS = tuple(name for name in CancellationPolicyValues.__slots__ if name != "tiers")
# The policy fields whose value is an enum.
POLICY_CHOICES = {
    "over_limit": OverLimit,
    "payment_mode": PaymentMode,
    "deposit_kind": DepositKind,
    "deposit_rule": DepositRule,
    "no_show_fee_kind": FeeKind,
}


def policy_values(columns: Mapping[str, Any], tiers: Iterable[tuple[int, str, int]]) -> CancellationPolicyValues:
    """Build the values from columns and from tiers as (minutes, kind, value)."""
    chosen: dict[str, Any] = {name: choice(columns[name]) for name, choice in POLICY_CHOICES.items()}
    return CancellationPolicyValues(
        **{**columns, **chosen}, tiers=tuple(TierValues(until, FeeKind(kind), value) for until, kind, value in tiers)
    )


def overridden(policy: CancellationPolicyValues | None, override: PaymentOverride) -> CancellationPolicyValues | None:
    """Return the policy with the service's ``override`` applied; None if there is neither policy nor override."""
    changes: dict[str, Any] = {}
    if override.payment_mode:
        changes["payment_mode"] = PaymentMode(override.payment_mode)
    if override.deposit_kind and override.deposit_value is not None:
        changes["deposit_kind"] = DepositKind(override.deposit_kind)
        changes["deposit_value"] = override.deposit_value
    if not changes:
        return policy
    return replace(policy or CancellationPolicyValues(), **changes)
