"""The desk and the website want the same time at the same moment: one of them gets it."""

from functools import partial

import pytest

from bookings.enums import BookingStatus
from bookings.models import Allocation, Booking
from bookings.operations.confirm import ByStaff, confirm_booking
from tests.concurrency.racing import race, rounds, tally, violations
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, GUEST, JANA, confirm, hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def by_phone(place: Studio, start: int) -> Booking:
    """Outside the hours at the desk's wish, as it may; the time is the same that a visitor takes."""
    held = hold(
        place,
        start_minute=start,
        actor=DESK,
        visitor_hash="desk",
        overrides=frozenset({"notice", "buffers"}),
        reason="Regular guest",
    )
    return confirm_booking(
        booking_id=held.booking.pk,
        contact=JANA,
        consent_text="Agreed.",
        actor=DESK,
        now=NOW,
        by_staff=ByStaff(),
    )


def online(place: Studio, start: int) -> Booking:
    return confirm(hold(place, start_minute=start, actor=GUEST, visitor_hash="visitor").booking)


@rounds(4, 50)
def test_the_desk_and_a_visitor_take_one_time_once(rounds: int) -> None:
    place = studio(buffer_after_minutes=10)
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()

    for number in range(rounds):
        start = place.minute(9 + 2 * (number % 4), days=1 + number // 4)
        outcomes = race([partial(by_phone, place, start), partial(online, place, start)])

        assert tally(outcomes) == {"Booking": 1, "SlotTaken": 1}

    assert Booking.objects.filter(status=BookingStatus.CONFIRMED).count() == rounds
    assert Allocation.objects.count() == rounds
    assert violations() == {}
