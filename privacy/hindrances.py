"""What stands in the way of anonymising a booking: it is still to come, or its money is not settled."""

from datetime import datetime

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from bookings.enums import CHANGEABLE, EXPECTED, BookingStatus
from bookings.models import Booking
from bookings.refs import ref_column
from payments.enums import COUNTING_REFUNDS, LIVE_PAYMENTS, PaymentStatus, RefundStatus
from payments.models import BillLine, MoneyAlert, Payment, Refund
from privacy.enums import Hindrance

_AHEAD = CHANGEABLE | EXPECTED | {BookingStatus.HELD}
# Refunds that have not reached the customer yet.
_UNFINISHED_REFUNDS = sorted(COUNTING_REFUNDS - {RefundStatus.SUCCEEDED})


def with_hindrances(bookings: QuerySet[Booking], *, now: datetime) -> QuerySet[Booking]:
    """Annotate each booking with a column ``has_<hindrance>`` for every hindrance."""
    payments = Payment.objects.filter(subject_ref=OuterRef("ref"))
    refunds = Refund.objects.filter(payment__subject_ref=OuterRef("ref"))
    alerts = MoneyAlert.objects.filter(subject_ref=OuterRef("ref"), resolved_at=None)
    owed = _total(BillLine.objects.filter(subject_ref=OuterRef("ref")), "gross_minor")
    paid = _total(payments.filter(status=PaymentStatus.SUCCEEDED), "amount_minor")
    returned = _total(refunds.filter(status__in=sorted(COUNTING_REFUNDS)), "amount_minor")
    summed = bookings.annotate(ref=ref_column()).annotate(balance=owed - paid + returned)
    return summed.annotate(
        has_ahead=_condition(Q(status__in=sorted(_AHEAD), ends_at__gt=now)),
        has_balance=_condition(~Q(balance=0)),
        has_payment=Exists(payments.filter(status__in=sorted(LIVE_PAYMENTS))),
        has_refund=Exists(refunds.filter(status__in=_UNFINISHED_REFUNDS)),
        has_dispute=Exists(payments.filter(is_disputed=True)),
        has_alert=Exists(alerts),
        has_fee=_condition(Q(fee_settles_at__isnull=False)),
    )


def hindrances_of(bookings: QuerySet[Booking], *, now: datetime) -> dict[Hindrance, list[int]]:
    """Return the ids of the bookings that cannot be anonymised yet, by hindrance. One query."""
    columns = {each: f"has_{each}" for each in Hindrance}
    found: dict[Hindrance, list[int]] = {}
    for row in with_hindrances(bookings, now=now).order_by("starts_at", "pk").values("pk", *columns.values()):
        for hindrance, column in columns.items():
            if row[column]:
                found.setdefault(hindrance, []).append(row["pk"])
    return found


def may_be_anonymised(bookings: QuerySet[Booking], *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings that nothing but an open balance hinders.

    The nightly job ignores balances: a visit that was paid and never recorded would be kept for ever.
    """
    counted = set(Hindrance) - {Hindrance.BALANCE}
    return with_hindrances(bookings, now=now).filter(**{f"has_{each}": False for each in counted})


def _condition(condition: Q) -> Case:
    """Return a condition as a column that is never NULL."""
    return Case(When(condition, then=Value(True)), default=Value(False))


def _total(rows: QuerySet, amount: str) -> Coalesce:  # type: ignore[type-arg] # of several models
    """Return the sum of a column as a subquery, so that the outer query needs no grouping."""
    summed = rows.order_by().annotate(one=Value(1)).values("one").annotate(total=Sum(amount)).values("total")
    return Coalesce(Subquery(summed, output_field=BigIntegerField()), Value(0), output_field=BigIntegerField())
