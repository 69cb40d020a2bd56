"""Settling payments and saved cards that succeeded: confirm the booking, move it, or refund the money.

Each payment is settled once; its row in the booking's history is the proof. A repeated or late event finds that row.
"""

from datetime import datetime

from bookings.bill_lines import revival_lines
from bookings.booked import only_line
from bookings.enums import CALLED_OFF, FEE_OWING, ActorKind, BookingChannel, BookingStatus, MoneyEvent
from bookings.errors import SeveralServices, SlotNotOffered, SlotTaken
from bookings.lifecycle import SYSTEM, Actor, record_money
from bookings.messages import money
from bookings.models import Booking, BookingLine
from bookings.money_events import is_settled
from bookings.operations._agreement import agree
from bookings.operations._allocations import claim
from bookings.operations._bill import (
    CARD_LIFE,
    balance_of,
    give_back,
    keep_card_after,
    lines_of,
    write_lines,
)
from bookings.operations._lock import locked_subject
from bookings.operations._retaking import pick_promised, wish_for
from bookings.operations._transaction import Overtaken, booking_transaction
from bookings.operations.move_proposal import accept_paid_move
from core.minutes import minute_of
from payments.enums import AlertKind, PaymentStatus, Purpose, RefundReason
from payments.models import Payment, SavedCard
from payments.operations import issue_receipt, raise_alert
from payments.operations.cards import forget_card_after
from payments.operations.refunding import left_of
from services.enums import PaymentMode

_PAYER = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)


