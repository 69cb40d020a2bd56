"""How a sum that goes back is shared among the payments that it came from. Pure; minor units of one currency.

Where Stripe's unit is coarser than ours (KWD: ten fils), what it cannot write is taken from the payments at the desk
instead; where there are none, a little more goes back. Never less, so nothing is kept that nobody sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.stripe.amounts import rounded_down, smallest_step


@dataclass(frozen=True, slots=True)
class Left:
    """What has not gone back of a payment yet. Online it is a sum that Stripe can write."""

    minor: int
    is_online: bool


def shares(amount_minor: int, payments: Sequence[Left], currency: str) -> list[int]:
    """Return what goes back of each payment, the first ones first: ``amount_minor`` in all, or everything that is left.

    Rounded up by less than Stripe's unit where the sum can be had in no other way.
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
