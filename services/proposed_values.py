"""The values of a proposal: what a service, its lengths or the hours of a location have, or would have, by key.

Keys of a service: the names in ``SERVICE_FIELDS``, and ``variant.<id>.<field>`` for each offered length. Keys of
opening hours: ``day.<weekday>`` with a list of [start, end] in minutes. A new service has ``NEW_SERVICE_FIELDS``, with
``lengths`` as a list of [work minutes, price in minor units]. Policies, places and people are ids.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.models import OpeningHours, Service

# A proposal that was stored in another shape cannot be approved.
SHAPE_VERSION = 1
SERVICE_FIELDS = (
    "name",
    "summary",
    "description",
    "buffer_before_minutes",
    "buffer_after_minutes",
    "cancellation_policy",
)
VARIANT_FIELDS = ("work_minutes", "processing_minutes", "finish_minutes", "price_minor")
NEW_SERVICE_FIELDS = (
    *("name", "category", "summary", "description", "lengths", "locations", "staff", "resource_types"),
    *("buffer_before_minutes", "buffer_after_minutes", "cancellation_policy"),
)

Values = dict[str, Any]


def of_service(service: Service) -> Values:
    """Return the values of a service and of its offered lengths. Load ``variants`` with it."""
    values: Values = {name: getattr(service, column(name)) for name in SERVICE_FIELDS}
    for variant in service.variants.all():
        if variant.is_active:
            values |= {variant_key(variant.pk, name): getattr(variant, name) for name in VARIANT_FIELDS}
    return values


def of_hours(rows: Iterable[OpeningHours]) -> Values:
    """Return the weekly hours of a location; a closed day is an empty list."""
    values: Values = {day_key(weekday): [] for weekday in range(7)}
    for row in sorted(rows, key=lambda row: (row.weekday, row.start_minute)):
        values[day_key(row.weekday)].append([row.start_minute, row.end_minute])
    return values


def variant_key(variant_id: int, field: str) -> str:
    return f"variant.{variant_id}.{field}"


def variant_of(key: str) -> tuple[int, str] | None:
    """Return the id of the length and the field that a key names; None for a key of something else."""
    parts = key.split(".")
    return (int(parts[1]), parts[2]) if parts[0] == "variant" else None


def day_key(weekday: int) -> str:
    return f"day.{weekday}"


def weekday_of(key: str) -> int:
    return int(key.removeprefix("day."))


def column(key: str) -> str:
    """Return the attribute of a service that holds the value of a key."""
    return "cancellation_policy_id" if key == "cancellation_policy" else key


def in_order(values: Mapping[str, Any]) -> list[str]:
    """Return the keys as a page lists them; the database keeps no order. Lengths and days follow their numbers."""

    def place(key: str) -> tuple[int, int, int]:
        if length := variant_of(key):
            return NEW_SERVICE_FIELDS.index("lengths"), length[0], VARIANT_FIELDS.index(length[1])
        if key.startswith("day."):
            return 0, weekday_of(key), 0
        return NEW_SERVICE_FIELDS.index(key), 0, 0

    return sorted(values, key=place)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Values:
    """Return the values of ``after`` that differ from ``before``."""
    return {key: value for key, value in after.items() if key not in before or before[key] != value}


def moved_on(before: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Return the keys whose current value is another one than when the change was proposed, or is gone."""
    return [key for key, value in before.items() if key not in current or current[key] != value]


def stamp(value: Any) -> str:
    """Return a short hash of a value, with which a form shows later what the user saw in it."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
