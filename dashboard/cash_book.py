"""The cash book: payments and refunds in one order, its columns and filters, its totals. Fixed numbers of queries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    BigIntegerField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, Collate
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.customer_search import LONGEST_SEARCH, folded_column
from bookings.models import Booking
from bookings.refs import booking_id_column, booking_id_of
from core.money import major
from dashboard.lists.address import Asked, Column, Control, Filter, Listing
from dashboard.lists.pages import Found, Source, chunks_of
from dashboard.lists.pages import page_of as page_of_sources
from dashboard.permissions import Rights, bookings_run_by
from dashboard.queries import has_contact
from payments.enums import Method, PaymentStatus, RefundStatus
from payments.models import Payment, Reconciliation, Refund
from services.models import Location
from staff.hours import local_day

CAME, WENT = "payments", "refunds"
# Amounts that came in and went back, by currency and method.
Sums = Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved, and when by the clock of the reader's place. ``amount_minor`` is negative for a refund.
    ``booking`` is None for money that matches no booking.
    """

    at: datetime
    row: Payment | Refund
    payment: Payment
    amount_minor: int
    booking: Booking | None


_COLUMNS: Sequence[Column[Movement]] = [
    Column(
        _("When"),
        "when",
        F("moved_at"),
        is_falling=True,
        name="date",
        csv=lambda moved: moved.at.date().isoformat(),
    ),
    Column(name="time", csv=lambda moved: f"{moved.at:%H:%M}"),
    Column(name="booking", csv=lambda moved: moved.booking.reference if moved.booking else ""),
    Column(
        _("Booking"),
        "customer",
        F("moved_for"),
        name="name",
        csv=lambda moved: moved.booking.contact_name if moved.booking else "",
    ),
    Column(name="what", csv=lambda moved: "payment" if moved.amount_minor > 0 else "refund"),
    Column(_("Method"), "method", Collate("method", "C"), name="method", csv=lambda moved: str(moved.row.method)),
    Column(
        _("Amount"),
        "amount",
        F("moved_minor"),
        is_falling=True,
        is_sum=True,
        name="amount",
        csv=lambda moved: major(moved.amount_minor, moved.payment.currency),
    ),
    Column(name="currency", csv=lambda moved: moved.payment.currency),
    Column(name="by", csv=lambda moved: moved.row.actor_name),
    Column(name="note", csv=lambda moved: moved.row.note),
]


def listing_for(places: Sequence[Location]) -> Listing[Movement]:
    filters = [
        Filter("q", _("Search"), Control.TEXT, hint=_("Name, e-mail, phone or reference"), longest=LONGEST_SEARCH),
        Filter("from", _("From"), Control.DAY),
        Filter("until", _("Until"), Control.DAY),
        Filter("kind", _("Kind"), choices=[(CAME, _("Payments")), (WENT, _("Refunds"))]),
        Filter("method", _("Method"), choices=[(value, capfirst(label)) for value, label in Method.choices]),
        Filter("at", _("Location"), choices=[(place.slug, place.text("name")) for place in places]),
    ]
    return Listing(_COLUMNS, [each for each in filters if each.name != "at" or len(places) > 1])


def page_of(rights: Rights, asked: Asked[Movement], zone: ZoneInfo) -> tuple[Found[Any], list[Movement]]:
    """Return the page that is asked for, as rows and as movements. Six queries, and two more for a phone number."""
    found = page_of_sources(_sources(rights, asked, zone), asked)
    return found, _movements(found.rows, zone)


def movements_of(rights: Rights, asked: Asked[Movement], zone: ZoneInfo) -> Iterator[Movement]:
    """Yield all matching movements in order. Three queries for each chunk."""
    for chunk in chunks_of(_sources(rights, asked, zone), asked):
        yield from _movements(chunk, zone)


