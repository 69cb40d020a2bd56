"""Starting an online payment, or the setup of a saved card. ``queries.payables`` decides what is due.

Stripe is asked outside any transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Consent
from accounts.operations import record_consent
from bookings.enums import BookingStatus
from bookings.errors import HoldExpired, NothingToPay, StalePage
from bookings.models import Booking, MoveProposal
from bookings.operations._bill import bill_id_of
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.operations.hold import EXTENSION
from bookings.queries.payables import Payable, PayKind, PayReason, payable
from bookings.refs import subject_ref
from bookings.reported_money import has_reported_money
from payments.enums import Purpose
from payments.errors import AlreadyPaid
from payments.operations import start_card_setup, start_payment

__all__ = ["PayKind", "PayReason", "PayStart", "Payable", "begin_payment", "keep_time", "payable"]

CARD_CONSENT = "card_on_file"


@dataclass(frozen=True, slots=True)
class PayStart:
    """A started payment or card setup. ``client_secret`` is for the page of this customer only."""

    kind: PayKind
    client_secret: str
    amount_minor: int
    purpose: Purpose


def begin_payment(*, booking_id: int, expected_minor: int, consent_text: str, now: datetime) -> PayStart:
    """Start what is payable now, or return what was started before: two tabs share one payment.

    ``expected_minor`` is the amount that the page showed (0 for a card). ``consent_text`` is the exact consent shown
    next to the button, empty where no card is saved. A hold gets five minutes more, once. Locks the booking first, then
    asks Stripe outside any transaction.

    :raises StalePage: when another amount is due now (``data["amount_minor"]``).
    :raises HoldExpired: when the time is no longer kept.
    :raises NothingToPay, AlreadyPaid, PaymentUnavailable, NoOnlinePayment: as their sentences say.
    """
    booking, due = _prepared(booking_id, expected_minor, consent_text, now)
    bill_id, subject = bill_id_of(booking), subject_ref(booking)
    if due.kind is PayKind.CARD:
        setup = start_card_setup(bill_id=bill_id, subject_ref=subject, cap_minor=due.cap_minor, now=now)
        return PayStart(due.kind, setup.client_secret, 0, due.purpose)
    started = start_payment(
        bill_id=bill_id,
        subject_ref=subject,
        purpose=due.purpose,
        amount_minor=due.amount_minor,
        saves_card=due.saves_card,
        cap_minor=due.cap_minor,
        is_still_due=lambda: payable(Booking.objects.get(pk=booking_id), now) == due,
        now=now,
    )
    if due.purpose == Purpose.MOVE:
        MoveProposal.objects.filter(booking=booking, payment=None).update(payment=started.payment)
    return PayStart(due.kind, started.client_secret, due.amount_minor, due.purpose)


@booking_transaction
def keep_time(*, booking_id: int, until: datetime, now: datetime) -> bool:
    """Keep the time of an unpaid booking until ``until`` because Stripe is checking a payment.

    Returns False when the booking no longer waits for payment. Locks: the booking.
    """
    booking = locked_booking(booking_id)
    if booking.status != BookingStatus.PENDING_PAYMENT or booking.hold_expires_at is None:
        return False
    _keep_until(booking, until)
    return True


@booking_transaction
def _prepared(booking_id: int, expected_minor: int, consent_text: str, now: datetime) -> tuple[Booking, Payable]:
    booking = locked_booking(booking_id)
    if has_reported_money(booking):
        raise AlreadyPaid
    if _has_run_out(booking, now):
        raise HoldExpired
    due = payable(booking, now)
    if due is None:
        raise NothingToPay
    if due.amount_minor != expected_minor:
        raise StalePage(amount_minor=due.amount_minor, sequence=booking.ical_sequence, starts_at=booking.starts_at)
    if due.saves_card:
        _record_card_consent(booking, consent_text, now)
    if booking.status == BookingStatus.PENDING_PAYMENT and not booking.is_hold_extended and booking.hold_expires_at:
        booking.is_hold_extended = True
        _keep_until(booking, booking.hold_expires_at + EXTENSION)
    return booking, due


def _has_run_out(booking: Booking, now: datetime) -> bool:
    if booking.status == BookingStatus.EXPIRED:
        return True
    is_waiting = booking.status == BookingStatus.PENDING_PAYMENT
    return is_waiting and booking.hold_expires_at is not None and booking.hold_expires_at <= now


def _record_card_consent(booking: Booking, text: str, now: datetime) -> None:
    if not text:
        raise ValueError("A card is kept only with the words that were agreed to.")
    given = Consent.objects.filter(subject_ref=subject_ref(booking), purpose=CARD_CONSENT).order_by("-pk").first()
    if given is None or given.text != text:
        record_consent(
            customer_id=booking.customer_id,
            subject_ref=subject_ref(booking),
            purpose=CARD_CONSENT,
            text=text,
            now=now,
        )


def _keep_until(booking: Booking, until: datetime) -> None:
    booking.hold_expires_at = max(booking.hold_expires_at or until, until)
    booking.save(update_fields=["hold_expires_at", "is_hold_extended", "updated_at"])
