"""The money of one booking as texts and sums: what is due, payments, refunds, the open balance.

Pages and messages call the same functions, so that they always show the same sums. Facts in, text out: no clock and no
queries. Texts are in the active language.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, pgettext

from bookings import booked
from bookings.booked import local
from bookings.enums import CALLED_OFF, EXPECTED, BookingStatus, MoneyEvent
from bookings.models import Booking, BookingEvent
from bookings.money_events import money_event
from bookings.queries.money import BookingMoney
from bookings.queries.payables import Payable, PayKind
from bookings.rules.prepayment import Demand
from bookings.wording import payments, visit
from bookings.wording.policies import policy_facts
from bookings.wording.visit import MoneyLine
from core import formats
from payments.approvals import is_overdue
from payments.enums import LIVE_PAYMENTS, Method, Purpose, RefundReason, RefundStatus
from payments.models import BillLine, Payment, Refund
from payments.stripe import gateway
from payments.stripe.amounts import chargeable
from services.enums import PaymentMode
from services.models import Business

# In these states customers owe only fees.
_OFF = CALLED_OFF | {BookingStatus.NO_SHOW}
_SHOWN = frozenset(RefundStatus) - {RefundStatus.CANCELLED}
# A declined refund appears in the ledger as the fee that it became.
_IN_LEDGER = _SHOWN - {RefundStatus.DECLINED}
# The reason of these events is for the customer. The reason of all others is only for the history.
_WITH_REASON = frozenset({MoneyEvent.REFUND_LOWERED, MoneyEvent.REFUND_DECLINED})
# Each kind has one line. Cancellation fees have a line for each text, because each has its own reason.
_FEES = (BillLine.Kind.CHANGE_FEE, BillLine.Kind.NO_SHOW_FEE)


# --- what is asked --------------------------------------------------------------------------------------------------


def demand_lines(booking: Booking, demand: Demand) -> list[MoneyLine]:
    """Return the highlighted lines of a summary: what is due now, and what remains for the visit."""
    later = visit.money(demand.due_later_minor, booking)
    at_visit = visit.later_label(booking)
    if demand.due_now_minor:
        is_deposit = demand.mode == PaymentMode.DEPOSIT and not demand.has_extras
        label = gettext("Deposit now") if is_deposit else gettext("Pay now")
        now = MoneyLine(label, visit.money(demand.due_now_minor, booking), "now")
        return [now, MoneyLine(visit.rest_label(booking), later)] if demand.due_later_minor else [now]
    if demand.saves_card:
        nothing = MoneyLine(gettext("Nothing now · card on file"), visit.money(0, booking), "now")
        return [nothing, MoneyLine(at_visit, later)]
    return [MoneyLine(at_visit, later, "now")]


def card_terms(booking: Booking, business: Business, demand: Demand, *, now: datetime) -> str:
    """Return the consent of a customer whose card is kept, in the exact words to store; empty if no card is kept."""
    facts = policy_facts(booking, paid_minor=demand.due_now_minor, now=now)
    return payments.card_consent(facts, demand, business_name=business.text("name"))


# --- what moved -----------------------------------------------------------------------------------------------------


def card_text(brand: str, last4: str) -> str:
    """Return text such as "Visa ending 4242"; empty when the card is unknown."""
    return payments.card_words(brand, last4) if last4 else ""


def means_text(payment: Payment) -> str:
    """Return the payment method, such as "Visa ending 4242", "Cash" or "Card at the desk"."""
    if payment.method != Method.STRIPE:
        return {
            Method.CASH: pgettext("way to pay", "Cash"),
            Method.TERMINAL: pgettext("way to pay", "Card at the desk"),
            Method.TRANSFER: pgettext("way to pay", "Bank transfer"),
        }[Method(payment.method)]
    return card_text(payment.card_brand, payment.card_last4) or gettext("Paid online")


def payment_text(payment: Payment, booking: Booking) -> str:
    """Return text such as "Deposit paid Tue 24 Nov"."""
    day = formats.day_text(local(payment.succeeded_at or payment.created_at, booking).date())
    if payment.purpose == Purpose.FEE:
        text = gettext("Fee paid %(day)s")
    elif payment.purpose == Purpose.MOVE:
        text = gettext("Fee for moving paid %(day)s")
    elif payment.purpose == Purpose.BOOKING and booking.payment_mode == PaymentMode.DEPOSIT:
        text = gettext("Deposit paid %(day)s")
    else:
        text = gettext("Paid %(day)s")
    return text % {"day": day}


def refund_target(payment: Payment | None) -> str:
    """Return where a refund goes, such as "Visa ending 4242", else the payment method."""
    if payment is None or (payment.method == Method.STRIPE and not payment.card_last4):
        return gettext("the way you paid")
    return means_text(payment)


def refund_state(refund: Refund, booking: Booking) -> str:
    """Return the progress of a refund as text."""
    if refund.status == RefundStatus.AWAITING_APPROVAL:
        return gettext("being checked")
    if refund.status == RefundStatus.DECLINED:
        return gettext("declined")
    if refund.status == RefundStatus.SUCCEEDED:
        return gettext("done on %(day)s") % {"day": _day(refund.done_at or refund.created_at, booking)}
    if refund.status == RefundStatus.FAILED:
        return gettext("the bank sent it back; we will contact you")
    if refund.status == RefundStatus.REQUIRES_ACTION:
        return gettext("approved; we need your bank details and will write to you")
    if refund.method != Method.STRIPE:
        return gettext("approved, you get it at the front desk")
    return gettext("approved, on its way, 5–10 business days")


def refund_sentences(booking: Booking, money: BookingMoney, *, now: datetime) -> list[str]:
    """Return a sentence for each refund: its sum, target and progress, such as "on its way, 5–10 business days"."""
    return [_refund_sentence(refund, booking, now) for refund in money.refunds if refund.status in _SHOWN]


def _refund_sentence(refund: Refund, booking: Booking, now: datetime) -> str:
    first = gettext("Refund of %(sum)s to %(target)s: %(state)s.") % {
        "sum": visit.money(refund.amount_minor, booking),
        "target": refund_target(refund.payment),
        "state": refund_state(refund, booking),
    }
    return " ".join(filter(None, (first, _check_text(refund, booking, now), _less_text(refund, booking))))


def _check_text(refund: Refund, booking: Booking, now: datetime) -> str:
    """Return when the business answers about a refund that awaits approval; empty for all others."""
    if refund.status != RefundStatus.AWAITING_APPROVAL or refund.answer_by is None:
        return ""
    if is_overdue(refund.answer_by, now):
        return gettext("We are late with our answer and are sorry. You may ask us at any time.")
    moment = formats.moment_text(local(refund.answer_by, booking))
    return gettext("You hear from us by %(moment)s.") % {"moment": moment}


def _less_text(refund: Refund, booking: Booking) -> str:
    """Return why a refund is less than the rules give, in the words of the staff for the customer."""
    if not refund.decision:
        return ""
    if refund.asked_minor is None:
        return gettext("The reason: %(reason)s") % {"reason": refund.decision}
    asked = visit.money(refund.asked_minor, booking)
    return gettext("It was lowered from %(sum)s. The reason: %(reason)s") % {"sum": asked, "reason": refund.decision}


def ledger(booking: Booking, money: BookingMoney) -> list[MoneyLine]:
    """Return a calculation from top to bottom: owed, less payments, plus refunds, gives the open balance."""
    lines = _owed_lines(booking, money)
    if not lines and not money.payments:
        return []
    lines += [
        MoneyLine(payment_text(each, booking), _less(each.amount_minor, booking), note=means_text(each))
        for each in money.payments
    ]
    lines += [_refund_line(each, booking) for each in money.refunds if each.status in _IN_LEDGER]
    return [*lines, _open_line(booking, money)]


def receipt_rows(booking: Booking, money: BookingMoney) -> list[tuple[str, str, str]]:
    """Return (number, label, note) of every receipt, such as "Receipt for €16.00", number 2026-000123."""
    rows = []
    for receipt in money.receipts:
        amount = visit.money(int(receipt.contents["this_amount_minor"]), booking)
        text = gettext("Receipt for the refund of %(sum)s") if receipt.refund_id else gettext("Receipt for %(sum)s")
        note = gettext("PDF, number %(number)s") % {"number": receipt.number}
        rows.append((receipt.number, text % {"sum": amount}, note))
    return rows


def kept_card_sentence(booking: Booking, money: BookingMoney) -> str:
    """Return which card is kept, and for how much at most; empty if none is."""
    if money.card is None:
        return ""
    text = gettext("%(card)s is kept for fees, %(cap)s at most. It is charged only if you cancel late or do not come.")
    return text % {
        "card": card_text(money.card.brand, money.card.last4) or gettext("Your card"),
        "cap": visit.money(money.card.cap_minor, booking),
    }


def fee_sentence(booking: Booking, money: BookingMoney) -> str:
    """Return what a cancelled booking cost in the end."""
    fee = booking.cancellation_fee_minor or 0
    if opened := open_sentence(booking, money):
        return opened
    if fee:
        return gettext("The fee of %(fee)s is paid.") % {"fee": visit.money(fee, booking)}
    return gettext("There is nothing to pay.")


def open_sentence(booking: Booking, money: BookingMoney) -> str:
    """Return the open balance, and whether the card is being charged for it; empty without one."""
    if not money.balance.open_minor:
        return ""
    fee = visit.money(money.balance.open_minor, booking)
    is_charged = any(each.is_off_session and each.status in LIVE_PAYMENTS for each in money.attempts)
    if is_charged and money.card:
        card = card_text(money.card.brand, money.card.last4) or gettext("card")
        return gettext("A fee of %(fee)s is being charged to your %(card)s.") % {"fee": fee, "card": card}
    if not gateway.is_configured() or not chargeable(money.balance.open_minor, booking.currency):
        text = gettext("A fee of %(fee)s is open. It cannot be paid online: please pay it at the front desk.")
        return text % {"fee": fee}
    return gettext("A fee of %(fee)s is open.") % {"fee": fee}


def event_text(event: BookingEvent, booking: Booking, *, by_customer: bool) -> str:
    """Return a money event of the history; empty for an event that only concerns the business."""
    amount = visit.money(int(event.details.get("amount_minor") or 0), booking)
    told = money_event(event)
    texts = {
        MoneyEvent.PAID: gettext("You paid %(sum)s") if by_customer else gettext("%(sum)s was paid"),
        MoneyEvent.REFUND: gettext("A refund of %(sum)s was approved"),
        MoneyEvent.REFUND_WAITS: gettext("A refund of %(sum)s is being checked"),
        MoneyEvent.REFUND_LOWERED: gettext("A refund of %(sum)s was approved, less than by the rules"),
        MoneyEvent.REFUND_DECLINED: gettext("A refund of %(sum)s was declined"),
        MoneyEvent.FEE: gettext("A fee of %(sum)s became due"),
        MoneyEvent.CHARGE_FAILED: gettext("A fee of %(sum)s could not be charged"),
        MoneyEvent.REDUCED: gettext("The price was reduced by %(sum)s"),
        MoneyEvent.WAIVED: gettext("A fee of %(sum)s was waived"),
        MoneyEvent.PAYMENT_WAIVED: gettext("It stands without a payment in advance"),
        MoneyEvent.NO_SHOW_UNDONE: gettext("It was put right: you were there"),
    }
    if told not in texts:
        return ""
    text = texts[told] % {"sum": amount}
    return f"{text}: {event.reason}" if event.reason and told in _WITH_REASON else text


@dataclass(frozen=True, slots=True)
class PayButton:
    """The button to pay. ``is_main``: paying is the most urgent action on the page."""

    label: str
    is_main: bool


def pay_button(booking: Booking, due: Payable | None) -> PayButton | None:
    if due is None:
        return None
    is_main = booking.status == BookingStatus.PENDING_PAYMENT
    if due.kind is PayKind.CARD:
        return PayButton(gettext("Leave your card"), is_main)
    if due.purpose == Purpose.MOVE:
        text = gettext("Pay %(sum)s to move")
        return PayButton(text % {"sum": visit.money(due.amount_minor, booking)}, is_main=True)
    text = gettext("Pay %(sum)s") if is_main else gettext("Pay %(sum)s now")
    return PayButton(text % {"sum": visit.money(due.amount_minor, booking)}, is_main)


# --- what cancelling does -------------------------------------------------------------------------------------------


# --- inside ---------------------------------------------------------------------------------------------------------


def _owed_lines(booking: Booking, money: BookingMoney) -> list[MoneyLine]:
    fees = [line for kind in _FEES if (line := _fee_line(kind, booking, money))]
    fees += _cancellation_lines(booking, money)
    if waived := _sum_of(BillLine.Kind.WAIVER, money):
        fees.append(MoneyLine(gettext("Waived"), _less(-waived, booking)))
    if booking.status in _OFF:
        return fees
    tax = visit.money(booking.tax_minor, booking)
    label = gettext("Total, with %(tax)s tax") % {"tax": tax} if booking.tax_minor else gettext("Total")
    total = MoneyLine(label, visit.money(booking.total_minor, booking))
    prices = []
    if reduced := -_sum_of(BillLine.Kind.REDUCTION, money):
        prices = [
            MoneyLine(gettext("Price"), visit.money(booking.total_minor + reduced, booking)),
            MoneyLine(gettext("Reduced by"), visit.money(reduced, booking)),
        ]
    if corrected := _sum_of(BillLine.Kind.CORRECTION, money):
        return [*prices, total, MoneyLine(gettext("Corrected"), visit.money(corrected, booking)), *fees]
    return [*prices, total, *fees]


def _fee_line(kind: BillLine.Kind, booking: Booking, money: BookingMoney) -> MoneyLine | None:
    """Return all bill lines of one kind as one, with the text of the first; None when they cancel each other out."""
    lines = [line for line in money.bill_lines if line.kind == kind]
    total = sum(line.gross_minor for line in lines)
    return MoneyLine(lines[0].text, visit.money(total, booking)) if total else None


def _cancellation_lines(booking: Booking, money: BookingMoney) -> list[MoneyLine]:
    """Return the cancellation fee, and parts of a refund that staff kept, one line for each reason."""
    sums: dict[str, int] = {}
    for line in money.bill_lines:
        if line.kind == BillLine.Kind.CANCELLATION_FEE:
            sums[line.text] = sums.get(line.text, 0) + line.gross_minor
    return [MoneyLine(text, visit.money(total, booking)) for text, total in sums.items() if total]


def _sum_of(kind: BillLine.Kind, money: BookingMoney) -> int:
    return sum(line.gross_minor for line in money.bill_lines if line.kind == kind)


def _refund_line(refund: Refund, booking: Booking) -> MoneyLine:
    if refund.method in {Method.CASH, Method.TERMINAL}:
        label = gettext("Refund, %(way)s") % {"way": refund.get_method_display()}
    else:
        label = gettext("Refund to %(target)s") % {"target": refund_target(refund.payment)}
    if refund.reason == RefundReason.DISPUTE:
        label = gettext("Taken back by your bank")
    return MoneyLine(label, visit.money(refund.amount_minor, booking), note=refund_state(refund, booking))


def _open_line(booking: Booking, money: BookingMoney) -> MoneyLine:
    balance = money.balance
    if booking.bill_id is None:
        return MoneyLine(visit.later_label(booking), visit.money(booking.total_minor, booking), "total")
    if balance.excess_minor:
        return MoneyLine(gettext("In your favour"), visit.money(balance.excess_minor, booking), "total")
    if not balance.open_minor:
        return MoneyLine(gettext("Nothing left to pay"), visit.money(0, booking), "total")
    is_ahead = booking.status in EXPECTED
    label = visit.later_label(booking) if is_ahead else gettext("Left to pay")
    return MoneyLine(label, visit.money(balance.open_minor, booking), "total")


def _less(amount_minor: int, booking: Booking) -> str:
    return visit.money(-amount_minor, booking)


def _day(moment: datetime, booking: Booking) -> str:
    return formats.day_text(moment.astimezone(booked.zone_of(booking)).date())
