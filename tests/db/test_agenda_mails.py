"""The morning's mail is written once per person and day, at seven by the clock of the place."""

from datetime import timedelta

import pytest
from django.core import mail

from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.agendas import enqueue_agendas
from notifications.models import Notification
from notifications.operations import send_due
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import Studio

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    """A visit of the first of two therapists on Tuesday at 14:30."""
    studio = factories.studio(staff=2)
    booked(studio)
    return studio


def keys() -> list[str]:
    return list(Notification.objects.order_by("id").values_list("key", flat=True))


def test_it_is_written_at_seven_for_those_who_have_visits(studio: Studio) -> None:
    early = [enqueue_agendas(now=studio.at(hour, minute)) for hour, minute in ((0, 0), (6, 59))]
    written = [enqueue_agendas(now=studio.at(7)), enqueue_agendas(now=studio.at(7, 5))]

    assert (early, written) == ([0, 0], [1, 1])
    assert keys() == [f"staff:{studio.staff[0].pk}:agenda:2027-01-05"]


def test_it_goes_out_with_the_visits_in_it(studio: Studio) -> None:
    enqueue_agendas(now=studio.at(7))

    send_due(now=studio.at(7), limit=5)

    [message] = mail.outbox
    assert message.to == [studio.staff[0].email]
    assert "14:30" in str(message.body)


def test_the_clock_is_that_of_the_place(studio: Studio) -> None:
    studio.location.time_zone = "America/New_York"
    studio.location.save()
    Booking.objects.update(starts_at=studio.at(14, 30), ends_at=studio.at(15, 30))
    for line in Booking.objects.get().lines.all():
        line.starts_at, line.ends_at = studio.at(14, 30), studio.at(15, 30)
        line.save()

    assert enqueue_agendas(now=studio.at(6, 59)) == 0
    assert enqueue_agendas(now=studio.at(7)) == 1


@pytest.mark.parametrize("hour", [12, 15])
def test_in_the_afternoon_nobody_needs_it(studio: Studio, hour: int) -> None:
    assert enqueue_agendas(now=studio.at(hour)) == 0


def test_a_late_worker_still_tells_before_noon(studio: Studio) -> None:
    assert enqueue_agendas(now=studio.at(10)) == 1


def test_cancelled_visits_and_people_who_left_do_not_count(studio: Studio) -> None:
    studio.staff[0].is_active = False
    studio.staff[0].save()
    assert enqueue_agendas(now=studio.at(7)) == 0

    studio.staff[0].is_active = True
    studio.staff[0].save()
    Booking.objects.update(status=BookingStatus.CANCELLED)
    assert enqueue_agendas(now=studio.at(7)) == 0


def test_a_mail_that_waited_past_the_last_visit_is_dropped(studio: Studio) -> None:
    enqueue_agendas(now=studio.at(7))

    assert send_due(now=studio.at(15, 30) + timedelta(seconds=1), limit=5) == 0
    assert Notification.objects.get().error == "It came too late to be of use."
