"""Builds messages of any kind from any booking for previews; facts of a payment or an answer are made up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext

from bookings.links import LinkRole, hold_url, manage_url
from bookings.messages.occasions import Occasion, visit
from bookings.messages.variables import words_of
from bookings.models import Booking
from notifications.requests import MessageContext
from notifications.unsubscribing import unsubscribe_url


def moved(of: Occasion) -> MessageContext:
    """Return the booking as if it had been moved by a day."""
    before = (of.booking.starts_at - timedelta(days=1)).isoformat()
    return visit(replace(of, details={"previous_starts_at": before}))


def news(of: Occasion) -> MessageContext:
    """Add the unsubscribe link, which a real message gets when it is sent."""
    context = visit(of)
    end_url = unsubscribe_url(of.booking.contact_email)
    return replace(context, variables={**context.variables, "unsubscribe_url": end_url})


def money(of: Occasion) -> MessageContext:
    context = visit(of)
    variables = {**context.variables, **_made_up(of.booking)}
    return replace(context, variables=variables, words=words_of(variables))


def _made_up(booking: Booking) -> dict[str, Any]:
    """Return made-up facts of a payment, a refund or an answer."""
    return {
        "amount_minor": booking.total_minor,
        "asked_minor": booking.total_minor + booking.total_minor // 4,
        "kept_minor": booking.total_minor // 4,
        "reason": gettext("We had to pay for the room."),
        "open_minor": 0,
        "pay_url": manage_url(booking, LinkRole.CUSTOMER, page="pay"),
        "book_url": manage_url(booking, LinkRole.CUSTOMER, page="book"),
        "finish_url": hold_url(booking),
        "receipt_url": manage_url(booking, LinkRole.CUSTOMER, page="receipt/1"),
        "receipt_number": "1",
        "refund_words": gettext("It goes back the way you paid and takes some days."),
        "is_online": True,
        "method": gettext("card"),
        "is_answer": True,
        "answer": gettext("Yes, that is possible."),
    }
