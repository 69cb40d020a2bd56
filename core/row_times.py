"""Show instants in the admin in the time zone of the location or staff member that a row belongs to."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import DateTimeField, Model
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from core.formats import full_day_text, time_text
from core.zones import city

# Set on the rows of a list: the zone, and whether the list has rows of several zones.
_ZONE, _IS_NAMED = "_zone_of_times", "_names_its_zone"


def has_instants(model: type[Model]) -> bool:
    """Whether rows of the model have instants to show."""
    return any(isinstance(field, (DateTimeField, DateTimeRangeField)) for field in model._meta.get_fields())


def zones_of_rows(rows: Sequence[Model]) -> list[ZoneInfo | None]:
    """Return the zone of each row; None for rows without a location. The number of queries is fixed."""
    find: Callable[[Sequence[Model]], list[ZoneInfo | None]] = import_string(settings.ADMIN_ROUTES["zones_of_rows"])
    return find(rows)


def remember_zones(rows: Sequence[Model]) -> None:
    """Store on each row of a list the zone in which ``row_moment`` writes its instants."""
    zones = zones_of_rows(rows)
    names = {str(zone or timezone.get_current_timezone()) for zone in zones}
    for row, zone in zip(rows, zones, strict=True):
        setattr(row, _ZONE, zone)
        setattr(row, _IS_NAMED, len(names) > 1)


def row_local(row: Any, at: datetime) -> datetime:
    """Convert an instant to the row's zone, or on a detail page to the active zone (``activate_zone_of``)."""
    return timezone.localtime(at, getattr(row, _ZONE, None))


def row_moment(row: Any, at: datetime) -> str:
    """Write an instant such as Fri 27 Nov 2026, 14:30; in a list with several zones followed by (Lisbon time)."""
    local = row_local(row, at)
    return with_zone(row, f"{full_day_text(local.date())}, {time_text(local)}")


def with_zone(row: Any, text: str) -> str:
    """Append the row's zone to a text if the list has rows of several zones."""
    if not getattr(row, _IS_NAMED, False):
        return text
    return f"{text} {zone_note(getattr(row, _ZONE, None))}"


def zone_note(zone: ZoneInfo | None = None) -> str:
    """Write (Lisbon time) for a zone; None is the active zone."""
    return gettext("(%(city)s time)") % {"city": city(zone or ZoneInfo(timezone.get_current_timezone_name()))}


def active_moment(at: datetime) -> str:
    """Write an instant in the active zone, such as Fri 27 Nov 2026, 14:30 (Lisbon time), for titles of admin pages."""
    local = timezone.localtime(at)
    return f"{full_day_text(local.date())}, {time_text(local)} {zone_note()}"


def active_span(from_at: datetime, until_at: datetime) -> str:
    """Write a span in the active zone: Fri 27 Nov 2026, 14:30 – Fri 27 Nov 2026, 15:00 (Lisbon time)."""
    local = timezone.localtime(from_at)
    return f"{full_day_text(local.date())}, {time_text(local)} – {active_moment(until_at)}"


def activate_zone_of(row: Model) -> None:
    """Activate the row's zone until the request ends; the admin site then restores the zone."""
    if zone := zones_of_rows([row])[0]:
        timezone.activate(zone)


def moment_column(field: "DateTimeField[Any, Any]") -> Callable[[Any], str | None]:
    """Return a list column that shows ``field`` in the row's zone and sorts by the field."""

    def column(row: Any) -> str | None:
        at = getattr(row, field.attname)
        return None if at is None else row_moment(row, at)

    column.__name__ = field.name
    column.short_description = field.verbose_name  # type: ignore[attr-defined]
    column.admin_order_field = field.name  # type: ignore[attr-defined]
    return column
