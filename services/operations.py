"""Locks on the time of resources, the settings history, and the first rows of an installation.

A change of hours waits for bookings that are being made, and those bookings wait for it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from accounts.models import User
from core.intervals import Interval
from services.enums import FeeKind, ResourceKind
from services.models import (
    BookingPolicy,
    Business,
    CancellationPolicy,
    Closure,
    Resource,
    SettingsChange,
)
from services.queries import business_if_set_up


def lock_resource_time(resource_ids: Collection[int]) -> None:
    """Lock these resources as booking does, ordered by id. Call it inside a transaction.

    A concurrent booking of one of them is decided either before the change begins or after it is committed.
    """
    rows = Resource.objects.select_for_update(no_key=True).filter(pk__in=resource_ids).order_by("pk")
    list(rows.values_list("pk"))


def lock_location_time(*location_ids: int) -> list[int]:
    """Lock all resources that can be booked at some locations: their rooms and devices, and all staff members.

    Return the ids.
    """
    rows = Resource.objects.filter(Q(location_id__in=location_ids) | Q(kind=ResourceKind.PERSON))
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    lock_resource_time(ids)
    return ids


def replace_special_days(
    location_id: int, hours: Mapping[date, Sequence[Interval] | None], *, reason: str = ""
) -> None:
    """Write the special hours of some dates: none of them closes the location, and None brings the weekly hours back.

    Call it under the locks of ``lock_location_time``.
    """
    Closure.objects.filter(location_id=location_id, on__in=hours).delete()
    closed: list[tuple[int | None, int | None]] = [(None, None)]
    Closure.objects.bulk_create(
        Closure(location_id=location_id, on=on, start_minute=start, end_minute=end, reason=reason)
        for on, spans in hours.items()
        if spans is not None
        for start, end in spans or closed
    )


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
    """Record who changed ``field`` of ``subject``. Call it in the transaction of the change."""
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
    """Create the business with default policies in an empty installation.

    Return what was done; empty if there is a business.
    """
    if business_if_set_up():
        return ""
    rules = CancellationPolicy.objects.create(name="Free until a day before")
    rules.tiers.create(until_minutes_before=24 * 60, fee_kind=FeeKind.NONE)
    rules.tiers.create(until_minutes_before=0, fee_kind=FeeKind.PERCENT, fee_value=5000)
    booking_rules = BookingPolicy.objects.create(name="Standard")
    Business.objects.create(id=1, name="My business", booking_policy=booking_rules, cancellation_policy=rules)
    return "There is a business with booking and cancellation rules now. Name it in the admin, under Business."
