"""Builds bill lines from the copies on a booking: prices, fees, waivers, refunds, moves.

Pure over rows already read.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext, override

from bookings.booked import priced_lines, quote_of
from bookings.models import Booking, BookingLine
from core import money
from payments.models import BillLine
from payments.operations import NewLine


def bill_lines(booking: Booking, lines: Sequence[BookingLine]) -> list[NewLine]:
    """Return what a confirmed booking owes: one line for each service and each extra."""
    kinds = [kind for kind, _ in priced_lines(lines)]
    return [
        NewLine(each_kind, each.text, each.net_minor, each.tax_minor, each.tax_basis_points, each.quantity)
        for each_kind, each in zip(kinds, quote_of(booking, lines).lines, strict=True)
    ]


def other_length_lines(booking: Booking, before: BookingLine, after: BookingLine) -> list[NewLine]:
    """Return the lines after which a booking owes the price of another length: the old service reversed, then the new.

    Extras whose tax is rounded in another way then are reversed and added again as well.
    """
    old, new = bill_lines(booking, [before]), bill_lines(booking, [after])
    changed = [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
    with override(booking.language):
        back = [replace(line, text=gettext("Taken back: %(text)s") % {"text": line.text}) for line, _ in changed]
    return [*_negated(back), *(line for _, line in changed)]


def cancellation_lines(booking: Booking, lines: Sequence[BookingLine], fee_minor: int) -> list[NewLine]:
    """Return the lines after which a cancelled booking owes only the fee: all prices reversed, then the fee.

    The fee is taxed like the price, in proportion by tax rate.
    """
    with override(booking.language):
        back_text, fee_text = gettext("Cancelled"), gettext("Cancellation fee")
    back = _price_back(booking, lines, back_text)
    return back + _shared(booking, lines, BillLine.Kind.CANCELLATION_FEE, fee_text, fee_minor)


def no_show_lines(booking: Booking, lines: Sequence[BookingLine], fee_minor: int) -> list[NewLine]:
    """Return the lines after which a missed visit owes only the fee."""
    with override(booking.language):
        back_text, fee_text = gettext("Visit missed"), gettext("Fee for a missed visit")
    back = _price_back(booking, lines, back_text)
    return back + _shared(booking, lines, BillLine.Kind.NO_SHOW_FEE, fee_text, fee_minor)


def undone_no_show_lines(
    booking: Booking, lines: Sequence[BookingLine], *, fee_minor: int, waived_minor: int
) -> list[NewLine]:
    """Return the lines that undo a no-show: the price again, the fee and its waiver reversed."""
    with override(booking.language):
        again, back, waiver = gettext("Visit took place"), gettext("Fee taken back"), gettext("Waiver taken back")
    return [
        *_negated(_price_back(booking, lines, again)),
        *_negated(_shared(booking, lines, BillLine.Kind.NO_SHOW_FEE, back, fee_minor)),
        *_shared(booking, lines, BillLine.Kind.WAIVER, waiver, waived_minor),
    ]


def waiver_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int) -> list[NewLine]:
    """Return the lines that waive ``amount_minor`` of a fee, taxed like the fee."""
    with override(booking.language):
        text = gettext("Fee waived")
    return _negated(_shared(booking, lines, BillLine.Kind.WAIVER, text, amount_minor))


def rounding_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int) -> list[NewLine]:
    """Return the lines that waive the part of a fee that was refunded because refunds have to be rounded up."""
    with override(booking.language):
        text = gettext("Rounded in your favour")
    return _negated(_shared(booking, lines, BillLine.Kind.WAIVER, text, amount_minor))


def kept_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int, reason: str) -> list[NewLine]:
    """Return the lines that keep ``amount_minor`` of a refund as a fee, with the reason that the customer reads."""
    with override(booking.language):
        text = gettext("Kept of the refund: %(reason)s") % {"reason": reason}
    return _shared(booking, lines, BillLine.Kind.CANCELLATION_FEE, text, amount_minor)


def expiry_lines(booking: Booking, lines: Sequence[BookingLine]) -> list[NewLine]:
    """Return the lines after which a booking that was not paid in time owes nothing."""
    with override(booking.language):
        text = gettext("Not paid in time")
    return _price_back(booking, lines, text)


def revival_lines(booking: Booking, lines: Sequence[BookingLine]) -> list[NewLine]:
    """Return the lines after which a booking that was paid late owes its price again."""
    with override(booking.language):
        text = gettext("Paid late and booked all the same")
    return _negated(_price_back(booking, lines, text))


def reduction_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int) -> list[NewLine]:
    """Return the lines that lower the price by ``amount_minor``, by tax rate.

    ``booking`` still has the price before that.
    """
    before, after = _by_rate(booking, lines), _reduced(booking, lines, booking.total_minor - amount_minor)
    taken = {rate: (before[rate][0] - net, before[rate][1] - tax) for rate, (net, tax) in after.items()}
    with override(booking.language):
        return [
            NewLine(
                BillLine.Kind.REDUCTION,
                gettext("Reduced by %(sum)s") % {"sum": money.formatted(net + tax, booking.currency, booking.language)},
                -net,
                -tax,
                rate,
            )
            for rate, (net, tax) in taken.items()
            if net or tax
        ]


def change_fee_line(booking: Booking, line: BookingLine, fee_minor: int) -> NewLine:
    """Return the fee of a move, taxed like the service."""
    with override(booking.language):
        text = gettext("Fee for moving the booking")
    return _inclusive(BillLine.Kind.CHANGE_FEE, text, fee_minor, line.tax_basis_points)


def change_fee_back_line(booking: Booking, line: BookingLine, fee_minor: int) -> NewLine:
    """Return the line that reverses fees for moves, because the business cancelled the booking."""
    with override(booking.language):
        text = gettext("Fee for moving taken back")
    return _negated([_inclusive(BillLine.Kind.CHANGE_FEE, text, fee_minor, line.tax_basis_points)])[0]


def kept_person(booking: Booking, line: BookingLine) -> int | None:
    """Return the id of the staff member who stays in a move: the one whom the customer chose, while they take bookings.

    None where any staff member will do: it was booked with anyone, it needs none, or the chosen one has left.
    """
    if booking.is_any_staff or line.staff_member is None or has_left(line):
        return None
    return line.staff_member_id


def has_left(line: BookingLine) -> bool:
    """Return whether the staff member of a line takes no bookings any more."""
    person = line.staff_member
    return person is not None and not (person.is_active and person.resource.is_active)


def _price_back(booking: Booking, lines: Sequence[BookingLine], text: str) -> list[NewLine]:
    by_rate = _by_rate(booking, lines).items()
    back = [NewLine(BillLine.Kind.CORRECTION, text, -net, -tax, rate) for rate, (net, tax) in by_rate]
    return [line for line in back if line.net_minor or line.tax_minor]


def _shared(
    booking: Booking, lines: Sequence[BookingLine], kind: BillLine.Kind, text: str, amount_minor: int
) -> list[NewLine]:
    """Divide an amount among the tax rates of a booking in proportion to its price."""
    by_rate = _by_rate(booking, lines)
    shares = money.split(amount_minor, [net + tax for net, tax in by_rate.values()])
    return [_inclusive(kind, text, share, rate) for share, rate in zip(shares, by_rate, strict=True) if share]


def _by_rate(booking: Booking, lines: Sequence[BookingLine]) -> dict[int, tuple[int, int]]:
    """Return net and tax of the current price by tax rate, less what staff took off it."""
    return _reduced(booking, lines, booking.total_minor)


def _reduced(booking: Booking, lines: Sequence[BookingLine], total_minor: int) -> dict[int, tuple[int, int]]:
    """Return net and tax by tax rate of a price lowered to ``total_minor``; each rate bears its share."""
    by_rate = _quoted_by_rate(booking, lines)
    sums = [net + tax for net, tax in by_rate.values()]
    if sum(sums) == total_minor:
        return by_rate
    reduced: dict[int, tuple[int, int]] = {}
    for rate, gross in zip(by_rate, money.split(total_minor, sums), strict=True):
        tax = money.included_tax(gross, rate)
        reduced[rate] = (gross - tax, tax)
    return reduced


def _quoted_by_rate(booking: Booking, lines: Sequence[BookingLine]) -> dict[int, tuple[int, int]]:
    by_rate: dict[int, tuple[int, int]] = {}
    for each in quote_of(booking, lines).lines:
        net, tax = by_rate.get(each.tax_basis_points, (0, 0))
        by_rate[each.tax_basis_points] = (net + each.net_minor, tax + each.tax_minor)
    return by_rate


def _negated(lines: Sequence[NewLine]) -> list[NewLine]:
    return [replace(line, net_minor=-line.net_minor, tax_minor=-line.tax_minor) for line in lines]


def _inclusive(kind: BillLine.Kind, text: str, gross_minor: int, tax_basis_points: int) -> NewLine:
    tax = money.included_tax(gross_minor, tax_basis_points)
    return NewLine(kind, text, gross_minor - tax, tax, tax_basis_points)
