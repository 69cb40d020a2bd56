"""Announcements write one row per person concerned, in the transaction of the change."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from pytest_django import Settings

from bookings.enums import BookingStatus
from bookings.messages import money, visits
from bookings.models import Booking, BookingLine
from notifications import operations
from notifications.enums import NotificationStatus
from notifications.models import MessageRule, Notification
from notifications.rules import forget_rules
from tests import factories
from tests.factories import NOW, Studio

pytestmark = pytest.mark.django_db


def booked(studio: Studio, **values: object) -> Booking:
    starts_at = studio.at(14, 30)
    booking = Booking.objects.create(
        **{
            "reference": "K7M4PX",
            "status": BookingStatus.CONFIRMED,
            "location": studio.location,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=60),
            "contact_name": "Jana Weber",
            "contact_email": "jana@example.com",
            "currency": "EUR",
            "total_minor": 8000,
            "created_at": NOW,
            "confirmed_at": NOW,
            **values,
        }
    )
    BookingLine.objects.create(
        booking=booking,
        variant=studio.variant,
        staff_member=studio.staff[0],
        service_name="Deep tissue massage",
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        phases=[["work", 60]],
        price_minor=8000,
    )
    return booking


def told() -> QuerySet[Notification]:
    """What is told at once, in order; reminders have tests of their own."""
    return Notification.objects.exclude(kind="reminder").order_by("id")


def rows() -> list[tuple[str, str]]:
    return [(row.key, row.address) for row in told()]


def test_confirmation_goes_to_the_customer_and_the_therapist() -> None:
    studio = factories.studio()
    booking = booked(studio)
    person = studio.staff[0]

    visits.announce_confirmed(booking, now=NOW)
    visits.announce_confirmed(booking, now=NOW)

    assert rows() == [
        (f"booking:{booking.pk}:confirmed:customer:v0", "jana@example.com"),
        (f"booking:{booking.pk}:confirmed:staff-{person.pk}:v0", person.email),
    ]


def test_confirmation_and_its_reminders_take_one_insert(django_assert_num_queries: object) -> None:
    booking = booked(factories.studio())

    # The people, twice the rules (which a running site keeps for some seconds), and one insert.
    with django_assert_num_queries(4):  # type: ignore[operator]
        visits.announce_confirmed(booking, now=NOW)


def test_walk_in_without_address_is_not_written_to() -> None:
    booking = booked(factories.studio(), contact_email="")

    visits.announce_confirmed(booking, now=NOW)

    assert [row.recipient_role for row in Notification.objects.all()] == ["staff"]


def test_move_to_another_therapist_tells_the_old_one_to_forget_it() -> None:
    studio = factories.studio(staff=2)
    booking = booked(studio, ical_sequence=1)
    old, new = studio.staff
    booking.lines.update(staff_member=new)

    visits.announce_moved(booking, previous_starts_at=NOW, previous_staff_ids=[old.pk], now=NOW)

    assert [(row.kind, row.recipient_ref, row.details) for row in told()] == [
        ("moved", "", {"previous_starts_at": NOW.isoformat()}),
        ("moved", f"staff:{new.pk}", {"previous_starts_at": NOW.isoformat()}),
        ("released", f"staff:{old.pk}", {"previous_starts_at": NOW.isoformat()}),
    ]


def test_reassignment_tells_the_three_concerned() -> None:
    studio = factories.studio(staff=2)
    booking = booked(studio, ical_sequence=1)
    old, new = studio.staff
    booking.lines.update(staff_member=new)

    visits.announce_reassigned(booking, previous_staff_ids=[old.pk], now=NOW)

    assert [(row.kind, row.recipient_ref) for row in told()] == [
        ("reassigned", ""),
        ("reassigned", f"staff:{new.pk}"),
        ("released", f"staff:{old.pk}"),
    ]


def test_who_left_only_a_phone_number_hears_about_money_by_text(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_SMS_FROM = "AC1", "+4915735987654"
    for kind in ("payment_required", "requested"):
        MessageRule.objects.create(kind=kind, recipient_role="customer", channel="sms", is_on=True)
    forget_rules()
    booking = booked(factories.studio(), contact_email="", contact_phone="+4915155501827")

    money.announce_pay_link(booking, now=NOW)
    money.announce_requested(booking, now=NOW)

    texts = told().filter(channel="sms")
    assert [(row.kind, row.phone) for row in texts] == [
        ("payment_required", "+4915155501827"),
        ("requested", "+4915155501827"),
    ]


def test_cancellation_takes_back_what_was_not_sent() -> None:
    booking = booked(factories.studio())
    visits.announce_confirmed(booking, now=NOW)
    booking.ical_sequence = 1

    visits.announce_cancelled(booking, now=NOW)

    assert [(row.kind, row.status) for row in told()] == [
        ("confirmed", NotificationStatus.CANCELLED),
        ("confirmed", NotificationStatus.CANCELLED),
        ("cancelled", NotificationStatus.QUEUED),
        ("cancelled", NotificationStatus.QUEUED),
    ]
    assert told()[0].error == "The booking was cancelled first."


@pytest.mark.django_db(transaction=True)
def test_messages_are_refused_outside_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        operations.enqueue([], now=NOW)
