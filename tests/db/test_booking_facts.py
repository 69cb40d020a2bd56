"""What is read of a booking where several rows could answer."""

from datetime import UTC

import pytest
from django.db.models import QuerySet

from bookings.enums import EventKind
from bookings.lifecycle import record
from bookings.models import BookingLine
from bookings.queries import dependents
from bookings.queries.bookings import has_said_coming, lead_minutes_of
from bookings.queries.dependents import bookings_ahead
from services.models import Business
from tests import factories
from tests.factories import NOW, studio
from tests.journeys import LINK, booked

pytestmark = pytest.mark.django_db


def test_an_error_while_bookings_are_looked_for_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    place = studio()
    booked(place, 10)

    def broken(*_args: object, **_values: object) -> QuerySet:  # type: ignore[type-arg]
        raise TypeError("a real mistake")

    monkeypatch.setattr(dependents, "future_bookings_of", broken)

    with pytest.raises(TypeError, match="a real mistake"):
        bookings_ahead([place.variant.service], now=NOW)


def test_what_no_booking_can_need_is_needed_by_none() -> None:
    place = studio()
    booking = booked(place, 10)

    assert bookings_ahead([place.business], now=NOW) == []
    assert [each.booking_id for each in bookings_ahead([place.variant.service, place.business], now=NOW)] == [
        booking.pk
    ]


def test_who_said_that_they_come_has_said_so_whatever_else_the_row_tells() -> None:
    booking = booked(studio(), 10)
    assert not has_said_coming(booking)

    said = booking.starts_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    record(booking, EventKind.COMING, actor=LINK, now=NOW, details={"starts_at": said, "by": "text"})

    assert has_said_coming(booking)
    booking.starts_at = booking.ends_at
    assert not has_said_coming(booking)


@pytest.mark.parametrize(("first", "second", "notice"), [(30, 90, 90), (90, 30, 90), (30, None, 60), (None, 90, 90)])
def test_of_several_services_the_longest_notice_counts(first: int | None, second: int | None, notice: int) -> None:
    def rules(minutes: int | None) -> object:
        return None if minutes is None else factories.booking_policy(name=f"{minutes}", lead_minutes=minutes)

    place = studio()
    policy = Business.objects.get().booking_policy
    policy.lead_minutes = 60
    policy.save()
    booking = booked(place, 10)
    line = booking.lines.get()
    other = factories.service(place.location)
    for service, minutes in ((place.variant.service, first), (other.service, second)):
        service.booking_policy = rules(minutes)
        service.save()
    BookingLine.objects.create(
        booking=booking,
        variant=other,
        service_name="Facial",
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        phases=[["work", 60]],
        price_minor=0,
        position=1,
    )

    assert lead_minutes_of(booking) == notice
