"""Named reads of bills. Balances are computed, never stored."""

from django.db.models import Sum

from payments.models import BillLine


def bill_total(bill_id: int, *, subject_ref: str | None = None) -> int:
    """Return what is owed on a bill, or of it for one subject, taxes included, in minor units of its currency."""
    lines = BillLine.objects.filter(bill_id=bill_id)
    if subject_ref is not None:
        lines = lines.filter(subject_ref=subject_ref)
    return int(lines.aggregate(total=Sum("gross_minor"))["total"] or 0)
