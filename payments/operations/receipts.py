"""Numbered receipts, one for each successful payment and refund. A receipt is written once and never changes.

This app does not know what was sold or to whom. It asks the function that ``settings.RECEIPT_SUBJECTS`` names for the
kind of subject.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core.outbox import publish
from payments.brands import brand_name
from payments.enums import PaymentStatus, RefundStatus
from payments.models import BillLine, Payment, Receipt, ReceiptDocument, ReceiptSeries, Refund
from payments.receipts.contents import ReceiptContents, ReceiptLine, ReceiptMoney, receipt_number
from payments.receipts.pdf import receipt_pdf

logger = logging.getLogger(__name__)

DRAWN_WITHIN = timedelta(minutes=10)
MISSING_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class ReceiptSubject:
    """The texts of a receipt about its subject, in ``language``.

    ``zone`` is the IANA time zone of the location, ``brand_colour`` is ``#rrggbb``.
    """

    issuer: tuple[str, ...]
    customer_name: str
    lines: tuple[str, ...]
    language: str
    zone: str
    brand_colour: str


@transaction.atomic
def issue_receipt(*, payment_id: int | None = None, refund_id: int | None = None, now: datetime) -> Receipt | None:
    """Issue the receipt of a successful payment or refund, with the next number of the year.

    A second call returns the same receipt. Returns None if the payment or refund has not succeeded, or its subject is
    gone. Locks the payment or refund, then the number series. Publishes ``receipt.issued``, so that a worker draws the
    PDF.
    """
    movement = _movement(payment_id, refund_id)
    if movement is None:
        return None
    payment = movement if isinstance(movement, Payment) else movement.payment
    of_movement: dict[str, Any] = {"payment": movement} if movement is payment else {"refund": movement}
    if known := Receipt.objects.filter(**of_movement).first():
        return known
    subject = _subject(payment.subject_ref)
    if subject is None:
        return None
    number = _next_number(now.astimezone(ZoneInfo(subject.zone)).year)
    receipt = Receipt.objects.create(
        number=number,
        bill_id=payment.bill_id,
        subject_ref=payment.subject_ref,
        **of_movement,
        contents=_contents(number, movement, payment, subject, now).to_json(),
        issued_at=now,
    )
    publish("receipt.issued", f"receipt:{receipt.pk}", {"receipt_id": receipt.pk}, now=now)
    return receipt


def draw_receipt(*, receipt_id: int, now: datetime) -> None:
    """Draw the PDF of a receipt and store it. If another worker stored one first, that one stays.

    Only workers call this: a process takes seconds for its first drawing. No lock is held meanwhile.
    """
    receipt = Receipt.objects.filter(pk=receipt_id, document=None).first()
    if receipt is None:
        return
    pdf = receipt_pdf(ReceiptContents.from_json(receipt.contents))
    ReceiptDocument.objects.bulk_create(
        [ReceiptDocument(receipt=receipt, pdf=pdf, drawn_at=now)], ignore_conflicts=True
    )


def draw_missing_receipts(*, now: datetime) -> int:
    """Draw up to 20 PDFs that are missing ten minutes after their receipt was issued; return how many were missing.

    They are missing for receipts from before PDFs were stored, and where the outbox gave up.
    """
    missing = Receipt.objects.filter(document=None, issued_at__lt=now - DRAWN_WITHIN).order_by("pk")
    found = list(missing.values_list("pk", flat=True)[:MISSING_AT_ONCE])
    for receipt_id in found:
        try:
            draw_receipt(receipt_id=receipt_id, now=now)
        except Exception:
            # One receipt that cannot be drawn must not block the others.
            logger.exception("receipt %s cannot be drawn", receipt_id)
    return len(found)


def _movement(payment_id: int | None, refund_id: int | None) -> Payment | Refund | None:
    if payment_id is not None:
        paid = Payment.objects.select_for_update(no_key=True).filter(pk=payment_id, status=PaymentStatus.SUCCEEDED)
        return paid.first()
    made = Refund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment")
    return made.filter(pk=refund_id or 0, status=RefundStatus.SUCCEEDED).first()


def _subject(subject_ref: str) -> ReceiptSubject | None:
    routes: Mapping[str, str] = settings.RECEIPT_SUBJECTS
    found: Callable[[str], ReceiptSubject | None] = import_string(routes[subject_ref.partition(":")[0]])
    return found(subject_ref)


def _next_number(year: int) -> str:
    """Take the next receipt number under the lock of its year, so that numbers have no duplicates and no gaps."""
    ReceiptSeries.objects.get_or_create(year=year)
    series = ReceiptSeries.objects.select_for_update(no_key=True).get(year=year)
    series.last_serial += 1
    series.save(update_fields=["last_serial"])
    return receipt_number(year, series.last_serial)


def _contents(
    number: str, movement: Payment | Refund, payment: Payment, subject: ReceiptSubject, now: datetime
) -> ReceiptContents:
    is_refund = isinstance(movement, Refund)
    original = Receipt.objects.filter(payment=payment).first() if is_refund else None
    return ReceiptContents(
        kind="refund" if is_refund else "receipt",
        number=number,
        issued_at=now,
        currency=payment.currency,
        language=subject.language,
        zone=subject.zone,
        brand_colour=subject.brand_colour,
        issuer=subject.issuer,
        customer_name=subject.customer_name,
        subject=subject.lines,
        lines=tuple(_line(each) for each in BillLine.objects.filter(subject_ref=payment.subject_ref)),
        movements=tuple(_movements(payment.subject_ref)),
        this_amount_minor=movement.amount_minor,
        original_number=original.number if original else "",
    )


def _line(line: BillLine) -> ReceiptLine:
    return ReceiptLine(
        line.text, line.quantity, line.net_minor, line.tax_minor, line.gross_minor, line.tax_basis_points
    )


def _movements(subject_ref: str) -> list[ReceiptMoney]:
    payments = Payment.objects.filter(subject_ref=subject_ref, status=PaymentStatus.SUCCEEDED)
    refunds = Refund.objects.filter(payment__subject_ref=subject_ref, status=RefundStatus.SUCCEEDED).select_related(
        "payment"
    )
    found = [_money("payment", each.succeeded_at, each, each.amount_minor, each.method) for each in payments]
    found += [_money("refund", each.done_at, each.payment, each.amount_minor, each.method) for each in refunds]
    return sorted(found, key=lambda each: each.at)


def _money(kind: Any, at: datetime | None, payment: Payment, amount_minor: int, method: str) -> ReceiptMoney:
    is_online = method == "stripe"
    detail = f"{brand_name(payment.card_brand)} ···· {payment.card_last4}" if is_online and payment.card_last4 else ""
    word = (payment.method_type or "card") if is_online else method
    return ReceiptMoney(kind, at or payment.created_at, word, detail, amount_minor)
