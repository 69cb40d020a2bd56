"""What a fee does to the money already paid: kept, given back, charged to the card on file, or left open.

Pure. The same sums stand on the page before cancelling, in the operation and in the message after it.
"""

from dataclasses import dataclass
from datetime import datetime

from bookings.rules.fees import FeeFacts, fee_steps
from payments.stripe.amounts import chargeable, rounded_down


@dataclass(frozen=True, slots=True)
class Settlement:
    """``keep + refund`` is what was paid, ``keep + charge + open + waived`` is the fee.

    ``waived_minor``: what the customer is let off because a refund can only be rounded.
    """

    keep_minor: int
    refund_minor: int
    charge_minor: int
    open_minor: int
    waived_minor: int = 0

    @property
    def fee_minor(self) -> int:
        """The fee as the customer pays it."""
        return self.keep_minor + self.charge_minor + self.open_minor


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid for the visit or for calling it off, fees for moves aside. ``card_cap_minor``: the most that a card
    on file may be charged; None where no card is kept with consent, or it may not be charged for this.
    """

    net_minor: int
    card_cap_minor: int | None = None


def settlement(fee_minor: int, paid: Paid, *, currency: str = "") -> Settlement:
    """Settle a fee with what was paid.

    With a ``currency`` only what Stripe can move is charged, the rest stays open; where its unit is coarser than ours
    (KWD) a refund is rounded up, and the customer is let off the difference.
    """
    refund = max(0, paid.net_minor - fee_minor)
    if currency:
        refund = min(paid.net_minor, -rounded_down(-refund, currency))
    keep = paid.net_minor - refund
    rest = max(0, fee_minor - paid.net_minor)
    charge = min(rest, paid.card_cap_minor or 0)
    if currency:
        charge = chargeable(charge, currency)
    return Settlement(keep, refund, charge, rest - charge, fee_minor - keep - rest)


def excess_of(settled: Settlement, *, total_minor: int) -> int:
    """Return what of a refund was paid beyond the price, and so is nobody's to decide about."""
    return min(settled.refund_minor, max(0, settled.keep_minor + settled.refund_minor - total_minor))


@dataclass(frozen=True, slots=True)
class CancelQuote:
    """What cancelling does to the money now, and from the first instant after ``changes_after``.

    ``changes_after`` and ``then`` are None when it stays so until the start.
    """

    now: Settlement
    changes_after: datetime | None = None
    then: Settlement | None = None


def cancel_quote(facts: FeeFacts, paid: Paid, now: datetime) -> CancelQuote:
    """Quote what a customer who cancels at ``now`` pays and gets back.

    A request that nobody answered and a booking that is not paid cost nothing.
    """
    steps = fee_steps(facts)
    left = [step for step in steps if now <= step.until] or steps[-1:]
    settled = [settlement(step.fee_minor, paid, currency=facts.currency) for step in left[:2]]
    return CancelQuote(settled[0], left[0].until, settled[1]) if len(settled) > 1 else CancelQuote(settled[0])
