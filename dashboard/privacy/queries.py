"""Reads of the pages about requests and retention."""

from django.db.models import QuerySet

from accounts.models import Customer
from bookings.models import Booking
from privacy.enums import UNFINISHED, Hindrance
from privacy.models import PrivacyCase

MOST_LISTED = 100
MOST_OBSTACLES = 20


def open_cases() -> QuerySet[PrivacyCase]:
    """Return the cases that need an answer, the earliest due date first."""
    cases = PrivacyCase.objects.filter(state__in=sorted(UNFINISHED)).select_related("customer")
    return cases.order_by("due_on", "pk")


def closed_cases() -> QuerySet[PrivacyCase]:
    cases = PrivacyCase.objects.exclude(state__in=sorted(UNFINISHED)).select_related("customer")
    return cases.order_by("-closed_at", "-pk")


def customer_to_ask_about(reference: str) -> Customer | None:
    """Return the customer of a reference from an address, erased or not. One query."""
    if not reference.isascii() or not reference.isalnum():
        return None
    return Customer.objects.filter(reference=reference).first()


def bookings_in_the_way(found: dict[Hindrance, list[int]]) -> list[Booking]:
    ids = {pk for booking_ids in found.values() for pk in booking_ids}
    return list(Booking.objects.filter(pk__in=ids).select_related("location").order_by("starts_at")[:MOST_OBSTACLES])
