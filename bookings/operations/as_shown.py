"""Changing a booking only if it is still as the page showed it."""

from collections.abc import Callable

from bookings.errors import StalePage
from bookings.models import Booking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import Overtaken, booking_transaction
from core.errors import DomainError, Locked


@booking_transaction
def change_as_shown(
    *, booking_id: int, claim: Callable[[], bool], is_as_shown: Callable[[Booking], bool], change: Callable[[], str]
) -> str | DomainError | None:
    """Run ``change`` once, unless the booking has changed since the page was shown. Return what ``change`` returns.

    ``claim`` spends the key of the form in the same transaction, so that the key stays valid if nothing was done.
    Returns None when the key was spent before. A refusal is returned and not raised, so that what ``change`` wrote is
    committed.

    Locks: what ``claim`` locks, then the booking.

    :raises Locked: when another request has locked the booking.
    """
    if not claim():
        return None
    if not is_as_shown(locked_booking(booking_id)):
        return StalePage()
    try:
        return change()
    except (Locked, Overtaken):
        raise
    except DomainError as error:
        return error
