"""Help messages between a customer and the front desk about a booking."""

from django.db.models import Exists, OuterRef, QuerySet

from bookings.models import Booking, HelpMessage


def help_thread(booking: Booking) -> list[HelpMessage]:
    """Return the messages between a customer and the desk, oldest first."""
    return list(booking.help_messages.select_related("author"))


def unread_help() -> QuerySet[HelpMessage]:
    """Return the oldest unread customer message of each booking, the longest waiting first."""
    unread = HelpMessage.objects.filter(is_from_customer=True, read_at=None)
    earlier = unread.filter(booking_id=OuterRef("booking_id"), pk__lt=OuterRef("pk"))
    return unread.filter(~Exists(earlier)).order_by("pk")
