"""Share a refund among the payments it comes from. Pure; all amounts are minor units of one currency.

For some currencies Stripe's smallest step is coarser than our minor unit (KWD: ten fils). The part that Stripe cannot
refund is taken from payments at the desk. If there are none, the customer gets a little more, never less, so that the
business keeps no unexplained rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.stripe.amounts import rounded_down, smallest_step


@dataclass(frozen=True, slots=True)
class Left:
    """The part of a payment that is not refunded yet, in minor units; Stripe can refund it exactly if it is online."""

    minor: int
    is_online: bool


def shares(amount_minor: int, payments: Sequence[Left], currency: str) -> list[int]:
    """Return the amount to refund of each payment, from the first on: ``amount_minor`` in total, or all that is left.

    The total is rounded up, by less than Stripe's step, if no other split is possible.
    """
    step = smallest_step(currency)
    parts: list[int] = []
    for payment in payments:
        part = min(amount_minor - sum(parts), payment.minor)
        parts.append(rounded_down(part, currency) if payment.is_online else part)
    missing = min(amount_minor, sum(payment.minor for payment in payments)) - sum(parts)
    with_room = [
        number for number, payment in enumerate(payments) if payment.is_online and payment.minor - parts[number] >= step
    ]
    if missing <= 0 or not with_room:
        return parts
    parts[with_room[0]] += step
    beyond = step - missing
    for number, payment in enumerate(payments):
        less = 0 if payment.is_online else min(beyond, parts[number])
        parts[number] -= less
        beyond -= less
    return parts
