"""Payments and requests at the front desk: cash and card payments, lower prices, waived payments, payment links."""

from datetime import datetime, timedelta

from bookings.enums import FEE_OWING, STANDING, BookingStatus, MoneyEvent
from bookings.errors import (
    AmountTooLarge,
    HoldExpired,
    NotBooked,
    NothingToPay,
    NotWaitingForPayment,
)
from bookings.lifecycle import Actor, record_money
from bookings.messages import money
from bookings.models import Booking
from bookings.money_events import is_settled, money_events
from bookings.operations._agreement import agree, link_until
from bookings.operations._bill import (
    balance_of,
    give_back,
    lines_of,
    owe_less,
    settled_excess,
)
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.operations.pay import payable
from bookings.operations.settle import settle
from bookings.queries.bookings import lead_minutes_of
from bookings.refs import booking_ref, subject_ref
from payments import operations as payments
from payments.enums import LIVE_PAYMENTS, Method, Purpose, RefundReason
from payments.models import Payment

# A customer has at least this long to use a payment link, however short the notice.
LINK_AT_LEAST = timedelta(minutes=30)
# Two clicks within this time, or two staff members at once, count as one request.
LINK_ONCE_IN = timedelta(minutes=1)
# Online payments that a payment at the desk replaces. The fee of a move is not among them.
_PAID_AT_DESK = (Purpose.BOOKING, Purpose.BALANCE, Purpose.FEE)


@booking_transaction
def record_payment(
    *, booking_id: int, method: Method, amount_minor: int, note: str, request_key: str, actor: Actor, now: datetime
) -> Payment:
    """Record money that a staff member took, and do what it pays for: a booking that waits for it is confirmed.

    The same ``request_key`` counts once. A pending online payment is cancelled. Locks: the booking, the bill.

    :raises AmountTooLarge: when it is more than the balance due (``data["open_minor"]``).
    :raises NotBooked: when nothing can be paid: held, requested, declined, expired.
    """
    booking = locked_booking(booking_id)
    if known := Payment.objects.filter(request_key=request_key).first():
        return known
    if booking.bill_id is None or booking.status == BookingStatus.EXPIRED:
        raise NotBooked
    open_minor = balance_of(booking).open_minor
    if not 0 < amount_minor <= open_minor:
        raise AmountTooLarge(open_minor=open_minor)
    payments.call_off_payments(subject_ref=subject_ref(booking), purposes=_PAID_AT_DESK, now=now)
    payment = payments.record_payment(
        bill_id=booking.bill_id,
        subject_ref=subject_ref(booking),
        purpose=_purpose(booking),
        method=method,
        amount_minor=amount_minor,
        actor_id=actor.user_id,
        actor_name=actor.name,
        note=note,
        request_key=request_key,
        now=now,
    )
    if not is_settled(booking, payment):
        settle(booking, payment, actor=actor, now=now)
    return payment


@booking_transaction
def lower_price(*, booking_id: int, amount_minor: int, reason: str, actor: Actor, now: datetime) -> Booking:
    """Lower the price of a booking by a part or all of it, and refund what was paid beyond the new price.

    Locks: the booking, the bill.

    :raises NotBooked: when it has no price to lower: not confirmed yet, cancelled, missed.
    :raises AmountTooLarge: when it is more than the price (``data["open_minor"]``).
    """
    booking = locked_booking(booking_id)
    if booking.status not in STANDING or booking.bill_id is None:
        raise NotBooked
    if not 0 < amount_minor <= booking.total_minor:
        raise AmountTooLarge(open_minor=booking.total_minor)
    owe_less(booking, amount_minor, reason=reason, actor=actor, now=now)
    excess = min(amount_minor, settled_excess(booking))
    refunds = give_back(booking, excess, reason=RefundReason.EXCESS, actor=actor, note=reason, now=now)
    money.announce_refunds(booking, refunds, now=now)
    return booking


@booking_transaction
def waive_payment(*, booking_id: int, reason: str, actor: Actor, now: datetime) -> Booking:
    """Confirm a booking without the payment or card that it waits for; the price stays due at the visit.

    A repeated call returns the same booking. Locks: the booking.

    :raises NotWaitingForPayment: when it does not wait for one.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.CONFIRMED and booking.is_payment_waived:
        return booking
    if booking.status != BookingStatus.PENDING_PAYMENT:
        raise NotWaitingForPayment
    payments.call_off_payments(subject_ref=subject_ref(booking), now=now)
    due_minor = booking.due_now_minor
    record_money(booking, MoneyEvent.PAYMENT_WAIVED, amount_minor=due_minor, actor=actor, now=now, reason=reason)
    agree(booking, lines_of(booking), actor=actor, now=now, reason=reason, values={"is_payment_waived": True})
    return booking


@booking_transaction
def send_pay_link(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Mail the customer a link to pay what can be paid now.

    If the booking waits for the payment, its time is kept for a day, or until the notice period begins. A second
    request within a minute sends nothing more.

    Locks: the booking.

    :raises HoldExpired: when the time is no longer kept.
    :raises NothingToPay: when nothing can be paid online, or the booking has no e-mail address.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.EXPIRED:
        raise HoldExpired
    due = payable(booking, now)
    if due is None or not booking.contact_email:
        raise NothingToPay
    if money_events(booking, MoneyEvent.LINK).filter(at__gt=now - LINK_ONCE_IN).exists():
        return booking
    if booking.status == BookingStatus.PENDING_PAYMENT and booking.hold_expires_at:
        until = link_until(booking, lead_minutes=lead_minutes_of(booking), at_least=LINK_AT_LEAST, now=now)
        booking.hold_expires_at = max(booking.hold_expires_at, until)
        booking.save(update_fields=["hold_expires_at", "updated_at"])
    record_money(booking, MoneyEvent.LINK, amount_minor=due.amount_minor, actor=actor, now=now)
    money.announce_pay_link(booking, now=now)
    return booking


def refresh_payments(*, booking_id: int, now: datetime) -> None:
    """Ask Stripe for the state of the pending payments of a booking. Runs outside any transaction.

    :raises ProviderFailed: when Stripe does not answer.
    """
    waiting = Payment.objects.filter(subject_ref=booking_ref(booking_id), status__in=LIVE_PAYMENTS)
    for pk in waiting.values_list("pk", flat=True):
        payments.sync_payment(payment_id=pk, now=now)


def _purpose(booking: Booking) -> Purpose:
    if booking.status in FEE_OWING:
        return Purpose.FEE
    return Purpose.BOOKING if booking.status == BookingStatus.PENDING_PAYMENT else Purpose.BALANCE
