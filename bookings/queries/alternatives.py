"""Free times near a time that was taken, and whether a time is free again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bookings.availability.claims import LineSpec
from bookings.availability.engine import free_starts
from bookings.availability.loading import availability_facts
from bookings.bill_lines import kept_person
from bookings.booked import has_several_services, local, only_line
from bookings.models import Booking
from bookings.queries.bookings import booking_page
from bookings.queries.moves import spec_for_move
from core.minutes import minute_of

# Days before and after the wish that are searched first, then days after it that are searched if these were not enough.
_NEAR_DAYS = 3
_FAR_DAYS = 30


def nearest_alternatives(
    *,
    variant_id: int,
    location_id: int,
    start_minute: int,
    staff_member_id: int | None,
    now: datetime,
    count: int = 3,
    ignore_booking_id: int | None = None,
    promised: LineSpec | None = None,
) -> list[tuple[int, int]]:
    """Return up to ``count`` free starts (location id, epoch minute) nearest to a wish, earliest first.

    Starts with the same staff member come first; if there are too few, starts with others fill up.
    """
    on = datetime.fromtimestamp(start_minute * 60, UTC).date()
    found: list[int] = []
    for first, last in (
        (on - timedelta(days=_NEAR_DAYS), on + timedelta(days=_NEAR_DAYS)),
        (on, on + timedelta(days=_FAR_DAYS)),
    ):
        facts = availability_facts(
            variant_ids=[variant_id],
            from_on=first,
            until_on=last + timedelta(days=1),
            now=now,
            location_ids=[location_id],
            ignore_booking_id=ignore_booking_id,
            promised=promised,
        )
        if variant_id not in facts.variants:
            return []
        wishes: list[int | None] = [None] if staff_member_id is None else [staff_member_id, None]
        found = []
        for wish in wishes:
            starts = free_starts(facts, variant_id, staff_member_id=wish).get(location_id, [])
            others = [start for start in starts if start != start_minute and start not in found]
            found += sorted(others, key=lambda start: abs(start - start_minute))[: count - len(found)]
        if len(found) >= count:
            break
    return [(location_id, start) for start in sorted(found)]


def nearest_moves(
    *, booking_id: int, start_minute: int, staff_member_id: int | None, now: datetime, count: int = 3
) -> list[tuple[int, int]]:
    """Return free starts near a wish for moving a booking, as ``nearest_alternatives`` does.

    Returns none for a visit of several services.
    """
    booking = booking_page(booking_id)
    if has_several_services(booking):
        return []
    line = only_line(booking)
    if staff_member_id is None:
        staff_member_id = kept_person(booking, line)
    return nearest_alternatives(
        variant_id=line.variant_id,
        location_id=booking.location_id,
        start_minute=start_minute,
        staff_member_id=staff_member_id,
        now=now,
        count=count,
        ignore_booking_id=booking.pk,
        promised=spec_for_move(booking, line),
    )


def is_free_again(booking: Booking, now: datetime) -> bool:
    """Return whether the time of an ended hold could be taken again now; always False for several services."""
    if has_several_services(booking):
        return False
    wish = wish_of(booking)
    on = local(booking.starts_at, booking).date()
    facts = availability_facts(
        variant_ids=[wish["variant_id"]],
        from_on=on,
        until_on=on + timedelta(days=1),
        now=now,
        location_ids=[booking.location_id],
        staff_member_id=wish["staff_member_id"],
        add_on_ids=chosen_add_ons(booking),
        ignore_booking_id=booking.pk,
    )
    starts = free_starts(facts, wish["variant_id"], staff_member_id=wish["staff_member_id"])
    return wish["start_minute"] in starts.get(booking.location_id, [])


def nearest_again(booking: Booking, *, now: datetime, count: int = 3) -> list[tuple[int, int]]:
    """Return free starts near the time of an ended hold, as ``nearest_alternatives`` does.

    Returns none for a visit of several services.
    """
    return [] if has_several_services(booking) else nearest_alternatives(**wish_of(booking), now=now, count=count)


def wish_of(booking: Booking) -> dict[str, Any]:
    """Return what was picked, as the keyword arguments with which operations and queries ask for a time.

    :raises SeveralServices: when the visit has more than one.
    """
    line = only_line(booking)
    return {
        "variant_id": line.variant_id,
        "location_id": booking.location_id,
        "start_minute": minute_of(booking.starts_at),
        "staff_member_id": None if booking.is_any_staff else line.staff_member_id,
    }


def chosen_add_ons(booking: Booking) -> list[int]:
    """Return the ids of the extras on a held visit."""
    return [add_on["id"] for line in booking.lines.all() for add_on in line.add_ons]