@booking_transaction
def settle_payment(*, payment_id: int, now: datetime) -> Booking | None:
    """Do what a succeeded payment is for, once. Return the booking, or None if the payment belongs to none.

    Money without a booking raises an alert for staff. Locks: the booking, perhaps owners of daily limits and resources,
    the bill, the payment, the series of receipts.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status != PaymentStatus.SUCCEEDED:
        return None
    booking = locked_subject(payment.subject_ref)
    if booking is None or booking.bill_id != payment.bill_id:
        raise_alert(kind=AlertKind.UNKNOWN_MONEY, key=f"payment:{payment.pk}", payment=payment, now=now)
        return None
    if not is_settled(booking, payment):
        settle(booking, payment, actor=SYSTEM if payment.is_off_session else _PAYER, now=now)
    return booking


def settle(booking: Booking, payment: Payment, *, actor: Actor, now: datetime) -> None:
    """Do what a succeeded payment is for, and write its receipt.

    The booking is locked, and its history does not have the payment yet.
    """
    _record_paid(booking, payment, actor, now)
    _do_what_it_is_for(booking, payment, actor, now)
    # Last, because the receipt shows the bill after the payment. The mail that links to it is sent after this
    # transaction.
    issue_receipt(payment_id=payment.pk, now=now)


def return_excess(booking: Booking, *, now: datetime) -> None:
    """Refund what was paid beyond what is owed.

    Does nothing while a fee may still be waived: ``settle_due_fees`` refunds it then.
    """
    if booking.fee_settles_at is None:
        refunds = give_back(
            booking, balance_of(booking).excess_minor, reason=RefundReason.EXCESS, actor=SYSTEM, now=now
        )
        money.announce_refunds(booking, refunds, now=now)


@booking_transaction
def settle_card(*, saved_card_id: int, now: datetime) -> Booking | None:
    """Confirm the booking whose card is saved now, once.

    A card that came too late confirms the booking if the time is still free; otherwise the card is deleted. Locks: the
    booking, perhaps owners of daily limits and resources, the bill.
    """
    card = SavedCard.objects.filter(pk=saved_card_id).first()
    booking = locked_subject(card.subject_ref) if card else None
    if card is None or booking is None:
        return None
    forget_at = booking.ends_at + CARD_LIFE
    if booking.payment_mode == PaymentMode.CARD and booking.status == BookingStatus.PENDING_PAYMENT:
        agree(booking, lines_of(booking), actor=_PAYER, now=now, details={"card": card.last4})
    elif booking.payment_mode == PaymentMode.CARD and booking.status == BookingStatus.EXPIRED:
        if not _take_again(booking, now):
            forget_at = now
    elif booking.status in CALLED_OFF and booking.confirmed_at is None:
        # The booking was never confirmed, so no fee can follow.
        forget_at = now
    forget_card_after(subject_ref=card.subject_ref, at=forget_at)
    return booking


def _do_what_it_is_for(booking: Booking, payment: Payment, actor: Actor, now: datetime) -> None:
    if booking.status == BookingStatus.EXPIRED:
        _settle_late(booking, payment, now)
        return
    if payment.purpose == Purpose.MOVE and not accept_paid_move(booking, actor=actor, now=now):
        _return_late(booking, payment, min(left_of(payment), balance_of(booking).net_paid_minor), now)
        return
    if payment.purpose == Purpose.FEE and booking.status not in FEE_OWING:
        # Charged or paid while staff withdrew the fee: the money is not part of the price.
        refunds = give_back(booking, left_of(payment), reason=RefundReason.EXCESS, actor=SYSTEM, now=now)
        money.announce_refunds(booking, refunds, now=now)
        return
    money.announce_payment_received(booking, payment_id=payment.pk, now=now)
    if booking.status == BookingStatus.PENDING_PAYMENT and _is_paid(booking):
        agree(booking, lines_of(booking), actor=actor, now=now)
    return_excess(booking, now=now)


def _record_paid(booking: Booking, payment: Payment, actor: Actor, now: datetime) -> None:
    record_money(
        booking,
        MoneyEvent.PAID,
        amount_minor=payment.amount_minor,
        payment_id=payment.pk,
        actor=actor,
        now=now,
        reason=payment.note,
        more={"purpose": str(payment.purpose), "method": str(payment.method)},
    )


def _is_paid(booking: Booking) -> bool:
    sums = balance_of(booking)
    if booking.payment_mode == PaymentMode.CARD:
        # The card secures what is not paid; after a full payment none is needed.
        return not sums.open_minor
    return booking.due_now_minor > 0 and sums.net_paid_minor >= booking.due_now_minor


def _settle_late(booking: Booking, payment: Payment, now: datetime) -> None:
    """Handle money for an expired hold: take the same time again if it is free, otherwise refund all and apologize."""
    paid = balance_of(booking).net_paid_minor
    if booking.due_now_minor and paid >= booking.due_now_minor and _take_again(booking, now):
        money.announce_payment_received(booking, payment_id=payment.pk, now=now)
        return_excess(booking, now=now)
    else:
        _return_late(booking, payment, paid, now)


def _take_again(booking: Booking, now: datetime) -> bool:
    """Take the time of an expired booking again, with the same staff member or with anyone as before.

    Returns False if the time is not free.
    """
    if booking.starts_at <= now:
        return False
    try:
        line = only_line(booking, booking.lines.select_related("staff_member__resource"))
        wish = wish_for(booking, line, minute_of(booking.starts_at), None)
        candidate = pick_promised(wish, now=now, promised_at=booking.created_at)
    except Overtaken:
        raise
    except (SlotTaken, SlotNotOffered, SeveralServices):
        return False
    _seat(booking, line, candidate.staff_member_id)
    claim(booking, candidate.claims)
    keep_card_after(booking)
    if booking.bill_id:
        write_lines(booking, revival_lines(booking, [line]), now=now)
    agree(booking, [line], actor=SYSTEM, now=now, reason="paid after the hold had ended, and the time was still free")
    return True


def _seat(booking: Booking, line: BookingLine, staff_member_id: int | None) -> None:
    if line.staff_member_id != staff_member_id:
        line.staff_member_id = staff_member_id
        line.save(update_fields=["staff_member"])
        booking.staff_link_version += 1
        booking.save(update_fields=["staff_link_version", "updated_at"])


def _return_late(booking: Booking, payment: Payment, amount_minor: int, now: datetime) -> None:
    """Refund money for a time that is gone, offer the customer other times, and raise an alert for staff."""
    give_back(booking, amount_minor, reason=RefundReason.LATE, actor=SYSTEM, now=now)
    details = {"amount_minor": amount_minor, "purpose": str(payment.purpose)}
    raise_alert(kind=AlertKind.LATE_PAYMENT, key=str(payment.pk), payment=payment, details=details, now=now)
    # Nothing is left if the money was refunded with another payment; the customer was informed then.
    if amount_minor > 0:
        money.announce_late_payment(booking, payment_id=payment.pk, amount_minor=amount_minor, now=now)
