"""Staff mark how a visit goes on: arrived, begun, done, and each of them taken back. Nothing moves by itself."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bookings.doctor.visits import CHECKS
from bookings.errors import CannotMarkVisit, StalePage
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.visit_progress import (
    complete_visit,
    mark_arrived,
    start_visit,
    undo_arrived,
    undo_complete,
    undo_start,
)
from bookings.refs import subject_ref
from dashboard.permissions import Rights
from dashboard.visits import visits_before
from notifications.models import Notification
from payments.queries import balance
from staff.enums import Role
from tests.factories import NOW, studio
from tests.journeys import DESK, booked, completed

pytestmark = pytest.mark.django_db


@pytest.fixture
def booking() -> Booking:
    return booked(studio(), 10)


def steps_of(booking: Booking) -> list[tuple[str, str, str]]:
    rows = booking.events.order_by("pk").values_list("kind", "from_status", "to_status")
    return [row for row in rows if row[1] not in {"", "held"}]


def test_a_visit_goes_on_and_back_and_its_history_says_so(booking: Booking) -> None:
    for act in (mark_arrived, undo_arrived, mark_arrived, start_visit, undo_start, start_visit, complete_visit):
        act(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.starts_at)
    undo_complete(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at)

    booking.refresh_from_db()
    assert (booking.status, booking.arrived_at) == ("started", booking.starts_at)
    assert steps_of(booking) == [
        *[("arrived", "confirmed", "confirmed")] * 3,
        ("status", "confirmed", "started"),
        ("status", "started", "confirmed"),
        ("status", "confirmed", "started"),
        ("status", "started", "completed"),
        ("status", "completed", "started"),
    ]
    assert [line for check in CHECKS for line in check.run(booking.starts_at)] == []


@pytest.mark.parametrize("act", [mark_arrived, start_visit, complete_visit])
def test_twice_is_once(booking: Booking, act: Callable[..., Booking]) -> None:
    for _ in range(2):
        act(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.starts_at)

    assert len(steps_of(booking)) == 1


def test_done_can_be_marked_without_a_beginning_and_moves_no_money(booking: Booking) -> None:
    told = Notification.objects.count()

    completed(booking)

    booking.refresh_from_db()
    assert booking.status == "completed"
    assert balance(subject_ref(booking)).open_minor == booking.total_minor > 0
    assert Notification.objects.count() == told


@pytest.mark.parametrize("act", [mark_arrived, start_visit, complete_visit])
def test_nothing_is_marked_before_the_day_but_all_of_it_on_the_day(
    booking: Booking, act: Callable[..., Booking]
) -> None:
    with pytest.raises(CannotMarkVisit):
        act(
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            actor=DESK,
            now=booking.starts_at - timedelta(hours=11),
        )

    # Midnight in Berlin is eleven in the evening in UTC, when the day of the place has begun.
    assert act(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=booking.starts_at - timedelta(hours=9, minutes=50),
    )


@pytest.mark.parametrize("act", [mark_arrived, start_visit, complete_visit, undo_start, undo_complete])
def test_a_cancelled_visit_does_not_go_on(booking: Booking, act: Callable[..., Booking]) -> None:
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )

    with pytest.raises(CannotMarkVisit):
        act(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.starts_at)


def test_a_page_older_than_the_booking_marks_nothing(booking: Booking) -> None:
    with pytest.raises(StalePage):
        start_visit(booking_id=booking.pk, actor=DESK, now=booking.starts_at, expected_sequence=7)


def test_only_visits_marked_as_begun_or_done_count_as_visits() -> None:
    place = studio()
    unmarked, done, now = (booked(place, hour) for hour in (9, 11, 13))
    completed(done)

    assert unmarked.status == "confirmed"
    assert visits_before(Rights({None: frozenset({Role.OWNER})}), now).came == 1
