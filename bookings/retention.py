"""What is known of the browser and the network address of those who book, and its deletion, every night.

It is needed to count holds and unproven bookings, and to know the browser that typed something. History is append-only,
so the row of a hold that nobody confirmed stays, with nothing of a person in it.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from bookings.enums import BookingStatus
from bookings.models import Booking, UnprovenBooking
from core.retention import delete_in_batches, update_in_batches

# A hold that ran out can be taken again from its page for so long.
ABANDONED_KEPT = timedelta(days=1)
VISITORS_KEPT = timedelta(days=30)
_ENDED = (
    BookingStatus.EXPIRED,
    BookingStatus.CANCELLED,
    BookingStatus.DECLINED,
    BookingStatus.COMPLETED,
    BookingStatus.NO_SHOW,
)


def forget_visitors(*, now: datetime) -> int:
    """Clear the pseudonyms of browser and address, and the way to the page of the hold, of bookings that ended a day
    ago or were made VISITORS_KEPT ago; return of how many.
    """
    is_over = Q(status__in=_ENDED) | Q(ends_at__lt=now)
    is_old = Q(created_at__lt=now - VISITORS_KEPT) | (is_over & Q(created_at__lt=now - ABANDONED_KEPT))
    has_traces = ~Q(visitor_hash="") | ~Q(address_hash="") | Q(hold_token_hash__isnull=False)
    return update_in_batches(
        Booking.objects.filter(is_old & has_traces), visitor_hash="", address_hash="", hold_token_hash=None
    )


def forget_abandoned_contacts(*, now: datetime) -> int:
    """Clear what was typed for a time that ran out a day ago without being booked; return of how many."""
    abandoned = Booking.objects.filter(
        status=BookingStatus.EXPIRED, payment_mode="", hold_expires_at__lt=now - ABANDONED_KEPT
    ).exclude(contact_name="", contact_email="")
    typed = ("contact_name", "contact_email", "contact_phone", "customer_note", "visit_address")
    nothing = dict.fromkeys((*typed, "phone_hash", "phone_end_hash"), "")
    return update_in_batches(abandoned, **nothing)


def delete_unproven(*, now: datetime) -> int:
    """Delete what counts no more: over, or older than VISITORS_KEPT. What is proven goes at once."""
    is_old = Q(created_at__lt=now - VISITORS_KEPT)
    is_over = (Q(booking__status__in=_ENDED) | Q(booking__ends_at__lt=now)) & Q(created_at__lt=now - ABANDONED_KEPT)
    return delete_in_batches(UnprovenBooking.objects.filter(is_old | is_over).only("pk"))
