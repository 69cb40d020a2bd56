"""What customers are told about money, requests and answers, and whether it is still worth telling when it is sent.

As in ``messages``: ``announce_…`` only write rows, in the transaction of the change; ``money_context`` reads the
booking again at the moment of sending. What is not told here is told by the other message of the same change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bookings.enums import CALLED_OFF, BookingStatus
from bookings.errors import TooManyUnproven
from bookings.messages import money_contexts
from bookings.messages.addressing import staff_of, to_customer, to_staff
from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.queries.payables import PayReason, payable
from bookings.refs import subject_ref
from notifications import operations as notifications
from notifications.addresses import address_hash
from notifications.enums import Channel
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from payments.enums import PaymentStatus, Purpose, RefundStatus
from payments.models import Payment, Refund
from services.models import Business
from services.queries import the_business
from staff.models import StaffMember

# To one mailbox: more would be a way to fill it.
CONFIRM_MAILS_PER_HOUR = 3
_UNSEATED = CALLED_OFF - {BookingStatus.CANCELLED}


def announce_payment_required(booking: Booking, *, not_before: datetime, now: datetime) -> None:
    """Mail the way to pay what keeps the time, unless it is paid by then."""
    _tell(booking, [to_customer(booking, MessageKind.PAYMENT_REQUIRED, {}, not_before=not_before)], now)


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


def money_context(
    booking: Booking, request: ContextRequest, person: StaffMember | None = None
) -> MessageContext | None:
    """Say what to write now; None when the message is no longer wanted. ``booking`` has its lines and its place.

    ``person``: the staff member it goes to, who performs the visit; None where it goes to the customer.
    """
    business = the_business()
    kind, now = MessageKind(request.kind), request.now
    if person is not None:
        return (
            money_contexts.request_for_staff(booking, business, person, now=now) if _is_request(booking, now) else None
        )
    match kind:
        case MessageKind.PAYMENT_REQUIRED:
            return _payment_required(booking, business, request)
        case MessageKind.FEE_DUE:
            return _fee_due(booking, business, now)
        case MessageKind.PAYMENT_RECEIVED:
            payment = Payment.objects.filter(pk=request.details["payment_id"], status=PaymentStatus.SUCCEEDED).first()
            return money_contexts.payment_received(booking, business, payment, now=now) if payment else None
        case MessageKind.LATE_PAYMENT_REFUNDED:
            payment = Payment.objects.filter(pk=request.details["payment_id"]).first()
            amount = int(request.details["amount_minor"])
            return money_contexts.late_payment(booking, business, payment, amount, now=now) if payment else None
        case MessageKind.REFUND_APPROVED | MessageKind.REFUND_DONE:
            return _refund(booking, business, request, kind)
        case MessageKind.REFUND_LOWERED:
            refund = Refund.objects.select_related("payment").filter(pk=request.details["refund_id"]).first()
            is_less = refund is not None and refund.decision
            return money_contexts.refund_lowered(booking, business, refund, now=now) if refund and is_less else None
        case MessageKind.MISSED:
            is_missed = booking.status == BookingStatus.NO_SHOW
            return money_contexts.missed(booking, business, now=now) if is_missed else None
        case MessageKind.REQUESTED:
            return money_contexts.requested(booking, business, now=now) if _is_request(booking, now) else None
        case MessageKind.CONFIRM_BY_MAIL:
            is_held = booking.status == BookingStatus.HELD and _is_kept(booking, now)
            return money_contexts.confirm_by_mail(booking, business) if is_held else None
        case MessageKind.DECLINED:
            is_off = booking.status in _UNSEATED
            return money_contexts.declined(booking, business, now=now) if is_off else None
        case MessageKind.HOLD_ENDED:
            return money_contexts.hold_ended(booking, business, now=now) if _is_unpaid(booking, now) else None
        case MessageKind.HELP_ANSWER:
            answer = booking.help_messages.filter(pk=request.details["help_message_id"]).first()
            return money_contexts.help_answer(booking, business, answer, now=now) if answer else None
        case _:
            return None


def _tell(booking: Booking, requests: Sequence[MessageRequest], now: datetime) -> None:
    if booking.contact_email or booking.contact_phone:
        notifications.enqueue(requests, now=now)


def _is_request(booking: Booking, now: datetime) -> bool:
    return booking.status == BookingStatus.REQUESTED and _is_kept(booking, now)


def _is_kept(booking: Booking, now: datetime) -> bool:
    return booking.hold_expires_at is not None and booking.hold_expires_at > now


def _is_unpaid(booking: Booking, now: datetime) -> bool:
    """Whether a time that ran out unpaid could be taken again, and its customer has not booked it since."""
    if booking.status != BookingStatus.EXPIRED or now >= booking.starts_at:
        return False
    again = Booking.objects.filter(contact_email__iexact=booking.contact_email, starts_at=booking.starts_at)
    return not again.exclude(status__in=CALLED_OFF).exists()


def _payment_required(booking: Booking, business: Business, request: ContextRequest) -> MessageContext | None:
    due = payable(booking, request.now)
    if due is None:
        return None
    # The visit stands by now, and what is left may be paid there: only somebody who asked for a link is told so.
    if due.why is PayReason.BALANCE and not request.details.get("is_asked"):
        return None
    return money_contexts.payment_required(booking, business, due, now=request.now)


def _fee_due(booking: Booking, business: Business, now: datetime) -> MessageContext | None:
    due = payable(booking, now)
    if due is None or due.purpose != Purpose.FEE:
        return None
    return money_contexts.payment_required(booking, business, due, template="fee_due_customer", now=now)


def _refund(booking: Booking, business: Business, request: ContextRequest, kind: MessageKind) -> MessageContext | None:
    refund = Refund.objects.select_related("payment").filter(pk=request.details["refund_id"]).first()
    if refund is None or refund.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}:
        return None
    if kind is MessageKind.REFUND_DONE and refund.status != RefundStatus.SUCCEEDED:
        return None
    return money_contexts.refund(booking, business, refund, template=f"{kind}_customer", now=request.now)
