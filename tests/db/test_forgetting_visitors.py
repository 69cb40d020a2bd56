"""What is forgotten of those who book, and when."""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings as site
from django.contrib.sessions.models import Session

from bookings import retention
from bookings.models import Booking, UnprovenBooking
from bookings.operations.cancel import cancel_booking
from bookings.operations.hold import expire_holds
from bookings.operations.proven_customer import link_proven_customer
from core import tasks
from tests.factories import NOW, studio
from tests.journeys import JANA, LINK, booked, confirm, hold

pytestmark = pytest.mark.django_db
TRACES = {"visitor_hash": "v", "address_hash": "a"}


def traces(booking: Booking) -> tuple[str, str, bool]:
    booking.refresh_from_db()
    return booking.visitor_hash, booking.address_hash, booking.hold_token_hash is not None


def test_browser_and_address_are_forgotten_a_day_after_the_end_or_a_month_after_booking() -> None:
    place = studio(staff=3)
    stands = booked(place, 10, **TRACES)
    far = booked(place, start_minute=place.minute(10, days=50), **TRACES)
    off = booked(place, 11, **TRACES)
    cancel_booking(booking_id=off.pk, expected_sequence=off.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW)
    abandoned = hold(place, 12, **TRACES).booking
    expire_holds(now=NOW + timedelta(minutes=11))

    retention.forget_visitors(now=NOW + timedelta(hours=23))
    assert {traces(each) for each in (stands, far, off, abandoned)} == {("v", "a", True)}
    assert retention.forget_visitors(now=NOW + timedelta(hours=25)) == 2
    assert (traces(stands)[0], traces(off)[0], traces(abandoned)) == ("v", "", ("", "", False))
    retention.forget_visitors(now=NOW + timedelta(days=31))
    assert traces(far) == ("", "", False)
    assert abandoned.events.count() == 2


def test_what_was_typed_for_a_time_that_was_never_booked_is_forgotten(settings: pytest.FixtureRequest) -> None:
    settings.UNPROVEN_BOOKINGS_PER_EMAIL = 1  # type: ignore[attr-defined]
    place = studio()
    kept = booked(place, 9)
    never = confirm(hold(place, 10).booking)
    expire_holds(now=NOW + timedelta(minutes=31))

    assert retention.forget_abandoned_contacts(now=NOW + timedelta(hours=23)) == 0
    assert retention.forget_abandoned_contacts(now=NOW + timedelta(hours=25)) == 1

    never.refresh_from_db()
    kept.refresh_from_db()
    typed = (never.contact_name, never.contact_email, never.contact_phone, never.customer_note, never.visit_address)
    assert typed == ("", "", "", "", "")
    assert (never.phone_hash, never.phone_end_hash) == ("", "")
    assert kept.contact_email == "jana@example.com"


def test_what_counts_no_more_is_deleted() -> None:
    place = studio()
    stands, off = booked(place, 9), booked(place, 11)
    other = booked(place, 10, contact=replace(JANA, name="Robin Weber"))
    UnprovenBooking.objects.exclude(booking=stands).update(created_at=NOW - timedelta(days=2))
    stands_elsewhere = Booking.objects.get(pk=stands.pk)
    cancel_booking(booking_id=off.pk, expected_sequence=off.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW)

    retention.delete_unproven(now=NOW)
    left = set(UnprovenBooking.objects.values_list("booking", flat=True))
    assert left == {stands_elsewhere.pk, other.pk}

    link_proven_customer(booking_id=stands.pk, now=NOW)
    assert set(UnprovenBooking.objects.values_list("booking", flat=True)) == {other.pk}
    retention.delete_unproven(now=NOW + timedelta(days=31))
    assert not UnprovenBooking.objects.exists()


def test_sessions_that_ended_are_deleted_every_night() -> None:
    store = import_module(site.SESSION_ENGINE).SessionStore
    ended, runs = store(), store()
    ended["who"] = runs["who"] = "sam"
    ended.set_expiry(-60)
    ended.save()
    runs.save()

    tasks.clear_sessions()

    assert list(Session.objects.values_list("pk", flat=True)) == [runs.session_key]
    assert "core.tasks.clear_sessions" in {each["task"] for each in site.CELERY_BEAT_SCHEDULE.values()}
