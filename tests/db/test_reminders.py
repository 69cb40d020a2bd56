"""Reminders follow a booking: planned with it, anew with each change, taken back with it, and never sent too late."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.models import ChannelChoice, Customer
from accounts.operations import MARKETING_CONSENT, record_consent
from bookings.enums import BookingStatus
from bookings.messages import visits
from bookings.models import Booking
from bookings.operations.proven_customer import link_proven_customer
from notifications.models import MessageRule, Notification
from notifications.operations import send_again, send_due
from services.models import Business
from tests import factories
from tests.db.test_announcements import booked
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def studio() -> Studio:
    return factories.studio(staff=2)


@pytest.fixture
def booking(studio: Studio) -> Booking:
    """On Tuesday 14:30, told of already; reminders are due on Monday 14:30 and Tuesday 13:30."""
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)
    send_due(now=NOW, limit=10)
    mail.outbox.clear()
    return booking


def reminders(**values: object) -> list[tuple[int, datetime, str]]:
    rows = Notification.objects.filter(kind="reminder", **values).order_by("id")
    return [(row.details["offset_minutes"], row.not_before, row.status) for row in rows]


def sent_at(moment: datetime) -> list[str]:
    """Send what is due at a moment; return the subjects to the customer."""
    mail.outbox.clear()
    send_due(now=moment, limit=20)
    return [message.subject for message in mail.outbox if message.to == ["jana@example.com"]]


def test_two_are_planned_and_each_comes_at_its_minute(booking: Booking) -> None:
    due = [booking.starts_at - DAY, booking.starts_at - HOUR]

    assert reminders() == [(1440, due[0], "queued"), (60, due[1], "queued")]
    for moment in due:
        assert sent_at(moment - timedelta(seconds=1)) == []
        assert len(sent_at(moment)) == 1


def test_a_move_plans_anew_and_takes_the_old_ones_back(booking: Booking) -> None:
    old = booking.starts_at
    booking.starts_at, booking.ends_at, booking.ical_sequence = old + 2 * DAY, booking.ends_at + 2 * DAY, 1
    booking.save()

    visits.announce_moved(booking, previous_starts_at=old, now=NOW)

    assert [status for _, _, status in reminders(version=0)] == ["cancelled", "cancelled"]
    assert reminders(version=1) == [
        (1440, booking.starts_at - DAY, "queued"),
        (60, booking.starts_at - HOUR, "queued"),
    ]
    assert len(sent_at(old - HOUR)) == 1  # the news of the move, no reminder of the old time


def test_another_therapist_does_not_end_the_reminders(booking: Booking, studio: Studio) -> None:
    booking.ical_sequence = 1
    booking.save()
    booking.lines.update(staff_member=studio.staff[1])
    visits.announce_reassigned(booking, previous_staff_ids=[studio.staff[0].pk], now=NOW)
    sent_at(NOW)

    assert len(sent_at(booking.starts_at - DAY)) == 1


def test_a_cancellation_takes_them_back(booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(status=BookingStatus.CANCELLED, ical_sequence=1)
    booking.refresh_from_db()
    visits.announce_cancelled(booking, now=NOW)

    assert [status for _, _, status in reminders()] == ["cancelled", "cancelled"]


@pytest.mark.parametrize("status", ["cancelled", "declined", "started", "completed", "no_show"])
def test_one_that_is_no_longer_true_is_dropped_when_it_is_due(booking: Booking, status: str) -> None:
    Booking.objects.filter(pk=booking.pk).update(status=status)

    assert sent_at(booking.starts_at - DAY) == []
    assert reminders()[0][2] == "cancelled"


def test_after_three_hours_of_standstill_the_useful_one_comes_once(booking: Booking) -> None:
    late = booking.starts_at - DAY + 3 * HOUR

    assert len(sent_at(late)) == 1
    assert sent_at(late) == []


def test_after_a_day_of_standstill_only_the_last_one_comes(booking: Booking) -> None:
    assert len(sent_at(booking.starts_at - timedelta(minutes=20))) == 1
    assert [status for _, _, status in reminders()] == ["cancelled", "sent"]
    assert Notification.objects.get(kind="reminder", status="cancelled").error == "It came too late to be of use."


def test_after_the_start_none_comes(booking: Booking, caplog: pytest.LogCaptureFixture) -> None:
    assert sent_at(booking.starts_at) == []
    assert [status for _, _, status in reminders()] == ["cancelled", "cancelled"]
    assert sum("too late" in record.getMessage() for record in caplog.records) == 2


def test_the_business_chooses_when(studio: Studio) -> None:
    def rule(offset: int, *, is_on: bool) -> None:
        MessageRule.objects.create(
            kind="reminder", recipient_role="customer", channel="email", offset_minutes=offset, is_on=is_on
        )

    rule(60, is_on=False)
    rule(180, is_on=True)
    booking = booked(studio)
    visits.announce_confirmed(booking, now=NOW)

    assert [offset for offset, _, _ in reminders(channel="email")] == [1440, 180]


def test_a_review_is_asked_for_only_by_consent_and_with_an_address(booking: Booking) -> None:
    assert not Notification.objects.filter(kind="review_request").exists()
    MessageRule.objects.create(
        kind="review_request", recipient_role="customer", channel="email", offset_minutes=180, is_on=True
    )
    Business.objects.update(review_url="https://reviews.example.com/linden")

    visits.announce_reassigned(booking, previous_staff_ids=[], now=NOW)
    [asked] = Notification.objects.filter(kind="review_request")

    assert (asked.not_before, asked.purpose) == (booking.ends_at + 3 * HOUR, "marketing")
    assert sent_at(asked.not_before) == []
    asked.refresh_from_db()
    assert asked.error == "The person did not ask for news."


def test_news_carries_the_link_that_ends_it(studio: Studio) -> None:
    MessageRule.objects.create(
        kind="follow_up", recipient_role="customer", channel="email", offset_minutes=1440, is_on=True
    )
    person = Customer.objects.create(name="Jana Weber", email="jana@example.com", email_normalised="jana@example.com")
    record_consent(customer_id=person.pk, subject_ref="", purpose=MARKETING_CONSENT, text="News, please.", now=NOW)
    booking = booked(studio, customer=person)
    visits.announce_confirmed(booking, now=NOW)
    due_at = Notification.objects.get(kind="follow_up").not_before

    mail.outbox.clear()
    send_due(now=due_at, limit=20)

    [message] = [each for each in mail.outbox if "List-Unsubscribe" in each.extra_headers]
    address = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in str(message.body)
    assert (
        Client().post(address.removeprefix("http://localhost:8000"), {"List-Unsubscribe": "One-Click"}).status_code
        == 200
    )

    send_again(notification_id=Notification.objects.get(kind="follow_up").pk, now=due_at)
    send_due(now=due_at, limit=20)
    assert Notification.objects.latest("pk").error == "The person unsubscribed."


def test_who_acts_from_the_mailbox_is_reminded_by_their_own_choices(booking: Booking) -> None:
    """Booked as a guest with the address of a known customer, so that nobody knew whose reminders they are."""
    person = Customer.objects.create(name="Jana Weber", email="jana@example.com", email_normalised="jana@example.com")
    ChannelChoice.objects.create(person_ref=f"customer:{person.pk}", channel="email", is_on=False, updated_at=NOW)
    assert set(Notification.objects.filter(kind="reminder").values_list("recipient_ref", flat=True)) == {""}

    link_proven_customer(booking_id=booking.pk, now=NOW)

    assert sent_at(booking.starts_at - DAY) == []
    reminder = Notification.objects.filter(kind="reminder").earliest("id")
    assert reminder.error == "The person wants no messages by this channel."
