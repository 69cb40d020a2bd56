"""The facts of one customer's page, in a fixed number of queries. The reader's rights limit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.contact.same_phones import phone_hash
from accounts.models import Consent, Customer, CustomerEvent, CustomerNote
from bookings.enums import BookingStatus
from bookings.models import Booking, BookingLine
from bookings.refs import subject_ref
from dashboard.customers.listing import COMING
from dashboard.permissions import (
    Act,
    Rights,
    bookings_visible_to,
    can,
    customers_visible_to,
    erased_customers_visible_to,
)
from dashboard.queries import balances_of
from dashboard.visits import Visits, visits_of
from notifications.enums import RecipientRole
from notifications.models import Notification
from payments.queries import Balance

# Of a customer with more bookings only the latest are shown, and only their money is summed.
MOST_VISITS = 300
MESSAGES_SHOWN = 6
MOST_OTHERS = 5
MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Person:
    """One customer. ``ahead`` is in the order of time, ``past`` the latest first; both have their lines and places.

    ``visits`` counts the bookings that the reader may see. ``balances`` has only bookings of the reader's own
    locations. ``others`` are customers with the same mailbox or phone number. ``trust`` is the latest change of
    blocking or advance payment. ``merged`` are records that were merged into this one.
    """

    customer: Customer
    ahead: list[Booking]
    past: list[Booking]
    visits: Visits
    balances: dict[int, Balance]
    consents: list[Consent]
    messages: list[Notification]
    others: list[Customer]
    notes: list[CustomerNote]
    trust: CustomerEvent | None
    merged: list[Customer]


def customer_by_reference(rights: Rights, reference: str) -> Customer | None:
    """Return a customer whom the reader may see. ``reference`` comes straight from an address. One query, two if it is
    that of a merged record, which leads to the record that took it over.
    """
    if not reference.isascii() or not reference.isalnum():
        return None
    visible = customers_visible_to(rights)
    return visible.filter(reference=reference).first() or visible.filter(merged_records__reference=reference).first()


def erased_by_reference(rights: Rights, reference: str) -> Customer | None:
    """Return a customer who was erased, for a reader who sees every customer. One query."""
    if not reference.isascii() or not reference.isalnum():
        return None
    return erased_customers_visible_to(rights).filter(reference=reference).first()


def person_of(rights: Rights, customer: Customer, now: datetime) -> Person:
    """Read the page of a customer. Thirteen queries at most, whatever the number of bookings."""
    bookings = _bookings(rights, customer)
    run = [booking for booking in bookings if can(rights, Act.SEE_PLACE, booking)]
    ahead = [each for each in bookings if each.status in COMING and each.ends_at > now]
    return Person(
        customer=customer,
        ahead=ahead[::-1],
        past=[each for each in bookings if each not in ahead],
        visits=visits_of(rights, [customer.pk])[customer.pk],
        balances=balances_of(run) if run else {},
        consents=list(customer.consents.order_by("-given_at", "-pk")),
        messages=_messages(run),
        others=people_with(customer.email, customer.phone, besides=customer) if rights.sees_money else [],
        notes=list(customer.staff_notes.order_by("-id")[:MOST_NOTES]),
        trust=customer.events.filter(kind=CustomerEvent.Kind.TRUST).order_by("-id").first(),
        merged=list(customer.merged_records.order_by("pk")),
    )


def _bookings(rights: Rights, customer: Customer) -> list[Booking]:
    """Return bookings, latest first. An expired one was never a visit. Two queries, without encrypted columns."""
    lines = BookingLine.objects.select_related("staff_member")
    found = bookings_visible_to(rights).filter(customer=customer).exclude(status=BookingStatus.EXPIRED)
    shown = found.select_related("location").defer("contact_phone", "customer_note", "visit_address")
    return list(shown.prefetch_related(Prefetch("lines", lines)).order_by("-starts_at", "-pk")[:MOST_VISITS])


def _messages(run: Sequence[Booking]) -> list[Notification]:
    if not run:
        return []
    about = Notification.objects.filter(subject_ref__in=[subject_ref(booking) for booking in run])
    return list(about.filter(recipient_role=RecipientRole.CUSTOMER).order_by("-id")[:MESSAGES_SHOWN])


def people_with(email: str, phone: str, *, besides: Customer | None = None) -> list[Customer]:
    """Return customers with this mailbox or phone number: the same person, or one of the same household. One query."""
    same = Q(pk__in=[])
    if email:
        same |= Q(mailbox__in=same_mailbox(normalised_email(email)))
    if phone:
        same |= Q(phone_hash=phone_hash(phone))
    others = Customer.objects.annotate(mailbox=Lower("email")).filter(same, erased_at=None, merged_into=None)
    if besides:
        others = others.exclude(pk=besides.pk)
    return list(others.order_by("pk")[:MOST_OTHERS]) if email or phone else []
