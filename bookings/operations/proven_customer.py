"""Links a booking to its customer record once the customer acts from the mailbox."""

from datetime import datetime

from django.db.models import Q

from accounts.models import Consent, Customer
from accounts.operations import prove_customer_email
from bookings.enums import BookingStatus
from bookings.models import Booking, UnprovenBooking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.refs import subject_ref
from notifications.operations import name_recipient
from payments.models import Bill


@booking_transaction
def link_proven_customer(*, booking_id: int, now: datetime) -> Booking:
    """Link the booking to the customer of the mailbox: the customer used the mailed link, which proves the address.

    The booking no longer counts as unproven. Safe to repeat. Locks: the booking, then the customer.
    """
    booking = locked_booking(booking_id)
    if not booking.contact_email:
        return booking
    before_id = booking.customer_id
    customer = prove_customer_email(
        customer_id=before_id,
        name=booking.contact_name,
        email=booking.contact_email,
        phone=booking.contact_phone,
        language=booking.language,
        now=now,
    )
    if before_id != customer.pk:
        _give_to(booking, customer)
        if before_id:
            _drop_if_unused(before_id)
    _stop_counting(booking, customer, is_first_proof=customer.email_proven_at == now)
    return booking


def _stop_counting(booking: Booking, customer: Customer, *, is_first_proof: bool) -> None:
    """Stop counting bookings as unproven.

    The first proof of a record covers all its bookings so far. Later proofs cover one booking each, so that a stranger
    who knows name, address and number gains nothing from an earlier proof. The row of a hold stays, because it records
    that a mail has asked to confirm the hold; confirming deletes it.
    """
    proven = Q(booking__customer=customer) if is_first_proof else Q(booking=booking)
    UnprovenBooking.objects.filter(proven).exclude(booking__status=BookingStatus.HELD).delete()


def _give_to(booking: Booking, customer: Customer) -> None:
    ref = subject_ref(booking)
    booking.customer = customer
    booking.save(update_fields=["customer", "updated_at"])
    name_recipient(ref, customer_ref=f"customer:{customer.pk}")
    Bill.objects.filter(bookings=booking).update(customer=customer)
    Consent.objects.filter(subject_ref=ref).exclude(customer=None).update(customer=customer)


def _drop_if_unused(customer_id: int) -> None:
    """Delete a guest's record whose only booking has moved to the record of the proven mailbox."""
    unused = Customer.objects.filter(pk=customer_id, user=None, is_blocked=False, is_prepayment_exempt=False, notes="")
    unused = unused.filter(staff_notes=None, events=None, tags=[])
    unused.filter(bookings=None, bills=None, consents=None).delete()
