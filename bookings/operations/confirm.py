"""From held to agreed: who comes, what is owed, what was consented to, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.operations import customer_for_guest, record_consent
from bookings import messages
from bookings.enums import BookingStatus
from bookings.lifecycle import Actor, transition
from bookings.models import Booking, BookingLine
from bookings.operations.claiming import locked_booking, require_live_hold
from bookings.operations.transactions import booking_transaction
from bookings.records import bill_lines
from core.reads import read_rows
from payments.operations import open_bill
from services.enums import Delivery

CONSENT_PURPOSE = "booking"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who comes, in the guest's own words. ``visit_address`` only where the business comes to the customer."""

    name: str
    email: str
    phone: str
    note: str
    visit_address: str = ""


@booking_transaction
def confirm_booking(*, booking_id: int, contact: Contact, consent_text: str, actor: Actor, now: datetime) -> Booking:
    """Turn a live hold into a confirmed booking and return it; asked twice, the second call returns the same booking.

    Opens the bill with the copied prices, records the consent with its exact words, and writes the messages. A guest
    whose address belongs to a known customer is not linked to that customer here: only acting from the mailbox proves
    it.

    Locks: the booking.

    :raises HoldExpired: when the hold has run out, even if nobody took the time yet.
    :raises HoldOver: when the booking has gone further already.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.CONFIRMED:
        return booking
    require_live_hold(booking, now)
    lines = read_rows(BookingLine, "WHERE booking_id = %s ORDER BY position", [booking.pk])
    customer = None
    if contact.email:
        customer = customer_for_guest(
            name=contact.name, email=contact.email, phone=contact.phone, language=booking.language, now=now
        )
    customer_id = customer.pk if customer else None
    bill = open_bill(
        customer_id=customer_id,
        currency=booking.currency,
        lines=bill_lines(booking, lines),
        subject_ref=messages.subject_ref(booking),
        now=now,
    )
    transition(
        booking,
        BookingStatus.CONFIRMED,
        actor=actor,
        now=now,
        values={
            "customer_id": customer_id,
            "contact_name": contact.name,
            "contact_email": contact.email,
            "contact_phone": contact.phone,
            "customer_note": contact.note,
            "visit_address": contact.visit_address,
            "meeting_url": _meeting_url(booking, lines),
            "bill_id": bill.pk,
            "confirmed_at": now,
            "hold_expires_at": None,
        },
    )
    record_consent(
        customer_id=customer_id,
        subject_ref=messages.subject_ref(booking),
        purpose=CONSENT_PURPOSE,
        text=consent_text,
        now=now,
    )
    messages.announce_confirmed(booking, now=now)
    return booking


def _meeting_url(booking: Booking, lines: Sequence[BookingLine]) -> str:
    if booking.delivery != Delivery.ONLINE:
        return booking.meeting_url
    return next((line.staff_member.meeting_url for line in lines if line.staff_member), "")
