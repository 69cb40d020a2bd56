"""Changes of hours, the bookings that they put outside the hours, and the decision to keep such a booking.

A change never moves or cancels a booking. It notes each booking that it hits, so that staff decide about each.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from accounts.models import User
from bookings.enums import CHANGEABLE, EventKind
from bookings.errors import MoreOutsideHours, WrongStatus
from bookings.lifecycle import Actor, record
from bookings.models import Booking, OutsideHours
from bookings.operations._lock import locked_booking, require_sequence
from bookings.operations._transaction import booking_transaction
from bookings.queries.hours import Schedule, SpecialHours, claims_ahead, hours_around
from bookings.rules.hours import Claim, Hours, HoursEffect, effect_of
from core.forms import clock_text
from core.intervals import Interval
from services.models import Closure, Location
from services.operations import lock_location_time, record_settings_change, replace_special_days
from staff.hours import day_start

_DAYS_AROUND = 2


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Special hours of dates (``date.toordinal()``) by location id: none close the location, None brings the weekly
    hours back. ``reason`` belongs to all days with special hours.
    """

    hours: Mapping[tuple[int, int], tuple[Interval, ...] | None]
    reason: str = ""

    @property
    def location_ids(self) -> list[int]:
        return sorted({location_id for location_id, _ in self.hours})

    def of_location(self, location_id: int) -> dict[date, tuple[Interval, ...] | None]:
        return {date.fromordinal(day): spans for (at, day), spans in self.hours.items() if at == location_id}


# --- special days of locations -------------------------------------------------------------------------------------


def special_days_effect(change: SpecialDays, *, now: datetime) -> HoursEffect:
    """Return which bookings ahead the change would put outside the hours, or back inside. Nine queries at most."""
    claims = _claims_around(change, now)
    schedule = Schedule({claim.resource_id for claim in claims}, change.location_ids)
    return _effect(claims, schedule, change.hours)


@booking_transaction
def change_special_days(
    change: SpecialDays, *, may_hit: Collection[str], claim: Callable[[], bool], user: User, now: datetime
) -> HoursEffect | None:
    """Write special days of locations, and note the bookings that are outside the hours now. No booking changes.

    ``may_hit`` are the references that the page listed. ``claim`` spends the key of its form in the same transaction;
    None is returned when it was spent before.

    Locks: what ``claim`` locks, then all staff members' resources and the locations' rooms.

    :raises MoreOutsideHours: when the change hits a booking that the page did not list. Nothing is written then.
    """
    if not claim():
        return None
    lock_location_time(*change.location_ids)
    claims = _claims_around(change, now)
    schedule = Schedule({each.resource_id for each in claims}, change.location_ids)
    effect = _effect(claims, schedule, change.hours)
    booked = Booking.objects.filter(pk__in=effect.hit, status__in=CHANGEABLE)
    if set(booked.values_list("reference", flat=True)) - set(may_hit):
        raise MoreOutsideHours
    for location in Location.objects.filter(pk__in=change.location_ids):
        _replace(location, change, user=user, now=now)
    note_effect(effect, now=now)
    return effect


def _effect(claims: Collection[Claim], schedule: Schedule, special: SpecialHours) -> HoursEffect:
    before = hours_around(claims, schedule.worked)
    return effect_of(claims, before, hours_around(claims, schedule.but(special).worked))


def _claims_around(change: SpecialDays, now: datetime) -> list[Claim]:
    """Return the claims at the locations that the days can concern, to the end of the night of the last day."""
    names = Location.objects.filter(pk__in=change.location_ids).values_list("time_zone", flat=True)
    zones = [ZoneInfo(name) for name in names]
    days = [day for _, day in change.hours]
    low = min(day_start(zone, min(days)) for zone in zones)
    high = max(day_start(zone, max(days) + _DAYS_AROUND) for zone in zones)
    return claims_ahead(now=now, location_ids=change.location_ids, within=(low, high))


def _replace(location: Location, change: SpecialDays, *, user: User, now: datetime) -> None:
    hours = change.of_location(location.pk)
    before = _texts(location, hours)
    replace_special_days(location.pk, hours, reason=change.reason)
    after = _texts(location, hours)
    for on in sorted(hours):
        if before.get(on) != after.get(on):
            record_settings_change(
                location,
                field=f"special day {on.isoformat()}",
                old=before.get(on, ""),
                new=after.get(on, ""),
                actor=user,
                now=now,
            )


def _texts(location: Location, dates: Collection[date]) -> dict[date, str]:
    """Return the special hours of dates as the settings history shows them: "closed, Public holiday"."""
    texts: dict[date, list[str]] = {}
    for row in Closure.objects.filter(location=location, on__in=dates).order_by("on", "start_minute"):
        hours = "closed"
        if row.start_minute is not None and row.end_minute is not None:
            hours = f"{clock_text(row.start_minute)}–{clock_text(row.end_minute)}"
        texts.setdefault(row.on, []).append(f"{hours} {row.reason}".strip())
    return {on: ", ".join(parts) for on, parts in texts.items()}


# --- weekly hours, changed in the admin ----------------------------------------------------------------------------


def hours_in_use(resource_ids: Collection[int], *, now: datetime) -> Hours:
    """Return the hours of resources around their claims ahead, to compare with after a change under the same locks."""
    claims = claims_ahead(now=now, resource_ids=resource_ids)
    schedule = Schedule(resource_ids, {claim.location_id for claim in claims})
    return hours_around(claims, schedule.worked)


def note_hours_change(resource_ids: Collection[int], before: Hours, *, now: datetime) -> bool:
    """Note the bookings that are outside the hours since ``before``; return whether there are any.

    Call it in the transaction of the change.
    """
    claims = claims_ahead(now=now, resource_ids=resource_ids)
    schedule = Schedule(resource_ids, {claim.location_id for claim in claims})
    effect = effect_of(claims, before, hours_around(claims, schedule.worked))
    note_effect(effect, now=now)
    return bool(effect.hit)


def note_effect(effect: HoursEffect, *, now: datetime) -> None:
    """Note bookings that are outside the hours now, and forget those that are inside again."""
    OutsideHours.objects.filter(booking__in=effect.hit | effect.freed).delete()
    rows = Booking.objects.filter(pk__in=effect.hit).values_list("pk", "ical_sequence")
    OutsideHours.objects.bulk_create(OutsideHours(booking_id=pk, sequence=number, since=now) for pk, number in rows)


# --- keeping a booking ----------------------------------------------------------------------------------------------


@booking_transaction
def keep_outside_hours(*, booking_id: int, expected_sequence: int, reason: str, actor: Actor, now: datetime) -> Booking:
    """Let a booking stay outside the hours, with a row in its history. Repeating it changes nothing.

    Locks: the booking.

    :raises StalePage: when it was moved since the page was shown.
    :raises WrongStatus: when it does not stand any more, or is over.
    """
    booking = locked_booking(booking_id)
    require_sequence(booking, expected_sequence)
    if booking.status not in CHANGEABLE or booking.ends_at <= now:
        raise WrongStatus(from_status=booking.status, to_status=booking.status)
    waiting = OutsideHours.objects.filter(booking=booking, kept_at=None)
    if waiting.update(kept_at=now):
        record(booking, EventKind.KEPT, actor=actor, now=now, reason=reason)
    return booking
