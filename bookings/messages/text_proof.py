"""Decides whether a booking may cause text messages: only if the customer has shown that it is meant.

Visitors can type any number into the booking form. Without this check a program could make us send text messages to
strangers, or to numbers that earn money by receiving them.
"""

from bookings.enums import BookingChannel
from bookings.models import Booking
from payments.enums import PaymentStatus
from payments.models import Payment

# The channels on which a signed-in user typed the number.
_BY_STAFF = frozenset({BookingChannel.DESK, BookingChannel.WALK_IN, BookingChannel.API})


def may_text(booking: Booking) -> bool:
    """Return whether the customer acted from the mailbox or paid, or staff made the booking. At most two queries."""
    if booking.channel in _BY_STAFF:
        return True
    customer = booking.customer
    if customer is not None and customer.email_proven_at is not None:
        return True
    return Payment.objects.filter(bill=booking.bill_id, status=PaymentStatus.SUCCEEDED).exists()
