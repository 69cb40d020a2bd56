"""The price of a visit: lines, taxes, total. Pure.

Money is integer minor units, tax rates are basis points (1900 = 19 %). Tax is rounded once per rate, on the sum of all
lines of that rate, and then divided among them, so that lines, taxes and total always add up exactly and the tax shown
is the tax of the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core import money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One item sold. ``price_minor`` is for one piece, with or without tax as the business states its prices.

    ``is_paid_at_visit``: never asked for when booking. ``is_paid_at_booking``: asked for in full when booking.
    """

    text: str
    price_minor: int
    tax_basis_points: int
    quantity: int = 1
    is_paid_at_visit: bool = False
    is_paid_at_booking: bool = False


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line, for all its pieces: ``net_minor + tax_minor == gross_minor``."""

    text: str
    quantity: int
    net_minor: int
    tax_minor: int
    gross_minor: int
    tax_basis_points: int
    is_paid_at_visit: bool = False
    is_paid_at_booking: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A computed price.

    Totals are the sums of the lines; ``taxes`` has one (basis points, tax) per rate above 0, ascending.
    """

    lines: tuple[QuoteLine, ...]
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    taxes: tuple[tuple[int, int], ...]

    @property
    def at_visit_minor(self) -> int:
        """The part of the total, taxes included, that is always paid at the visit."""
        return sum(line.gross_minor for line in self.lines if line.is_paid_at_visit)

    @property
    def at_booking_minor(self) -> int:
        """The part of the total, taxes included, that is always paid when booking."""
        return sum(line.gross_minor for line in self.lines if line.is_paid_at_booking)


def quote(lines: Sequence[PricedLine], *, prices_include_tax: bool, currency: str) -> Quote:
    """Compute the price of ``lines``, in their order.

    :raises ValueError: when a price, rate or quantity is negative.
    """
    if any(min(line.price_minor, line.tax_basis_points, line.quantity) < 0 for line in lines):
        raise ValueError("Prices, tax rates and quantities cannot be negative.")
    tax_of = money.included_tax if prices_include_tax else money.share
    seen: dict[int, int] = {}
    taxes: dict[int, int] = {}
    quoted = []
    for line in lines:
        rate, amount = line.tax_basis_points, line.price_minor * line.quantity
        # The tax of everything up to here less the tax of everything before: the differences add up to the tax of the
        # sum.
        seen[rate] = seen.get(rate, 0) + amount
        tax = tax_of(seen[rate], rate) - taxes.get(rate, 0)
        taxes[rate] = taxes.get(rate, 0) + tax
        net = amount - tax if prices_include_tax else amount
        when = (line.is_paid_at_visit, line.is_paid_at_booking)
        quoted.append(QuoteLine(line.text, line.quantity, net, tax, net + tax, rate, *when))
    return Quote(
        lines=tuple(quoted),
        currency=currency,
        net_minor=sum(line.net_minor for line in quoted),
        tax_minor=sum(line.tax_minor for line in quoted),
        total_minor=sum(line.gross_minor for line in quoted),
        taxes=tuple(sorted((rate, tax) for rate, tax in taxes.items() if rate)),
    )
