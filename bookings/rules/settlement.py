"""How a fee is covered by what was paid: kept, refunded, charged to the card on file, or left open.

Pure. The page before cancelling, the operation and the message after it use the same amounts.
"""

from dataclasses import dataclass
from datetime import datetime

from bookings.rules.fees import FeeFacts, fee_steps
from payments.stripe.amounts import chargeable, rounded_down


@dataclass(frozen=True, slots=True)
class Settlement:
    """``keep + refund`` is what was paid, ``keep + charge + open + waived`` is the fee.

    ``waived_minor``: the part of the fee that is waived because a refund has to be rounded up.
    """

    keep_minor: int
    refund_minor: int
    charge_minor: int
    open_minor: int
    waived_minor: int = 0

    @property
    def fee_minor(self) -> int:
        """The fee that the customer pays, less what is waived."""
        return self.keep_minor + self.charge_minor + self.open_minor


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid for the visit or for cancelling it, without fees for moves.

    ``card_cap_minor``: the most that may be charged to a card on file; None where no card is saved with consent, or it
    may not be charged for this.
    """

    net_minor: int
    card_cap_minor: int | None = None


def settlement(fee_minor: int, paid: Paid, *, currency: str = "") -> Settlement:
    """Settle a fee with what was paid.

    With a ``currency`` only amounts that Stripe can move are charged; the rest stays open. Where Stripe's unit is
    coarser than ours (KWD) a refund is rounded up, and the difference is waived.
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
    """Return the part of a refund that was paid beyond the price.

    Staff cannot withhold it, so it never waits for approval.
    """
    return min(settled.refund_minor, max(0, settled.keep_minor + settled.refund_minor - total_minor))


@dataclass(frozen=True, slots=True)
class CancelQuote:
    """What cancelling does to the money now, and from the first instant after ``changes_after``.

    ``changes_after`` and ``then`` are None when nothing changes until the start.
    """

    now: Settlement
    changes_after: datetime | None = None
    then: Settlement | None = None


def cancel_quote(facts: FeeFacts, paid: Paid, now: datetime) -> CancelQuote:
    """Return what a customer who cancels at ``now`` pays and gets back.

    A request without an answer and an unpaid booking cost nothing.
    """
    steps = fee_steps(facts)
    left = [step for step in steps if now <= step.until] or steps[-1:]
    settled = [settlement(step.fee_minor, paid, currency=facts.currency) for step in left[:2]]
    return CancelQuote(settled[0], left[0].until, settled[1]) if len(settled) > 1 else CancelQuote(settled[0])
