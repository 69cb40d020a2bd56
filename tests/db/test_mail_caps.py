"""The hourly limit of mails to one mailbox: further mails wait, and the newest about a subject wins."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from bookings.errors import TooManyMoves
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.links import resend_confirmation
from bookings.operations.move import reschedule_booking
from notifications.gate import CAP_PERIOD, free_again_at
from notifications.models import Notification
from notifications.operations import send_due
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, GUEST, JANA, LINK, booked

pytestmark = pytest.mark.django_db


def after(minutes: float) -> Any:
    return NOW + timedelta(minutes=minutes)


def moved(booking: Booking, place: Studio, hour: int, *, actor: Any = LINK, now: Any = NOW) -> Booking:
    booking.refresh_from_db()
    return reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(hour, days=3),
        staff_member_id=None,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=actor,
        now=now,
    )


def subjects(address: str) -> list[str]:
    return [each.subject.partition(":")[0] for each in mail.outbox if each.to == [address]]


def sent(now: Any) -> None:
    while send_due(now=now, limit=50):
        pass


@pytest.mark.parametrize(
    ("minutes", "limit", "free"),
    [([], 1, None), ([-30], 2, None), ([-30], 1, 30), ([-50, -10], 2, 10), ([-10, -50, -5], 2, 50)],
)
def test_a_mailbox_is_free_when_few_enough_of_its_mails_are_within_the_hour(
    minutes: list[int], limit: int, free: int | None
) -> None:
    found = free_again_at([after(each) for each in minutes], limit=limit)

    assert found == (None if free is None else after(free))
    assert timedelta(hours=1) == CAP_PERIOD


def test_mails_beyond_the_cap_wait_and_the_newest_state_is_told(settings: Any) -> None:
    settings.MAILS_PER_ADDRESS_PER_HOUR = 2
    place = studio()
    booking = booked(place)
    sent(NOW)
    for number, hour in enumerate((11, 12, 13)):
        moved(booking, place, hour, now=after(number))
        sent(after(number))
    before = subjects("jana@example.com")
    booking.refresh_from_db()
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=after(4)
    )
    sent(after(5))

    assert len(before) == 2
    assert subjects("jana@example.com") == before
    assert len(subjects(place.staff[0].email)) == 2

    sent(after(65))

    assert subjects("jana@example.com") == [*before, "Cancelled"]
    assert subjects(place.staff[0].email)[-1] == "Cancelled"
    assert not Notification.objects.filter(status="queued", not_before__lte=after(65)).exists()


def test_cap_counts_a_mailbox_however_it_is_written_and_not_what_staff_send_again(settings: Any) -> None:
    settings.MAILS_PER_ADDRESS_PER_HOUR = 1
    place = studio()
    first = booked(place, 9)
    booked(place, 10, contact=replace(JANA, email="JANA@Example.com"))
    sent(NOW)

    assert len(subjects("jana@example.com") + subjects("JANA@Example.com")) == 1
    resend_confirmation(booking_id=first.pk, actor=DESK, now=after(1))
    sent(after(1))
    assert len(subjects("jana@example.com")) == 2


def test_a_busy_day_of_a_staff_member_is_told_at_once(settings: Any) -> None:
    settings.MAILS_PER_ADDRESS_PER_HOUR = 1
    place = studio()
    for hour in (9, 10, 11):
        booked(place, hour)
    sent(NOW)

    assert len(subjects(place.staff[0].email)) == 3


def test_link_on_the_screen_moves_only_so_often_within_an_hour(settings: Any) -> None:
    settings.MOVES_PER_HOUR = 2
    place = studio()
    booking = booked(place)
    for hour in (11, 12):
        moved(booking, place, hour, actor=GUEST)

    with pytest.raises(TooManyMoves):
        moved(booking, place, 13, actor=GUEST)

    assert moved(booking, place, 13, actor=LINK).ical_sequence == 3
    assert moved(booking, place, 14, actor=DESK).ical_sequence == 4
    assert moved(booking, place, 15, actor=GUEST, now=after(61)).ical_sequence == 5
