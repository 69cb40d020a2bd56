"""What the copies on a booking mean: needed time, price, lines of its bill. Pure over rows already read."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext, override

from bookings.claims import LineSpec, spec_from_copies
from bookings.demands import Demand, payment_demand
from bookings.models import Booking, BookingLine
from bookings.policies import Terms, cancellation_fee, deposit_taken, is_fee_free
from bookings.pricing import PricedLine, Quote, quote
from bookings.settlements import CancelQuote, cancel_quote
from core import money
from payments.models import BillLine
from payments.operations import NewLine
from services.enums import PaymentMode


def subject_ref(booking: Booking) -> str:
    """Name a booking to apps that do not know bookings: ``booking:17``."""
    return f"booking:{booking.pk}"


def quote_of(booking: Booking, lines: Iterable[BookingLine]) -> Quote:
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
    back = _price_back(booking, lines, back_text)
    return back + _shared(booking, lines, BillLine.Kind.CANCELLATION_FEE, fee_text, fee_minor)


def no_show_lines(booking: Booking, lines: Sequence[BookingLine], fee_minor: int) -> list[NewLine]:
    """Return the lines after which a visit that nobody came to owes the fee and nothing else."""
    with override(booking.language):
        back_text, fee_text = gettext("Visit missed"), gettext("Fee for a missed visit")
    back = _price_back(booking, lines, back_text)
    return back + _shared(booking, lines, BillLine.Kind.NO_SHOW_FEE, fee_text, fee_minor)


def undone_no_show_lines(
    booking: Booking, lines: Sequence[BookingLine], *, fee_minor: int, waived_minor: int
) -> list[NewLine]:
    """Return the lines after which nobody has noted a missed visit: the price again, fee and waiver taken back."""
    with override(booking.language):
        again, back, waiver = gettext("Visit took place"), gettext("Fee taken back"), gettext("Waiver taken back")
    return [
        *_negated(_price_back(booking, lines, again)),
        *_negated(_shared(booking, lines, BillLine.Kind.NO_SHOW_FEE, back, fee_minor)),
        *_shared(booking, lines, BillLine.Kind.WAIVER, waiver, waived_minor),
    ]


def waiver_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int) -> list[NewLine]:
    """Return the lines that take so much off a fee, taxed like the fee."""
    with override(booking.language):
        text = gettext("Fee waived")
    return _negated(_shared(booking, lines, BillLine.Kind.WAIVER, text, amount_minor))


def rounding_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int) -> list[NewLine]:
    """Return the lines that let a customer off what of a fee went back because a refund could only be rounded."""
    with override(booking.language):
        text = gettext("Rounded in your favour")
    return _negated(_shared(booking, lines, BillLine.Kind.WAIVER, text, amount_minor))


def kept_lines(booking: Booking, lines: Sequence[BookingLine], amount_minor: int, reason: str) -> list[NewLine]:
    """Return the lines that keep so much of a refund as a fee, for a reason that the customer reads."""
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
    """Return the lines that take so much off the price, by tax rate. The booking still has its price before that."""
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


def reduced_by(booking: Booking, lines: Iterable[BookingLine]) -> int:
    """Return by how much staff lowered the price of a booking, in minor units."""
    return quote_of(booking, lines).total_minor - booking.total_minor


def change_fee_line(booking: Booking, line: BookingLine, fee_minor: int) -> NewLine:
    """Return the fee of a move, taxed like the service."""
    with override(booking.language):
        text = gettext("Fee for moving the booking")
    return _inclusive(BillLine.Kind.CHANGE_FEE, text, fee_minor, line.tax_basis_points)


def change_fee_back_line(booking: Booking, line: BookingLine, fee_minor: int) -> NewLine:
    """Return the line that takes fees for moves back, because the business called the visit off."""
    with override(booking.language):
        text = gettext("Fee for moving taken back")
    return _negated([_inclusive(BillLine.Kind.CHANGE_FEE, text, fee_minor, line.tax_basis_points)])[0]


def demand_of(booking: Booking, lines: Iterable[BookingLine]) -> Demand:
    """Return what was asked for when this booking was made, card and cap included, by what was copied onto it."""
    priced = quote_of(booking, lines)
    return payment_demand(
        Terms.from_json(booking.terms),
        total_minor=booking.total_minor,
        at_visit_minor=priced.at_visit_minor,
        at_booking_minor=priced.at_booking_minor,
        currency=booking.currency,
        has_stripe=booking.payment_mode not in {"", PaymentMode.NONE, PaymentMode.VENUE},
        must_prepay=booking.payment_mode == PaymentMode.FULL,
    )


def deposit_minor(booking: Booking) -> int:
    """Return what counts as the deposit of a booking when fees are bound to it; nothing where staff waived it."""
    return deposit_taken(
        Terms.from_json(booking.terms),
        payment_mode=booking.payment_mode,
        due_now_minor=0 if booking.is_payment_waived else booking.due_now_minor,
        total_minor=booking.total_minor,
    )


def cancellation_fee_of(booking: Booking, *, now: datetime) -> int:
    """Return what a customer owes who cancels this booking at ``now``; what was not agreed yet costs nothing."""
    if is_fee_free(booking.status):
        return 0
    return cancellation_fee(
        Terms.from_json(booking.terms),
        starts_at=booking.starts_at,
        confirmed_at=booking.confirmed_at,
        now=now,
        total_minor=booking.total_minor,
        anchor_minor=booking.fee_anchor_minor,
        deposit_minor=deposit_minor(booking),
    )


def cancel_quote_of(
    booking: Booking, *, net_paid_minor: int, move_fees_minor: int, cap_minor: int | None, now: datetime
) -> CancelQuote:
    """Quote what a customer pays and gets back who cancels this booking at ``now``: the sums that cancelling then uses.

    What was paid covers the fees for moves first. ``cap_minor``: of the card that is kept; None where there is none.
    """
    return cancel_quote(
        Terms.from_json(booking.terms),
        status=booking.status,
        starts_at=booking.starts_at,
        confirmed_at=booking.confirmed_at,
        now=now,
        total_minor=booking.total_minor,
        paid_minor=max(0, net_paid_minor - move_fees_minor),
        can_charge=cap_minor is not None,
        cap_minor=cap_minor or 0,
        currency=booking.currency,
        anchor_minor=booking.fee_anchor_minor,
        deposit_minor=deposit_minor(booking),
    )


def kept_person(booking: Booking, line: BookingLine) -> int | None:
    """The person whom a move keeps: the one whom the customer chose, as long as they take bookings here.

    None where anyone will do: it was booked with anyone, nobody is needed, or who was chosen has left.
    """
    if booking.is_any_staff or line.staff_member is None or has_left(line):
        return None
    return line.staff_member_id


def has_left(line: BookingLine) -> bool:
    """Whether whoever performs a line takes no bookings any more."""
    person = line.staff_member
    return person is not None and not (person.is_active and person.resource.is_active)


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
                    is_paid_at_booking=not extra.get("is_paid_at_visit", True),
                ),
            )


def _price_back(booking: Booking, lines: Sequence[BookingLine], text: str) -> list[NewLine]:
    by_rate = _by_rate(booking, lines).items()
    back = [NewLine(BillLine.Kind.CORRECTION, text, -net, -tax, rate) for rate, (net, tax) in by_rate]
    return [line for line in back if line.net_minor or line.tax_minor]


def _shared(
    booking: Booking, lines: Sequence[BookingLine], kind: BillLine.Kind, text: str, amount_minor: int
) -> list[NewLine]:
    """Divide an amount among the tax rates of a booking as its price is."""
    by_rate = _by_rate(booking, lines)
    shares = money.split(amount_minor, [net + tax for net, tax in by_rate.values()])
    return [_inclusive(kind, text, share, rate) for share, rate in zip(shares, by_rate, strict=True) if share]


def _by_rate(booking: Booking, lines: Sequence[BookingLine]) -> dict[int, tuple[int, int]]:
    """Return net and tax of the price by tax rate, as it is now: less what staff took off it."""
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
