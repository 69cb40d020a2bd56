"""The benchmark writes its rows by statements of its own; a new column must not break them unseen."""

from datetime import timedelta

import pytest

from benchmarks import data, messages
from bookings.models import Booking
from core import clock
from notifications.models import Notification


@pytest.mark.django_db(transaction=True)
def test_benchmark_fills_a_database_of_today() -> None:
    data.fill(staff_count=2, past_bookings=30, today=clock.now().date())
    messages.fill(3)

    ahead = Booking.objects.filter(status="confirmed", starts_at__gt=clock.now() + timedelta(days=1))
    assert ahead.count() > 100
    assert Booking.objects.filter(status="completed").count() == 30
    assert Notification.objects.filter(status="queued", kind="reminder").count() == 3
