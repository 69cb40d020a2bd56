"""Announcements of links with which customers finish the booking of a held time.

They only write rows, in the transaction of the change. ``occasions`` decides at sending time whether they are still
true.
"""

from dataclasses import replace
from datetime import datetime

from bookings.messages.addressing import to_customer
from bookings.messages.kinds import MessageKind
from bookings.models import Booking, HoldLink
from notifications import operations as notifications
from notifications.enums import Channel
from notifications.requests import MessageRequest


def announce_hold_link(booking: Booking, link: HoldLink, *, now: datetime) -> None:
    """Send the link by the channel that staff chose, and by no other one: using it proves that address.

    It is dropped if it could not go before the time is free again.
    """
    request = _by(link, to_customer(booking, MessageKind.HOLD_LINK, {}, about=f"link-{link.sent_count}"))
    notifications.enqueue([replace(request, expires_at=booking.hold_expires_at)], now=now)


def announce_hold_link_ended(booking: Booking, link: HoldLink, *, now: datetime) -> None:
    """Tell the customer, by the channel of the link, that the time is free again and how to book another one."""
    request = _by(link, to_customer(booking, MessageKind.HOLD_LINK_ENDED, {}))
    notifications.enqueue([replace(request, expires_at=booking.starts_at)], now=now)


def _by(link: HoldLink, request: MessageRequest) -> MessageRequest:
    """Address a message by the channel of the link alone. Without a phone number no text replaces a failed e-mail."""
    channel = Channel(link.channel)
    return replace(request, channel=channel, phone="" if channel is Channel.EMAIL else request.phone)
