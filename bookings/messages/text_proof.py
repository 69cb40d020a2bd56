"""Whether a customer has shown that a booking is meant, before anybody's phone gets texts about it.

Anyone may type any number into the booking form; without this, a program could make us text strangers, or numbers that
earn money by being texted.
"""

from bookings.enums import BookingChannel
from bookings.models import Booking
from payments.enums import PaymentStatus
from payments.models import Payment

# Typed by somebody who signed in.
_BY_STAFF = frozenset({BookingChannel.DESK, BookingChannel.API})


def may_text(booking: Booking) -> bool:
    """Whether the customer acted from the mailbox, paid something, or was booked by staff. At most two queries."""
    if booking.channel in _BY_STAFF:
        return True
    customer = booking.customer
    if customer is not None and customer.email_proven_at is not None:
        return True
    return Payment.objects.filter(bill=booking.bill_id, status=PaymentStatus.SUCCEEDED).exists()
