"""Refunds made in Stripe's dashboard are stored and raise an alert, and the customer owes nothing for them."""

import pytest

from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.desk_payment import lower_price
from bookings.refs import subject_ref
from devservers.stripe import Stripe
from payments.enums import AlertKind, RefundReason
from payments.models import MoneyAlert, Payment, Refund
from payments.operations.refunding import sync_refunds
from payments.queries import Balance, balance
from tests import money
from tests.factories import NOW
from tests.journeys import DESK, LINK, begin_and_pay, paid_studio, waiting

pytestmark = pytest.mark.django_db


def paid(stripe: Stripe, amount_minor: int, mode: str = "deposit", **policy: object) -> tuple[Booking, Payment]:
    booking = waiting(paid_studio(mode, **policy))
    payment = begin_and_pay(booking, stripe, amount_minor)
    money.gateway_news(payment)
    money.deliver()
    booking.refresh_from_db()
    payment.refresh_from_db()
    assert booking.status == "confirmed"
    return booking, payment


def refunded_at_stripe(stripe: Stripe, payment: Payment, *amounts: int) -> None:
    """Told twice, as Stripe may."""
    for amount in amounts:
        stripe.control.refund_outside(str(payment.intent_id), amount)
    for _ in range(2):
        sync_refunds(payment_id=payment.pk, now=NOW)
        money.deliver()


def sums(booking: Booking) -> Balance:
    booking.refresh_from_db()
    return balance(subject_ref(booking))


def test_it_lowers_the_price_and_is_listed(stripe: Stripe) -> None:
    booking, payment = paid(stripe, 1600)
    assert sums(booking).open_minor == 6400

    refunded_at_stripe(stripe, payment, 500)

    assert (sums(booking).open_minor, booking.total_minor, sums(booking).net_paid_minor) == (6400, 7500, 1100)
    assert MoneyAlert.objects.get().kind == AlertKind.EXTERNAL_REFUND
    told = [event.details["what"] for event in booking.events.filter(kind="money").order_by("id")]
    assert told[-3:] == ["refund", "reduced", "refunded"]
    assert booking.events.get(details__what="reduced").reason == RefundReason.EXTERNAL.label


def test_two_at_once_count_each(stripe: Stripe) -> None:
    booking, payment = paid(stripe, 1600)

    refunded_at_stripe(stripe, payment, 500, 700)

    assert (sums(booking).open_minor, booking.total_minor) == (6400, 6800)


def test_of_a_fee_it_waives_as_much(stripe: Stripe) -> None:
    booking, payment = paid(stripe, 8000, "full", tiers=((0, "percent", 5000),))
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=4000,
        actor=LINK,
        now=NOW,
    )
    money.deliver()
    assert (sums(booking).owed_minor, sums(booking).open_minor) == (4000, 0)

    refunded_at_stripe(stripe, payment, 1000)

    assert (sums(booking).owed_minor, sums(booking).open_minor) == (3000, 0)
    assert Refund.objects.filter(reason=RefundReason.EXTERNAL).count() == 1


def test_what_was_paid_too_much_goes_back_first(stripe: Stripe) -> None:
    booking, payment = paid(stripe, 8000, "full")
    stripe.control.next_refunds("failed")
    lower_price(booking_id=booking.pk, amount_minor=300, reason="sorry", actor=DESK, now=NOW)
    money.deliver()
    assert sums(booking).excess_minor == 300

    refunded_at_stripe(stripe, payment, 500)

    assert (sums(booking).open_minor, sums(booking).excess_minor, booking.total_minor) == (0, 0, 7500)
