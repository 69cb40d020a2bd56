"""Stops card testing: refuses to prepare a payment after too many declined cards."""

from datetime import datetime, timedelta

from bookings.errors import TooManyTries
from bookings.models import Booking, UnprovenBooking
from bookings.refs import booking_ref, subject_ref
from payments.enums import LIVE_PAYMENTS, PaymentStatus
from payments.models import Payment
from payments.operations.declines import DECLINES_ALLOWED, decline_count

# Customers behind one shared network address may each have an honest declined card at the same time.
DECLINES_PER_ADDRESS = 15
PREPARED_ALLOWED = 5
_PREPARED_FOR = timedelta(minutes=10)


def refuse_card_testing(booking: Booking, now: datetime) -> None:
    """Refuse if too many cards were declined for this booking, or for bookings from its network address.

    Payments of this booking that were prepared and abandoned count as well. Pressing the button again prepares nothing
    new and counts nothing.

    :raises TooManyTries: at the limit; it ends by itself after ten minutes.
    """
    if decline_count([subject_ref(booking)], now) >= DECLINES_ALLOWED:
        raise TooManyTries
    prepared = Payment.objects.filter(subject_ref=subject_ref(booking), created_at__gt=now - _PREPARED_FOR)
    if prepared.exclude(status__in=[*LIVE_PAYMENTS, PaymentStatus.SUCCEEDED]).count() >= PREPARED_ALLOWED:
        raise TooManyTries
    if not booking.address_hash:
        return
    there = UnprovenBooking.objects.filter(
        address_hash=booking.address_hash, created_at__gt=now - timedelta(hours=1)
    ).values_list("booking_id", flat=True)
    if decline_count([booking_ref(pk) for pk in there], now) >= DECLINES_PER_ADDRESS:
        raise TooManyTries
