"""The time zone in which the admin shows a row: that of its booking, bill, resource or location."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model

from bookings.models import Booking
from bookings.refs import booking_id_of
from payments.models import Bill
from services.models import Location, Resource
from staff.queries import zones_of_resources


def zones_of_rows(rows: Sequence[Model]) -> list[ZoneInfo | None]:
    """Return the zone of each row, None for a row without a location (a customer, a Stripe event).

    Runs at most five queries, however many rows there are.
    """
    bookings = _zones_of_bookings(filter(None, map(_booking_id, rows)))
    bills = _zones_of_bills(filter(None, map(_bill_id, rows)))
    resources = zones_of_resources(filter(None, map(_resource_id, rows)))
    places = _zones_of_places(filter(None, map(_location_id, rows)))
    return [
        bookings.get(_booking_id(row))
        or bills.get(_bill_id(row))
        or resources.get(_resource_id(row))
        or places.get(_location_id(row))
        for row in rows
    ]


def _booking_id(row: Any) -> int | None:
    if isinstance(row, Booking):
        return row.pk
    if found := getattr(row, "booking_id", None):
        return int(found)
    subject = getattr(row, "subject_ref", "") or getattr(getattr(row, "payment", None), "subject_ref", "")
    return booking_id_of(subject)


def _bill_id(row: Any) -> int | None:
    if _booking_id(row):
        return None
    return row.pk if isinstance(row, Bill) else getattr(row, "bill_id", None)


def _resource_id(row: Any) -> int | None:
    if _booking_id(row):
        return None
    return row.pk if isinstance(row, Resource) else getattr(row, "resource_id", None)


def _location_id(row: Any) -> int | None:
    if _booking_id(row) or _resource_id(row):
        return None
    return row.pk if isinstance(row, Location) else getattr(row, "location_id", None)


def _zones_of_bookings(ids: Iterable[int]) -> dict[int | None, ZoneInfo]:
    if not (wanted := set(ids)):
        return {}
    rows = Booking.objects.filter(pk__in=wanted).values_list("pk", "location__time_zone")
    return {pk: ZoneInfo(name) for pk, name in rows}


def _zones_of_bills(ids: Iterable[int]) -> dict[int | None, ZoneInfo]:
    if not (wanted := set(ids)):
        return {}
    rows = Booking.objects.filter(bill__in=wanted).order_by("-pk").values_list("bill_id", "location__time_zone")
    return {bill_id: ZoneInfo(name) for bill_id, name in rows}


def _zones_of_places(ids: Iterable[int]) -> dict[int | None, ZoneInfo]:
    if not (wanted := set(ids)):
        return {}
    return {pk: ZoneInfo(name) for pk, name in Location.objects.filter(pk__in=wanted).values_list("pk", "time_zone")}
