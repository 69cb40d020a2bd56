"""What the page about a customer's data reads, in a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime

from accounts.enums import Reading
from accounts.models import AccessLog, Consent, Customer
from bookings.models import Booking
from bookings.refs import booking_ref
from payments.models import Receipt
from privacy.enums import UNFINISHED, CaseKind, Hindrance
from privacy.hindrances import hindrances_of
from privacy.models import PrivacyCase, Retention
from privacy.queries import retention

MOST_CONSENTS, MOST_READINGS = 30, 50
# Bookings whose readings are listed; the download has those of all.
MOST_BOOKINGS = 300


@dataclass(frozen=True, slots=True)
class Kept:
    """The facts of the page. ``last_visit`` is the end of the latest booking, ``erasure`` an open request."""

    retention: Retention
    visit_count: int
    last_visit: datetime | None
    receipt_count: int
    consents: list[Consent]
    consent_count: int
    wants_news: bool
    readings: list[AccessLog]
    erasure: PrivacyCase | None


def kept_about(customer: Customer, *, marketing: str) -> Kept:
    """Read the page of a customer. Eight queries. ``marketing`` is the purpose of the consent to news."""
    bookings = list(
        Booking.objects.filter(customer=customer).order_by("-starts_at").values_list("pk", "reference", "ends_at")
    )
    refs = [booking_ref(pk) for pk, _reference, _ends_at in bookings]
    consents = customer.consents.order_by("-given_at", "-pk")
    erasures = customer.privacy_cases.filter(kind=CaseKind.ERASURE, state__in=sorted(UNFINISHED))
    return Kept(
        retention=retention(),
        visit_count=len(bookings),
        last_visit=max((ends_at for _pk, _reference, ends_at in bookings), default=None),
        receipt_count=Receipt.objects.filter(subject_ref__in=refs).count(),
        consents=list(consents[:MOST_CONSENTS]),
        consent_count=consents.count(),
        wants_news=consents.filter(purpose=marketing, withdrawn_at=None).exists(),
        readings=_readings(customer, [reference for _pk, reference, _ends_at in bookings[:MOST_BOOKINGS]]),
        erasure=erasures.first(),
    )


def in_the_way(customer: Customer, now: datetime) -> set[Hindrance]:
    """Return what has to be settled before the customer can be erased. One query."""
    return set(hindrances_of(Booking.objects.filter(customer=customer), now=now))


def _readings(customer: Customer, references: list[str]) -> list[AccessLog]:
    merged = customer.merged_records.values_list("reference", flat=True)
    own = [customer.reference, *merged, *references]
    read = AccessLog.objects.filter(reference__in=own).exclude(act=Reading.REFUSED)
    return list(read.order_by("-at", "-pk")[:MOST_READINGS])
