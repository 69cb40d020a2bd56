"""What is free for the move of a booking: for this very visit, its own time not counted as taken."""

from datetime import date, datetime, timedelta

from bookings.availability import free_starts
from bookings.facts import availability_facts
from bookings.facts_types import Facts
from bookings.models import Booking, BookingLine
from bookings.presenters import move as move_presenter
from bookings.records import spec_of_line


def line_of(booking: Booking) -> BookingLine:
    return booking.lines.all()[0]


def wanted_staff(booking: Booking) -> int | None:
    """The person whom the customer chose; None when anyone will do, or nobody is needed."""
    return None if booking.is_any_staff else line_of(booking).staff_member_id


def move_facts(booking: Booking, now: datetime, first: date, end: date) -> Facts:
    """What is free for this very visit: its promised length and needs, its own time not counted as taken."""
    line = line_of(booking)
    return availability_facts(
        variant_ids=[line.variant_id],
        from_on=first,
        until_on=end,
        now=now,
        location_ids=[booking.location_id],
        staff_member_id=wanted_staff(booking),
        ignore_booking_id=booking.pk,
        promised=spec_of_line(line),
    )


def move_starts(booking: Booking, now: datetime, first: date, end: date) -> list[int]:
    """Free starts of some days, without the time the booking has."""
    facts = move_facts(booking, now, first, end)
    starts = free_starts(facts, line_of(booking).variant_id, staff_member_id=wanted_staff(booking))
    taken = int(booking.starts_at.timestamp()) // 60
    return [start for start in starts.get(booking.location_id, []) if start != taken]


def leaves_person(booking: Booking, minute: int, now: datetime) -> bool:
    """Whether a booking made with anyone would go to another person at this time."""
    line = line_of(booking)
    if not booking.is_any_staff or line.staff_member_id is None:
        return False
    day = move_presenter.day_at(minute, booking)
    facts = move_facts(booking, now, day, day + timedelta(days=1))
    starts = free_starts(facts, line.variant_id, staff_member_id=line.staff_member_id)
    return minute not in starts.get(booking.location_id, [])


def is_free(booking: Booking, minute: int, now: datetime) -> bool:
    day = move_presenter.day_at(minute, booking)
    return minute in move_starts(booking, now, day, day + timedelta(days=1))
