"""What a customer reads when a booking changes while a message about it is being made: never an old state last."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail
from pytest_django import Settings

from bookings.messages import visits
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.move import reschedule_booking
from notifications.delivery import claiming
from notifications.enums import NotificationStatus
from notifications.models import Notification
from notifications.operations import send_due
from notifications.requests import ContextRequest, MessageContext
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import LINK, booked

pytestmark = pytest.mark.django_db

JANA = "jana@example.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
meanwhile: dict[str, Callable[[], object]] = {}


def context(request: ContextRequest) -> MessageContext | None:
    """The message as it is made; then something happens, once, before it goes."""
    made = visits.notification_context(request)
    if made is not None and request.recipient_role == "customer" and request.kind in meanwhile:
        meanwhile.pop(request.kind)()
    return made


@pytest.fixture
def studio(settings: Settings) -> Studio:
    settings.NOTIFICATION_CONTEXTS = {"booking": "tests.db.test_meanwhile.context"}
    terms = factories.cancellation_policy((0, "none", 0), grace_minutes=0)
    return factories.studio(cancellation_policy=terms)


def cancel(booking: Booking, now: datetime) -> None:
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=now
    )


def move(studio: Studio, booking: Booking, now: datetime) -> None:
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=studio.minute(16),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=LINK,
        now=now,
    )


def told(now: datetime) -> list[str]:
    """First words of what Jana gets when everything due is sent."""
    mail.outbox.clear()
    while send_due(now=now, limit=20):
        now += timedelta(seconds=1)
    return [message.subject.split(":")[0] for message in mail.outbox if message.to == [JANA]]


def test_a_booking_cancelled_while_it_is_confirmed_ends_with_the_cancellation(studio: Studio) -> None:
    booking = booked(studio)
    meanwhile["confirmed"] = lambda: cancel(booking, NOW)

    assert told(NOW) == ["You are booked", "Cancelled"]
    assert told(booking.starts_at - HOUR) == []


def test_a_booking_moved_while_it_is_confirmed_ends_with_the_new_time(studio: Studio) -> None:
    booking = booked(studio)
    meanwhile["confirmed"] = lambda: move(studio, booking, NOW)

    subjects = told(NOW)

    booking.refresh_from_db()
    assert subjects[0] == "You are booked"
    assert len(subjects) == 2
    assert "16:00" in mail.outbox[-1].subject + mail.outbox[-1].body
    reminders = Notification.objects.filter(kind="reminder", status=NotificationStatus.QUEUED)
    assert {row.version for row in reminders} == {booking.ical_sequence}


def test_a_reminder_that_is_made_while_the_visit_is_cancelled_is_followed_by_the_cancellation(studio: Studio) -> None:
    booking = booked(studio)
    told(NOW)
    due = booking.starts_at - HOUR
    meanwhile["reminder"] = lambda: cancel(booking, due)

    assert told(due)[-1] == "Cancelled"
    assert told(due + HOUR) == []


def test_a_reminder_whose_sender_died_is_not_sent_after_a_cancellation(studio: Studio) -> None:
    booking = booked(studio)
    told(NOW)
    told(booking.starts_at - DAY)
    due = booking.starts_at - HOUR
    [reminder] = claiming.claimed(due, limit=5)  # and the process dies
    cancel(booking, due + timedelta(minutes=1))

    assert told(due + timedelta(minutes=3)) == ["Cancelled"]

    reminder.refresh_from_db()
    assert (reminder.status, reminder.error) == (NotificationStatus.CANCELLED, "No longer wanted when it was due.")
