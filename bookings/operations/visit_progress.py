"""How a visit goes on, as staff mark it: the customer has arrived, the visit has begun, it is done; and corrections.

Nothing here is automatic and nothing moves money: what is open of a visit that is done stays open, and is shown so.
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
    """Whether the day of a visit has begun, by the clock of its place: from then on it can be marked."""
    return local(now, booking).date() >= local(booking.starts_at, booking).date()


@booking_transaction
def mark_arrived(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Note that the customer is there; asked twice, the first moment stays. Locks the booking.

    :raises CannotMarkVisit: before the day of the visit, or when it is not expected.
    :raises StalePage: when the booking has moved since the page was opened.
    """
    booking = _opened(booking_id, _CONFIRMED, expected_sequence, now)
    if booking.arrived_at is None:
        _set_arrival(booking, now)
        record(booking, EventKind.ARRIVED, actor=actor, now=now)
    return booking


@booking_transaction
def undo_arrived(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Take it back that the customer is there. Locks the booking. Raises as ``mark_arrived`` does."""
    booking = _opened(booking_id, _CONFIRMED, expected_sequence, now)
    if booking.arrived_at is not None:
        _set_arrival(booking, None)
        record(booking, EventKind.ARRIVED, actor=actor, now=now, details={"is_undone": True})
    return booking


def start_visit(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Mark a visit as begun. Asked twice, the second call returns the same booking. Locks the booking.

    :raises CannotMarkVisit: before its day, or when it is not a confirmed one.
    :raises StalePage: when the booking has moved since the page was opened.
    """
    return _step(booking_id, _CONFIRMED, BookingStatus.STARTED, actor, now, expected_sequence)


def complete_visit(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Mark a visit as done, whether or not its beginning was marked. Moves no money. Raises as ``start_visit`` does."""
    return _step(booking_id, EXPECTED, BookingStatus.COMPLETED, actor, now, expected_sequence)


def undo_start(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Correct a visit that has not begun after all. Raises as ``start_visit`` does."""
    return _step(booking_id, frozenset({BookingStatus.STARTED}), BookingStatus.CONFIRMED, actor, now, expected_sequence)


def undo_complete(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Correct a visit that is not done after all: it is going on. Raises as ``start_visit`` does."""
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
