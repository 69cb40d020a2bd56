"""Announcements about money, requests and answers: they only write rows, in the transaction of the change.

What is not told here is told by the other message of the same change. Whether it is still true when it is sent is
decided in ``occasions``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bookings.errors import TooManyUnproven
from bookings.messages.addressing import staff_of, to_customer, to_staff
from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.refs import subject_ref
from notifications import operations as notifications
from notifications.addresses import address_hash
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel
from notifications.requests import MessageRequest
from payments.enums import RefundStatus
from payments.models import Refund

# To one mailbox: more would be a way to fill it.
CONFIRM_MAILS_PER_HOUR = 3


def announce_payment_required(booking: Booking, *, not_before: datetime, now: datetime) -> None:
    """Send the way to pay what keeps the time, unless it is paid by then: by text to who has no e-mail address."""
    request = to_customer(booking, MessageKind.PAYMENT_REQUIRED, {}, not_before=not_before)
    if not booking.contact_email and (texts := configured_text_channels()):
        request = replace(request, channel=texts[0])
    _tell(booking, [request], now)


def announce_pay_link(booking: Booking, *, now: datetime) -> None:
    """Mail the way to pay what can be paid now, because staff asked for it."""
    request = to_customer(
        booking, MessageKind.PAYMENT_REQUIRED, {"is_asked": True}, about=f"link-{int(now.timestamp())}"
    )
    _tell(booking, [request], now)


def announce_payment_received(booking: Booking, *, payment_id: int, now: datetime) -> None:
    details = {"payment_id": payment_id}
    _tell(booking, [to_customer(booking, MessageKind.PAYMENT_RECEIVED, details, about=f"payment-{payment_id}")], now)


def announce_late_payment(booking: Booking, *, payment_id: int, amount_minor: int, now: datetime) -> None:
    """Tell that the money came too late and goes back, with other times."""
    details = {"payment_id": payment_id, "amount_minor": amount_minor}
    request = to_customer(booking, MessageKind.LATE_PAYMENT_REFUNDED, details, about=f"payment-{payment_id}")
    _tell(booking, [request], now)


def announce_fee_due(booking: Booking, *, payment_id: int, remind_after: Iterable[timedelta], now: datetime) -> None:
    """Mail the way to pay a fee that the card did not pay, now and once more after each of these times."""
    requests = [
        to_customer(
            booking,
            MessageKind.FEE_DUE,
            {"payment_id": payment_id},
            about=f"payment-{payment_id}-{number}",
            not_before=now + after,
        )
        for number, after in enumerate([timedelta(0), *remind_after])
    ]
    _tell(booking, requests, now)


def announce_refunds(booking: Booking, refunds: Sequence[Refund], *, now: datetime) -> None:
    """Tell that money goes back, once it is decided; what was handed over at once is told as done."""
    requests = [
        to_customer(booking, MessageKind.REFUND_APPROVED, {"refund_id": refund.pk}, about=f"refund-{refund.pk}")
        for refund in refunds
        if refund.status != RefundStatus.SUCCEEDED
    ]
    _tell(booking, requests, now)


def announce_refund_lowered(booking: Booking, *, refund_id: int, now: datetime) -> None:
    """Tell that less goes back than the rules say, or nothing, and why."""
    request = to_customer(booking, MessageKind.REFUND_LOWERED, {"refund_id": refund_id}, about=f"refund-{refund_id}")
    _tell(booking, [request], now)


def announce_refund_done(booking: Booking, *, refund_id: int, now: datetime) -> None:
    request = to_customer(booking, MessageKind.REFUND_DONE, {"refund_id": refund_id}, about=f"refund-{refund_id}")
    _tell(booking, [request], now)


def announce_missed(booking: Booking, *, now: datetime) -> None:
    """Tell that the visit was noted as missed, what that costs by the rules, and how to object."""
    about = f"{int(now.timestamp())}"
    _tell(booking, [to_customer(booking, MessageKind.MISSED, {}, about=about)], now)


def announce_requested(booking: Booking, *, now: datetime) -> None:
    """Tell the customer that the business answers, and the people of the booking that a request waits."""
    requests = [to_staff(booking, MessageKind.REQUESTED, person, {}) for person in staff_of(booking)]
    if booking.contact_email or booking.contact_phone:
        requests.append(to_customer(booking, MessageKind.REQUESTED, {}))
    notifications.enqueue(requests, now=now)


def announce_confirm_by_mail(booking: Booking, *, now: datetime) -> None:
    """Mail the link that confirms a held time, to the mailbox that was typed; once for each mailbox of a hold.

    :raises TooManyUnproven: when CONFIRM_MAILS_PER_HOUR have asked this mailbox within an hour.
    """
    mailbox = address_hash(Channel.EMAIL, booking.contact_email)
    request = to_customer(booking, MessageKind.CONFIRM_BY_MAIL, {}, about=mailbox)
    notifications.enqueue_sparingly(
        replace(request, recipient_ref="", phone="", channel=Channel.EMAIL, expires_at=booking.hold_expires_at),
        limit=CONFIRM_MAILS_PER_HOUR,
        refusal=TooManyUnproven,
        now=now,
    )


def announce_declined(booking: Booking, *, now: datetime) -> None:
    """Tell the customer that a request was declined, or not answered in time, with other times."""
    notifications.cancel_pending(subject_ref(booking), reason="The request ended first.")
    _tell(booking, [to_customer(booking, MessageKind.DECLINED, {})], now)


def announce_hold_ended(booking: Booking, *, now: datetime) -> None:
    """Tell the customer that the time is no longer kept, because it was not paid, and how to take it again."""
    _tell(booking, [to_customer(booking, MessageKind.HOLD_ENDED, {})], now)


def announce_help_answer(booking: Booking, *, help_message_id: int, now: datetime) -> None:
    details = {"help_message_id": help_message_id}
    request = to_customer(booking, MessageKind.HELP_ANSWER, details, about=f"help-{help_message_id}")
    _tell(booking, [request], now)


def take_back_fee_reminders(booking: Booking) -> None:
    notifications.cancel_pending(subject_ref(booking), reason="The fee changed first.", kinds=[MessageKind.FEE_DUE])


def take_back_missed(booking: Booking) -> None:
    kinds = [MessageKind.MISSED, MessageKind.FEE_DUE]
    notifications.cancel_pending(subject_ref(booking), reason="The visit took place after all.", kinds=kinds)


def _tell(booking: Booking, requests: Sequence[MessageRequest], now: datetime) -> None:
    if booking.contact_email or booking.contact_phone:
        notifications.enqueue(requests, now=now)
