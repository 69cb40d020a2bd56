"""Queries of bills, payments, refunds, cards, receipts and alerts. Balances are computed, never stored."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from payments.enums import COUNTING_REFUNDS, LIVE_PAYMENTS, PaymentStatus, Purpose
from payments.models import BillLine, MoneyAlert, Payment, Receipt, ReceiptDocument, Refund, SavedCard


@dataclass(frozen=True, slots=True)
class Balance:
    """What a subject owes, paid and got back, in minor units of its bill's currency.

    ``refunded_minor`` includes refunds that are waiting or on their way, ``returned_minor`` only successful ones.
    """

    owed_minor: int
    paid_minor: int
    refunded_minor: int
    returned_minor: int = 0
    waived_minor: int = 0

    @property
    def net_paid_minor(self) -> int:
        return self.paid_minor - self.refunded_minor

    @property
    def open_minor(self) -> int:
        return max(0, self.owed_minor - self.net_paid_minor)

    @property
    def excess_minor(self) -> int:
        return max(0, self.net_paid_minor - self.owed_minor)


_BALANCES = """
SELECT asked.ref,
    coalesce((SELECT sum(l.gross_minor) FROM payments_billline l WHERE l.subject_ref = asked.ref), 0),
    coalesce((SELECT sum(p.amount_minor) FROM payments_payment p
        WHERE p.subject_ref = asked.ref AND p.status = 'succeeded'), 0),
    coalesce((SELECT sum(r.amount_minor) FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        WHERE p.subject_ref = asked.ref AND r.status = ANY(%s)), 0),
    coalesce((SELECT sum(r.amount_minor) FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        WHERE p.subject_ref = asked.ref AND r.status = 'succeeded'), 0),
    coalesce((SELECT -sum(l.gross_minor) FROM payments_billline l
        WHERE l.subject_ref = asked.ref AND l.kind = 'waiver'), 0)
FROM unnest(%s::text[]) AS asked (ref)
"""


def balances(subject_refs: list[str]) -> dict[str, Balance]:
    """Return the balance of each subject; one query for all."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, [sorted(COUNTING_REFUNDS), subject_refs])
        return {ref: Balance(*map(int, sums)) for ref, *sums in cursor.fetchall()}


def balance(subject_ref: str) -> Balance:
    return balances([subject_ref])[subject_ref]


def open_column(ref: str) -> Combinable:
    """Return what is open of the subject that the column ``ref`` of a query names: ``Balance.open_minor``, and below
    zero what was paid in excess.
    """
    return (
        _sum_of(BillLine.objects.filter(subject_ref=OuterRef(ref)), "subject_ref", "gross_minor")
        - _sum_of(
            Payment.objects.filter(subject_ref=OuterRef(ref), status=PaymentStatus.SUCCEEDED),
            "subject_ref",
            "amount_minor",
        )
        + _sum_of(
            Refund.objects.filter(payment__subject_ref=OuterRef(ref), status__in=COUNTING_REFUNDS),
            "payment__subject_ref",
            "amount_minor",
        )
    )


def _sum_of(rows: QuerySet[Any], of: str, amount: str) -> Coalesce:
    """Add up an amount over the rows of one subject; ``of`` names it, so that there is one group."""
    added = rows.order_by().values(of).annotate(added=Sum(amount)).values("added")
    return Coalesce(Subquery(added), 0, output_field=BigIntegerField())


def lines_of(subject_ref: str) -> list[BillLine]:
    return list(BillLine.objects.filter(subject_ref=subject_ref))


def payments_of(subject_ref: str) -> list[Payment]:
    """Every payment of a subject with its refunds, oldest first. Two queries."""
    return list(Payment.objects.filter(subject_ref=subject_ref).prefetch_related("refunds"))


def refunds_of(subject_ref: str) -> list[Refund]:
    return list(Refund.objects.filter(payment__subject_ref=subject_ref).select_related("payment"))


def live_payment(subject_ref: str, purpose: Purpose) -> Payment | None:
    """The open payment of a subject for this purpose, or None. There is at most one."""
    waiting = Payment.objects.filter(subject_ref=subject_ref, purpose=purpose, status__in=LIVE_PAYMENTS)
    return waiting.first()


def saved_card(subject_ref: str) -> SavedCard | None:
    """The card that may be charged for fees of a subject, or None."""
    return chargeable_cards().filter(subject_ref=subject_ref).first()


def chargeable_cards() -> QuerySet[SavedCard]:
    """Saved cards that may be charged: the consent is not withdrawn and no payment of the bill is disputed."""
    usable = SavedCard.objects.filter(detached_at=None, is_frozen=False, consent__withdrawn_at=None)
    # A card that is saved while a dispute arrives may not be frozen yet.
    return usable.exclude(bill__payments__is_disputed=True)


def receipts_of(subject_ref: str) -> list[Receipt]:
    return list(Receipt.objects.filter(subject_ref=subject_ref))


def has_receipt_pdf(receipt: Receipt) -> bool:
    """Say whether a worker has drawn the PDF of this receipt."""
    return ReceiptDocument.objects.filter(receipt=receipt).exists()


def receipt_pdf_bytes(receipt: Receipt) -> bytes | None:
    """Return the stored PDF; None until a worker has drawn it."""
    kept = ReceiptDocument.objects.filter(receipt=receipt).values_list("pdf", flat=True).first()
    return None if kept is None else bytes(kept)


def open_alerts() -> QuerySet[MoneyAlert]:
    """Alerts that no staff member has resolved, oldest first."""
    return MoneyAlert.objects.filter(resolved_at=None).select_related("payment", "refund").order_by("id")
