"""Cancelling: the fee by the copied terms, the bill afterwards, the time free at once."""

from datetime import datetime, timedelta

import pytest

from bookings.enums import BookingStatus
from bookings.errors import AlreadyCancelled, NotBooked, StalePage, TooLateToCancel
from bookings.lifecycle import SYSTEM, transition
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from notifications.models import Notification
from payments.models import BillLine
from payments.queries import balance
from services.models import CancellationTier
from tests.factories import NOW, add_on, cancellation_policy, studio
from tests.journeys import DESK, LINK, booked, claims, hold

pytestmark = pytest.mark.django_db

# At least 48 h free, at least 24 h half, else everything.
TIERS = ((2880, "none", 0), (1440, "percent", 5000))


def strict_booking(**values: object) -> Booking:
    """A booking of 80.00 on the third day at 10:00 under those terms."""
    place = studio(cancellation_policy=cancellation_policy(*TIERS, grace_minutes=0))
    return booked(place, start_minute=place.minute(10, days=3))


def cancel(booking: Booking, fee: int, now: datetime = NOW, **changes: object) -> Booking:
    arguments = {
        "booking_id": booking.pk,
        "expected_sequence": booking.ical_sequence,
        "expected_fee_minor": fee,
        "actor": LINK,
        "now": now,
        **changes,
    }
    return cancel_booking(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "fee"),
    [
        (timedelta(hours=50), 0),
        (timedelta(hours=48), 0),
        (timedelta(hours=48) - timedelta(seconds=1), 4000),
        (timedelta(hours=24), 4000),
        (timedelta(hours=24) - timedelta(seconds=1), 8000),
        (timedelta(seconds=1), 8000),
    ],
)
def test_a_customer_owes_exactly_the_fee_of_the_moment(left: timedelta, fee: int) -> None:
    booking = strict_booking()
    moment = booking.starts_at - left

    cancel(booking, fee, moment, reason="ill")

    booking.refresh_from_db()
    assert (booking.status, booking.cancelled_by, booking.cancelled_at) == ("cancelled", "customer", moment)
    assert (booking.cancellation_fee_minor, booking.ical_sequence) == (fee, 1)
    assert booking.bill_id
    assert balance(f"booking:{booking.pk}").owed_minor == fee
    assert claims() == []
    event = booking.events.last()
    assert event
    assert (event.from_status, event.to_status, event.reason) == ("confirmed", "cancelled", "ill")
    assert event.details == {"fee_minor": fee, "kept_minor": 0, "refund_minor": 0, "charge_minor": 0, "open_minor": fee}


def test_the_bill_shows_the_price_taken_back_and_the_fee_with_its_tax() -> None:
    booking = strict_booking()

    cancel(booking, 4000, booking.starts_at - timedelta(hours=30))

    lines = BillLine.objects.values_list("kind", "text", "net_minor", "tax_minor", "gross_minor", "tax_basis_points")
    assert list(lines) == [
        ("service", "Deep tissue massage", 6723, 1277, 8000, 1900),
        ("correction", "Cancelled", -6723, -1277, -8000, 1900),
        ("cancellation_fee", "Cancellation fee", 3361, 639, 4000, 1900),
    ]


def test_later_changes_of_the_policy_do_not_touch_what_was_agreed() -> None:
    booking = strict_booking()
    CancellationTier.objects.update(fee_kind="all")

    assert cancel(booking, 0, booking.starts_at - timedelta(hours=50)).cancellation_fee_minor == 0


def test_the_business_cancels_for_nothing_even_after_the_start() -> None:
    booking = strict_booking()

    cancel(booking, 0, booking.starts_at + timedelta(minutes=5), actor=DESK)

    booking.refresh_from_db()
    assert (booking.cancelled_by, booking.cancellation_fee_minor) == ("staff", 0)
    assert booking.bill_id
    assert balance(f"booking:{booking.pk}").owed_minor == 0


def test_a_stale_fee_is_told_and_nothing_happens() -> None:
    booking = strict_booking()
    moment = booking.starts_at - timedelta(hours=30)

    with pytest.raises(StalePage) as stale:
        cancel(booking, 0, moment)

    assert stale.value.data["fee_minor"] == 4000
    assert_untouched(booking)


def test_a_customer_cannot_cancel_after_the_start() -> None:
    booking = strict_booking()

    with pytest.raises(TooLateToCancel):
        cancel(booking, 8000, booking.starts_at)

    assert_untouched(booking)


def test_cancelling_twice_is_told_and_done_once() -> None:
    booking = strict_booking()
    cancel(booking, 0)
    messages = Notification.objects.count()

    with pytest.raises(AlreadyCancelled):
        cancel(booking, 0)

    assert Notification.objects.count() == messages
    assert booking.events.filter(to_status="cancelled").count() == 1


def test_a_hold_is_not_cancelled_but_released() -> None:
    held = hold(studio()).booking

    with pytest.raises(NotBooked):
        cancel(held, 0)

    assert len(claims()) == 1


def test_a_request_is_called_off_for_nothing() -> None:
    place = studio(cancellation_policy=cancellation_policy((0, "all", 0), grace_minutes=0))
    held = hold(place).booking
    transition(held, BookingStatus.REQUESTED, actor=SYSTEM, now=NOW)

    cancel(held, 0)

    held.refresh_from_db()
    assert (held.status, held.cancellation_fee_minor) == ("cancelled", 0)
    assert claims() == []


def test_messages_not_sent_yet_are_taken_back_and_both_sides_are_told() -> None:
    place = studio()
    booking = booked(place)

    cancel(booking, 0)

    told = Notification.objects.order_by("id").values_list("kind", "status", "recipient_role")
    assert set(told) == {
        ("confirmed", "cancelled", "customer"),
        ("confirmed", "cancelled", "staff"),
        ("reminder", "cancelled", "customer"),
        ("cancelled", "queued", "customer"),
        ("cancelled", "queued", "staff"),
    }


def test_cancelled_time_can_be_booked_again_at_once() -> None:
    place = studio()
    booking = booked(place)

    cancel(booking, 0)

    assert booked(place).pk != booking.pk


def test_extras_are_taken_back_with_the_service() -> None:
    place = studio(cancellation_policy=cancellation_policy((0, "percent", 2500), grace_minutes=0))
    towel = add_on(place.variant.service, price_minor=799)
    booking = booked(place, add_on_ids=[towel.pk])

    cancel(booking, 2200)

    assert booking.bill_id
    assert balance(f"booking:{booking.pk}").owed_minor == 2200


def assert_untouched(booking: Booking) -> None:
    before = booking.events.count()
    stored = Booking.objects.get(pk=booking.pk)
    assert (stored.status, stored.cancellation_fee_minor, before) == ("confirmed", None, 2)
    assert len(claims()) == 1
    assert not BillLine.objects.filter(kind="correction").exists()
    assert not Notification.objects.filter(kind="cancelled").exists()
