"""Builds each kind of message at the moment of sending, one function per kind; None when the message is no longer true.

This module decides whether the booking, payment or refund is still in the state that the message reports.
``contexts`` and ``money_contexts`` decide what goes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings import booked
from bookings.enums import CALLED_OFF, BookingStatus
from bookings.messages import contexts, money_contexts
from bookings.messages.agenda import agenda_of
from bookings.models import Booking
from bookings.queries.bookings import same_customer
from bookings.queries.payables import PayReason, payable
from notifications.requests import MessageContext
from payments.enums import PaymentStatus, Purpose, RefundStatus
from payments.models import Payment, Refund
from services.models import Business
from staff.models import StaffMember

_UNSEATED = CALLED_OFF - {BookingStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Occasion:
    """A message about a booking to one recipient.

    ``booking`` has its lines, with staff members and services, and its location. ``person`` is the staff member who
    receives it, None for the customer. ``details`` is what the announcement stored for this message.
    """

    booking: Booking
    business: Business
    person: StaffMember | None
    kind: str
    details: Mapping[str, Any]
    now: datetime


def visit(of: Occasion) -> MessageContext:
    """Build the message with the appointment as it stands, and its calendar entry where that has changed."""
    if of.person is None:
        return contexts.customer_context(of.booking, of.business, kind=of.kind, details=of.details, now=of.now)
    return contexts.staff_context(of.booking, of.business, of.person, kind=of.kind, details=of.details, now=of.now)


def review_request(of: Occasion) -> MessageContext | None:
    """Build the review request; None where the business has set no link for reviews."""
    return visit(of) if of.business.review_url else None


def agenda(of: Occasion) -> MessageContext | None:
    """Build the agenda of the booking's day for its staff member."""
    on = booked.local(of.booking.starts_at, of.booking).date()
    return agenda_of(of.person, on, of.business) if of.person else None


def payment_required(of: Occasion) -> MessageContext | None:
    due = payable(of.booking, of.now)
    if due is None:
        return None
    # The visit is confirmed by now, and what is left may be paid there: only a customer whom staff sent a link gets it.
    if due.why is PayReason.BALANCE and not of.details.get("is_asked"):
        return None
    return money_contexts.payment_required(of.booking, of.business, due, now=of.now)


def fee_due(of: Occasion) -> MessageContext | None:
    due = payable(of.booking, of.now)
    if due is None or due.purpose != Purpose.FEE:
        return None
    return money_contexts.payment_required(of.booking, of.business, due, template="fee_due_customer", now=of.now)


def payment_received(of: Occasion) -> MessageContext | None:
    payment = Payment.objects.filter(pk=of.details["payment_id"], status=PaymentStatus.SUCCEEDED).first()
    return money_contexts.payment_received(of.booking, of.business, payment, now=of.now) if payment else None


def late_payment(of: Occasion) -> MessageContext | None:
    payment = Payment.objects.filter(pk=of.details["payment_id"]).first()
    amount_minor = int(of.details["amount_minor"])
    return money_contexts.late_payment(of.booking, of.business, payment, amount_minor, now=of.now) if payment else None


def refund_approved(of: Occasion) -> MessageContext | None:
    refund = _refund(of)
    if refund is None or refund.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}:
        return None
    return money_contexts.refund(of.booking, of.business, refund, template="refund_approved_customer", now=of.now)


def refund_done(of: Occasion) -> MessageContext | None:
    refund = _refund(of)
    if refund is None or refund.status != RefundStatus.SUCCEEDED:
        return None
    return money_contexts.refund(of.booking, of.business, refund, template="refund_done_customer", now=of.now)


def refund_lowered(of: Occasion) -> MessageContext | None:
    refund = _refund(of)
    if refund is None or not refund.decision:
        return None
    return money_contexts.refund_lowered(of.booking, of.business, refund, now=of.now)


def missed(of: Occasion) -> MessageContext | None:
    is_missed = of.booking.status == BookingStatus.NO_SHOW
    return money_contexts.missed(of.booking, of.business, now=of.now) if is_missed else None


def requested(of: Occasion) -> MessageContext | None:
    return money_contexts.requested(of.booking, of.business, now=of.now) if _is_request(of) else None


def requested_of_staff(of: Occasion) -> MessageContext | None:
    if of.person is None or not _is_request(of):
        return None
    return money_contexts.request_for_staff(of.booking, of.business, of.person, now=of.now)


def confirm_by_mail(of: Occasion) -> MessageContext | None:
    is_held = of.booking.status == BookingStatus.HELD and _is_kept(of)
    return money_contexts.confirm_by_mail(of.booking, of.business) if is_held else None


def hold_link(of: Occasion) -> MessageContext | None:
    is_held = of.booking.status == BookingStatus.HELD and _is_kept(of)
    return money_contexts.hold_link(of.booking, of.business) if is_held else None


def hold_link_ended(of: Occasion) -> MessageContext | None:
    return money_contexts.hold_link_ended(of.booking, of.business, now=of.now) if _is_lost(of) else None


def declined(of: Occasion) -> MessageContext | None:
    is_off = of.booking.status in _UNSEATED
    return money_contexts.declined(of.booking, of.business, now=of.now) if is_off else None


def hold_ended(of: Occasion) -> MessageContext | None:
    return money_contexts.hold_ended(of.booking, of.business, now=of.now) if _is_lost(of) else None


def help_answer(of: Occasion) -> MessageContext | None:
    answer = of.booking.help_messages.filter(pk=of.details["help_message_id"]).first()
    return money_contexts.help_answer(of.booking, of.business, answer, now=of.now) if answer else None


def _refund(of: Occasion) -> Refund | None:
    return Refund.objects.select_related("payment").filter(pk=of.details["refund_id"]).first()


def _is_request(of: Occasion) -> bool:
    return of.booking.status == BookingStatus.REQUESTED and _is_kept(of)


def _is_kept(of: Occasion) -> bool:
    return of.booking.hold_expires_at is not None and of.booking.hold_expires_at > of.now


def _is_lost(of: Occasion) -> bool:
    """Return whether an expired time could still be wanted, and its customer has not booked it since."""
    booking = of.booking
    if booking.status != BookingStatus.EXPIRED or of.now >= booking.starts_at:
        return False
    again = same_customer(booking).filter(starts_at=booking.starts_at)
    return not again.exclude(status__in=CALLED_OFF).exists()
