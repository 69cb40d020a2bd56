"""Writes the visits of the demo's past, many rows at a time."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Consent
from bookings.availability.claims import phases_copy, requirements_copy
from bookings.bill_lines import bill_lines, cancellation_lines, no_show_lines
from bookings.enums import EventKind, MoneyEvent
from bookings.models import Allocation, Booking, BookingEvent, BookingLine
from bookings.money_events import money_event
from bookings.operations.confirm import CONSENT_PURPOSE
from bookings.queries.offers import ChosenExtra
from bookings.refs import subject_ref
from demo.plan import Visit
from payments.models import Bill, BillLine, Payment, Refund
from payments.operations import NewLine
from services.enums import Delivery

CONSENT_TEXT = "I agree that Linden Studio keeps my details to provide this visit, and I accept its cancellation rules."


@dataclass
class Record:
    """A booking with its related rows, before it has an id."""

    visit: Visit
    booking: Booking
    line: BookingLine
    confirmed_at: datetime
    events: list[BookingEvent] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    missed_fee_minor: int = 0

    @property
    def paid_minor(self) -> int:
        return sum(each.amount_minor for each in self.payments)


def save(records: Sequence[Record]) -> None:
    bills = Bill.objects.bulk_create(
        Bill(customer=each.booking.customer, currency=each.booking.currency, created_at=each.confirmed_at)
        for each in records
    )
    for record, bill in zip(records, bills, strict=True):
        record.booking.bill = bill
    Booking.objects.bulk_create([record.booking for record in records])
    BookingLine.objects.bulk_create(record.line for record in records)
    Allocation.objects.bulk_create(row for record in records for row in _allocations(record))
    _save_money(records, bills)
    for record in records:
        for event in record.events:
            event.booking = record.booking
    # Sorted by time, as real events get their ids.
    BookingEvent.objects.bulk_create(sorted((e for each in records for e in each.events), key=lambda event: event.at))
    BillLine.objects.bulk_create(row for record in records for row in _bill_lines(record))
    Consent.objects.bulk_create(_consent(record) for record in records)


def _save_money(records: Sequence[Record], bills: Sequence[Bill]) -> None:
    """Write payments and refunds and store their ids in the events, as the operations do."""
    for record, bill in zip(records, bills, strict=True):
        for payment in record.payments:
            payment.bill, payment.subject_ref = bill, subject_ref(record.booking)
        for refund in record.refunds:
            [refund.payment] = record.payments
    Payment.objects.bulk_create(each for record in records for each in record.payments)
    Refund.objects.bulk_create(each for record in records for each in record.refunds)
    for record in records:
        moved = [event for event in record.events if event.kind == EventKind.MONEY]
        paid = [event for event in moved if money_event(event) is MoneyEvent.PAID]
        for event, payment in zip(paid, record.payments, strict=True):
            event.details["payment_id"] = payment.pk
        for event, refund in zip((each for each in moved if each not in paid), record.refunds, strict=True):
            event.details |= {"refund_id": refund.pk, "payment_id": refund.payment_id}


def line_of(visit: Visit, booking: Booking) -> BookingLine:
    spec = visit.line.spec
    return BookingLine(
        booking=booking,
        variant=visit.skill.variant,
        staff_member=visit.staff_member,
        service_name=visit.service.name,
        variant_name=visit.skill.variant.name,
        preparation=visit.service.preparation,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        phases=phases_copy(spec),
        buffer_before_minutes=spec.buffer_before,
        buffer_after_minutes=spec.buffer_after,
        requirements=requirements_copy(spec),
        price_minor=visit.skill.price_minor,
        add_ons=[
            ChosenExtra(extra.pk, extra.name, extra.price_minor, extra.extra_minutes, extra.is_paid_at_visit).to_json()
            for extra in visit.add_ons
        ],
        tax_basis_points=visit.service.tax_basis_points,
    )


def _allocations(record: Record) -> Iterable[Allocation]:
    for resource_id, low, high in record.visit.claims:
        busy = DateTimeTZRange(moment(low), moment(high))
        yield Allocation(resource_id=resource_id, busy=busy, booking=record.booking)


def _bill_lines(record: Record) -> Iterable[BillLine]:
    booking = record.booking
    for line in bill_lines(booking, [record.line]):
        yield _bill_line(booking, line, record.confirmed_at)
    if booking.cancelled_at:
        for line in cancellation_lines(booking, [record.line], booking.cancellation_fee_minor or 0):
            yield _bill_line(booking, line, booking.cancelled_at)
    if booking.missed_at:
        for line in no_show_lines(booking, [record.line], record.missed_fee_minor):
            yield _bill_line(booking, line, booking.missed_at)


def _bill_line(booking: Booking, line: NewLine, at: datetime) -> BillLine:
    return BillLine(
        bill=booking.bill,
        subject_ref=subject_ref(booking),
        kind=line.kind,
        text=line.text,
        quantity=line.quantity,
        net_minor=line.net_minor,
        tax_basis_points=line.tax_basis_points,
        tax_minor=line.tax_minor,
        gross_minor=line.net_minor + line.tax_minor,
        created_at=at,
    )


def _consent(record: Record) -> Consent:
    return Consent(
        customer=record.booking.customer,
        subject_ref=subject_ref(record.booking),
        purpose=CONSENT_PURPOSE,
        text=CONSENT_TEXT,
        text_version=hashlib.sha256(CONSENT_TEXT.encode()).hexdigest()[:16],
        given_at=record.confirmed_at,
    )


def meeting_url(visit: Visit) -> str:
    if visit.service.delivery != Delivery.ONLINE or visit.staff_member is None:
        return ""
    return visit.staff_member.meeting_url


def moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC)