def sums_of(rights: Rights, asked: Asked[Movement], zone: ZoneInfo) -> Sums:
    """Add up all matching movements, whatever their number. Two queries."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for source in _sources(rights, asked, zone):
        grouped = source.found.order_by().values("currency", "method").annotate(total=Sum("amount_minor"))
        for currency, method, total in grouped.values_list("currency", "method", "total"):
            came, went = sums.get((currency, method), (0, 0))
            is_back = source.found.model is Refund
            sums[currency, method] = (came, went + total) if is_back else (came + total, went)
    return sums


def reconciliations(rights: Rights, *, count: int = 7) -> list[Reconciliation]:
    """Return the latest reconciliations with Stripe. They cover all places: only a reader of every place gets them."""
    return list(Reconciliation.objects.all()[:count]) if rights.location_ids is None else []


def _sources(rights: Rights, asked: Asked[Movement], zone: ZoneInfo) -> list[Source[Any]]:
    """Return payments and refunds. At the same instant a refund comes after its payment."""
    kind = asked.value("kind")
    came = _visible(
        rights,
        Payment.objects.filter(status=PaymentStatus.SUCCEEDED).annotate(
            moved_at=F("succeeded_at"), moved_minor=F("amount_minor"), booking_pk=booking_id_column("subject_ref")
        ),
    )
    went = _visible(
        rights,
        Refund.objects.filter(status=RefundStatus.SUCCEEDED, done_at__isnull=False)
        .select_related("payment")
        .annotate(
            moved_at=F("done_at"),
            moved_minor=ExpressionWrapper(-F("amount_minor"), BigIntegerField()),
            booking_pk=booking_id_column("payment__subject_ref"),
        ),
    )
    return [
        Source(_narrowed(rights, came if kind != WENT else came.none(), asked, zone), came, prefix="p"),
        Source(_narrowed(rights, went if kind != CAME else went.none(), asked, zone), went, prefix="r"),
    ]


def _visible(rights: Rights, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Keep money of bookings that the reader handles. Only a reader of every place sees money without a booking."""
    name = Booking.objects.filter(pk=OuterRef("booking_pk")).order_by().values(folded=folded_column("contact_name"))
    named: QuerySet[Any] = rows.annotate(
        moved_for=Collate(Coalesce(Subquery(name), Value(""), output_field=TextField()), "C")
    )
    if rights.location_ids is not None:
        named = named.filter(Exists(bookings_run_by(rights).filter(pk=OuterRef("booking_pk"))))
    return named


def _narrowed(rights: Rights, rows: QuerySet[Any], asked: Asked[Movement], zone: ZoneInfo) -> QuerySet[Any]:
    first, last = asked.days("from", "until")
    if first:
        rows = rows.filter(moved_at__gte=local_day(first, zone)[0])
    if last:
        rows = rows.filter(moved_at__lt=local_day(last, zone)[1])
    if method := asked.value("method"):
        rows = rows.filter(method=method)
    of = bookings_run_by(rights).filter(pk=OuterRef("booking_pk"))
    if at := asked.value("at"):
        rows = rows.filter(Exists(of.filter(location__slug=at)))
    if typed := asked.value("q"):
        rows = rows.filter(Exists(of.filter(has_contact(typed))))
    return rows


def _movements(rows: Iterable[Payment | Refund], zone: ZoneInfo) -> list[Movement]:
    """Load the bookings of payments and refunds. One query."""
    moved = [(row, row if isinstance(row, Payment) else row.payment) for row in rows]
    ids = [number for _row, payment in moved if (number := booking_id_of(payment.subject_ref))]
    bookings = Booking.objects.select_related("location").in_bulk(ids)
    return [
        Movement(
            at=_moved_at(row).astimezone(zone),
            row=row,
            payment=payment,
            amount_minor=row.amount_minor if row is payment else -row.amount_minor,
            booking=bookings.get(booking_id_of(payment.subject_ref) or 0),
        )
        for row, payment in moved
    ]


def _moved_at(row: Payment | Refund) -> datetime:
    at = row.succeeded_at if isinstance(row, Payment) else row.done_at
    assert at is not None  # noqa: S101 (for mypy; only money that moved is read)
    return at
