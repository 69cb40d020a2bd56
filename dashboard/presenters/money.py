"""The money of one booking as a ledger: what the customer owes, payments by method, refunds, the open balance."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import local
from bookings.enums import EXPECTED, BookingStatus
from bookings.models import Booking
from bookings.queries.money import BookingMoney
from bookings.wording import visit
from core import formats
from payments.brands import brand_name
from payments.enums import LIVE_PAYMENTS, Method, PaymentStatus, Purpose, RefundReason, RefundStatus
from payments.models import BillLine, Payment, Refund

_PRICES = frozenset({BillLine.Kind.SERVICE, BillLine.Kind.ADD_ON})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``kind`` is "total", "void" (no money moved) or empty."""

    label: str
    sum: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """``open`` is the open balance in the heading; empty when the balance is zero."""

    open: str
    entries: tuple[Entry, ...]
    card: str = ""


def ledger_of(booking: Booking, money: BookingMoney, *, now: datetime) -> Ledger:
    balance = money.balance
    entries = [*_owed(booking, money), *_moved(booking, money), _rest(booking, money, now)]
    return Ledger(
        open=visit.money(balance.open_minor, booking) if balance.open_minor else "",
        entries=tuple(entries) if money.bill_lines or money.attempts else (),
        card=_card_text(money, booking),
    )


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    label: str
    number: str
    url: str
    pdf_url: str


def receipt_rows(booking: Booking, money: BookingMoney) -> list[ReceiptRow]:
    """Return every receipt of a booking, for users with the right to read them."""
    rows = []
    for receipt in money.receipts:
        address = [booking.reference, receipt.number]
        text = gettext("Receipt for the refund of %(sum)s") if receipt.refund_id else gettext("Receipt for %(sum)s")
        amount = visit.money(int(receipt.contents["this_amount_minor"]), booking)
        url, pdf_url = reverse("desk_booking_receipt", args=address), reverse("desk_booking_receipt_pdf", args=address)
        rows.append(ReceiptRow(text % {"sum": amount}, receipt.number, url, pdf_url))
    return rows


def means_text(payment: Payment) -> str:
    """Return the card, such as "Visa 4242", else the payment method."""
    if payment.card_last4:
        return f"{brand_name(payment.card_brand)} {payment.card_last4}".strip()
    if payment.method == Method.STRIPE and payment.method_type not in {"", "card"}:
        return payment.method_type.replace("_", " ").title()
    return str(Method(payment.method).label)


def refund_text(refund: Refund, payment: Payment) -> str:
    """Return text such as "Refund to Visa 4242". It names another method if staff used one, and a chargeback."""
    if refund.reason == RefundReason.DISPUTE:
        return gettext("Taken back by the bank, %(way)s") % {"way": means_text(payment)}
    way = means_text(payment) if refund.method == payment.method else str(Method(refund.method).label)
    if refund.method in {Method.STRIPE, Method.TRANSFER}:
        return gettext("Refund to %(way)s") % {"way": way}
    return gettext("Refund, %(way)s") % {"way": way}


def _owed(booking: Booking, money: BookingMoney) -> Iterable[Entry]:
    for line in money.bill_lines:
        text = line.text if line.quantity == 1 else f"{line.quantity} × {line.text}"
        note = "" if line.kind in _PRICES else formats.moment_text(local(line.created_at, booking))
        yield Entry(text, visit.money(line.gross_minor, booking), note)
    if money.bill_lines:
        tax = sum(line.tax_minor for line in money.bill_lines)
        note = gettext("with %(tax)s tax") % {"tax": visit.money(tax, booking)} if tax else ""
        yield Entry(gettext("Total"), visit.money(money.balance.owed_minor, booking), note, "total")


def _moved(booking: Booking, money: BookingMoney) -> Iterable[Entry]:
    """Yield payments and refunds in the order of time. Cancelled attempts are left out."""
    rows: list[tuple[datetime, Entry]] = []
    for payment in money.attempts:
        if payment.status != PaymentStatus.CANCELLED:
            rows.append((payment.succeeded_at or payment.created_at, _paid(payment, booking, money)))
        rows += [
            (refund.done_at or refund.created_at, _returned(refund, payment, booking, money))
            for refund in payment.refunds.all()
            if refund.status != RefundStatus.CANCELLED
        ]
    return [entry for _, entry in sorted(rows, key=lambda row: row[0])]


