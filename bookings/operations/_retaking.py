"""Taking time for a service that was promised before.

Used by a booking that moves, and by a hold that had expired when its payment arrived. Price, length and extras stay as
they were copied.
"""

from datetime import datetime

from bookings.availability.engine import Candidate
from bookings.bill_lines import kept_person
from bookings.booked import spec_of_line
from bookings.errors import SlotNotOffered
from bookings.models import Booking, BookingLine
from bookings.operations._lock import lock_limits
from bookings.operations._time import Wish, pick
from bookings.queries.offers import offer_for
from core.minutes import instant


def wish_for(booking: Booking, line: BookingLine, start_minute: int, staff_member_id: int | None) -> Wish:
    """Lock the owners of daily limits and return the wish for the promised line at this start (epoch minutes).

    With ``staff_member_id`` None the staff member stays. If the booking was made with anyone, or its staff member has
    left, any staff member may be chosen.

    :raises SlotNotOffered: when the service is no longer sold at this location.
    """
    if staff_member_id is None:
        staff_member_id = kept_person(booking, line)
    offer = offer_for(
        variant_id=line.variant_id, location_id=booking.location_id, add_on_ids=(), language=booking.language
    )
    if offer is None:
        raise SlotNotOffered(rule="offered_here")
    lock_limits(
        service_id=offer.service_id if offer.has_service_limit else None, has_business_limit=offer.has_business_limit
    )
    return Wish(
        variant_id=line.variant_id,
        location_id=booking.location_id,
        zone=offer.zone,
        start_minute=start_minute,
        staff_member_id=staff_member_id,
        resource_type_ids=tuple(each["resource_type_id"] for each in line.requirements),
        qualified_count=offer.qualified_count,
        preferred_staff_id=line.staff_member_id,
        ignore_booking_id=booking.pk,
        held_resource_ids=tuple(booking.allocations.values_list("resource_id", flat=True)),
        promised=spec_of_line(line),
    )


def pick_promised(wish: Wish, *, now: datetime, promised_at: datetime) -> Candidate:
    """Choose as ``pick`` does. If only the notice has run out since ``promised_at``, the notice at that moment counts.

    :raises SlotTaken, SlotNotOffered: as ``pick`` does.
    """
    try:
        return pick(wish, now=now)
    except SlotNotOffered as refusal:
        if refusal.data.get("rule") != "notice" or wish.start_minute * 60 <= now.timestamp():
            raise
        return pick(wish, now=now, facts_at=promised_at)


def place(booking: Booking, line: BookingLine, start_minute: int, staff_member_id: int | None) -> None:
    """Write the new time and staff member to the booking and its line. The caller writes the allocations."""
    length = booking.ends_at - booking.starts_at
    booking.starts_at = line.starts_at = instant(start_minute)
    booking.ends_at = line.ends_at = booking.starts_at + length
    booking.ical_sequence += 1
    if line.staff_member_id != staff_member_id:
        # The link in the mails of the previous staff member must no longer open this booking.
        booking.staff_link_version += 1
        line.staff_member_id = staff_member_id
    line.save(update_fields=["starts_at", "ends_at", "staff_member"])
    booking.save(
        update_fields=[
            "starts_at",
            "ends_at",
            "ical_sequence",
            "staff_link_version",
            "customer_move_count",
            "fee_anchor_minor",
            "updated_at",
        ]
    )
