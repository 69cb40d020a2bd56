"""Steps that many tests take: hold, confirm, as a guest, at ``factories.NOW``. Every value can be given."""

from datetime import datetime
from typing import Any

from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from bookings.models import Allocation, Booking
from bookings.operations.confirm import Contact, confirm_booking
from bookings.operations.hold import HeldSlot, hold_slot
from tests.factories import NOW, Studio

GUEST = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)
LINK = Actor(ActorKind.CUSTOMER, BookingChannel.LINK)
DESK = Actor(ActorKind.STAFF, BookingChannel.DESK, name="Sam")
KIOSK = Actor(ActorKind.CUSTOMER, BookingChannel.KIOSK)
JANA = Contact(name="Jana Weber", email="jana@example.com", phone="+4915155501827", note="")


def hold(place: Studio, hour: int = 10, minute: int = 0, **changes: Any) -> HeldSlot:
    """Hold a local time on the day after ``NOW`` with anyone; ``changes`` replace arguments of ``hold_slot``."""
    wish = {
        "variant_id": place.variant.pk,
        "location_id": place.location.pk,
        "start_minute": place.minute(hour, minute),
        "staff_member_id": None,
        "actor": GUEST,
        "language": "en",
        "now": NOW,
    }
    return hold_slot(**{**wish, **changes})


def confirm(booking: Booking, *, contact: Contact = JANA, actor: Actor = GUEST, now: datetime = NOW) -> Booking:
    return confirm_booking(booking_id=booking.pk, contact=contact, consent_text="I agree.", actor=actor, now=now)


def booked(place: Studio, hour: int = 10, minute: int = 0, *, contact: Contact = JANA, **changes: Any) -> Booking:
    """Hold and confirm at the same moment."""
    held = hold(place, hour, minute, **changes)
    return confirm(held.booking, contact=contact, now=changes.get("now", NOW))


def claims() -> list[tuple[int, int, int]]:
    """All taken time as (resource id, low minute, high minute)."""
    rows = Allocation.objects.order_by("low_minute", "resource")
    return list(rows.values_list("resource", "low_minute", "high_minute"))
