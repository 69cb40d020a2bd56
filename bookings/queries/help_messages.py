"""Messages between a customer and the desk about a booking."""

from django.db.models import Exists, OuterRef, QuerySet

from bookings.models import Booking, HelpMessage


def help_thread(booking: Booking) -> list[HelpMessage]:
    """Return what a customer and the desk wrote to each other, oldest first."""
    return list(booking.help_messages.select_related("author"))


def unread_help() -> QuerySet[HelpMessage]:
    """The oldest message of each booking that a customer wrote and nobody has read yet, the longest waiting first."""
    unread = HelpMessage.objects.filter(is_from_customer=True, read_at=None)
    earlier = unread.filter(booking_id=OuterRef("booking_id"), pk__lt=OuterRef("pk"))
    return unread.filter(~Exists(earlier)).order_by("pk")
