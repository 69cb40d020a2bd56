"""What can be paid online now, and why. Pages, mails, the desk and Stripe all get the amount from here.

Reads only. An amount that Stripe would not accept is not offered.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bookings.booked import demand_of
from bookings.enums import STANDING, BookingStatus
from bookings.models import Booking, MoveProposal
from bookings.queries.bookings import live_proposal
from bookings.refs import subject_ref
from bookings.reported_money import has_reported_money
from payments.enums import Purpose
from payments.queries import balance, live_payment, saved_card
from payments.stripe import gateway
from payments.stripe.amounts import chargeable
from services.enums import PaymentMode


class PayKind(StrEnum):
    """PAYMENT: money moves now. CARD: a card is saved, and no money moves."""

    PAYMENT = "payment"
    CARD = "card"


class PayReason(StrEnum):
    """What a payment is for, as its texts say."""

    DEPOSIT = "deposit"
    FULL = "full"
    CARD = "card"
    MOVE = "move"
    BALANCE = "balance"
    CANCELLATION_FEE = "cancellation_fee"
    NO_SHOW_FEE = "no_show_fee"


@dataclass(frozen=True, slots=True)
class Payable:
    """What can be paid online now. Equality ignores ``until``.

    ``until``: the time is kept until then for this payment; None: it has no deadline. ``saves_card``: the card is saved
    for later fees, of at most ``cap_minor``, and the consent stands next to the button.
    """

    kind: PayKind
    purpose: Purpose
    why: PayReason
    amount_minor: int
    saves_card: bool = False
    cap_minor: int = 0
    until: datetime | None = field(default=None, compare=False)


def payable(booking: Booking, now: datetime) -> Payable | None:
    """Return what can be paid online for a booking at ``now``; None when nothing can, or Stripe is not configured.

    Also None while Stripe reported money that is not in the booking's history yet, because it may be this payment. Runs
    at most four queries.
    """
    if not booking.bill_id or not gateway.is_configured() or has_reported_money(booking):
        return None
    if booking.status == BookingStatus.PENDING_PAYMENT:
        return _due_when_booking(booking, now)
    if booking.status in STANDING:
        proposal = live_proposal(booking, now)
        return _fee_of_move(proposal) if proposal else _open_balance(booking, PayReason.BALANCE)
    if booking.status == BookingStatus.CANCELLED:
        return _open_balance(booking, PayReason.CANCELLATION_FEE)
    if booking.status == BookingStatus.NO_SHOW and booking.fee_settles_at is None:
        return _open_balance(booking, PayReason.NO_SHOW_FEE)
    return None


def can_be_paid_online(amount_minor: int, currency: str) -> bool:
    """Return whether Stripe is configured and accepts exactly this amount."""
    return gateway.is_configured() and chargeable(amount_minor, currency) == amount_minor


def _due_when_booking(booking: Booking, now: datetime) -> Payable | None:
    if booking.hold_expires_at is None or booking.hold_expires_at <= now:
        return None
    demand = demand_of(booking, booking.lines.all())
    if booking.payment_mode == PaymentMode.CARD:
        if saved_card(subject_ref(booking)):
            return None
        kind, why, amount = PayKind.CARD, PayReason.CARD, 0
    else:
        kind, why = PayKind.PAYMENT, PayReason.DEPOSIT
        if booking.payment_mode == PaymentMode.FULL:
            why = PayReason.FULL
        amount = chargeable(booking.due_now_minor - balance(subject_ref(booking)).net_paid_minor, booking.currency)
        if not amount:
            return None
    return Payable(
        kind,
        Purpose.BOOKING,
        why,
        amount,
        saves_card=demand.saves_card,
        cap_minor=demand.cap_minor,
        until=booking.hold_expires_at,
    )


def _fee_of_move(proposal: MoveProposal) -> Payable:
    return Payable(PayKind.PAYMENT, Purpose.MOVE, PayReason.MOVE, proposal.fee_minor, until=proposal.expires_at)


def _open_balance(booking: Booking, why: PayReason) -> Payable | None:
    amount = chargeable(balance(subject_ref(booking)).open_minor, booking.currency)
    purpose = Purpose.BALANCE if why is PayReason.BALANCE else Purpose.FEE
    if not amount or (purpose == Purpose.FEE and _is_being_charged(booking)):
        return None
    return Payable(PayKind.PAYMENT, purpose, why, amount)


def _is_being_charged(booking: Booking) -> bool:
    """Return whether the saved card is being charged.

    Once the bank has refused, the customer may pay the same amount online.
    """
    charge = live_payment(subject_ref(booking), Purpose.FEE)
    return charge is not None and charge.is_off_session and not charge.failure_code
