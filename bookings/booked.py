"""What the copies on a booking mean: its price, deposit, fee facts and needed time. Pure over rows already read."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bookings.availability.claims import LineSpec, spec_from_copies
from bookings.errors import SeveralServices
from bookings.models import Booking, BookingLine
from bookings.rules.fees import FeeFacts, deposit_taken
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.pricing import PricedLine, Quote, quote
from bookings.rules.terms import Terms
from payments.models import BillLine
from services.enums import PaymentMode


def quote_of(booking: Booking, lines: Iterable[BookingLine]) -> Quote:
    """Return the price of a booking from the copies on its lines."""
    return quote(
        [priced for _, priced in priced_lines(lines)],
        prices_include_tax=booking.prices_include_tax,
        currency=booking.currency,
    )


def demand_of(booking: Booking, lines: Iterable[BookingLine]) -> Demand:
    """Return what the customer was asked for when booking, card and cap included, from the copies on the booking."""
    priced = quote_of(booking, lines)
    # Staff may have asked for a card where the terms say otherwise; extras are paid at the visit then.
    is_card = booking.payment_mode == PaymentMode.CARD
    return payment_demand(
        Terms.from_json(booking.terms),
        total_minor=booking.total_minor,
        at_visit_minor=priced.at_visit_minor,
        at_booking_minor=0 if is_card else priced.at_booking_minor,
        currency=booking.currency,
        has_stripe=booking.payment_mode not in {"", PaymentMode.NONE, PaymentMode.VENUE},
        must_prepay=booking.payment_mode == PaymentMode.FULL,
        asked_mode=PaymentMode.CARD if is_card else None,
    )


def fee_facts(booking: Booking, asked: Demand | None = None) -> FeeFacts:
    """Return what the fees of a booking depend on.

    ``asked``: what a booking that is still held will ask for.
    """
    terms = Terms.from_json(booking.terms)
    mode, due_now_minor = (asked.mode, asked.due_now_minor) if asked else (booking.payment_mode, booking.due_now_minor)
    return FeeFacts(
        terms=terms,
        status=booking.status,
        starts_at=booking.starts_at,
        confirmed_at=booking.confirmed_at,
        total_minor=booking.total_minor,
        currency=booking.currency,
        anchor_minor=booking.fee_anchor_minor,
        deposit_minor=deposit_taken(
            terms,
            payment_mode=mode,
            due_now_minor=0 if booking.is_payment_waived else due_now_minor,
            total_minor=booking.total_minor,
        ),
    )


def first_line(booking: Booking) -> BookingLine:
    """Return the line that a visit begins with."""
    return booking.lines.all()[0]


def has_several_services(booking: Booking) -> bool:
    return len(booking.lines.all()) > 1


def only_line(booking: Booking, lines: Iterable[BookingLine] | None = None) -> BookingLine:
    """Return the line of a visit with one service. ``lines``: the booking's lines, if they are read already.

    Searching other times and changing the length support one service so far. Everything else handles all lines.

    :raises SeveralServices: when the visit has more than one.
    """
    found = list(booking.lines.all() if lines is None else lines)
    if len(found) > 1:
        raise SeveralServices
    return found[0]


def spec_of_line(line: BookingLine) -> LineSpec:
    """Return the spec that was copied onto a line."""
    return spec_from_copies(
        phases=line.phases,
        buffer_before=line.buffer_before_minutes,
        buffer_after=line.buffer_after_minutes,
        requirements=line.requirements,
        needs_staff=line.staff_member_id is not None,
    )


def priced_lines(lines: Iterable[BookingLine]) -> Iterable[tuple[BillLine.Kind, PricedLine]]:
    """Yield each priced item, a line's service and then its extras, with its kind of bill line."""
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
    """Return the local date of the booking as it stands."""
    return local(booking.starts_at, booking).date()


def day_at(minute: int, booking: Booking) -> date:
    """Return the local date of an epoch minute at the booking's location."""
    return moment_at(minute, booking).date()


def moment_at(minute: int, booking: Booking) -> datetime:
    """Return an epoch minute as a datetime in the zone of the booking's location."""
    return datetime.fromtimestamp(minute * 60, tz=zone_of(booking))


def zone_of(booking: Booking) -> ZoneInfo:
    return ZoneInfo(booking.location.time_zone)


def local(moment: datetime, booking: Booking) -> datetime:
    return moment.astimezone(zone_of(booking))
