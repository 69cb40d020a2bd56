"""The caller: customers found by what staff type, and the history of the chosen one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Customer
from bookings.enums import TOOK_PLACE, BookingStatus
from bookings.models import Booking, BookingLine
from dashboard.customers.listing import customers_found
from dashboard.customers.person import customer_by_reference
from dashboard.permissions import Rights
from dashboard.queries import SHORTEST_SEARCH
from dashboard.visits import Visits, visits_of

MOST_FOUND = 6
MOST_COMPARED = 500
_AGREED = frozenset({BookingStatus.CONFIRMED, BookingStatus.NO_SHOW, *TOOK_PLACE})


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer with the visits that the reader may see."""

    customer: Customer
    visits: Visits


@dataclass(frozen=True, slots=True)
class Found:
    """The customers to show, and how many more match. Where they are more than ``MOST_COMPARED``, ``is_many``."""

    callers: Sequence[Caller] = ()
    more_count: int = 0
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The customer's last booking, to start from. ``staff_slug`` is empty when they booked any staff member."""

    service_slug: str
    variant_id: int
    extra_ids: tuple[int, ...]
    staff_slug: str


def found_callers(rights: Rights, typed: str, now: datetime) -> Found:
    """Find customers as the customer list does: by words of name and e-mail address, or by the phone number (or at
    least its last four digits). The first ``MOST_FOUND``, nine queries at most. Where more than ``MOST_COMPARED``
    match, staff type on, so that only as many are read and sorted.
    """
    if len(typed) < SHORTEST_SEARCH:
        return Found()
    matches = customers_found(rights, now, typed=typed)
    first = Customer.objects.filter(pk__in=matches.order_by().values("pk")[:MOST_COMPARED])
    found = list(first.order_by("name", "pk")[: MOST_FOUND + 1])
    callers = with_visits(rights, found[:MOST_FOUND])
    if len(found) <= MOST_FOUND:
        return Found(callers)
    count = matches.order_by().values("pk")[: MOST_COMPARED + 1].count()
    return Found(callers, min(count, MOST_COMPARED) - MOST_FOUND, is_many=count > MOST_COMPARED)


def caller_by_reference(rights: Rights, reference: str) -> Caller | None:
    """Return the customer whom a form or an address names, if the user may see them. Four queries at most."""
    found = customer_by_reference(rights, reference)
    return with_visits(rights, [found])[0] if found else None


def last_visit(customer: Customer) -> LastVisit | None:
    """Return the customer's last booking at any place. Two queries."""
    last = Booking.objects.filter(customer=customer, status__in=_AGREED).order_by("-starts_at", "-pk").first()
    if last is None:
        return None
    lines = BookingLine.objects.select_related("variant__service", "staff_member")
    line = lines.filter(booking=last).order_by("position")[0]
    return LastVisit(
        service_slug=line.variant.service.slug,
        variant_id=line.variant_id,
        extra_ids=tuple(extra["id"] for extra in line.add_ons),
        staff_slug=line.staff_member.slug if line.staff_member and not last.is_any_staff else "",
    )


def with_visits(rights: Rights, customers: Sequence[Customer]) -> list[Caller]:
    """Count the visits of each customer. Two queries at most, whatever their number."""
    if not customers:
        return []
    visits = visits_of(rights, [customer.pk for customer in customers])
    return [Caller(customer, visits[customer.pk]) for customer in customers]
