"""The benchmark writes its rows by statements of its own; a new column must not break them unseen."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Consent, Customer
from benchmarks import data, messages, rows
from bookings.models import Allocation, Booking, BookingEvent, BookingLine
from core import clock
from notifications.models import Notification
from payments.models import Bill, BillLine
from tests.factories import studio
from tests.journeys import confirm, hold


@pytest.mark.django_db(transaction=True)
def test_benchmark_fills_a_database_of_today() -> None:
    data.fill(staff_count=2, past_bookings=30, today=clock.now().date())
    messages.fill(3)

    ahead = Booking.objects.filter(status="confirmed", starts_at__gt=clock.now() + timedelta(days=1))
    assert ahead.count() > 100
    assert Booking.objects.filter(status="completed").count() == 30
    assert Notification.objects.filter(status="queued", kind="reminder").count() == 3


@pytest.mark.django_db(transaction=True)
def test_floor_of_a_booking_writes_the_rows_that_a_booking_wrote(request: pytest.FixtureRequest) -> None:
    request.addfinalizer(drop_sequence)
    place = studio(staff=2)
    models = (Booking, BookingLine, BookingEvent, Allocation, Customer, Consent, Bill, BillLine, Notification)

    def counts() -> list[int]:
        return [model.objects.count() for model in models]

    found = rows.floor_of(lambda: hold(place), lambda held: confirm(held.booking))
    by_booking = counts()
    for times in (2, 3):
        rows.run(rows.prepared(found))
        assert counts() == [times * each for each in by_booking]

    *_, last = Booking.objects.order_by("pk")
    assert (last.status, last.lines.count(), last.events.count(), last.allocations.count()) == ("confirmed", 1, 2, 1)
    assert last.bill is not None
    assert last.bill.lines.count() == 1
    assert [each.is_update for each in found[1]] == [False] * (len(found[1]) - 1) + [True]


def drop_sequence() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SEQUENCE IF EXISTS bench_floor")
