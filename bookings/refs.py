"""How other apps name a booking: a reference such as ``booking:17``, which they store and hand back."""

from bookings.models import Booking


def subject_ref(booking: Booking) -> str:
    """Name a booking to apps that do not know bookings: ``booking:17``."""
    return f"booking:{booking.pk}"
