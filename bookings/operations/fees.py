"""Fees and their money: settle, charge, refund, waive, and ask for them by a mailed link."""

from datetime import datetime, timedelta

from bookings.bill_lines import waiver_lines
from bookings.enums import FEE_OWING, MoneyEvent
from bookings.errors import FeeBeingPaid, NothingToPay, NothingToWaive, TooEarlyToCharge
from bookings.lifecycle import SYSTEM, Actor, record_money
from bookings.messages import money
from bookings.models import Booking
from bookings.money_events import money_events
from bookings.operations._bill import (
    balance_of,
    bill_id_of,
    fee_left,
    give_back,
    let_off,
    lines_of,
    move_fees,
    owe_less,
    record_refund,
    write_lines,
)
from bookings.operations._lock import locked_booking, locked_subject
from bookings.operations._transaction import booking_transaction
from bookings.refs import subject_ref
from bookings.rules.settlement import Paid, Settlement, settlement
from core.outbox import publish
from payments import queries
from payments.approvals import answer_by
from payments.enums import COUNTING_REFUNDS, LIVE_PAYMENTS, PaymentStatus, Purpose, RefundReason, RefundStatus
from payments.models import Payment, Refund, SavedCard
from payments.operations import call_off_payments, request_charge
from payments.operations.paying import call_off
from payments.stripe import gateway

# When to remind of a fee that the card did not pay. After the second reminder the fee stays a balance due.
REMIND_AFTER = (timedelta(days=1), timedelta(days=3))


def settled(booking: Booking, *, may_charge: bool = True) -> Settlement:
    """Return what becomes of the money of a booking whose bill shows its fee: kept, refunded, charged, open.

    Fees for moves were agreed to and paid before, so what was paid covers them first.
    """
    balance = balance_of(booking)
    card = queries.saved_card(subject_ref(booking)) if may_charge and gateway.is_configured() else None
    moves = move_fees(booking)
    paid = Paid(max(0, balance.net_paid_minor - moves), card.cap_minor if card else None)
    return settlement(balance.owed_minor - moves, paid, currency=booking.currency)


def move_money(
    booking: Booking,
    outcome: Settlement,
    *,
    reason: RefundReason,
    actor: Actor,
    waits_minor: int = 0,
    now: datetime,
) -> list[Refund]:
    """Request the refunds and the charge of a settlement. The caller announces the returned refunds.

    ``waits_minor`` of the refund wait for approval by staff; the remainder is what was paid beyond the price. The
    booking is locked. A task sends the requests to Stripe.
    """
    at_once = RefundReason.EXCESS if waits_minor else reason
    refunds = give_back(booking, outcome.refund_minor - waits_minor, reason=at_once, actor=actor, now=now)
    refunds += give_back(booking, waits_minor, reason=reason, actor=actor, answer_by=answer_by(now), now=now)
    let_off(booking, outcome.waived_minor, now=now)
    if outcome.charge_minor:
        _charge(booking, outcome.charge_minor, actor, now)
    return refunds


@booking_transaction
def waive_fee(*, booking_id: int, amount_minor: int | None, reason: str, actor: Actor, now: datetime) -> Booking:
    """Waive a fee for cancelling or not coming, all of it (None) or a part. What was paid of it is refunded.

    If a payment of the fee is pending or being charged, ``fee.waived`` is published: see ``collect_rest``. Locks: the
    booking, then the bill.

    :raises NothingToWaive: when the remaining fee is smaller (``data["fee_minor"]``), or there is none.
    """
    booking = locked_booking(booking_id)
    left = fee_left(booking) if booking.bill_id and booking.status in FEE_OWING else 0
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        raise NothingToWaive(fee_minor=left)
    write_lines(booking, waiver_lines(booking, lines_of(booking), amount), now=now)
    record_money(
        booking,
        MoneyEvent.WAIVED,
        amount_minor=amount,
        actor=actor,
        now=now,
        reason=reason,
        more={"left_minor": left - amount},
    )
    call_off_payments(subject_ref=subject_ref(booking), purposes=[Purpose.FEE], now=now)
    if waiting := queries.live_payment(subject_ref(booking), Purpose.FEE):
        key = f"payment:{waiting.pk}:{int(now.timestamp())}"
        publish("fee.waived", key, {"payment_id": waiting.pk}, now=now)
    if amount == left:
        # After a partial waiver they stay: they read the remaining fee when they are sent.
        money.take_back_fee_reminders(booking)
    if booking.fee_settles_at is None:
        refunds = give_back(
            booking, balance_of(booking).excess_minor, reason=RefundReason.STAFF, actor=actor, note=reason, now=now
        )
        money.announce_refunds(booking, refunds, now=now)
    return booking


