"""Write bills and their lines. A bill holds amounts and references; it does not know what was sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core.inserts import insert_rows_of
from payments.models import Bill, BillLine

TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewLine:
    """A bill line to write. Amounts are minor units for the whole quantity and negative in a correction or waiver."""

    kind: BillLine.Kind
    text: str
    net_minor: int
    tax_minor: int
    tax_basis_points: int = 0
    quantity: int = 1


@transaction.atomic(savepoint=False)
def open_bill(
    *, customer_id: int | None, currency: str, lines: Sequence[NewLine], subject_ref: str, now: datetime
) -> Bill:
    """Open a bill with its first lines, all for the same subject (``booking:17``). One statement."""
    bill = Bill(customer_id=customer_id, currency=currency, created_at=now)
    insert_rows_of(bill, *(_row(bill, line, subject_ref, now) for line in lines), column="bill_id")
    return bill


@transaction.atomic(savepoint=False)
def add_line(*, bill_id: int, line: NewLine, subject_ref: str, now: datetime) -> BillLine:
    """Add a fee or a correction to a bill. Locks the bill's row, which is the last in the lock order.

    :raises Bill.DoesNotExist: if there is no such bill.
    """
    bill = Bill.objects.select_for_update(no_key=True).get(pk=bill_id)
    row = _row(bill, line, subject_ref, now)
    row.save(force_insert=True)
    return row


def _row(bill: Bill, line: NewLine, subject_ref: str, now: datetime) -> BillLine:
    return BillLine(
        bill=bill,
        subject_ref=subject_ref,
        kind=line.kind,
        text=line.text[:TEXT_LENGTH],
        quantity=line.quantity,
        net_minor=line.net_minor,
        tax_minor=line.tax_minor,
        gross_minor=line.net_minor + line.tax_minor,
        tax_basis_points=line.tax_basis_points,
        created_at=now,
    )
