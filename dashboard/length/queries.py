"""What stands in the way of a longer visit."""

from dataclasses import dataclass
from datetime import datetime

from bookings.availability.claims import PlacedLine, claims_for
from bookings.models import Allocation, Booking, BookingLine
from bookings.queries.lengths import NewLength
from core.minutes import minute_of
from dashboard.permissions import Rights, bookings_visible_to


@dataclass(frozen=True, slots=True)
class Clash:
    """The first claim in the way. ``name`` is empty where the user may not see the booking, and for a hold."""

    starts_at: datetime
    ends_at: datetime
    name: str


def clash_of(rights: Rights, booking: Booking, line: BookingLine, new: NewLength) -> Clash | None:
    """Return what else has the staff member's time; None when a room or a rule is in the way. Two queries."""
    if line.staff_member is None:
        return None
    resource_id = line.staff_member.resource_id
    claims = claims_for([PlacedLine(new.spec, minute_of(line.starts_at), resource_id, ())])
    low, high = claims[0].low_minute, claims[-1].high_minute
    others = Allocation.objects.filter(
        resource_id=resource_id, low_minute__lt=high, low_minute__gte=low - 2880, high_minute__gt=low
    ).exclude(booking=booking)
    first = others.order_by("low_minute").first()
    if first is None:
        return None
    met = bookings_visible_to(rights).filter(pk=first.booking_id).first() if first.booking_id else None
    if met is None:
        return Clash(first.busy.lower, first.busy.upper, "")
    return Clash(met.starts_at, met.ends_at, met.contact_name)
