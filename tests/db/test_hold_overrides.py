"""Holding a time outside the rules, as staff may: what is set aside, what never is, and what the history keeps."""

from datetime import datetime, timedelta

import pytest

from bookings.availability.loading import availability_facts
from bookings.availability.overrides import overrides_needed
from bookings.errors import SlotNotOffered, SlotTaken
from bookings.models import Booking, BookingEvent
from dashboard.presenters.history import history
from tests.factories import NOW, Studio, studio, time_off
from tests.journeys import DESK, GUEST, booked, claims, confirm, hold

pytestmark = pytest.mark.django_db


def needed(place: Studio, start: datetime, *, now: datetime = NOW) -> frozenset[str] | None:
    on = start.date()
    facts = availability_facts(variant_ids=[place.variant.pk], from_on=on, until_on=on + timedelta(days=1), now=now)
    person = place.staff[0].pk
    minute = int(start.timestamp()) // 60
    return overrides_needed(facts, place.variant.pk, place.location.pk, minute, staff_member_id=person)


def test_staff_hold_a_time_outside_the_hours_and_the_history_says_why() -> None:
    place = studio()
    rules = needed(place, place.at(18))

    held = hold(place, 18, actor=DESK, overrides=rules, reason="Ana stays longer")

    assert rules == {"opening_hours", "working_hours"}
    assert claims() == [(place.staff[0].resource_id, place.minute(18), place.minute(19))]
    booking = confirm(held.booking, actor=DESK)
    words = [row.text for row in history(Booking.objects.get(pk=booking.pk), now=NOW)]
    assert words == ["Booked", "Exception: outside opening hours, outside working hours: Ana stays longer"]


def test_only_the_rules_named_are_set_aside() -> None:
    place = studio()

    with pytest.raises(SlotNotOffered) as refused:
        hold(place, 18, actor=DESK, overrides=frozenset({"opening_hours"}), reason="Ana stays longer")

    assert refused.value.data["rule"] == "working_hours"
    assert not Booking.objects.exists()


def test_customers_set_no_rule_aside() -> None:
    place = studio()

    with pytest.raises(SlotNotOffered):
        hold(place, 18, actor=GUEST, overrides=frozenset({"opening_hours", "working_hours"}))


def test_without_time_around_the_visit_none_is_taken() -> None:
    place = studio(buffer_before_minutes=5, buffer_after_minutes=10)

    held = hold(place, 16, actor=DESK, overrides=needed(place, place.at(16)), reason="Cleans up tomorrow")

    line = held.booking.lines.get()
    assert needed(place, place.at(14, 45)) == set()
    assert (line.buffer_before_minutes, line.buffer_after_minutes) == (0, 0)
    assert claims() == [(place.staff[0].resource_id, place.minute(16), place.minute(17))]


def test_time_off_notice_horizon_limits_and_steps_are_set_aside() -> None:
    place = studio(daily_limit=1)
    policy = place.business.booking_policy
    policy.lead_minutes, policy.horizon_days = 24 * 60, 7
    policy.save()
    time_off(place.staff[0].resource, place.at(12), place.at(13))
    booked(place, 9, start_minute=place.minute(9, days=3))

    assert needed(place, place.at(12, 10)) == {"time_off", "grid"}
    assert needed(place, place.at(12, 0, days=0)) == {"notice"}
    assert needed(place, place.at(12, 0, days=9)) == {"horizon"}
    assert needed(place, place.at(12, 0, days=3)) == {"service_limit"}


def test_a_time_that_is_taken_or_past_stays_refused() -> None:
    place = studio()
    booked(place, 10)
    everything = frozenset({"grid", "notice", "opening_hours", "working_hours", "time_off", "buffers"})

    assert needed(place, place.at(10)) is None
    assert needed(place, place.at(9), now=place.at(9, 1)) is None
    with pytest.raises(SlotTaken):
        hold(place, 10, 30, actor=DESK, overrides=everything, reason="Squeeze in")
    assert BookingEvent.objects.filter(details__has_key="overrides").count() == 0
