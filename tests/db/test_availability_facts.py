"""What the query layer loads: few statements, and only what counts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from bookings.availability.claims import spec_of
from bookings.availability.engine import DayState, candidates, day_marks, free_starts, why_not
from bookings.availability.facts import Facts
from bookings.availability.loading import COUNTS, TAKEN, availability_facts
from bookings.enums import CLAIMING, EXPIRING
from bookings.models import Allocation, Booking, BookingLine, MoveProposal
from services.models import Resource, Service, ServiceVariant
from staff.models import WorkingHoursException
from tests import factories
from tests.factories import MONDAY, NOW, Studio

pytestmark = pytest.mark.django_db

TUESDAY = MONDAY + timedelta(days=1)
MINUTE = timedelta(minutes=1)


def load(studio: Studio, days: int = 1, **values: Any) -> Facts:
    return availability_facts(
        **{
            "variant_ids": [studio.variant.id],
            "from_on": TUESDAY,
            "until_on": TUESDAY + timedelta(days=days),
            "now": NOW,
            **values,
        }
    )


def starts(studio: Studio, **values: Any) -> list[int]:
    return free_starts(load(studio, **values), studio.variant.id)[studio.location.id]


def booked(studio: Studio, starts_at: datetime, minutes: int = 60, **values: Any) -> Booking:
    """Take the first therapist's time, with two lines, as a visit of two services has."""
    person = studio.staff[0]
    booking = Booking.objects.create(
        **{
            "reference": f"R{Booking.objects.count()}",
            "status": "confirmed",
            "location": studio.location,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=minutes),
            "currency": "EUR",
            "total_minor": 0,
            "created_at": NOW,
            **values,
        }
    )
    for position in (0, 1):
        BookingLine.objects.create(
            booking=booking,
            position=position,
            variant=studio.variant,
            staff_member=person,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            phases=[],
            price_minor=0,
        )
    if booking.status in CLAIMING:
        busy = DateTimeTZRange(booking.starts_at, booking.ends_at)
        Allocation.objects.create(booking=booking, resource=person.resource, busy=busy)
    return booking


def test_an_empty_day_offers_every_start_that_fits():
    studio = factories.studio()

    assert starts(studio) == list(range(studio.minute(9), studio.minute(16) + 1, 15))


def test_what_is_offered_has_a_candidate():
    studio = factories.studio()

    (found,) = candidates(load(studio), studio.variant.id, studio.location.id, studio.minute(9))

    assert found.staff_member_id == studio.staff[0].id
    assert found.claims == ((studio.staff[0].resource_id, studio.minute(9), studio.minute(10)),)


@pytest.mark.parametrize("staff", [1, 30])
@pytest.mark.parametrize("days", [1, 60])
@pytest.mark.parametrize("limit", [None, 5])
def test_statements_do_not_grow_with_staff_or_days(staff: int, days: int, limit: int | None):
    studio = factories.studio(staff=staff, daily_limit=limit)

    with CaptureQueriesContext(connection) as queries:
        load(studio, days)

    assert len(queries) == (4 if limit is None else 5)


def test_the_statements_name_the_statuses_of_the_enums():
    ending = ", ".join(f"'{status}'" for status in sorted(EXPIRING))
    lasting = sorted(CLAIMING - EXPIRING)

    assert TAKEN.count(f"status IN ({ending})") == 2
    assert COUNTS.count(f"status IN ({ending})") == 1
    assert all(f"'{status}'" in COUNTS for status in lasting)


def test_a_claim_of_two_days_that_ends_in_the_asked_day_counts():
    studio = factories.studio()
    booked(studio, studio.at(10) - timedelta(days=2), minutes=2880)

    assert starts(studio)[0] == studio.minute(10)


@pytest.mark.parametrize(("ends_in", "first_hour"), [(-MINUTE, 9), (0 * MINUTE, 9), (MINUTE, 10)])
@pytest.mark.parametrize("status", sorted(EXPIRING))
def test_a_claim_that_ended_does_not_block(status: str, ends_in: timedelta, first_hour: int):
    studio = factories.studio()
    booked(studio, studio.at(9), status=status, hold_expires_at=NOW + ends_in)

    assert starts(studio)[0] == studio.minute(first_hour)


@pytest.mark.parametrize(("ends_in", "first_hour"), [(0 * MINUTE, 9), (MINUTE, 10)])
def test_a_proposal_blocks_until_it_ends(ends_in: timedelta, first_hour: int):
    studio = factories.studio()
    proposal = MoveProposal.objects.create(
        booking=booked(studio, studio.at(12)), starts_at=studio.at(9), expires_at=NOW + ends_in
    )
    busy = DateTimeTZRange(studio.at(9), studio.at(10))
    Allocation.objects.create(move_proposal=proposal, resource=studio.staff[0].resource, busy=busy)

    assert starts(studio)[0] == studio.minute(first_hour)


def test_the_ignored_booking_takes_neither_time_nor_limit():
    studio = factories.studio(daily_limit=1)
    booking = booked(studio, studio.at(9))

    assert starts(studio) == []
    assert starts(studio, ignore_booking_id=booking.id)[0] == studio.minute(9)


