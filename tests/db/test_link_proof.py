"""What a link that staff sent proves about the customer who confirms by it, and what it does not tell them."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Customer
from bookings.enums import BookingStatus
from bookings.models import Booking, HoldLink, UnprovenBooking
from bookings.operations.no_show import mark_no_show
from notifications.enums import Channel
from services.models import Business
from tests.db.test_hold_links import SOFIA, kinds, linked
from tests.factories import Studio, studio
from tests.journeys import DESK, GUEST, JANA, booked, confirm, hold, paid_studio

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Studio:
    return studio()


@pytest.fixture
def strict(settings: Any) -> None:
    """No booking may stand without proof."""
    settings.UNPROVEN_BOOKINGS_PER_EMAIL = settings.UNPROVEN_BOOKINGS_PER_PHONE = 0
    settings.UNPROVEN_BOOKINGS_OF_KNOWN = 0


def test_without_a_link_the_mailbox_would_be_asked(place: Studio, strict: None) -> None:
    assert confirm(hold(place, actor=DESK).booking, contact=SOFIA, actor=GUEST).status == BookingStatus.HELD


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_customer_with_the_link_is_asked_for_no_other_one(place: Studio, strict: None, channel: Channel) -> None:
    booking = confirm(linked(place, channel=channel), contact=SOFIA)

    assert booking.status == BookingStatus.CONFIRMED
    assert not HoldLink.objects.exists()
    assert not UnprovenBooking.objects.exists()


@pytest.mark.parametrize(
    ("channel", "link_to", "is_proven"),
    [(Channel.EMAIL, "SOFIA@example.com", True), (Channel.EMAIL, "s@example.com", False), (Channel.SMS, "", False)],
)
def test_only_the_mailbox_that_got_the_link_is_proven(
    place: Studio, channel: Channel, link_to: str, is_proven: bool
) -> None:
    """A known customer with another phone number is recognised by the proven mailbox, and by nothing less."""
    known = booked(place, 14, contact=SOFIA).customer
    contact = replace(SOFIA, email=link_to, phone="+4915155501829")

    booking = confirm(linked(place, channel=channel, contact=contact), contact=replace(contact, email=SOFIA.email))

    assert (booking.customer == known) is is_proven


def test_a_customer_whom_staff_chose_stays_the_customer(place: Studio) -> None:
    known = booked(place, 14, contact=SOFIA).customer
    assert known is not None

    booking = confirm(linked(place, customer=known), contact=replace(SOFIA, name="Sofia K", phone="+4915155501829"))

    assert booking.customer == known
    assert Customer.objects.count() == 1


def missed_today(place: Studio) -> Booking:
    """A visit that Jana missed this morning; from now on customers who missed one pay everything first."""
    missed = booked(place, start_minute=place.minute(9, days=0))
    mark_no_show(booking_id=missed.pk, expected_sequence=0, actor=DESK, now=place.at(9, 30, days=0))
    Business.objects.update(prepay_after_no_shows=1)
    return missed


def test_a_text_link_does_not_tell_whether_another_address_missed_visits(stripe: Any) -> None:
    place = paid_studio("venue")
    missed_today(place)

    booking = confirm(linked(place, channel=Channel.SMS), contact=replace(SOFIA, email=JANA.email))

    assert booking.status == BookingStatus.CONFIRMED


def test_missed_visits_of_the_chosen_customer_count_by_a_text_link(stripe: Any) -> None:
    place = paid_studio("venue")
    missed = missed_today(place)

    booking = confirm(linked(place, channel=Channel.SMS, customer=missed.customer), contact=JANA)

    assert booking.status == BookingStatus.PENDING_PAYMENT


def test_an_address_that_is_blocked_meanwhile_is_asked_by_mail(place: Studio) -> None:
    booked(place, 14, contact=JANA)
    booking = linked(place, channel=Channel.SMS)
    Customer.objects.filter(email=JANA.email).update(is_blocked=True)

    asked = confirm(booking, contact=replace(SOFIA, email=JANA.email))

    assert asked.status == BookingStatus.HELD
    assert kinds(booking)[-1] == ("confirm_by_mail", "email")
