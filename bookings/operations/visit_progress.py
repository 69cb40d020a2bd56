"""Staff mark how a visit goes on: arrived, begun, completed, and corrections.

Nothing here is automatic and nothing moves money: the balance due of a completed visit stays open and is shown.
"""

from collections.abc import Collection
from datetime import datetime

from bookings.booked import local
from bookings.enums import EXPECTED, BookingStatus, EventKind
from bookings.errors import CannotMarkVisit
from bookings.lifecycle import Actor, record, transition
from bookings.models import Booking
from bookings.operations._lock import locked_booking, require_sequence
from bookings.operations._transaction import booking_transaction

_CONFIRMED = frozenset({BookingStatus.CONFIRMED})


def is_its_day(booking: Booking, now: datetime) -> bool:
    """Return whether the day of a visit has begun at its location: from then on staff can mark it."""
    return local(now, booking).date() >= local(booking.starts_at, booking).date()


@booking_transaction
def mark_arrived(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Mark that the customer has arrived. A repeated call keeps the first moment. Locks: the booking.

    :raises CannotMarkVisit: before the day of the visit, or when the customer is not expected.
    :raises StalePage: when the booking has moved since the page was opened.
    """
    booking = _opened(booking_id, _CONFIRMED, expected_sequence, now)
    if booking.arrived_at is None:
        _set_arrival(booking, now)
        record(booking, EventKind.ARRIVED, actor=actor, now=now)
    return booking


@booking_transaction
def undo_arrived(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Undo that the customer has arrived. Locks: the booking. Raises as ``mark_arrived`` does."""
    booking = _opened(booking_id, _CONFIRMED, expected_sequence, now)
    if booking.arrived_at is not None:
        _set_arrival(booking, None)
        record(booking, EventKind.ARRIVED, actor=actor, now=now, details={"is_undone": True})
    return booking


def start_visit(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Mark a visit as begun. A repeated call returns the same booking. Locks: the booking.

    :raises CannotMarkVisit: before the day of the visit, or when the booking is not confirmed.
    :raises StalePage: when the booking has moved since the page was opened.
    """
    return _step(booking_id, _CONFIRMED, BookingStatus.STARTED, actor, now, expected_sequence)


def complete_visit(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Mark a visit as completed, whether or not it was marked as begun.

    Moves no money. Raises as ``start_visit`` does.
    """
    return _step(booking_id, EXPECTED, BookingStatus.COMPLETED, actor, now, expected_sequence)


def undo_start(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Undo that a visit has begun. Raises as ``start_visit`` does."""
    return _step(booking_id, frozenset({BookingStatus.STARTED}), BookingStatus.CONFIRMED, actor, now, expected_sequence)


def undo_complete(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Undo that a visit is completed: it counts as begun again. Raises as ``start_visit`` does."""
    return _step(booking_id, frozenset({BookingStatus.COMPLETED}), BookingStatus.STARTED, actor, now, expected_sequence)


@booking_transaction
def _step(
    booking_id: int,
    before: Collection[BookingStatus],
    to: BookingStatus,
    actor: Actor,
    now: datetime,
    expected_sequence: int,
) -> Booking:
    booking = _opened(booking_id, {*before, to}, expected_sequence, now)
    if booking.status != to:
        transition(booking, to, actor=actor, now=now)
    return booking


def _opened(booking_id: int, allowed: Collection[BookingStatus], expected_sequence: int, now: datetime) -> Booking:
    booking = locked_booking(booking_id)
    if booking.status not in allowed or not is_its_day(booking, now):
        raise CannotMarkVisit
    require_sequence(booking, expected_sequence)
    return booking


def _set_arrival(booking: Booking, at: datetime | None) -> None:
    booking.arrived_at = at
    booking.save(update_fields=["arrived_at", "updated_at"])
