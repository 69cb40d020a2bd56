"""Builds the variables of mails about money, requests and answers.

Decides which words and amounts go in, never whether to send. The amounts are those of the booking's bill, of the
payment, or of what is payable.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import get_language

from accounts.contact.given_names import first_name
from bookings import booked
from bookings.enums import CALLED_OFF, BookingStatus, EventKind
from bookings.links import LinkRole, hold_url, manage_url
from bookings.messages.contexts import book_again_url, common, when
from bookings.messages.variables import CARD, labels, words_of
from bookings.models import Booking, HelpMessage
from bookings.queries.alternatives import nearest_moves
from bookings.queries.payables import Payable, payable
from bookings.refs import subject_ref
from bookings.wording import appointment
from bookings.wording.payments import card_words, refund_sentence
from core.minutes import minute_of
from notifications.requests import MessageContext
from payments.enums import Method, Purpose, RefundStatus
from payments.models import Payment, Refund
from payments.queries import balance
from services.models import Business
from staff.models import StaffMember

# After the visit no mail needs to show the way to the location.
_PAST = frozenset({BookingStatus.COMPLETED, BookingStatus.NO_SHOW})


def payment_required(
    booking: Booking, business: Business, due: Payable, *, template: str = "payment_required_customer", now: datetime
) -> MessageContext:
    """Build the mail that asks for a payment.

    ``why`` is a ``PayReason``; ``until`` is the local minute until which the time is kept, or None.
    """
    variables = {
        "why": str(due.why),
        "amount_minor": due.amount_minor,
        "until_moment": booked.local(due.until, booking) if due.until else None,
        "pay_url": manage_url(booking, LinkRole.CUSTOMER, page="pay"),
    }
    return _mail(booking, business, template, variables)


def hold_ended(booking: Booking, business: Business, *, now: datetime) -> MessageContext:
    """Build the mail about an expired unpaid time.

    ``pay_url`` opens the page that takes the same time again with the same details, as long as it is free.
    """
    pay_url = manage_url(booking, LinkRole.CUSTOMER, page="pay")
    return _mail(booking, business, "hold_ended_customer", {"pay_url": pay_url}, is_off=True)


def payment_received(booking: Booking, business: Business, payment: Payment, *, now: datetime) -> MessageContext:
    left = balance(payment.subject_ref).open_minor
    receipt = getattr(payment, "receipt", None)
    number = receipt.number if receipt else ""
    variables = {
        "amount_minor": payment.amount_minor,
        "card_words": _card(payment),
        "method": payment.get_method_display(),
        "purpose": payment.purpose,
        "open_minor": left,
        "receipt_number": number,
        "receipt_url": manage_url(booking, LinkRole.CUSTOMER, page=f"receipt/{number}") if number else "",
    }
    return _mail(booking, business, "payment_received_customer", variables)


def late_payment(
    booking: Booking, business: Business, payment: Payment, amount_minor: int, *, now: datetime
) -> MessageContext:
    is_move = payment.purpose == Purpose.MOVE
    variables = {
        "amount_minor": amount_minor,
        "refund_words": _refund_words(booking, payment, amount_minor),
        "is_move": is_move,
        "alternatives": [] if is_move else _alternatives(booking, now),
    }
    return _mail(booking, business, "late_payment_refunded_customer", variables, is_off=not is_move)


def refund(booking: Booking, business: Business, refund: Refund, *, template: str, now: datetime) -> MessageContext:
    variables = {
        "amount_minor": refund.amount_minor,
        "refund_words": _refund_words(booking, refund.payment, refund.amount_minor),
        "is_online": refund.method == Method.STRIPE,
        "method": refund.get_method_display(),
        "card_words": _card(refund.payment) if refund.method == Method.STRIPE else "",
    }
    return _mail(booking, business, template, variables)


def missed(booking: Booking, business: Business, *, now: datetime) -> MessageContext:
    """Build the mail about a missed visit.

    Until ``settles_at`` nothing is charged or refunded, and the customer may object. None: no money will move.
    """
    due = payable(booking, now)
    sums = balance(subject_ref(booking))
    settles_at = booking.fee_settles_at
    event = booking.events.filter(kind=EventKind.STATUS, to_status=BookingStatus.NO_SHOW).last()
    variables = {
        "fee_minor": sums.owed_minor,
        "paid_minor": sums.net_paid_minor,
        "open_minor": sums.open_minor,
        "settles_at": booked.local(settles_at, booking) if settles_at else None,
        "reason": event.reason if event else "",
        "pay_url": manage_url(booking, LinkRole.CUSTOMER, page="pay") if due else "",
    }
    return _mail(booking, business, "missed_customer", variables)


def requested(booking: Booking, business: Business, *, now: datetime) -> MessageContext:
    return _mail(booking, business, "requested_customer", _answered_by(booking))


def confirm_by_mail(booking: Booking, business: Business) -> MessageContext:
    """Build the mail that confirms a held time by a link.

    It omits the name: the address may belong to a stranger, and the visitor who typed it must not choose the words that
    we send.
    """
    book_url = manage_url(booking, LinkRole.CUSTOMER, page="book")
    variables = {**_answered_by(booking), "first_name": "", "book_url": book_url, "manage_url": book_url}
    return _mail(booking, business, "confirm_by_mail_customer", variables)


def hold_link(booking: Booking, business: Business) -> MessageContext:
    """Build the message with the link that finishes the booking of a held time."""
    finish_url = hold_url(booking)
    variables = {**_answered_by(booking), "finish_url": finish_url, "manage_url": finish_url}
    return _mail(booking, business, "hold_link_customer", variables)


def hold_link_ended(booking: Booking, business: Business, *, now: datetime) -> MessageContext:
    """Build the message that a time is free again because its link was not used."""
    variables = {
        "manage_url": book_again_url(booking),
        "alternatives": _alternatives(booking, now),
        # It was never booked, so nothing was cancelled.
        "is_called_off": False,
    }
    return _mail(booking, business, "hold_link_ended_customer", variables, is_off=True)


def request_for_staff(booking: Booking, business: Business, person: StaffMember, *, now: datetime) -> MessageContext:
    """Build the mail about a request. It names only the first name of the customer, as every mail to staff."""
    variables = {
        **_answered_by(booking),
        "first_name": person.short_name,
        "customer": first_name(booking.contact_name),
        "who": first_name(booking.contact_name),
        "steps": appointment.steps(booking, staff_member_id=person.pk) or appointment.steps(booking),
        "manage_url": manage_url(booking, LinkRole.STAFF),
    }
    return _mail(booking, business, "requested_staff", variables)


def declined(booking: Booking, business: Business, *, now: datetime) -> MessageContext:
    """Build the mail about a declined request.

    ``is_answered`` False: the business did not answer in time. ``reason`` is what staff wrote for the customer.
    """
    event = booking.events.filter(kind=EventKind.STATUS, to_status=booking.status).last()
    is_answered = booking.status == BookingStatus.DECLINED
    variables = {
        "is_answered": is_answered,
        "reason": event.reason if event and is_answered else "",
        "alternatives": _alternatives(booking, now),
    }
    return _mail(booking, business, "declined_customer", variables, is_off=True)


def help_answer(booking: Booking, business: Business, message: HelpMessage, *, now: datetime) -> MessageContext:
    """Build the mail with a staff message. ``is_answer``: the customer wrote first."""
    due = payable(booking, now)
    variables = {
        "answer": message.text,
        "is_answer": booking.help_messages.filter(is_from_customer=True, pk__lt=message.pk).exists(),
        "pay_url": manage_url(booking, LinkRole.CUSTOMER, page="pay") if due else "",
    }
    return _mail(booking, business, "help_answer_customer", variables)


def refund_lowered(booking: Booking, business: Business, refund: Refund, *, now: datetime) -> MessageContext:
    """Build the mail about a lowered refund.

    ``amount_minor`` is refunded, 0 where the refund was declined; ``reason`` is what staff wrote for the customer.
    """
    asked = refund.asked_minor or refund.amount_minor
    back = 0 if refund.status == RefundStatus.DECLINED else refund.amount_minor
    variables = {
        "amount_minor": back,
        "asked_minor": asked,
        "kept_minor": asked - back,
        "reason": refund.decision,
        "refund_words": _refund_words(booking, refund.payment, back),
        "is_online": refund.method == Method.STRIPE,
        "method": refund.get_method_display(),
    }
    return _mail(booking, business, "refund_lowered_customer", variables)


def _mail(
    booking: Booking, business: Business, template: str, variables: Mapping[str, Any], *, is_off: bool = False
) -> MessageContext:
    steps = appointment.steps(booking)
    basic = {
        **common(booking, business, {}),
        **when(booking, (booking.starts_at, booking.ends_at)),
        "first_name": first_name(booking.contact_name),
        "steps": steps,
        "who": steps[0].who if len(steps) == 1 else "",
        "is_off": is_off,
        "is_called_off": booking.status in CALLED_OFF,
        "is_past": booking.status in _PAST,
        "manage_url": manage_url(booking, LinkRole.CUSTOMER),
        "book_again_url": book_again_url(booking),
    }
    told = {**basic, **variables, "labels": labels(), "card": CARD}
    return MessageContext(
        template=template,
        variables=told,
        words=words_of(told),
        link=str(told.get("pay_url") or told["manage_url"]),
        sender_name=business.text("name"),
        reply_to=business.email,
    )


def _answered_by(booking: Booking) -> dict[str, Any]:
    until = booking.hold_expires_at
    return {"until_moment": booked.local(until, booking) if until else None}


def _card(payment: Payment) -> str:
    return card_words(payment.card_brand, payment.card_last4) if payment.card_last4 else ""


def _refund_words(booking: Booking, payment: Payment, amount_minor: int) -> str:
    return refund_sentence(
        amount_minor,
        currency=booking.currency,
        language=get_language() or booking.language,
        card_brand=payment.card_brand,
        card_last4=payment.card_last4,
    )


def _alternatives(booking: Booking, now: datetime) -> list[datetime]:
    """Return the nearest free times, local to the location, at the moment of sending."""
    line = booked.first_line(booking)
    minute = minute_of(max(booking.starts_at, now))
    wish = None if booking.is_any_staff else line.staff_member_id
    found = nearest_moves(booking_id=booking.pk, start_minute=minute, staff_member_id=wish, now=now)
    return [booked.local(datetime.fromtimestamp(start * 60, tz=now.tzinfo), booking) for _, start in found]
