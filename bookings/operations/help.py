"""Help messages between a customer who is paying and the front desk."""

from datetime import datetime

from bookings.enums import BookingStatus
from bookings.errors import NotBooked, TooManyMessages
from bookings.lifecycle import Actor
from bookings.messages import money
from bookings.models import Booking, HelpMessage
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction

TEXT_LIMIT = 1000
# Most unanswered messages of one booking.
WAITING_LIMIT = 5


@booking_transaction
def send_help(*, booking_id: int, text: str, now: datetime) -> HelpMessage:
    """Send a message from a customer to the front desk. The same text twice in a row is one message.

    ``text`` is cleaned and not empty; it is cut at ``TEXT_LIMIT``. Locks: the booking.

    :raises NotBooked: while the time is only held.
    :raises TooManyMessages: when several messages are unanswered already.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.HELD:
        raise NotBooked
    text = text[:TEXT_LIMIT]
    waiting = list(booking.help_messages.filter(is_from_customer=True, read_at=None))
    if waiting and waiting[-1].text == text:
        return waiting[-1]
    if len(waiting) >= WAITING_LIMIT:
        raise TooManyMessages
    return HelpMessage.objects.create(booking=booking, is_from_customer=True, text=text, created_at=now)


@booking_transaction
def answer_help(*, booking_id: int, text: str, actor: Actor, now: datetime) -> HelpMessage:
    """Answer a customer, also by mail, and mark the customer's messages as read. Locks: the booking."""
    booking = locked_booking(booking_id)
    _read(booking, now)
    answer = HelpMessage.objects.create(
        booking=booking,
        is_from_customer=False,
        text=text[:TEXT_LIMIT],
        author_id=actor.user_id,
        author_name=actor.name,
        created_at=now,
    )
    money.announce_help_answer(booking, help_message_id=answer.pk, now=now)
    return answer


@booking_transaction
def mark_help_read(*, booking_id: int, now: datetime) -> int:
    """Mark a customer's messages as read without an answer, and return how many there were."""
    return _read(locked_booking(booking_id), now)


def _read(booking: Booking, now: datetime) -> int:
    return booking.help_messages.filter(is_from_customer=True, read_at=None).update(read_at=now)