@pytest.mark.parametrize("owner", ["business", "service", "staff"])
def test_a_limit_counts_bookings_of_the_local_day_once(owner: str):
    studio = factories.studio(staff=2)
    limited = {"business": studio.business, "service": studio.variant.service, "staff": studio.staff[0]}[owner]
    limited.daily_limit = 2
    limited.save()
    booked(studio, studio.at(9))
    booked(studio, studio.at(0, 30, days=2))
    booked(studio, studio.at(13), status="cancelled")
    booked(studio, studio.at(14), status="held", hold_expires_at=NOW)

    assert starts(studio, staff_member_id=studio.staff[0].id)[0] == studio.minute(10)

    booked(studio, studio.at(23))

    assert starts(studio, staff_member_id=studio.staff[0].id) == []
    assert bool(starts(studio)) is (owner == "staff")


def test_an_exception_at_another_place_ends_the_hours_here():
    studio = factories.studio()
    elsewhere = factories.location()
    WorkingHoursException.objects.create(
        staff_member=studio.staff[0], location=elsewhere, on=TUESDAY, start_minute=600, end_minute=900
    )

    assert starts(studio) == []
    assert starts(studio, days=2)[0] == studio.minute(9, days=2)


def test_what_is_no_longer_sold_is_offered_only_as_promised():
    studio = factories.studio()
    ServiceVariant.objects.update(is_active=False)
    Service.objects.update(visibility=Service.Visibility.ARCHIVED)
    promised = spec_of(work_minutes=240, buffer_after=30)

    assert free_starts(load(studio), studio.variant.id) == {}
    assert starts(studio, promised=promised)[-1] == studio.minute(12, 30)


def test_people_and_rooms_that_left_are_not_offered():
    studio = factories.studio()
    kind = factories.resource_type()
    factories.requirement(studio.variant.service, kind)
    room = factories.room(studio.location, kind)

    assert starts(studio)

    Resource.objects.filter(id=room.id).update(is_active=False)
    assert starts(studio) == []

    Resource.objects.filter(id=room.id).update(is_active=True)
    type(studio.staff[0]).objects.update(is_active=False)
    assert starts(studio) == []


def test_add_ons_lengthen_the_visit():
    studio = factories.studio()
    extra = factories.add_on(studio.variant.service, extra_minutes=30)

    assert starts(studio, add_on_ids=[extra.id])[-1] == studio.minute(15, 30)


def test_the_least_booked_person_comes_first_and_idle_ones_take_turns():
    studio = factories.studio(staff=2)
    first, second = (person.id for person in studio.staff)

    def order(day: int) -> list[int | None]:
        facts = load(studio, days=9)
        found = candidates(facts, studio.variant.id, studio.location.id, studio.minute(12, days=day))
        return [candidate.staff_member_id for candidate in found]

    assert sorted([order(1), order(2)]) == [[first, second], [second, first]]

    for day in (1, 2):
        booked(studio, studio.at(9, days=day))
    assert order(1) == order(2) == [second, first]


def test_a_day_full_through_holds_says_when_a_time_may_come_back():
    studio = factories.studio()
    booked(studio, studio.at(9), minutes=240, status="held", hold_expires_at=NOW + 9 * MINUTE)
    booked(studio, studio.at(13), minutes=240, status="held", hold_expires_at=NOW + 5 * MINUTE)

    (mark,) = day_marks(load(studio), studio.variant.id)[studio.location.id]

    assert (mark.state, mark.free_count) == (DayState.FULL, 0)
    assert mark.may_free_at_minute == int(NOW.timestamp()) // 60 + 5


def test_marks_tell_past_few_full_and_closed_days_apart():
    studio = factories.studio()
    booked(studio, studio.at(9), minutes=420)
    booked(studio, studio.at(9, days=2), minutes=480)
    factories.time_off(studio.staff[0].resource, studio.at(0, days=3), studio.at(0, days=4))

    marks = day_marks(load(studio, from_on=MONDAY - timedelta(days=1), days=3), studio.variant.id)

    assert [(mark.state, mark.free_count) for mark in marks[studio.location.id]] == [
        (DayState.PAST, 0),
        (DayState.FREE, 29),
        (DayState.FEW, 1),
        (DayState.FULL, 0),
        (DayState.CLOSED, 0),
    ]


def test_why_not_names_the_rule():
    studio = factories.studio()
    booked(studio, studio.at(9))

    def broken(minute: int) -> list[str]:
        findings = why_not(load(studio), studio.variant.id, studio.location.id, minute)
        return [finding.rule for finding in findings if not finding.ok]

    assert broken(studio.minute(10)) == []
    assert broken(studio.minute(9)) == ["staff_free"]
    assert broken(studio.minute(11, 7)) == ["grid"]
    assert broken(studio.minute(16, 15)) == ["opening_hours", "working_hours"]
    assert why_not(load(studio), studio.variant.id, 0, studio.minute(9))[0].rule == "offered_here"
