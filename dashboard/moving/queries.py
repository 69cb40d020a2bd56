"""The times a booking can move to: free starts of every qualified staff member, and the rules that a start breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from bookings.availability.engine import free_starts
from bookings.availability.facts import Facts
from bookings.availability.loading import availability_facts
from bookings.availability.overrides import Overrides, overrides_needed
from bookings.booked import day_at, only_line
from bookings.models import Booking
from bookings.queries.moves import spec_for_move
from staff.models import StaffMember
from staff.queries import people_at


@dataclass(frozen=True, slots=True)
class Openings:
    """Free starts of one local day (epoch minutes, ascending) by staff member id; None for a booking without staff."""

    by_person: dict[int | None, list[int]]

    def of(self, staff_member_id: int | None) -> list[int]:
        """Return the starts of one staff member, or with None those of all, without repeats."""
        if staff_member_id is not None:
            return self.by_person.get(staff_member_id, [])
        return sorted({start for starts in self.by_person.values() for start in starts})


def performers_of(booking: Booking) -> list[StaffMember]:
    """Return the active staff members who may perform the visit, in the order of the team. One query.

    They work at its location, or perform it already.
    """
    line = only_line(booking)
    is_here = Q(pk__in=people_at(booking.location_id).values("pk")) | Q(pk=line.staff_member_id)
    qualified = StaffMember.objects.filter(is_here, is_active=True, qualifications__variant_id=line.variant_id)
    return list(qualified.distinct())


def openings_on(booking: Booking, people: Sequence[StaffMember], on: date, *, now: datetime) -> Openings:
    """Return the free starts of a day; the booking's own time counts as free. A fixed number of queries."""
    facts = _facts(booking, on, now)
    line = only_line(booking)
    wished: list[int | None] = [person.pk for person in people] if line.staff_member_id else [None]
    return Openings(
        {
            wish: free_starts(facts, line.variant_id, staff_member_id=wish).get(booking.location_id, [])
            for wish in wished
        }
    )


def overrides_for(booking: Booking, minute: int, staff_member_id: int | None, *, now: datetime) -> Overrides | None:
    """Return the rules to override for this start: none for a free time, None where no override helps."""
    line = only_line(booking)
    return overrides_needed(
        _facts(booking, day_at(minute, booking), now),
        line.variant_id,
        booking.location_id,
        minute,
        staff_member_id=staff_member_id or line.staff_member_id,
    )


def _facts(booking: Booking, on: date, now: datetime) -> Facts:
    line = only_line(booking)
    return availability_facts(
        variant_ids=[line.variant_id],
        from_on=on,
        until_on=on + timedelta(days=1),
        now=now,
        location_ids=[booking.location_id],
        ignore_booking_id=booking.pk,
        promised=spec_for_move(booking, line),
    )