def collect_rest(*, payment_id: int, now: datetime) -> None:
    """Cancel a pending payment of a fee that staff have waived since, and charge what is left of the fee.

    Only a charge of the saved card is replaced. If the payment succeeds before it is cancelled, settling it refunds the
    waived part. A fee that the bank refused, or that the customer pays on the page, is covered by the link and the
    reminders already sent. Safe to repeat after a crash at any line. Asks Stripe; runs outside any transaction.

    :raises FeeBeingPaid: while the bank is checking the payment; the caller retries.
    :raises ProviderFailed: when Stripe does not answer; the caller retries.
    """
    if call_off(payment_id=payment_id, now=now) in LIVE_PAYMENTS:
        raise FeeBeingPaid
    _charge_rest(payment_id=payment_id, now=now)


@booking_transaction
def _charge_rest(*, payment_id: int, now: datetime) -> None:
    """Locks: the booking, then the bill."""
    payment = Payment.objects.get(pk=payment_id)
    booking = locked_subject(payment.subject_ref)
    was_called_off = payment.status == PaymentStatus.CANCELLED and payment.is_off_session and not payment.failure_code
    if booking is None or not was_called_off or money_events(booking, MoneyEvent.FEE, instead_of=payment_id).exists():
        return
    has_fee = booking.status in FEE_OWING and booking.fee_settles_at is None
    if has_fee and (amount := settled(booking).charge_minor):
        _charge(booking, amount, SYSTEM, now, instead_of=payment_id)


def charge_fee(*, booking_id: int, actor: Actor, now: datetime) -> Payment:
    """Charge the open part of a fee to the saved card on request of staff.

    If a charge is already running, returns that one. Locks: the booking, then the bill.

    :raises NothingToPay: when nothing is open, there is no card, or the amount is too small for Stripe.
    :raises FeeBeingPaid: when the customer may still pay the fee on the page; that payment is being cancelled first.
    :raises TooEarlyToCharge: while the customer was promised that no money moves (``data["until"]``).
    """
    payment = _charge_open(booking_id=booking_id, actor=actor, now=now)
    if payment is None:
        raise FeeBeingPaid
    return payment


@booking_transaction
def _charge_open(*, booking_id: int, actor: Actor, now: datetime) -> Payment | None:
    """Return the charge; None when a payment by the customer is pending, which is now being cancelled."""
    booking = locked_booking(booking_id)
    if booking.status not in FEE_OWING or booking.bill_id is None:
        raise NothingToPay
    if booking.fee_settles_at is not None and now < booking.fee_settles_at:
        raise TooEarlyToCharge(until=booking.fee_settles_at)
    waiting = queries.live_payment(subject_ref(booking), Purpose.FEE)
    if waiting is not None and waiting.is_being_charged:
        return waiting
    outcome = settled(booking)
    if not outcome.charge_minor:
        raise NothingToPay
    if waiting is not None:
        call_off_payments(subject_ref=subject_ref(booking), purposes=[Purpose.FEE], now=now)
        return None
    _end_waiting(booking)
    payment = _charge(booking, outcome.charge_minor, actor, now)
    if payment is None:
        raise NothingToPay
    if not payment.is_off_session:
        # The customer began to pay on the page meanwhile.
        call_off_payments(subject_ref=subject_ref(booking), purposes=[Purpose.FEE], now=now)
        return None
    return payment


