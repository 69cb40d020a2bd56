"""Money that moved in a range of local days, payments and refunds, for the cash book and its CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from bookings.models import Booking
from bookings.refs import booking_id_column, booking_id_of
from dashboard.permissions import Rights, bookings_run_by
from payments.enums import PaymentStatus, RefundStatus
from payments.models import Payment, Reconciliation, Refund
from staff.hours import local_day

MOST_SHOWN = 500
LONGEST = timedelta(days=366)
_Row = TypeVar("_Row", Payment, Refund)
# When, the row, its payment, the amount (negative for a refund).
_Moved = tuple[datetime, Payment | Refund, Payment, int]


@dataclass(frozen=True, slots=True)
class Movement:
    """``amount_minor`` is negative for a refund. ``booking`` is None for money that matches no booking."""

    at: datetime
    row: Payment | Refund
    payment: Payment
    amount_minor: int
    booking: Booking | None


def movements(
    rights: Rights, first: date, last: date, zone: ZoneInfo, *, limit: int | None = MOST_SHOWN
) -> list[Movement]:
    """Return payments and refunds from the first to the last local day, both included, latest first. Three queries."""
    begins, ends = local_day(first, zone)[0], local_day(last, zone)[1]
    came = Payment.objects.filter(status=PaymentStatus.SUCCEEDED, succeeded_at__gte=begins, succeeded_at__lt=ends)
    went = Refund.objects.filter(status=RefundStatus.SUCCEEDED, done_at__gte=begins, done_at__lt=ends)
    payments = _visible(rights, came.order_by("-succeeded_at", "-pk"), "subject_ref")[:limit]
    refunds = _visible(rights, went.select_related("payment").order_by("-done_at", "-pk"), "payment__subject_ref")[
        :limit
    ]
    moved: list[_Moved] = [*_came(payments), *_went(refunds)]
    rows = sorted(moved, key=_moment, reverse=True)[:limit]
    bookings = Booking.objects.select_related("location").in_bulk(
        [number for _, _, payment, _ in rows if (number := booking_id_of(payment.subject_ref))]
    )
    return [
        Movement(at, row, payment, amount, bookings.get(booking_id_of(payment.subject_ref) or 0))
        for at, row, payment, amount in rows
    ]


def reconciliations(rights: Rights, *, count: int = 7) -> list[Reconciliation]:
    """Return the latest reconciliations with Stripe. They cover all places: only a reader of every place gets them."""
    return list(Reconciliation.objects.all()[:count]) if rights.location_ids is None else []


def _visible(rights: Rights, rows: QuerySet[_Row], ref: str) -> QuerySet[_Row]:
    """Keep money of bookings that the reader handles. Only a reader of every place sees money without a booking."""
    if rights.location_ids is None:
        return rows
    seen = bookings_run_by(rights).filter(pk=OuterRef("booking_pk"))
    return rows.alias(booking_pk=booking_id_column(ref)).filter(Exists(seen))


def _came(payments: QuerySet[Payment]) -> Iterator[_Moved]:
    for payment in payments:
        if payment.succeeded_at:
            yield payment.succeeded_at, payment, payment, payment.amount_minor


def _went(refunds: QuerySet[Refund]) -> Iterator[_Moved]:
    for refund in refunds:
        if refund.done_at:
            yield refund.done_at, refund, refund.payment, -refund.amount_minor


def _moment(moved: _Moved) -> tuple[datetime, bool, int]:
    """Sort key. At the same instant a refund comes after its payment."""
    at, row, _, _ = moved
    return at, isinstance(row, Refund), row.pk
