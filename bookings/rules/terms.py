"""The terms of a booking: a copy of the policies, made when the time is held.

Later changes to a policy do not affect existing bookings.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode
from services.values import POLICY_CHOICES, CancellationPolicyValues
from services.values import TierValues as Tier


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one booking, copied when its time was held.

    ``Terms()`` without arguments: cancelling and moving are free until the start.

    ``tiers`` are ordered from far to near: the first one whose bound is not yet passed applies, and after the last one
    the whole price is due. A tier of 0 minutes therefore says what applies until the start.
    ``reschedule_until_minutes`` None means: as long as cancelling is free. Cancelling is free for ``grace_minutes``
    after confirmation, unless the visit starts within ``grace_min_lead_minutes`` of it.

    ``payment_mode`` is what the customer is asked for when booking; ``deposit_kind`` and ``deposit_value`` say how
    much. With a deposit, ``deposit_rule`` and ``is_fee_capped_at_deposit`` bind the fees to it. ``saves_card`` saves
    the card of such a payment for later fees.

    Not coming costs ``no_show_fee_kind`` with ``no_show_fee_value``. Staff may mark a visit as missed
    ``no_show_grace_minutes`` after the start. For ``waiver_hours`` they may waive the fee; after that it is charged
    automatically if ``charges_fees_automatically``. The first no-show in ``first_no_show_free_days`` is free, if set.
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
        """Read stored terms. Fields that an older booking did not store take their defaults."""
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
