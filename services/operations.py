"""Changes of when places, rooms and devices may be used, and the history of settings.

Changes of hours wait for bookings in progress, and bookings for them.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from accounts.models import User
from core.intervals import Interval, normalised
from services.enums import FeeKind, ResourceKind
from services.models import (
    BookingPolicy,
    Business,
    CancellationPolicy,
    Closure,
    Location,
    OpeningHours,
    Resource,
    SettingsChange,
)

# Weekday (Monday is 0) with an interval in minutes from local midnight, end excluded.
WeekdayInterval = tuple[int, Interval]


def lock_resource_time(resource_ids: Collection[int]) -> None:
    """Take the locks under which booking decides, in its order, by id. Belongs inside a transaction.

    Whoever books one of these resources at the same moment decides before the change is begun or after it is done.
    """
    rows = Resource.objects.select_for_update(no_key=True).filter(pk__in=resource_ids).order_by("pk")
    list(rows.values_list("pk"))


def lock_location_time(location_id: int) -> list[int]:
    """Lock everything that may be booked at a location: its rooms and devices, and all people. Return the ids."""
    rows = Resource.objects.filter(Q(location_id=location_id) | Q(kind=ResourceKind.PERSON))
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    lock_resource_time(ids)
    return ids


@transaction.atomic
def set_opening_hours(*, location_id: int, hours: Sequence[WeekdayInterval]) -> None:
    """Replace the weekly opening hours of a location. Bookings stay, even those now outside.

    Locks: every resource of the location.

    :raises ValueError: when hours of a weekday overlap.
    """
    require_apart(hours)
    lock_location_time(location_id)
    location = Location.objects.get(pk=location_id)
    location.opening_hours.all().delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(location=location, weekday=weekday, start_minute=start, end_minute=end)
        for weekday, (start, end) in hours
    )


@transaction.atomic
def set_special_day(*, location_id: int, on: date, hours: Sequence[Interval], reason: str = "") -> None:
    """Give one local date hours of its own; none shuts the location that day. Bookings stay, even those now outside.

    Locks: every resource of the location.

    :raises ValueError: when the hours overlap.
    """
    require_apart([(0, interval) for interval in hours])
    lock_location_time(location_id)
    Closure.objects.filter(location_id=location_id, on=on).delete()
    rows: Sequence[tuple[int | None, int | None]] = hours or [(None, None)]
    Closure.objects.bulk_create(
        Closure(location_id=location_id, on=on, start_minute=start, end_minute=end, reason=reason)
        for start, end in rows
    )


def require_apart(hours: Sequence[WeekdayInterval]) -> None:
    """Check that the intervals of each weekday neither overlap nor touch.

    :raises ValueError: when they do, or when one is empty.
    """
    for weekday in {weekday for weekday, _ in hours}:
        given = [interval for day, interval in hours if day == weekday]
        if normalised(given) != sorted(given):
            raise ValueError("Hours of one day must be apart from each other.")


def record_settings_change(
    subject: Model,
    *,
    field: str,
    old: str,
    new: str,
    actor: User | None,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> SettingsChange:
    """Write into the history of settings who changed ``field`` of ``subject``. Belongs in the change's transaction."""
    return SettingsChange.objects.create(
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        subject_name=str(subject)[:160],
        field=field,
        old=old[:200],
        new=new[:200],
        details=details or {},
        actor=actor,
        actor_name=(actor.name or actor.email)[:120] if actor else "",
        at=now,
    )


@transaction.atomic
def make_first_rows() -> str:
    """Give an empty installation its business, with rules that can be changed. Nothing where there is one."""
    if Business.objects.exists():
        return ""
    rules = CancellationPolicy.objects.create(name="Free until a day before")
    rules.tiers.create(until_minutes_before=24 * 60, fee_kind=FeeKind.NONE)
    rules.tiers.create(until_minutes_before=0, fee_kind=FeeKind.PERCENT, fee_value=5000)
    booking_rules = BookingPolicy.objects.create(name="Standard")
    Business.objects.create(id=1, name="My business", booking_policy=booking_rules, cancellation_policy=rules)
    return "There is a business with booking and cancellation rules now. Name it in the admin, under Business."
