"""Bookings that a change of hours put outside them, and about which staff have not decided. Reads only."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from bookings.enums import CHANGEABLE, EXPIRING
from bookings.models import Booking


def left_outside_hours(now: datetime) -> QuerySet[Booking]:
    """Return the bookings ahead that wait for a decision: not kept, and not moved since the hours changed."""
    live = ~Q(status__in=EXPIRING) | Q(hold_expires_at__gt=now)
    waiting = Q(outside_hours__kept_at=None, outside_hours__sequence=F("ical_sequence"))
    return Booking.objects.filter(live, waiting, status__in=CHANGEABLE, ends_at__gt=now)