def _paid(payment: Payment, booking: Booking, money: BookingMoney) -> Entry:
    label = f"{_PURPOSES[Purpose(payment.purpose)]()}, {means_text(payment)}"
    if payment.status in LIVE_PAYMENTS:
        status = str(PaymentStatus(payment.status).label)
        return Entry(label, visit.money(payment.amount_minor, booking), status, "void")
    if payment.status == PaymentStatus.FAILED:
        note = ", ".join(filter(None, (gettext("failed"), payment.failure_code.replace("_", " "))))
        return Entry(label, visit.money(payment.amount_minor, booking), note, "void")
    parts = [
        formats.moment_text(local(payment.succeeded_at or payment.created_at, booking)),
        payment.actor_name,
        payment.note,
        money.receipt_numbers.get(f"payment:{payment.pk}", ""),
        gettext("disputed") if payment.is_disputed else "",
    ]
    return Entry(label, visit.money(-payment.amount_minor, booking), _joined(parts))


def _returned(refund: Refund, payment: Payment, booking: Booking, money: BookingMoney) -> Entry:
    is_done = refund.status == RefundStatus.SUCCEEDED
    is_void = refund.status in {RefundStatus.FAILED, RefundStatus.DECLINED}
    waits_for_hands = refund.status == RefundStatus.QUEUED and refund.method != Method.STRIPE
    state = gettext("to be handed back") if waits_for_hands else _state_text(refund, booking)
    parts = [
        formats.moment_text(local(refund.done_at or refund.created_at, booking)),
        "" if is_done else state,
        "" if refund.note else str(RefundReason(refund.reason).label),
        refund.note,
        _lowered_text(refund, booking),
        refund.decision,
        refund.actor_name,
        money.receipt_numbers.get(f"refund:{refund.pk}", ""),
    ]
    sum_text = visit.money(refund.amount_minor, booking)
    return Entry(refund_text(refund, payment), sum_text, _joined(parts), "void" if is_void else "")


def _state_text(refund: Refund, booking: Booking) -> str:
    if refund.status == RefundStatus.AWAITING_APPROVAL and refund.answer_by:
        moment = formats.moment_text(local(refund.answer_by, booking))
        return gettext("waits for approval, the customer hears by %(moment)s") % {"moment": moment}
    return str(RefundStatus(refund.status).label)


def _lowered_text(refund: Refund, booking: Booking) -> str:
    if refund.asked_minor is None:
        return ""
    return gettext("lowered from %(sum)s") % {"sum": visit.money(refund.asked_minor, booking)}


def _rest(booking: Booking, money: BookingMoney, now: datetime) -> Entry:
    balance = money.balance
    if balance.excess_minor:
        return Entry(gettext("Overpaid"), visit.money(balance.excess_minor, booking), "", "total")
    if not balance.open_minor:
        return Entry(gettext("Nothing open"), visit.money(0, booking), "", "total")
    is_ahead = now < booking.ends_at and booking.status in EXPECTED
    label = gettext("Due at the visit") if is_ahead else gettext("Open")
    if booking.status == BookingStatus.PENDING_PAYMENT and booking.due_now_minor:
        due = visit.money(min(booking.due_now_minor, balance.open_minor), booking)
        return Entry(gettext("Open"), visit.money(balance.open_minor, booking), gettext("of it %s now") % due, "total")
    return Entry(label, visit.money(balance.open_minor, booking), "", "total")


def _card_text(money: BookingMoney, booking: Booking) -> str:
    if money.card is None:
        return ""
    return gettext("%(card)s on file for fees up to %(sum)s") % {
        "card": f"{brand_name(money.card.brand)} {money.card.last4}".strip(),
        "sum": visit.money(money.card.cap_minor, booking),
    }


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(filter(None, parts))


_PURPOSES = {
    Purpose.BOOKING: lambda: gettext("Paid when booking"),
    Purpose.BALANCE: lambda: gettext("Paid"),
    Purpose.FEE: lambda: gettext("Fee paid"),
    Purpose.MOVE: lambda: gettext("Paid for moving"),
}
