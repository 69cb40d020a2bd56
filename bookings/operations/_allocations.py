"""Writing and deleting the allocations of a booking."""

from collections.abc import Iterable

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bookings.availability.claims import Claim
from bookings.models import Allocation, Booking
from core.inserts import insert_rows
from core.minutes import instant


def claim(booking: Booking, claims: Iterable[Claim]) -> None:
    """Write the claims of ``booking``."""
    insert_rows(*allocations_of(booking, claims))


def allocations_of(booking: Booking, claims: Iterable[Claim]) -> list[Allocation]:
    """Return the rows that ``claim`` writes, unsaved."""
    return [
        Allocation(
            resource_id=each.resource_id,
            busy=DateTimeTZRange(instant(each.low_minute), instant(each.high_minute)),
            booking=booking,
        )
        for each in claims
    ]


def release(booking: Booking) -> None:
    """Delete the allocations of ``booking``, which frees its time."""
    Allocation.objects.filter(booking=booking).delete()
