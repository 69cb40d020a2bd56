"""Merging while bookings are made, proven and merged the other way round."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.customer_merge import merge_stamp
from accounts.customer_record import By, write_note
from accounts.models import Customer, CustomerNote
from bookings.models import Booking
from bookings.operations.confirm import ByStaff
from bookings.operations.merge_customers import merge_customers
from bookings.operations.proven_customer import link_proven_customer
from payments.models import Bill
from tests import factories
from tests.concurrency.racing import race, rounds, tally, violations
from tests.factories import NOW, Studio
from tests.journeys import DESK, JANA, booked, confirm, hold

pytestmark = pytest.mark.django_db(transaction=True)

MIA = By(None, "Mia Berg")
WORK = replace(JANA, name="Jana Weber-Klein", email="jana@work.example", phone="+4930901820")


def two_records(place: Studio, round_: int) -> tuple[Customer, Customer]:
    one = replace(JANA, email=f"jana{round_}@example.com", phone=f"+49155555018{round_:02}")
    two = replace(WORK, email=f"jana{round_}@work.example", phone=f"+4930901{round_:03}")
    bookings = [
        booked(place, 10, contact=one, start_minute=place.minute(10, days=2 + round_)),
        booked(place, 11, contact=two, start_minute=place.minute(11, days=2 + round_)),
    ]
    first, second = (booking.customer for booking in bookings)
    assert first
    assert second
    return first, second


def merge(kept: Customer, other: Customer) -> Any:
    return merge_customers(
        kept_id=kept.pk, other_id=other.pk, seen=merge_stamp(kept, other), reason="One person", by=MIA, now=NOW
    )


def nothing_is_left_at(other: Customer) -> None:
    other.refresh_from_db()
    assert other.merged_into is not None
    assert not Booking.objects.filter(customer=other).exists()
    assert not Bill.objects.filter(customer=other).exists()
    assert not CustomerNote.objects.filter(customer=other).exists()


@rounds(4, 20)
def test_a_booking_that_is_being_made_reaches_the_kept_record(rounds: int) -> None:
    place = factories.studio()
    for number in range(rounds):
        _merge_while_booking(place, number)
    assert violations() == {}


def _merge_while_booking(place: Studio, number: int) -> None:
    kept, other = two_records(place, number)
    contact = replace(WORK, name=other.name, email=other.email, phone=other.phone)
    web = hold(place, start_minute=place.minute(13, days=2 + number)).booking
    desk = hold(place, start_minute=place.minute(14, days=2 + number), actor=DESK).booking

    outcomes = race(
        [
            lambda: merge(kept, other),
            lambda: confirm(web, contact=contact),
            lambda: confirm(desk, contact=contact, actor=DESK, by_staff=ByStaff(customer_id=other.pk)),
            lambda: write_note(customer_id=other.pk, text="Called", by=MIA, now=NOW),
        ]
    )

    assert not [each for each in outcomes if isinstance(each, Exception)]
    nothing_is_left_at(other)
    assert Booking.objects.filter(customer=kept).count() == 4


@rounds(4, 20)
def test_merging_both_ways_leaves_one_record(rounds: int) -> None:
    place = factories.studio()
    for number in range(rounds):
        _merge_both_ways(place, number)


def _merge_both_ways(place: Studio, number: int) -> None:
    one, two = two_records(place, number)

    outcomes = race([lambda: merge(one, two), lambda: merge(two, one), lambda: merge(one, two)])

    assert not [each for each in outcomes if isinstance(each, Exception)]
    [kept] = {each.pk for each in outcomes}
    nothing_is_left_at(two if kept == one.pk else one)
    assert Booking.objects.filter(customer_id=kept).count() == 2


@rounds(4, 20)
def test_a_mailbox_that_is_being_proven_stays_with_the_customer(rounds: int) -> None:
    place = factories.studio()
    for number in range(rounds):
        _merge_while_proving(place, number)


def _merge_while_proving(place: Studio, number: int) -> None:
    kept, other = two_records(place, number)
    booking = Booking.objects.get(customer=other)

    outcomes = race([lambda: merge(kept, other), lambda: link_proven_customer(booking_id=booking.pk, now=NOW)])

    # If the proof came first, the preview is out of date.
    assert tally(outcomes).keys() <= {"Customer", "Booking", "CustomerChanged"}
    booking.refresh_from_db()
    other.refresh_from_db()
    assert booking.customer == (other.merged_into or other)
