"""Each check of bookings finds exactly the violation planted for it, and nothing in healthy data."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from bookings.doctor import money
from bookings.doctor.visits import CHECKS, SWEEP_LIMIT
from bookings.models import Booking, MoveProposal
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from tests.factories import NOW, add_on, cancellation_policy, requirement, resource_type, room, studio
from tests.journeys import DESK, LINK, booked, hold

pytestmark = pytest.mark.django_db

Planted = Callable[[Booking], None]


def healthy() -> Booking:
    """A little of everything; returns a confirmed booking with an extra, a room and buffers."""
    policy = cancellation_policy(
        (0, "percent", 5000),
        grace_minutes=0,
        free_move_count=0,
        over_limit="fee",
        change_fee_minor=500,
        reschedule_until_minutes=0,
    )
    place = studio(staff=3, cancellation_policy=policy, buffer_before_minutes=5, buffer_after_minutes=10)
    kind = resource_type()
    for _ in range(3):
        room(place.location, kind)
    requirement(place.variant.service, kind)
    towel = add_on(place.variant.service)
    hold(place, 10)
    hold(place, 10, now=NOW - timedelta(minutes=30))
    hold(place, 10)
    moved = booked(place, 11)
    reschedule_booking(
        booking_id=moved.pk,
        start_minute=place.minute(15),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=500,
        actor=LINK,
        now=NOW,
    )
    cancelled = booked(place, 13)
    cancel_booking(
        booking_id=cancelled.pk, expected_sequence=cancelled.ical_sequence, expected_fee_minor=4000, actor=LINK, now=NOW
    )
    freed = booked(place, 13)
    cancel_booking(
        booking_id=freed.pk, expected_sequence=freed.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )
    return booked(place, 13, add_on_ids=[towel.pk])


def violations() -> dict[str, list[str]]:
    found = {check.title: list(check.run(NOW)) for check in CHECKS}
    return {title: lines for title, lines in found.items() if lines}


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def overlap(booking: Booking) -> None:
    sql("ALTER TABLE bookings_allocation DROP CONSTRAINT bookings_allocation_no_overlap")
    sql(
        "INSERT INTO bookings_moveproposal (booking_id, starts_at, expires_at, fee_minor, sequence, channel)"
        " VALUES (%s, %s, %s, 0, 0, 'link')",
        booking.pk,
        booking.starts_at,
        NOW + timedelta(minutes=5),
    )
    sql(
        "INSERT INTO bookings_allocation (resource_id, busy, move_proposal_id) SELECT a.resource_id, a.busy, p.id "
        "FROM bookings_allocation a, bookings_moveproposal p WHERE a.booking_id = %s LIMIT 1",
        booking.pk,
    )


def shortened(booking: Booking) -> None:
    sql(
        "UPDATE bookings_allocation SET busy = tstzrange(lower(busy), upper(busy) - interval '1 minute') "
        "WHERE id = (SELECT min(id) FROM bookings_allocation WHERE booking_id = %s)",
        booking.pk,
    )


def without_room(booking: Booking) -> None:
    sql(
        "DELETE FROM bookings_allocation a USING services_resource r WHERE r.id = a.resource_id AND r.kind = 'room' "
        "AND a.booking_id = %s",
        booking.pk,
    )


def without_any_claim(booking: Booking) -> None:
    sql("DELETE FROM bookings_allocation WHERE booking_id = %s", booking.pk)


def claim_too_many(booking: Booking) -> None:
    sql(
        "INSERT INTO bookings_allocation (resource_id, busy, booking_id) SELECT a.resource_id, "
        "tstzrange(lower(busy) + interval '2 days', upper(busy) + interval '2 days'), a.booking_id "
        "FROM bookings_allocation a WHERE a.booking_id = %s LIMIT 1",
        booking.pk,
    )


def claim_of_a_cancelled_one(booking: Booking) -> None:
    sql(
        "UPDATE bookings_allocation SET booking_id = (SELECT min(id) FROM bookings_booking WHERE status = 'cancelled') "
        "WHERE booking_id = (SELECT min(id) FROM bookings_booking WHERE status = 'held')"
    )
    sql(
        "UPDATE bookings_booking SET status = 'expired' WHERE id = (SELECT min(id) FROM bookings_booking "
        "WHERE status = 'held')"
    )


def stuck_hold(booking: Booking) -> None:
    sql(
        "UPDATE bookings_booking SET hold_expires_at = %s WHERE status = 'held'",
        NOW - SWEEP_LIMIT - timedelta(seconds=1),
    )


def stuck_proposal(booking: Booking) -> None:
    MoveProposal.objects.create(
        booking=booking, starts_at=booking.starts_at, expires_at=NOW - SWEEP_LIMIT - timedelta(seconds=1)
    )


def two_proposals(booking: Booking) -> None:
    for _ in range(2):
        MoveProposal.objects.create(booking=booking, starts_at=booking.starts_at, expires_at=NOW + timedelta(minutes=5))


def half_a_move(booking: Booking) -> None:
    sql(
        "UPDATE bookings_bookingevent SET details = jsonb_set(details, '{to,starts_at}', '\"2027-01-01T09:00Z\"') "
        "WHERE kind = 'moved'"
    )


def wrong_length(booking: Booking) -> None:
    sql("UPDATE bookings_booking SET ends_at = ends_at + interval '1 minute' WHERE id = %s", booking.pk)


def phases_of_another_length(booking: Booking) -> None:
    sql("UPDATE bookings_bookingline SET ends_at = ends_at + interval '1 minute' WHERE booking_id = %s", booking.pk)
    wrong_length(booking)


def status_behind_the_back(booking: Booking) -> None:
    sql("UPDATE bookings_booking SET status = 'started' WHERE id = %s", booking.pk)


def no_history(booking: Booking) -> None:
    sql("DELETE FROM bookings_bookingevent WHERE booking_id = %s", booking.pk)


def gap_in_history(booking: Booking) -> None:
    sql("DELETE FROM bookings_bookingevent WHERE booking_id = %s AND to_status = 'held'", booking.pk)


def event_without_change(booking: Booking) -> None:
    sql(
        "INSERT INTO bookings_bookingevent (booking_id, kind, from_status, to_status, actor_kind, actor_name, channel, "
        "reason, details, at) SELECT id, 'status', status, status, 'system', '', 'system', '', '{}', %s "
        "FROM bookings_booking WHERE id = %s",
        NOW,
        booking.pk,
    )


def agreed_without_time(booking: Booking) -> None:
    sql("UPDATE bookings_booking SET confirmed_at = %s WHERE status = 'held'", NOW)


def cheaper_bill(booking: Booking) -> None:
    sql("UPDATE payments_billline SET net_minor = net_minor - 1, gross_minor = gross_minor - 1 WHERE kind = 'add_on'")


def fee_not_on_the_bill(booking: Booking) -> None:
    sql("DELETE FROM payments_billline WHERE kind = 'cancellation_fee'")


def no_bill(booking: Booking) -> None:
    sql("UPDATE bookings_booking SET bill_id = NULL WHERE id = %s", booking.pk)


def business_limit(booking: Booking) -> None:
    sql("UPDATE services_business SET daily_limit = 2")


def service_limit(booking: Booking) -> None:
    sql("UPDATE services_service SET daily_limit = 2")


def staff_limit(booking: Booking) -> None:
    sql(
        "UPDATE staff_staffmember SET daily_limit = 0 WHERE id = (SELECT staff_member_id FROM bookings_bookingline "
        "WHERE booking_id = %s)",
        booking.pk,
    )


def without_customer(booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(customer=None)


PLANTED: list[tuple[Planted, set[str]]] = [
    (without_customer, {"Every booking has a customer"}),
    (overlap, {"No time of a resource is taken twice"}),
    (shortened, {"Every booking takes exactly the time that its lines need"}),
    (without_room, {"Every booking takes exactly the time that its lines need"}),
    (without_any_claim, {"Every booking takes exactly the time that its lines need"}),
    (claim_too_many, {"Every booking takes exactly the time that its lines need"}),
    (
        claim_of_a_cancelled_one,
        {"What is over, cancelled or declined takes no time", "Every status is the last one of its history"},
    ),
    (stuck_hold, {"No hold outlives its end by more than a minute"}),
    (stuck_proposal, {"No proposed move outlives its end by more than a minute"}),
    (two_proposals, {"No booking has two proposed moves at once"}),
    (half_a_move, {"Every booking is at the time to which it was last moved"}),
    (wrong_length, {"Every booking is as long as its lines, and they as their phases"}),
    (phases_of_another_length, {"Every booking is as long as its lines, and they as their phases"}),
    (status_behind_the_back, {"Every status is the last one of its history"}),
    (no_history, {"Every status is the last one of its history"}),
    (gap_in_history, {"Every history goes on from where it was"}),
    (event_without_change, {"Every history goes on from where it was"}),
    (
        agreed_without_time,
        {"What is agreed says since when, and nothing else does", "Every bill says what its bookings owe"},
    ),
    (cheaper_bill, {"Every bill says what its bookings owe"}),
    (fee_not_on_the_bill, {"Every bill says what its bookings owe"}),
    (no_bill, {"Every bill says what its bookings owe"}),
    (business_limit, {"No daily limit is exceeded"}),
    (service_limit, {"No daily limit is exceeded"}),
    (staff_limit, {"No daily limit is exceeded"}),
]


def test_healthy_data_has_no_violation() -> None:
    healthy()

    assert violations() == {}


@pytest.mark.parametrize(("plant", "expected"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_violation_is_found_by_its_check_alone(plant: Planted, expected: set[str]) -> None:
    booking = healthy()

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    plant(booking)

    assert set(violations()) == expected


def test_every_check_is_planted() -> None:
    of_money = {check.title for check in money.CHECKS} - {"Every bill says what its bookings owe"}

    assert {check.title for check in CHECKS} - of_money == {title for _, titles in PLANTED for title in titles}
