"""What the copies on a booking mean: its price, deposit, fee and needed time. Pure over rows already read."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bookings.availability.claims import LineSpec, spec_from_copies
from bookings.models import Booking, BookingLine
from bookings.rules.fees import cancellation_fee, deposit_taken, is_fee_free
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.pricing import PricedLine, Quote, quote
from bookings.rules.settlement import CancelQuote, cancel_quote
from bookings.rules.terms import Terms
from payments.models import BillLine
from services.enums import PaymentMode


def quote_of(booking: Booking, lines: Iterable[BookingLine]) -> Quote:
    """Return the price of a booking by what was copied onto its lines."""
    return quote(
        [priced for _, priced in priced_lines(lines)],
        prices_include_tax=booking.prices_include_tax,
        currency=booking.currency,
    )


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


def spec_of_line(line: BookingLine) -> LineSpec:
    """Read back what a line was promised."""
    return spec_from_copies(
        phases=line.phases,
        buffer_before=line.buffer_before_minutes,
        buffer_after=line.buffer_after_minutes,
        requirements=line.requirements,
        needs_staff=line.staff_member_id is not None,
    )


def priced_lines(lines: Iterable[BookingLine]) -> Iterable[tuple[BillLine.Kind, PricedLine]]:
    """Yield what is priced on each line, its service and then its extras, with the kind of its line on the bill."""
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


def day_of(booking: Booking) -> date:
    """The local date of the booking as it stands."""
    return local(booking.starts_at, booking).date()


def day_at(minute: int, booking: Booking) -> date:
    """The local date of an epoch minute at the booking's place."""
    return moment_at(minute, booking).date()


def moment_at(minute: int, booking: Booking) -> datetime:
    """An epoch minute on the clock of the booking's place."""
    return datetime.fromtimestamp(minute * 60, tz=zone_of(booking))


def zone_of(booking: Booking) -> ZoneInfo:
    return ZoneInfo(booking.location.time_zone)


def local(moment: datetime, booking: Booking) -> datetime:
    return moment.astimezone(zone_of(booking))
