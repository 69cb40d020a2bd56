"""Cash and card payments mixed, in currencies with no, two and three decimals: no minor unit is lost."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from bookings.booked import fee_facts
from bookings.doctor.money import CHECKS as MONEY_CHECKS
from bookings.doctor.visits import CHECKS as BOOKING_CHECKS
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations import desk_payment
from bookings.operations._bill import balance_of
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import fee_left, waive_fee
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.settle import settle_payment
from bookings.rules.fees import cancellation_fee
from payments.enums import LIVE_PAYMENTS, Method
from payments.models import BillLine, Payment, Refund
from payments.stripe.amounts import rounded_down, smallest_step
from tests.factories import NOW
from tests.journeys import DESK, LINK, arrived, booked, card_kept, paid_studio

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def visit(dice: Random, currency: str) -> Booking:
    """A booking of an odd price, half of which is due now, with some of it paid: by card, in cash, by card again."""
    place = paid_studio(
        "venue",
        tiers=((20 * 1440, "none", 0), (0, "percent", dice.choice([3333, 5000, 6667]))),
        no_show_fee_kind="percent",
        no_show_fee_value=7777,
        service={"price_minor": dice.randint(20_000, 40_000)},
    )
    place.business.currency = currency
    place.business.save()
    booking = booked(place, start_minute=place.minute(10, days=7))
    if dice.random() < 0.5:
        card_kept(booking, cap_minor=dice.randint(5_000, 40_000))
    ways = dice.sample([by_card, in_cash, by_card, in_cash], dice.randint(0, 4))
    for number, pay in enumerate(ways):
        pay(booking, dice.randint(1, booking.total_minor // 4), number)
    booking.refresh_from_db()
    return booking


def by_card(booking: Booking, amount_minor: int, number: int) -> None:
    payable = rounded_down(amount_minor, booking.currency) or smallest_step(booking.currency)
    payment = arrived(booking, payable, now=NOW + timedelta(minutes=number))
    settle_payment(payment_id=payment.pk, now=NOW)


def in_cash(booking: Booking, amount_minor: int, number: int) -> None:
    desk_payment.record_payment(
        booking_id=booking.pk,
        method=Method.CASH,
        amount_minor=amount_minor,
        note="",
        request_key=f"form-{booking.pk}-{number}",
        actor=DESK,
        now=NOW + timedelta(minutes=number),
    )


def is_accounted_for(booking: Booking, fee_minor: int) -> None:
    """kept + refunded = captured, and kept + charged + open + waived = fee; nothing is kept beyond."""
    lines = BillLine.objects.filter(bill_id=booking.bill_id, kind=BillLine.Kind.WAIVER)
    waived = -sum(line.gross_minor for line in lines)
    charged = sum(
        each.amount_minor for each in Payment.objects.filter(bill_id=booking.bill_id, status__in=LIVE_PAYMENTS)
    )
    sums = balance_of(booking)
    assert sums.excess_minor == 0
    assert sums.net_paid_minor + charged + (sums.open_minor - charged) + waived == fee_minor
    assert charged <= sums.open_minor
    returned = Refund.objects.filter(payment__bill_id=booking.bill_id)
    by_provider = returned.filter(method=Method.STRIPE)
    assert all(each.amount_minor % smallest_step(booking.currency) == 0 for each in by_provider)
    # Nobody is asked for what rounding gave back.
    assert booking.status == BookingStatus.CONFIRMED or not (returned and sums.open_minor)
    assert [found for check in [*BOOKING_CHECKS, *MONEY_CHECKS] for found in check.run(NOW + DAY)] == []


def cancel(booking: Booking, dice: Random) -> None:
    now = booking.starts_at - DAY
    fee = cancellation_fee(fee_facts(booking), now)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=fee, actor=LINK, now=now
    )
    booking.refresh_from_db()
    is_accounted_for(booking, fee)
    pay_too_much(booking)
    is_accounted_for(booking, fee)
    waive_some(booking, dice, fee)


def pay_too_much(booking: Booking) -> None:
    """Two tabs pay what is open, in sums that a card can pay."""
    if left := balance_of(booking).open_minor:
        Payment.objects.filter(bill_id=booking.bill_id, status__in=LIVE_PAYMENTS).update(status="cancelled")
        by_card(booking, left, 8)
        by_card(booking, left + 10, 9)


def miss(booking: Booking, dice: Random) -> None:
    now = booking.ends_at
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=now)
    fee = fee_left(booking)
    if dice.random() < 0.3:
        waive_fee(booking_id=booking.pk, amount_minor=dice.randint(1, fee), reason="", actor=DESK, now=now)
    settle_due_fees(now=now + DAY)
    booking.refresh_from_db()
    is_accounted_for(booking, fee)
    waive_some(booking, dice, fee)


def come_after_all(booking: Booking, dice: Random) -> None:
    now = booking.ends_at
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=now)
    settle_due_fees(now=now + DAY)
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=now + DAY)
    booking.refresh_from_db()
    is_accounted_for(booking, booking.total_minor)


def waive_some(booking: Booking, dice: Random, fee_minor: int) -> None:
    if left := fee_left(booking):
        amount = dice.randint(1, left)
        waive_fee(booking_id=booking.pk, amount_minor=amount, reason="", actor=DESK, now=booking.ends_at + 2 * DAY)
        Payment.objects.filter(bill_id=booking.bill_id, status__in=LIVE_PAYMENTS).update(status="cancelled")
        is_accounted_for(booking, fee_minor)


@pytest.mark.parametrize("end", [cancel, miss, come_after_all])
@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
@pytest.mark.parametrize("seed", range(6))
def test_every_smallest_unit_is_moved_waived_or_open(
    seed: int, currency: str, end: Callable[[Booking, Random], None]
) -> None:
    dice = Random(f"{seed} {currency} {end.__name__}")
    booking = visit(dice, currency)
    assert booking.status == BookingStatus.CONFIRMED

    end(booking, dice)