@booking_transaction
def ask_for_fee(*, payment_id: int, now: datetime) -> None:
    """Record that the charge of the saved card failed, and mail the customer a payment link now and two reminders.

    Runs once per payment. The fee stays open. Locks: the booking.
    """
    payment = Payment.objects.get(pk=payment_id)
    booking = locked_subject(payment.subject_ref)
    if booking is None or money_events(booking, MoneyEvent.CHARGE_FAILED, payment_id=payment.pk).exists():
        return
    record_money(
        booking,
        MoneyEvent.CHARGE_FAILED,
        amount_minor=payment.amount_minor,
        payment_id=payment.pk,
        actor=SYSTEM,
        now=now,
    )
    money.announce_fee_due(booking, payment_id=payment.pk, remind_after=REMIND_AFTER, now=now)


@booking_transaction
def accept_found_refund(*, refund_id: int, now: datetime) -> None:
    """Account for a refund that was made in Stripe's dashboard so that it creates no debt, as at the desk.

    Runs once per refund. What had been paid too much counts as refunded first. The rest lowers the price, or waives
    that much of a fee. Locks: the booking, then the bill.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    booking = locked_subject(refund.payment.subject_ref)
    if booking is None or money_events(booking, MoneyEvent.REFUND, refund_id=refund.pk).exists():
        return
    record_refund(booking, refund, actor=SYSTEM, now=now)
    sums = balance_of(booking)
    excess_before = max(0, sums.net_paid_minor + refund.amount_minor - sums.owed_minor)
    if refund.status in COUNTING_REFUNDS and refund.amount_minor > excess_before:
        reason = str(RefundReason.EXTERNAL.label)
        owe_less(booking, refund.amount_minor - excess_before, reason=reason, actor=SYSTEM, now=now)


@booking_transaction
def note_refund(*, refund_id: int, now: datetime) -> None:
    """Record that a refund has arrived or failed, and inform the customer of one that arrived.

    Runs once per refund. Money that the bank took back in a dispute is recorded without a message: the customer knows
    of it. Locks: the booking.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.status not in {RefundStatus.SUCCEEDED, RefundStatus.FAILED}:
        return
    booking = locked_subject(refund.payment.subject_ref)
    is_by_bank = refund.reason == RefundReason.DISPUTE
    is_done = refund.status == RefundStatus.SUCCEEDED
    outcome = MoneyEvent.REFUNDED if is_done else MoneyEvent.REFUND_FAILED
    event = MoneyEvent.TAKEN_BACK if is_by_bank else outcome
    if booking is None or money_events(booking, event, refund_id=refund.pk).exists():
        return
    record_money(
        booking,
        event,
        amount_minor=refund.amount_minor,
        refund_id=refund.pk,
        actor=SYSTEM,
        now=now,
        more={"method": refund.method},
    )
    if is_done and not is_by_bank:
        money.announce_refund_done(booking, refund_id=refund.pk, now=now)


def _charge(booking: Booking, amount_minor: int, actor: Actor, now: datetime, **ids: int) -> Payment | None:
    """Charge the saved card.

    Returns the payment, or the payment that the customer has begun on the page instead; None where the card may not be
    charged now.
    """
    subject = subject_ref(booking)
    try:
        payment = request_charge(bill_id=bill_id_of(booking), subject_ref=subject, amount_minor=amount_minor, now=now)
    except SavedCard.DoesNotExist:
        # The card was frozen, deleted or withdrawn meanwhile: the fee stays open.
        return None
    if payment is not None and payment.is_off_session:
        record_money(
            booking,
            MoneyEvent.FEE,
            amount_minor=payment.amount_minor,
            payment_id=payment.pk,
            actor=actor,
            now=now,
            more=ids,
        )
    return payment


def _end_waiting(booking: Booking) -> None:
    if booking.fee_settles_at is not None:
        booking.fee_settles_at = None
        booking.save(update_fields=["fee_settles_at", "updated_at"])
