"""Nightly deletion of what is known of a visitor's browser and network address.

They are needed to count holds and unproven bookings, and to recognize the browser that typed something. History is
append-only, so the row of an unconfirmed hold stays, without personal data.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from bookings.enums import BookingStatus, WalkInState
from bookings.models import Booking, HoldLink, UnprovenBooking, WalkIn
from core.retention import delete_in_batches, update_in_batches

# An expired hold can be taken again from its page for this long.
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
    """Clear the pseudonyms of browser and address and the token of the hold's page; return the number of bookings.

    Applies to ended bookings made more than ABANDONED_KEPT ago, and to all made more than VISITORS_KEPT ago.
    """
    is_over = Q(status__in=_ENDED) | Q(ends_at__lt=now)
    is_old = Q(created_at__lt=now - VISITORS_KEPT) | (is_over & Q(created_at__lt=now - ABANDONED_KEPT))
    has_traces = ~Q(visitor_hash="") | ~Q(address_hash="") | Q(hold_token_hash__isnull=False)
    return update_in_batches(
        Booking.objects.filter(is_old & has_traces), visitor_hash="", address_hash="", hold_token_hash=None
    )


def forget_abandoned_contacts(*, now: datetime) -> int:
    """Clear the typed contact of holds that ran out a day ago without being booked; return how many."""
    abandoned = Booking.objects.filter(
        status=BookingStatus.EXPIRED, payment_mode="", hold_expires_at__lt=now - ABANDONED_KEPT
    ).exclude(contact_name="", contact_email="")
    typed = ("contact_name", "contact_email", "contact_phone", "customer_note", "visit_address")
    nothing = dict.fromkeys((*typed, "phone_hash", "phone_end_hash"), "")
    return update_in_batches(abandoned, **nothing)


def delete_unproven(*, now: datetime) -> int:
    """Delete rows that no longer count: the booking is over, or the row is older than VISITORS_KEPT.

    Rows of proven bookings are deleted as soon as the proof arrives.
    """
    is_old = Q(created_at__lt=now - VISITORS_KEPT)
    is_over = (Q(booking__status__in=_ENDED) | Q(booking__ends_at__lt=now)) & Q(created_at__lt=now - ABANDONED_KEPT)
    return delete_in_batches(UnprovenBooking.objects.filter(is_old | is_over).only("pk"))


def delete_hold_links(*, now: datetime) -> int:
    """Delete the links of holds that ended a day ago without a booking. Booking by a link deletes it at once."""
    # A customer who cancels before paying leaves a link without an end.
    is_old = Q(booking__hold_expires_at__lt=now - ABANDONED_KEPT) | Q(booking__hold_expires_at=None)
    return delete_in_batches(HoldLink.objects.filter(is_old, booking__status__in=_ENDED).only("pk"))


def forget_walk_ins(*, now: datetime) -> int:
    """Clear name and contact of those who came to the walk-in queue a day ago; return how many.

    The rows stay, for figures. Those who were never booked count as left.
    """
    old = WalkIn.objects.filter(joined_at__lt=now - ABANDONED_KEPT)
    update_in_batches(old.filter(state=WalkInState.WAITING), state=WalkInState.LEFT, ended_at=now)
    known = ~Q(name="") | ~Q(phone="") | ~Q(email="") | Q(customer__isnull=False)
    return update_in_batches(old.filter(known), name="", phone="", email="", customer=None)
