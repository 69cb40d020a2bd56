"""Operations when PostgreSQL refuses: a lock time-out, a deadlock, a duplicate booking reference."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from bookings.errors import Busy
from bookings.models import Booking
from bookings.operations import hold as hold_module
from bookings.operations._transaction import TRIES, booking_transaction
from bookings.operations.hold import HeldSlot
from services.models import Resource
from services.operations import lock_resource_time
from tests.concurrency.racing import deadlock_count, race, tally, violations
from tests.factories import location, resource_type, room, studio
from tests.journeys import hold

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_that_does_not_come_in_time_is_told_as_busy() -> None:
    place = studio()
    is_locked, is_over = threading.Event(), threading.Event()

    def occupy() -> str:
        with transaction.atomic():
            lock_resource_time([place.staff[0].resource_id])
            is_locked.set()
            is_over.wait(10)
        return "done"

    def book() -> HeldSlot:
        is_locked.wait(10)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            return hold(place)
        finally:
            is_over.set()

    outcomes = race([occupy, book])

    assert tally(outcomes) == {"str": 1, "Busy": 1}
    assert not Booking.objects.exists()


def test_a_deadlock_is_tried_again() -> None:
    kind = resource_type()
    first, second = (room(location(), kind) for _ in range(2))
    meeting = threading.Barrier(2)
    attempts: list[int] = []
    before = deadlock_count()

    @booking_transaction
    def lock_in_order(*ids: int) -> str:
        attempts.append(1)
        for index, resource_id in enumerate(ids):
            Resource.objects.select_for_update().get(pk=resource_id)
            if not index and len(attempts) <= 2:
                meeting.wait(10)
        return "both"

    outcomes = race([partial(lock_in_order, first.pk, second.pk), partial(lock_in_order, second.pk, first.pk)])

    assert outcomes == ["both", "both"]
    assert len(attempts) == 3
    assert deadlock_count() == before + 1


def test_a_reference_that_exists_already_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    place = studio(staff=2)
    taken = hold(place).booking.reference
    drawn: Iterator[str] = iter([taken, taken, "K7M4PX"])
    monkeypatch.setattr(hold_module, "new_reference", lambda: next(drawn))

    assert hold(place).booking.reference == "K7M4PX"
    assert violations() == {}


def test_what_never_succeeds_is_told_as_busy_and_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    place = studio(staff=2)
    taken = hold(place).booking.reference
    drawn = [taken] * TRIES
    monkeypatch.setattr(hold_module, "new_reference", drawn.pop)

    with pytest.raises(Busy):
        hold(place)
    assert drawn == []

    monkeypatch.setattr(hold_module, "token_hash", lambda token: Booking.objects.values_list("hold_token_hash")[0][0])
    monkeypatch.setattr(hold_module, "new_reference", lambda: "K7M4PX")
    with pytest.raises(IntegrityError):
        hold(place)
    assert Booking.objects.count() == 1
