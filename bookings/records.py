"""What the copies on a booking mean: needed time, price, lines of its bill. Pure over rows already read."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext, override

from bookings.claims import LineSpec, spec_from_copies
from bookings.models import Booking, BookingLine
from bookings.pricing import PricedLine, Quote, quote
from core import money
from payments.models import BillLine
from payments.operations import NewLine


def quote_of(booking: Booking, lines: Sequence[BookingLine]) -> Quote:
    """Return the price of a booking by what was copied onto its lines."""
    return quote(
        [priced for _, priced in _priced(lines)],
        prices_include_tax=booking.prices_include_tax,
        currency=booking.currency,
    )


def bill_lines(booking: Booking, lines: Sequence[BookingLine]) -> list[NewLine]:
    """Return what a confirmed booking owes: one line for each service and each extra."""
    kinds = [kind for kind, _ in _priced(lines)]
    return [
        NewLine(each_kind, each.text, each.net_minor, each.tax_minor, each.tax_basis_points, each.quantity)
        for each_kind, each in zip(kinds, quote_of(booking, lines).lines, strict=True)
    ]


def cancellation_lines(booking: Booking, lines: Sequence[BookingLine], fee_minor: int) -> list[NewLine]:
    """Return the lines after which a cancelled booking owes the fee and nothing else: all prices back, then the fee.

    The fee is taxed like the price of which it is a part, by rate.
    """
    with override(booking.language):
        back_text, fee_text = gettext("Cancelled"), gettext("Cancellation fee")
    by_rate: dict[int, tuple[int, int]] = {}
    for each in quote_of(booking, lines).lines:
        net, tax = by_rate.get(each.tax_basis_points, (0, 0))
        by_rate[each.tax_basis_points] = (net + each.net_minor, tax + each.tax_minor)
    back = [NewLine(BillLine.Kind.CORRECTION, back_text, -net, -tax, rate) for rate, (net, tax) in by_rate.items()]
    shares = money.split(fee_minor, [net + tax for net, tax in by_rate.values()])
    fees = [
        _inclusive(BillLine.Kind.CANCELLATION_FEE, fee_text, share, rate)
        for share, rate in zip(shares, by_rate, strict=True)
        if share
    ]
    return [line for line in back if line.net_minor or line.tax_minor] + fees


def change_fee_line(booking: Booking, line: BookingLine, fee_minor: int) -> NewLine:
    """Return the fee of a move, taxed like the service."""
    with override(booking.language):
        text = gettext("Fee for moving the booking")
    return _inclusive(BillLine.Kind.CHANGE_FEE, text, fee_minor, line.tax_basis_points)


def spec_of_line(line: BookingLine) -> LineSpec:
    """Read back what a line was promised."""
    return spec_from_copies(
        phases=line.phases,
        buffer_before=line.buffer_before_minutes,
        buffer_after=line.buffer_after_minutes,
        requirements=line.requirements,
        needs_staff=line.staff_member_id is not None,
    )


def _priced(lines: Iterable[BookingLine]) -> Iterable[tuple[BillLine.Kind, PricedLine]]:
    for line in lines:
        text = f"{line.service_name}, {line.variant_name}" if line.variant_name else line.service_name
        yield BillLine.Kind.SERVICE, PricedLine(text, line.price_minor, line.tax_basis_points)
        for extra in line.add_ons:
            yield (
                BillLine.Kind.ADD_ON,
                PricedLine(
                    extra["name"],
                    extra["price_minor"],
                    line.tax_basis_points,
                    is_paid_at_visit=extra.get("is_paid_at_visit", True),
                ),
            )


def _inclusive(kind: BillLine.Kind, text: str, gross_minor: int, tax_basis_points: int) -> NewLine:
    tax = money.included_tax(gross_minor, tax_basis_points)
    return NewLine(kind, text, gross_minor - tax, tax, tax_basis_points)
