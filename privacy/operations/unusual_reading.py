"""Find unusual reading in the access log, alert the owners, and settle alerts.

It runs after the fact, in a worker: no request waits for it. Running it again finds nothing new.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction

from accounts.customer_record import By
from accounts.enums import RecordKind
from accounts.models import AccessLog
from bookings.queries.hours import Schedule
from core.intervals import normalised
from core.minutes import minute_of
from core.outbox import publish
from core.retention import delete_in_batches
from privacy.errors import LimitsChanged
from privacy.models import ReadingAlert, ReadingLimits
from privacy.queries import open_reading_alerts, reading_limits
from privacy.reading_rules import Limits, Read, Unusual, unusual
from privacy.rules import months_before
from services.models import Location
from services.queries import zone_of_business

# A whole day, and the hour before it. When no worker ran for longer, readings before that are only in the log.
LOOKS_BACK = timedelta(hours=25)
FIELDS = ("per_hour", "at_night", "refused_per_day", "night_begins", "night_ends")
_COLUMNS = ("user_id", "user_name", "at", "act", "reference", "count")


def find_unusual_reading(*, now: datetime) -> int:
    """Compare the readings of the last day with the limits, and alert the owners once for each user, rule and day.

    Return the number of new alerts. Twelve queries, and a few for each alert.
    """
    since = now - LOOKS_BACK
    rows = AccessLog.objects.filter(at__gt=since, at__lte=now, user__isnull=False).exclude(record=RecordKind.ACCESS)
    read = list(rows.order_by("user_id", "at", "pk").values_list(*_COLUMNS))
    if not read:
        return 0
    limits, zone, is_open = _limits(reading_limits()), zone_of_business(), _opening(since, now)
    made = 0
    for user_id, of_user in groupby(read, key=lambda row: row[0]):
        *_, last = listed = list(of_user)
        readings = [Read(at, act, reference, count or 0) for _, _, at, act, reference, count in listed]
        for found in unusual(readings, limits, zone=zone, is_open=is_open):
            made += _note(int(user_id or 0), last[1], found, now)
    return made


@transaction.atomic
def settle_reading_alert(*, alert_id: int, by: By, now: datetime) -> bool:
    """Take an alert off the list; return False if it is off already, or does not exist."""
    waiting = open_reading_alerts().filter(pk=alert_id)
    return bool(waiting.update(settled_at=now, settled_by=by.name))


@transaction.atomic
def set_reading_limits(*, values: dict[str, int | None], seen: str, by: By, now: datetime) -> ReadingLimits:
    """Save the limits. ``seen`` is the ``stamp`` of the limits that the page showed. Locks the row.

    :raises LimitsChanged: when another user has changed them since; nothing is saved.
    """
    ReadingLimits.objects.get_or_create(pk=1)
    limits = ReadingLimits.objects.select_for_update(no_key=True).get(pk=1)
    if stamp(limits) != seen:
        raise LimitsChanged
    for name in FIELDS:
        setattr(limits, name, values[name])
    limits.updated_at, limits.updated_by = now, by.name
    limits.save()
    return limits


def stamp(limits: ReadingLimits) -> str:
    """Return the limits as one text, to notice that another user changed them."""
    return ",".join(str(getattr(limits, name)) for name in FIELDS)


def delete_old_alerts(*, now: datetime) -> int:
    """Delete alerts as old as the deleted rows of the access log, settled or not. Return the number."""
    before: date = months_before(now, settings.ACCESS_LOG_KEPT_MONTHS).date()
    return delete_in_batches(ReadingAlert.objects.filter(on__lt=before))


@transaction.atomic
def _note(user_id: int, user_name: str, found: Unusual, now: datetime) -> bool:
    """Store an alert and have it announced, or raise the number of an open one. Return whether it is new."""
    alert, is_new = ReadingAlert.objects.get_or_create(
        user_id=user_id,
        rule=found.rule,
        on=found.on,
        defaults={"user_name": user_name, "count": found.count, "found_at": now},
    )
    if is_new:
        publish("reading.unusual", f"reading:{alert.pk}", {"alert_id": alert.pk}, now=now)
    elif found.count > alert.count:
        open_reading_alerts().filter(pk=alert.pk, count__lt=found.count).update(count=found.count)
    return is_new


def _limits(row: ReadingLimits) -> Limits:
    return Limits(row.per_hour, row.at_night, row.refused_per_day, (row.night_begins, row.night_ends))


def _opening(since: datetime, now: datetime) -> Callable[[datetime], bool]:
    """Return whether any location is open at an instant of this time, by the opening hours and closed days of now."""
    places = list(Location.objects.filter(is_active=True).values_list("pk", flat=True))
    schedule = Schedule((), places)
    # Without a resource of theirs these are the hours of the location.
    hours = normalised(span for place in places for span in schedule.worked(0, place, minute_of(since), minute_of(now)))
    begins = [begin for begin, _ in hours]

    def is_open(at: datetime) -> bool:
        minute = minute_of(at)
        place = bisect_right(begins, minute) - 1
        return place >= 0 and minute < hours[place][1]

    return is_open
