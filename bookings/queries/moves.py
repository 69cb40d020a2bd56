"""Free times for moving a booking. The booking's own time counts as free."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from bookings import booked
from bookings.availability.claims import LineSpec
from bookings.availability.engine import BUFFERS, candidates, free_starts
from bookings.availability.facts import Facts
from bookings.availability.loading import availability_facts
from bookings.bill_lines import kept_person
from bookings.booked import only_line, spec_of_line
from bookings.models import Booking, BookingLine
from core.minutes import minute_of


def wanted_staff(booking: Booking) -> int | None:
    """Return the staff member whom the customer chose.

    None when any staff member will do, none is needed, or the chosen one has left.
    """
    return kept_person(booking, only_line(booking))


def spec_for_move(booking: Booking, line: BookingLine) -> LineSpec:
    """Return the promised spec for another time: with the buffers of the service if staff set them aside for this one.

    One query at most, two where they were set aside.
    """
    spec = spec_of_line(line)
    if spec.buffer_before or spec.buffer_after:
        return spec
    if not booking.events.filter(details__overrides__contains=[BUFFERS]).exists():
        return spec
    service = line.variant.service
    return replace(spec, buffer_before=service.buffer_before_minutes, buffer_after=service.buffer_after_minutes)


def move_facts(booking: Booking, now: datetime, first: date, end: date) -> Facts:
    """Return the facts for moving this visit: its promised length and needs, its own time not claimed."""
    line = only_line(booking)
    return availability_facts(
        variant_ids=[line.variant_id],
        from_on=first,
        until_on=end,
        now=now,
        location_ids=[booking.location_id],
        staff_member_id=wanted_staff(booking),
        ignore_booking_id=booking.pk,
        promised=spec_for_move(booking, line),
    )


def move_starts(booking: Booking, now: datetime, first: date, end: date) -> list[int]:
    """Return the free starts of some days, without the time that the booking has."""
    facts = move_facts(booking, now, first, end)
    starts = free_starts(facts, only_line(booking).variant_id, staff_member_id=wanted_staff(booking))
    taken = minute_of(booking.starts_at)
    return [start for start in starts.get(booking.location_id, []) if start != taken]


def performers(booking: Booking, minute: int, now: datetime) -> list[int | None]:
    """Return the staff members who could perform the visit at this time.

    The current one comes first, if free, then the fairest. Empty when the time is not free; [None] for a visit that
    needs no staff member.
    """
    line = only_line(booking)
    day = booked.day_at(minute, booking)
    facts = move_facts(booking, now, day, day + timedelta(days=1))
    wanted = wanted_staff(booking)
    found = candidates(facts, line.variant_id, booking.location_id, minute, staff_member_id=wanted)
    ids = [candidate.staff_member_id for candidate in found]
    return sorted(ids, key=lambda each: each != line.staff_member_id)
