"""Announcements about payments, fees, refunds and requests.

They only write rows, in the transaction of the change. ``occasions`` decides at sending time whether a message is still
true. A change that is not announced here is part of another message of the same change.
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

# Limit for one mailbox, so that a visitor cannot fill it.
CONFIRM_MAILS_PER_HOUR = 3


def announce_payment_required(booking: Booking, *, not_before: datetime, now: datetime) -> None:
    """Send the customer the way to pay for the kept time at ``not_before``, unless it is paid by then.

    A customer without an e-mail address gets a text message.
    """
    request = to_customer(booking, MessageKind.PAYMENT_REQUIRED, {}, not_before=not_before)
    if not booking.contact_email and (texts := configured_text_channels()):
        request = replace(request, channel=texts[0])
    _tell(booking, [request], now)


def announce_pay_link(booking: Booking, *, now: datetime) -> None:
    """Mail the customer a link to pay what can be paid now, because staff asked for it."""
    request = to_customer(
        booking, MessageKind.PAYMENT_REQUIRED, {"is_asked": True}, about=f"link-{int(now.timestamp())}"
    )
    _tell(booking, [request], now)


def announce_payment_received(booking: Booking, *, payment_id: int, now: datetime) -> None:
    details = {"payment_id": payment_id}
    _tell(booking, [to_customer(booking, MessageKind.PAYMENT_RECEIVED, details, about=f"payment-{payment_id}")], now)


def announce_late_payment(booking: Booking, *, payment_id: int, amount_minor: int, now: datetime) -> None:
    """Inform the customer that the money came too late and is refunded, and offer other times."""
    details = {"payment_id": payment_id, "amount_minor": amount_minor}
    request = to_customer(booking, MessageKind.LATE_PAYMENT_REFUNDED, details, about=f"payment-{payment_id}")
    _tell(booking, [request], now)


def announce_fee_due(booking: Booking, *, payment_id: int, remind_after: Iterable[timedelta], now: datetime) -> None:
    """Mail the customer a link to pay a fee that the card did not pay, now and again after each of ``remind_after``."""
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
    """Inform the customer of refunds that are decided.

    Refunds that succeeded at once are skipped: ``announce_refund_done`` covers them.
    """
    requests = [
        to_customer(booking, MessageKind.REFUND_APPROVED, {"refund_id": refund.pk}, about=f"refund-{refund.pk}")
        for refund in refunds
        if refund.status != RefundStatus.SUCCEEDED
    ]
    _tell(booking, requests, now)


def announce_refund_lowered(booking: Booking, *, refund_id: int, now: datetime) -> None:
    """Inform the customer that the refund is lower than the rules say, or zero, and why."""
    request = to_customer(booking, MessageKind.REFUND_LOWERED, {"refund_id": refund_id}, about=f"refund-{refund_id}")
    _tell(booking, [request], now)


def announce_refund_done(booking: Booking, *, refund_id: int, now: datetime) -> None:
    request = to_customer(booking, MessageKind.REFUND_DONE, {"refund_id": refund_id}, about=f"refund-{refund_id}")
    _tell(booking, [request], now)


def announce_missed(booking: Booking, *, now: datetime) -> None:
    """Inform the customer that the visit was marked as missed, what that costs by the rules, and how to object."""
    about = f"{int(now.timestamp())}"
    _tell(booking, [to_customer(booking, MessageKind.MISSED, {}, about=about)], now)


def announce_requested(booking: Booking, *, now: datetime) -> None:
    """Inform the customer that the business will answer, and the booking's staff members that a request is open."""
    requests = [to_staff(booking, MessageKind.REQUESTED, person, {}) for person in staff_of(booking)]
    if booking.contact_email or booking.contact_phone:
        requests.append(to_customer(booking, MessageKind.REQUESTED, {}))
    notifications.enqueue(requests, now=now)


def announce_confirm_by_mail(booking: Booking, *, now: datetime) -> None:
    """Mail the link that confirms a held time to the typed mailbox, once for each mailbox of a hold.

    :raises TooManyUnproven: when this mailbox got CONFIRM_MAILS_PER_HOUR within an hour.
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
    """Inform the customer that a request was declined, or not answered in time, and offer other times."""
    notifications.cancel_pending(subject_ref(booking), reason="The request ended first.")
    _tell(booking, [to_customer(booking, MessageKind.DECLINED, {})], now)


def announce_hold_ended(booking: Booking, *, now: datetime) -> None:
    """Inform the customer that the unpaid time is no longer kept, and how to take it again."""
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
