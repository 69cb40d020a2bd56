"""Blocking customers online, and exempting customers from paying in advance."""

from datetime import datetime

from accounts.contact.mailboxes import normalised_email
from accounts.customer_record import By, set_customer_trust
from accounts.models import Customer
from bookings.enums import EventKind
from bookings.errors import NotBooked
from bookings.lifecycle import Actor, record
from bookings.models import Booking
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction


@booking_transaction
def set_trust(
    *,
    booking_id: int,
    is_blocked: bool,
    is_prepayment_exempt: bool,
    was_blocked: bool,
    was_prepayment_exempt: bool,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Customer:
    """Set whether the customer of a booking may book online, and whether they are never asked to pay in advance.

    The address on the booking identifies the customer, proven or not, because the business decides. Existing bookings
    stay as they are. Locks: the booking, then the customer.

    :raises NotBooked: when the booking has no address.
    :raises CustomerChanged: when a flag is not what the page showed (``was_…``); nothing is saved.
    """
    booking = locked_booking(booking_id)
    customer = customer_to_trust(booking)
    if customer is None:
        raise NotBooked
    customer = set_customer_trust(
        customer_id=customer.pk,
        is_blocked=is_blocked,
        is_prepayment_exempt=is_prepayment_exempt,
        was_blocked=was_blocked,
        was_prepayment_exempt=was_prepayment_exempt,
        reason=reason,
        by=By(actor.user_id, actor.name),
        now=now,
    )
    details = {"what": "trust", "is_blocked": is_blocked, "is_prepayment_exempt": is_prepayment_exempt}
    record(booking, EventKind.CONTACT, actor=actor, now=now, reason=reason, details=details)
    return customer


def customer_to_trust(booking: Booking) -> Customer | None:
    """Return the customer of a booking, or the customer with its address."""
    if booking.customer_id:
        return booking.customer
    if not booking.contact_email:
        return None
    owner = Customer.objects.filter(email_normalised=normalised_email(booking.contact_email))
    found = owner.select_related("merged_into").first()
    return (found.merged_into or found) if found else None
