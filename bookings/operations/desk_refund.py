"""Refunds that staff make at the desk."""

from datetime import datetime

from bookings.errors import (
    NoSuchPayment,
)
from bookings.lifecycle import Actor
from bookings.messages import money
from bookings.operations._bill import balance_of, owe_less, record_refund
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.refs import subject_ref
from payments import operations as payments
from payments.enums import Method
from payments.models import Payment, Refund


@booking_transaction
def refund(
    *,
    booking_id: int,
    payment_id: int,
    amount_minor: int,
    method: Method,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    is_still_owed: bool = False,
) -> Refund:
    """Refund one payment in full or in part. The same ``request_key`` counts once.

    What was paid too much is refunded first. The rest lowers the price, or waives that much of a fee, so that a refund
    never creates a debt. With ``is_still_owed`` neither is lowered, and the customer has to pay it another way.

    Locks: the booking, the bill, the payment.

    :raises NoSuchPayment: when the payment is not of this booking.
    :raises RefundTooLarge, RefundNotPossible: as their sentences say.
    """
    booking = locked_booking(booking_id)
    if not Payment.objects.filter(pk=payment_id, subject_ref=subject_ref(booking)).exists():
        raise NoSuchPayment
    if known := Refund.objects.filter(request_key=request_key).first():
        return known
    excess = balance_of(booking).excess_minor
    made = payments.refund_payment(
        payment_id=payment_id,
        amount_minor=amount_minor,
        method=method,
        note=reason,
        actor_id=actor.user_id,
        actor_name=actor.name,
        request_key=request_key,
        now=now,
    )
    record_refund(booking, made, actor=actor, now=now)
    if not is_still_owed and amount_minor > excess:
        owe_less(booking, amount_minor - excess, reason=reason, actor=actor, now=now)
    money.announce_refunds(booking, [made], now=now)
    return made


@booking_transaction
def hand_back(*, booking_id: int, refund_id: int, method: Method, note: str, actor: Actor, now: datetime) -> Refund:
    """Record that staff handed money over: a cash refund that was due, or a refund that the bank could not deliver.

    Locks: the booking, the refund.

    :raises NoSuchPayment: when the refund is not of this booking.
    :raises RefundNotPossible, RefundTooLarge: as their sentences say.
    """
    booking = locked_booking(booking_id)
    if not Refund.objects.filter(pk=refund_id, payment__subject_ref=subject_ref(booking)).exists():
        raise NoSuchPayment
    return payments.hand_back(
        refund_id=refund_id, method=method, note=note, actor_id=actor.user_id, actor_name=actor.name, now=now
    )
