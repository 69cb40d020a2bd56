"""Changes of hours: what they write, which bookings they note, and keeping one of these as an exception."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from bookings.enums import EventKind
from bookings.errors import MoreOutsideHours, StalePage, WrongStatus
from bookings.models import Booking, OutsideHours
from bookings.operations.cancel import cancel_booking
from bookings.operations.hours_change import (
    SpecialDays,
    change_special_days,
    hours_in_use,
    keep_outside_hours,
    note_hours_change,
    special_days_effect,
)
from bookings.operations.move import reschedule_booking
from bookings.queries.outside_hours import left_outside_hours
from bookings.rules.hours import HoursEffect
from services.models import Closure, OpeningHours, SettingsChange
from staff.enums import Role
from staff.models import WorkingHours
from tests import factories, journeys
from tests.factories import MONDAY, NOW, Studio
from tests.journeys import DESK

pytestmark = pytest.mark.django_db

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def place() -> Studio:
    return factories.studio(staff=2)


def days(place: Studio, *spans: tuple[int, int], on: date = TUESDAY, reason: str = "") -> SpecialDays:
    return SpecialDays({(place.location.pk, on.toordinal()): spans}, reason)


def save(change: SpecialDays, *, may_hit: tuple[str, ...] = ("*",), **values: Any) -> HoursEffect | None:
    """Save a change after a page that listed these bookings; ``*``: every booking."""
    listed = set(Booking.objects.values_list("reference", flat=True)) if may_hit == ("*",) else set(may_hit)
    user = factories.desk_user(Role.OWNER)
    return change_special_days(change, **{"may_hit": listed, "claim": lambda: True, "user": user, "now": NOW, **values})


def waiting() -> list[Booking]:
    return list(left_outside_hours(NOW).order_by("starts_at"))


def keep(booking: Booking, **values: Any) -> Booking:
    arguments = {"booking_id": booking.pk, "expected_sequence": booking.ical_sequence, "reason": "VIP", "actor": DESK}
    return keep_outside_hours(**{**arguments, "now": NOW, **values})


def move(booking: Booking, start_minute: int, **values: Any) -> Booking:
    return reschedule_booking(
        booking_id=booking.pk,
        start_minute=start_minute,
        staff_member_id=None,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=DESK,
        now=NOW,
        **values,
    )


def test_a_closed_day_notes_its_bookings_and_moves_none(place: Studio) -> None:
    booking = journeys.booked(place, 10)
    other = journeys.booked(place, start_minute=place.minute(10, days=2))

    effect = save(days(place, reason="Public holiday"))

    assert effect == HoursEffect(frozenset({booking.pk}), frozenset())
    row = Closure.objects.get()
    assert (row.location, row.on, row.start_minute, row.reason) == (place.location, TUESDAY, None, "Public holiday")
    assert waiting() == [booking]
    booking.refresh_from_db()
    other.refresh_from_db()
    assert {booking.status, other.status} == {"confirmed"}
    change = SettingsChange.objects.get()
    assert (change.field, change.old, change.new) == ("special day 2027-01-05", "", "closed Public holiday")


def test_special_hours_note_what_they_cut_and_free_what_they_cover(place: Studio) -> None:
    early, late = journeys.booked(place, 9), journeys.booked(place, 15)
    save(days(place, (600, 900)))
    assert waiting() == [early, late]

    save(days(place, (540, 900), (900, 930)))

    assert waiting() == [late]
    assert Closure.objects.count() == 2
    save(SpecialDays({(place.location.pk, TUESDAY.toordinal()): None}))
    assert waiting() == []
    assert not Closure.objects.exists()
    assert not OutsideHours.objects.exists()


def test_a_visit_past_midnight_belongs_to_the_day_on_which_it_began(place: Studio) -> None:
    OpeningHours.objects.filter(weekday=1).update(end_minute=1500)
    WorkingHours.objects.filter(weekday=1).update(end_minute=1500)
    booking = journeys.booked(place, start_minute=place.minute(23, 45))

    assert not special_days_effect(days(place, on=TUESDAY + timedelta(days=1)), now=NOW).hit
    assert special_days_effect(days(place), now=NOW).hit == {booking.pk}
    assert special_days_effect(days(place, (540, 1440)), now=NOW).hit == {booking.pk}


def test_locations_have_their_own_clocks_and_closures(place: Studio) -> None:
    lisbon = factories.location(name="Alfama", time_zone="Europe/Lisbon", position=2)
    place.variant.service.locations.add(lisbon)
    factories.staff_member(place.variant, at=lisbon)
    there = Studio(place.business, lisbon, place.variant, [])
    here, away = journeys.booked(place, 12), journeys.booked(there, 12)
    key = TUESDAY.toordinal()

    # Open from noon on each clock, which is an hour later in Lisbon.
    both = SpecialDays(dict.fromkeys([(place.location.pk, key), (lisbon.pk, key)], ((720, 780),)))

    assert not special_days_effect(both, now=NOW).hit
    assert special_days_effect(SpecialDays({(lisbon.pk, key): ()}), now=NOW).hit == {away.pk}
    assert special_days_effect(SpecialDays(dict.fromkeys(both.hours, ())), now=NOW).hit == {here.pk, away.pk}


def test_a_booking_that_the_page_did_not_list_stops_the_change(place: Studio) -> None:
    journeys.booked(place, 10)

    with pytest.raises(MoreOutsideHours):
        save(days(place), may_hit=())

    assert not Closure.objects.exists()
    assert not OutsideHours.objects.exists()


def test_a_form_counts_once_and_a_hold_stops_nothing(place: Studio) -> None:
    held = journeys.hold(place, 10).booking

    assert save(days(place), claim=lambda: False) is None
    assert not Closure.objects.exists()
    save(days(place), may_hit=())

    assert waiting() == []
    confirmed = journeys.confirm(held)
    assert waiting() == [confirmed]


def test_moving_or_cancelling_a_booking_deals_with_it(place: Studio) -> None:
    first, second, third = (journeys.booked(place, hour) for hour in (10, 12, 14))
    save(days(place))

    move(first, place.minute(10, days=2))
    cancel_booking(booking_id=second.pk, expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW)

    assert waiting() == [third]
    assert not left_outside_hours(third.ends_at).exists()


def test_keeping_a_booking_is_written_down_once(place: Studio) -> None:
    booking = journeys.booked(place, 10)
    save(days(place))

    keep(booking)
    keep(booking, reason="Again")

    event = booking.events.get(kind=EventKind.KEPT)
    assert (event.reason, event.from_status, event.to_status) == ("VIP", "confirmed", "confirmed")
    assert waiting() == []


def test_a_booking_that_is_kept_is_noted_again_by_a_change_that_takes_more(place: Studio) -> None:
    booking = journeys.booked(place, 10)
    save(days(place, (600, 630)))
    keep(booking)

    save(days(place, (600, 630), (720, 780)))
    assert waiting() == []
    save(days(place))

    assert waiting() == [booking]


def test_a_booking_that_changed_is_not_kept_by_an_old_page(place: Studio) -> None:
    booking = journeys.booked(place, 10)
    save(days(place))
    cancel_booking(booking_id=booking.pk, expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW)

    with pytest.raises(StalePage):
        keep(booking)
    booking.refresh_from_db()
    with pytest.raises(WrongStatus):
        keep(booking)
    other = journeys.booked(place, 12, start_minute=place.minute(12, days=3))
    with pytest.raises(WrongStatus):
        keep(other, now=other.ends_at)
    assert not Booking.objects.filter(events__kind=EventKind.KEPT).exists()


def test_weekly_hours_are_compared_with_what_they_were(place: Studio) -> None:
    marek, ana = place.staff
    booking = journeys.booked(place, 15, staff_member_id=marek.pk)
    journeys.booked(place, 15, staff_member_id=ana.pk)
    before = hours_in_use([marek.resource_id], now=NOW)
    WorkingHours.objects.filter(staff_member=marek).update(end_minute=900)

    assert note_hours_change([marek.resource_id], before, now=NOW)

    assert waiting() == [booking]
    # Nothing more is lost, so nothing is noted again.
    keep(booking)
    assert not note_hours_change([marek.resource_id], hours_in_use([marek.resource_id], now=NOW), now=NOW)
    assert waiting() == []


@pytest.mark.parametrize("count", [1, 50])
def test_the_number_of_queries_does_not_grow_with_the_bookings(
    place: Studio, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    place.variant.work_minutes = 15
    place.variant.save()
    for number in range(count):
        journeys.booked(
            place, start_minute=place.minute(9) + number % 25 * 15, staff_member_id=place.staff[number // 25].pk
        )

    with django_assert_max_num_queries(11):
        assert len(special_days_effect(days(place), now=NOW).hit) == count
    # Locks, the same reads, old and new rows, the history of settings, and the notes.
    with django_assert_max_num_queries(36) as saved:
        save(days(place))
    assert isinstance(saved, CaptureQueriesContext)
    assert len(waiting()) == count
