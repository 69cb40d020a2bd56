"""Who a guest really is, once somebody acts from the mailbox that was given."""

from datetime import datetime

from accounts.operations import prove_customer_email
from bookings.models import Booking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.refs import subject_ref
from notifications.operations import name_recipient
from payments.models import Bill


@booking_transaction
def link_proven_customer(*, booking_id: int, now: datetime) -> Booking:
    """Take an act by the link in the mail as proof of the address, and give the booking and its bill to that customer.

    Harmless when repeated. Locks: the booking, then the customer.
    """
    booking = locked_booking(booking_id)
    if not booking.contact_email:
        return booking
    customer = prove_customer_email(
        email=booking.contact_email,
        name=booking.contact_name,
        phone=booking.contact_phone,
        language=booking.language,
        now=now,
    )
    if booking.customer_id != customer.pk:
        booking.customer = customer
        booking.save(update_fields=["customer", "updated_at"])
        name_recipient(subject_ref(booking), customer_ref=f"customer:{customer.pk}")
        Bill.objects.filter(bookings=booking).update(customer=customer)
    return booking
