"""Changes of schedules and of the catalogue that have to look at bookings first."""

from datetime import datetime

from django.db.models import Model

from bookings import queries
from bookings.commitments import bookings_ahead
from bookings.errors import InUse
from services.models import Location, Resource
from services.operations import lock_location_time, lock_resource_time
from staff.models import StaffMember

# Listed in a refusal; more would not be read.
_LISTED = 50


def lock_unless_needed(thing: Model, *, now: datetime) -> None:
    """Lock what bookings of ``thing`` would lock, then refuse if any booking ahead needs it. Belongs in a transaction.

    Until the transaction ends nobody can book it, so deleting or archiving it strands nobody.

    :raises InUse: with ``data["references"]`` and ``data["bookings"]`` (texts with addresses for the desk).
    """
    _lock(thing)
    references = list(queries.future_bookings_of(thing, now=now).values_list("reference", flat=True)[:_LISTED])
    if references:
        raise InUse(references=references, bookings=bookings_ahead([thing], now=now)[:_LISTED])


def _lock(thing: Model) -> None:
    match thing:
        case StaffMember():
            lock_resource_time([thing.resource_id])
        case Resource():
            lock_resource_time([thing.pk])
        case Location():
            lock_location_time(thing.pk)
        case _:
            # Everything else is sold through people, rooms and devices.
            lock_resource_time(list(Resource.objects.values_list("pk", flat=True)))
