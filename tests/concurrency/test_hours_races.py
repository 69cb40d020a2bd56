"""A day is closed at the moment at which somebody takes a time on it."""

from functools import partial

import pytest

from bookings.models import Allocation, OutsideHours
from bookings.operations.hours_change import SpecialDays, change_special_days
from services.models import Closure
from staff.enums import Role
from tests import factories, journeys
from tests.concurrency.racing import race, rounds
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@rounds(short=5, full=50)
def test_a_time_on_a_day_that_closes_is_refused_or_listed(rounds: int) -> None:
    place = factories.studio()
    user = factories.desk_user(Role.OWNER)
    for number in range(1, rounds + 1):
        days = number % 50 + 1
        on = place.at(10, days=days)
        change = SpecialDays({(place.location.pk, on.date().toordinal()): ()})
        close = partial(change_special_days, change, may_hit=(), claim=lambda: True, user=user, now=NOW)
        hold = partial(journeys.hold, place, start_minute=place.minute(10, days=days))

        closed, held = race([close, hold])

        is_held = not isinstance(held, Exception)
        assert Closure.objects.filter(on=on.date()).exists()
        assert closed.hit == ({held.booking.pk} if is_held else set())
        assert OutsideHours.objects.exists() == is_held
        Allocation.objects.all().delete()
        OutsideHours.objects.all().delete()
        Closure.objects.all().delete()
