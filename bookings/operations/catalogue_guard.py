"""Guards for changes to schedules, catalogue and staff that affect existing bookings."""

from datetime import datetime

from django.db.models import Model

from bookings.enums import EXPECTED
from bookings.errors import InUse
from bookings.messages import visits
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.queries import dependents
from bookings.queries.dependents import bookings_ahead
from services.models import Location, Resource
from services.operations import lock_location_time, lock_resource_time
from staff.models import StaffMember

# At most this many bookings are listed in a refusal.
_LISTED = 50


def lock_unless_needed(thing: Model, *, now: datetime) -> None:
    """Lock what a booking of ``thing`` would lock, then refuse if any booking ahead needs it. Runs in a transaction.

    No booking of ``thing`` is possible until the transaction ends, so deleting or archiving it strands no booking.

    :raises InUse: with ``data["references"]`` and ``data["bookings"]`` (texts with addresses for the desk).
    """
    _lock(thing)
    references = list(dependents.future_bookings_of(thing, now=now).values_list("reference", flat=True)[:_LISTED])
    if references:
        raise InUse(references=references, bookings=bookings_ahead([thing], now=now)[:_LISTED])


def part_from(staff_member: StaffMember, *, now: datetime) -> None:
    """Revoke a departed staff member's links to the bookings ahead, and take these out of their calendar.

    Does nothing if they work here (again). Safe to repeat. Locks one booking after the other.
    """
    if staff_member.works_here:
        return
    for booking_id in dependents.future_bookings_of(staff_member, now=now).values_list("pk", flat=True):
        _part_from_booking(booking_id, staff_member, now=now)


@booking_transaction
def _part_from_booking(booking_id: int, staff_member: StaffMember, *, now: datetime) -> None:
    booking = locked_booking(booking_id)
    if not booking.lines.filter(staff_member=staff_member).exists():
        return
    booking.staff_link_version += 1
    booking.save(update_fields=["staff_link_version", "updated_at"])
    if booking.status in EXPECTED:
        visits.announce_left(booking, staff_member, now=now)


def _lock(thing: Model) -> None:
    match thing:
        case StaffMember():
            lock_resource_time([thing.resource_id])
        case Resource():
            lock_resource_time([thing.pk])
        case Location():
            lock_location_time(thing.pk)
        case _:
            # Everything else is sold through staff members, rooms and devices.
            lock_resource_time(list(Resource.objects.values_list("pk", flat=True)))
