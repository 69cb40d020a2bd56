"""The caller: customers found by what staff type, and the history of the chosen one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from accounts.models import Customer
from bookings.enums import TOOK_PLACE, BookingStatus
from bookings.models import Booking, BookingLine
from dashboard.customers.listing import customers_found
from dashboard.customers.person import customer_by_reference
from dashboard.permissions import Rights
from dashboard.queries import SHORTEST_SEARCH

MOST_FOUND = 6
MOST_COMPARED = 500
_AGREED = frozenset({BookingStatus.CONFIRMED, BookingStatus.NO_SHOW, *TOOK_PLACE})


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer with the number of completed visits and no-shows before now."""

    customer: Customer
    came: int = 0
    missed: int = 0
    last_came_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The customers to show, and whether more match."""

    callers: Sequence[Caller] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The customer's last booking, to start from. ``staff_slug`` is empty when they booked any staff member."""

    service_slug: str
    variant_id: int
    extra_ids: tuple[int, ...]
    staff_slug: str


def found_callers(rights: Rights, typed: str, now: datetime) -> Found:
    """Find customers as the customer list does: by words of name and e-mail address, or by the phone number (whole, or
    its last four digits). The first ``MOST_FOUND``, four queries at most. Where more than ``MOST_COMPARED`` match,
    staff type on, so that only as many are read and sorted.
    """
    if len(typed) < SHORTEST_SEARCH:
        return Found()
    matches = customers_found(rights, now, typed=typed)
    first = Customer.objects.filter(pk__in=matches.order_by().values("pk")[:MOST_COMPARED])
    found = list(first.order_by("name", "pk")[: MOST_FOUND + 1])
    return Found(with_visits(found[:MOST_FOUND], now), has_more=len(found) > MOST_FOUND)


def caller_by_reference(rights: Rights, reference: str, now: datetime) -> Caller | None:
    """Return the customer whom a form or an address names, if the user may see them. Three queries at most."""
    found = customer_by_reference(rights, reference)
    return with_visits([found], now)[0] if found else None


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


def with_visits(customers: Sequence[Customer], now: datetime) -> list[Caller]:
    """Count completed visits and no-shows of each customer. One query, whatever their number."""
    if not customers:
        return []
    came, missed = Q(status__in=TOOK_PLACE), Q(status=BookingStatus.NO_SHOW)
    before = Booking.objects.filter(customer__in=customers, starts_at__lt=now).order_by()
    counted = before.values_list("customer_id").annotate(
        came=Count("pk", filter=came), missed=Count("pk", filter=missed), last=Max("starts_at", filter=came)
    )
    visits = {pk: counts for pk, *counts in counted}
    return [Caller(customer, *visits.get(customer.pk, ())) for customer in customers]
