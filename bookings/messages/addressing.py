"""Addresses a message about a booking to the customer or to a staff member of a line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.refs import subject_ref
from core.reads import read_rows
from notifications.enums import RecipientRole
from notifications.requests import MessageRequest
from staff.models import StaffMember


def to_customer(
    booking: Booking,
    kind: MessageKind,
    details: Mapping[str, Any],
    *,
    about: str = "",
    not_before: datetime | None = None,
) -> MessageRequest:
    """Address a message to the customer.

    ``about`` distinguishes messages of one kind, for example by the id of the payment or refund.
    """
    return MessageRequest(
        kind=kind,
        subject_ref=subject_ref(booking),
        version=booking.ical_sequence,
        recipient_role=RecipientRole.CUSTOMER,
        recipient_ref=f"customer:{booking.customer_id}" if booking.customer_id else "",
        address=booking.contact_email,
        phone=booking.contact_phone,
        language=booking.language,
        key=f"{subject_ref(booking)}:{kind}:customer:{about or f'v{booking.ical_sequence}'}",
        details=details,
        not_before=not_before,
    )


def to_staff(booking: Booking, kind: MessageKind, person: StaffMember, details: Mapping[str, Any]) -> MessageRequest:
    return MessageRequest(
        kind=kind,
        subject_ref=subject_ref(booking),
        version=booking.ical_sequence,
        recipient_role=RecipientRole.STAFF,
        recipient_ref=f"staff:{person.pk}",
        address=person.email,
        language=person.language,
        key=f"{subject_ref(booking)}:{kind}:staff-{person.pk}:v{booking.ical_sequence}",
        details=details,
    )


_OF_LINES = "WHERE id IN (SELECT staff_member_id FROM bookings_bookingline WHERE booking_id = %s) ORDER BY id"


def staff_of(booking: Booking) -> list[StaffMember]:
    """Return the staff members of a booking's lines.

    Reads the lines again, because lines that were prefetched before a move or a reassignment are out of date.
    """
    return read_rows(StaffMember, _OF_LINES, [booking.pk])
