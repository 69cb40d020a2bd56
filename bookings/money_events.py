"""Reads the rows of a booking's history that record its money.

``lifecycle.record_money`` writes them. ``details["what"]`` is a ``MoneyEvent``; the details also have the id of the
payment or refund.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from bookings.enums import EventKind, MoneyEvent
from bookings.models import Booking, BookingEvent
from payments.models import Payment

# SQL condition: the history of the booking ``{booking_id}`` has the payment ``{payment_id}``.
HAS_PAYMENT = (
    "EXISTS (SELECT 1 FROM bookings_bookingevent v WHERE v.booking_id = {booking_id}"  # noqa: S608 (our own text)
    f" AND v.kind = '{EventKind.MONEY.value}'"
    f" AND v.details @> jsonb_build_object('what', '{MoneyEvent.PAID.value}', 'payment_id', {{payment_id}}))"
)


@dataclass(frozen=True, slots=True)
class ProposedMove:
    """Where a booking was to move for a fee, and when that was agreed.

    ``sequence`` is the booking's number at that time.
    """

    starts_at: datetime
    staff_member_id: int | None
    fee_minor: int
    sequence: int
    at: datetime


def money_event(event: BookingEvent) -> MoneyEvent | None:
    """Return the money event of a row of the history; None for every other row."""
    if event.kind != EventKind.MONEY:
        return None
    what = event.details.get("what")
    return MoneyEvent(what) if what in set(MoneyEvent) else None


def money_events(booking: Booking, *kinds: MoneyEvent, **details: Any) -> QuerySet[BookingEvent]:
    """Return the rows of these kinds with these details, such as ``payment_id``, the oldest first."""
    named = {f"details__{name}": value for name, value in details.items()}
    rows = BookingEvent.objects.filter(booking=booking, kind=EventKind.MONEY, details__what__in=kinds, **named)
    return rows.order_by("pk")


def is_settled(booking: Booking, payment: Payment) -> bool:
    """Return whether the history of a locked booking has this payment already."""
    return money_events(booking, MoneyEvent.PAID, payment_id=payment.pk).exists()


def without_settled(payments: QuerySet[Payment], booking: Booking) -> QuerySet[Payment]:
    """Exclude the payments that the history of the booking has already."""
    settled = money_events(booking, MoneyEvent.PAID)
    settled = settled.annotate(paid_id=Cast(KeyTextTransform("payment_id", "details"), BigIntegerField()))
    return payments.exclude(Exists(settled.filter(paid_id=OuterRef("pk"))))


def proposed_move(booking: Booking) -> ProposedMove | None:
    """Return the last move that was proposed, unless it was withdrawn.

    Reads the history, because the proposal's own row is deleted once it has run out.
    """
    event = money_events(booking, MoneyEvent.MOVE_PROPOSED, MoneyEvent.MOVE_WITHDRAWN).last()
    if event is None or money_event(event) is not MoneyEvent.MOVE_PROPOSED:
        return None
    details = event.details
    return ProposedMove(
        starts_at=datetime.fromisoformat(details["starts_at"]),
        staff_member_id=details["staff_member_id"],
        fee_minor=details["amount_minor"],
        sequence=details["sequence"],
        at=event.at,
    )
