"""Write the rows of planned visits in bulk: bookings with lines, claims, history, bills, customers and consents.

The rows equal what the operations would have written, each at its own time: a hold, a confirmation, and what followed.
All payments were taken at the desk: deposits of customers who booked there, and the balance at the end of each visit.
The demo has no online payments before today, and no messages, because its customers do not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from accounts.models import Customer, User
from bookings.booked import fee_facts, quote_of
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind, MoneyEvent
from bookings.models import Booking, BookingEvent
from bookings.rules.fees import cancellation_fee
from bookings.rules.no_shows import no_show_fee
from bookings.rules.prepayment import Demand, payment_demand
from bookings.rules.terms import Terms, terms_of
from core.references import ALPHABET, LENGTH
from demo import people
from demo.notes import write_notes
from demo.plan import Visit
from demo.saving import Record, line_of, meeting_url, moment, save
from payments.enums import Method, PaymentStatus, Purpose, RefundReason, RefundStatus
from payments.models import Payment, Refund
from services.enums import Delivery, PaymentMode
from services.models import Service
from services.queries import cancellation_policy_for, the_business

CUSTOMER_COUNT = 260
NO_SHOW_PERCENT = 4
CHANNELS = (BookingChannel.WEB,) * 7 + (BookingChannel.DESK,) * 2 + (BookingChannel.KIOSK,)


def write_visits(visits: Sequence[Visit], *, now: datetime, random: Random) -> int:
    """Write all rows of ``visits`` in their state at ``now`` and return the number of bookings."""
    writer = _Writer(now, random)
    records = [writer.record(visit) for visit in visits]
    save(records)
    write_notes((record.line for record in records), now=now, random=random)
    return len(records)


class _Writer:
    """Builds the rows of one booking after the other; holds the business, its customers and the terms of services."""

    def __init__(self, now: datetime, random: Random) -> None:
        self.now = now
        self.random = random
        self.business = the_business()
        self.desk = User.objects.get(email="leyla@linden.example")
        self.customers = _customers(now, random)
        self.last_visit: dict[int, int] = {}
        self.references: set[str] = set()
        self.terms: dict[int, Terms] = {}

    def record(self, visit: Visit) -> Record:
        starts_at, ends_at = moment(visit.start_minute), moment(visit.end_minute)
        created_at = self._created_at(starts_at)
        confirmed_at = created_at + timedelta(minutes=self.random.randint(1, 6))
        customer = self._customer(visit)
        channel = self.random.choice(CHANNELS)
        booking = Booking(
            reference=self._reference(),
            status=BookingStatus.CONFIRMED,
            location=visit.place,
            starts_at=starts_at,
            ends_at=ends_at,
            is_any_staff=visit.staff_member is not None and self.random.random() < 0.4,
            channel=channel,
            language=customer.language,
            customer=customer,
            contact_name=customer.name,
            contact_email=customer.email,
            contact_phone=customer.phone,
            customer_note=self.random.choice(people.NOTES) if self.random.random() < 0.15 else "",
            delivery=visit.service.delivery,
            visit_address=self.random.choice(people.STREETS) if visit.service.delivery == Delivery.CUSTOMER else "",
            meeting_url=meeting_url(visit),
            currency=self.business.currency,
            prices_include_tax=self.business.prices_include_tax,
            terms=self._terms(visit.service).to_json(),
            confirmed_at=confirmed_at,
            created_at=created_at,
            updated_at=created_at,
        )
        line = line_of(visit, booking)
        priced = quote_of(booking, [line])
        booking.total_minor, booking.tax_minor = priced.total_minor, priced.tax_minor
        asked = self._asked(booking, priced.at_visit_minor, channel)
        booking.payment_mode, booking.due_now_minor = asked.mode, asked.due_now_minor
        record = Record(visit, booking, line, confirmed_at)
        self._history(record, channel)
        return record

    def _history(self, record: Record, channel: BookingChannel) -> None:
        """Take the booking through its statuses up to ``now``, with an event for each."""
        booking, guest = record.booking, _Who(ActorKind.CUSTOMER, channel)
        if channel == BookingChannel.DESK:
            guest = self._at_desk()
        booking.status = BookingStatus.HELD
        _event(record, "", guest, booking.created_at)
        self._become(record, BookingStatus.CONFIRMED, guest, record.confirmed_at)
        if booking.due_now_minor:
            self._take(record, Purpose.BOOKING, booking.due_now_minor, record.confirmed_at)
        if record.visit.is_cancelled:
            self._cancel(record)
        elif booking.ends_at <= self.now:
            self._finish(record)
        elif booking.starts_at <= self.now:
            booking.arrived_at = booking.starts_at - timedelta(minutes=4)
            self._become(record, BookingStatus.STARTED, self._at_desk(), booking.starts_at)
        elif booking.starts_at - self.now < timedelta(minutes=15):
            booking.arrived_at = self.now - timedelta(minutes=2)

    def _finish(self, record: Record) -> None:
        booking = record.booking
        if self.random.randrange(100) < NO_SHOW_PERCENT:
            self._miss(record)
            return
        booking.arrived_at = booking.starts_at - timedelta(minutes=self.random.randint(1, 9))
        self._become(record, BookingStatus.STARTED, self._at_desk(), booking.starts_at)
        self._become(record, BookingStatus.COMPLETED, self._at_desk(), booking.ends_at)
        if rest := booking.total_minor - record.paid_minor:
            self._take(record, Purpose.BALANCE, rest, booking.ends_at)

    def _miss(self, record: Record) -> None:
        booking = record.booking
        at = booking.missed_at = min(self.now, booking.starts_at + timedelta(minutes=20))
        record.missed_fee_minor = no_show_fee(fee_facts(booking), is_first=False)
        self._become(record, BookingStatus.NO_SHOW, self._at_desk(), at)
        record.events[-1].details = {"fee_minor": record.missed_fee_minor}
        if (back := record.paid_minor - record.missed_fee_minor) > 0:
            self._give_back(record, back, at)

    def _asked(self, booking: Booking, at_visit_minor: int, channel: BookingChannel) -> Demand:
        """Return what was due when booking: a deposit only for bookings at the desk, else payment at the visit."""
        return payment_demand(
            replace(Terms.from_json(booking.terms), saves_card=False),
            total_minor=booking.total_minor,
            at_visit_minor=at_visit_minor,
            currency=booking.currency,
            has_stripe=channel == BookingChannel.DESK and booking.terms["payment_mode"] == PaymentMode.DEPOSIT,
        )

    def _take(self, record: Record, purpose: Purpose, amount_minor: int, at: datetime) -> None:
        payment = Payment(
            purpose=purpose,
            method=self.random.choice((Method.TERMINAL, Method.TERMINAL, Method.CASH)),
            status=PaymentStatus.SUCCEEDED,
            currency=record.booking.currency,
            amount_minor=amount_minor,
            actor=self.desk,
            actor_name=self.desk.name,
            created_at=at,
            succeeded_at=at,
        )
        record.payments.append(payment)
        details = {
            "what": MoneyEvent.PAID.value,
            "amount_minor": amount_minor,
            "purpose": purpose,
            "method": payment.method,
        }
        _event(record, record.booking.status, self._at_desk(), at, kind=EventKind.MONEY, details=details)

    def _give_back(self, record: Record, amount_minor: int, at: datetime) -> None:
        [payment] = record.payments
        refund = Refund(
            method=payment.method,
            status=RefundStatus.SUCCEEDED,
            reason=RefundReason.POLICY,
            currency=payment.currency,
            amount_minor=amount_minor,
            actor=self.desk,
            actor_name=self.desk.name,
            created_at=at,
            done_at=at,
        )
        record.refunds.append(refund)
        details = {
            "what": MoneyEvent.REFUND.value,
            "amount_minor": amount_minor,
            "reason": refund.reason,
            "method": refund.method,
        }
        _event(record, record.booking.status, self._at_desk(), at, kind=EventKind.MONEY, details=details)

    def _cancel(self, record: Record) -> None:
        booking, confirmed_at = record.booking, record.confirmed_at
        latest = min(self.now, booking.starts_at - timedelta(minutes=30))
        at = confirmed_at + (latest - confirmed_at) * self.random.random() if latest > confirmed_at else confirmed_at
        booking.cancelled_at, booking.cancelled_by, booking.ical_sequence = at, ActorKind.CUSTOMER, 1
        booking.cancellation_fee_minor = cancellation_fee(fee_facts(booking), at)
        guest = _Who(ActorKind.CUSTOMER, BookingChannel.LINK)
        self._become(record, BookingStatus.CANCELLED, guest, at, self.random.choice(people.REASONS))
        record.events[-1].details = {"fee_minor": booking.cancellation_fee_minor}
        if (back := record.paid_minor - booking.cancellation_fee_minor) > 0:
            self._give_back(record, back, at)

    def _become(self, record: Record, to: BookingStatus, who: "_Who", at: datetime, reason: str = "") -> None:
        before = record.booking.status
        record.booking.status = to
        record.booking.updated_at = at
        _event(record, before, who, at, reason)

    def _at_desk(self) -> "_Who":
        return _Who(ActorKind.STAFF, BookingChannel.DESK, self.desk)

    def _created_at(self, starts_at: datetime) -> datetime:
        """Return a random instant within two weeks before the visit, at least 5 hours before it and before now."""
        latest = min(starts_at - timedelta(hours=5), self.now - timedelta(minutes=20))
        return latest - timedelta(minutes=self.random.randrange(14 * 1440))

    def _customer(self, visit: Visit) -> Customer:
        """Return a random customer without a visit in the last five days, so that no customer has two at once."""
        while True:
            customer = self.random.choice(self.customers)
            last = self.last_visit.get(id(customer))
            if last is None or visit.start_minute - last > 5 * 1440:
                self.last_visit[id(customer)] = visit.start_minute
                return customer

    def _terms(self, service: Service) -> Terms:
        if service.pk not in self.terms:
            self.terms[service.pk] = terms_of(cancellation_policy_for(service))
        return self.terms[service.pk]

    def _reference(self) -> str:
        while True:
            reference = "".join(self.random.choices(ALPHABET, k=LENGTH))
            if reference not in self.references:
                self.references.add(reference)
                return reference


@dataclass(frozen=True)
class _Who:
    kind: ActorKind
    channel: BookingChannel
    user: User | None = None


def _event(
    record: Record,
    before: str,
    who: _Who,
    at: datetime,
    reason: str = "",
    *,
    kind: EventKind = EventKind.STATUS,
    details: Mapping[str, Any] | None = None,
) -> None:
    record.events.append(
        BookingEvent(
            kind=kind,
            details=dict(details or {}),
            from_status=before,
            to_status=record.booking.status,
            actor_kind=who.kind,
            actor=who.user,
            actor_name=who.user.name if who.user else "",
            channel=who.channel,
            reason=reason,
            at=at,
        )
    )


def _customers(now: datetime, random: Random) -> list[Customer]:
    """Create regular customers. About half have proven their e-mail address by opening a link."""
    names = [f"{first} {last}" for first in people.FIRST_NAMES.split() for last in people.LAST_NAMES.split()]
    made = []
    for number, name in enumerate(random.sample(names, CUSTOMER_COUNT)):
        local = name.lower().translate(str.maketrans("äöüãéíşı ", "aouaeisi."))
        made.append(
            Customer(
                name=name,
                email=f"{local}@mail.example",
                email_normalised=f"{local}@mail.example",
                email_proven_at=now - timedelta(days=random.randint(30, 300)) if random.random() < 0.5 else None,
                # Numbers that the German regulator reserves for films.
                phone=f"+493023125{number:03d}",
                language="en",
                created_at=now - timedelta(days=random.randint(300, 900)),
            )
        )
    return Customer.objects.bulk_create(made)
