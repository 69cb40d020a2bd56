"""Changing the time zone of a location, and what that does to its bookings ahead.

A booking is an instant. Either it keeps that instant and its clock time changes, or the zone was wrong from the
beginning, and the booking keeps its clock time and becomes another instant. The business chooses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind
from bookings.lifecycle import Actor, record
from bookings.messages import visits
from bookings.models import Allocation, Booking
from bookings.operations._bill import keep_card_after
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._transaction import booking_transaction
from bookings.queries.dependents import future_bookings_of
from core.commitments import Commitment
from core.errors import DomainError
from core.formats import full_day_text, time_text
from core.minutes import minute_of
from core.references import spoken
from core.zones import city
from services.models import Location
from services.operations import lock_location_time

KEEP_CLOCK, KEEP_INSTANT = "clock", "instant"


class ZoneChangeRefused(DomainError):
    """Bookings cannot keep their clock time.

    ``data["bookings"]`` would overlap with others, or would have begun already.
    """

    def __init__(self, bookings: Sequence[Commitment]) -> None:
        super().__init__(
            gettext("With their clock time kept, bookings would meet others or be in the past."), bookings=bookings
        )


@dataclass(frozen=True, slots=True)
class _Shift:
    booking: Booking
    by: timedelta


def zone_change_preview(location: Location, zone: ZoneInfo, *, now: datetime) -> list[Commitment]:
    """Return all bookings ahead at ``location``, each with its time now and in ``zone``, the soonest first."""
    old = ZoneInfo(location.time_zone)
    return [_shown(booking, old, zone) for booking in _ahead(location, now)]


@booking_transaction
def change_zone(*, location_id: int, zone: ZoneInfo, keep: str, actor: Actor, now: datetime) -> int:
    """Give a location another zone; ``keep`` says what its bookings ahead keep: their clock time or their instant.

    Customers and staff are informed of the time as it reads now, and each booking's history gets a row. Visits that
    have begun stay as they are. Returns the number of bookings that were announced. Locks: these bookings, then all
    staff members' resources and the location's rooms.

    :raises ZoneChangeRefused: when bookings that keep their clock time would overlap with others, or be in the past.
    """
    location = Location.objects.get(pk=location_id)
    old = ZoneInfo(location.time_zone)
    ids = list(_ahead(location, now).values_list("pk", flat=True))
    bookings = list(
        Booking.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=ids)
        .order_by("pk")
        .select_related("location")
        .prefetch_related("lines__staff_member")
    )
    for booking in bookings:
        drop_own_proposals(booking, now=now)
    lock_location_time(location_id)
    shifts = [
        _Shift(booking, _by(booking.starts_at, old, zone) if keep == KEEP_CLOCK else timedelta())
        for booking in bookings
    ]
    if refused := _refused(shifts, now):
        raise ZoneChangeRefused(bookings=[_shown(booking, old, zone) for booking in refused])
    Location.objects.filter(pk=location_id).update(time_zone=zone.key)
    _move_claims(shifts)
    for shift in shifts:
        shift.booking.location.time_zone = zone.key
        _carry_out(shift, old, zone, actor=actor, now=now)
    return len(shifts)


def change_zone_as_user(*, location_id: int, zone: ZoneInfo, keep: str, user: User, now: datetime) -> int:
    """Do the same as ``change_zone``, with the signed-in user as the actor."""
    actor = Actor(ActorKind.STAFF, BookingChannel.DESK, user_id=user.pk, name=user.name or user.email)
    return change_zone(location_id=location_id, zone=zone, keep=keep, actor=actor, now=now)


def _ahead(location: Location, now: datetime) -> QuerySet[Booking]:
    return future_bookings_of(location, now=now).filter(starts_at__gt=now)


def _by(at: datetime, old: ZoneInfo, new: ZoneInfo) -> timedelta:
    """Return how far an instant moves when its clock time stays."""
    wall = at.astimezone(old).replace(tzinfo=None)
    return wall.replace(tzinfo=new, fold=at.astimezone(old).fold).astimezone(UTC) - at


def _refused(shifts: Sequence[_Shift], now: datetime) -> list[Booking]:
    """Return the bookings that would begin in the past, or overlap with another one."""
    moving = {shift.booking.pk: shift for shift in shifts if shift.by}
    if not moving:
        return []
    late = {pk for pk, shift in moving.items() if shift.booking.starts_at + shift.by <= now}
    own = list(Allocation.objects.filter(booking__in=moving))
    resources = {row.resource_id for row in own}
    busy: dict[int, list[tuple[datetime, datetime, int | None]]] = {pk: [] for pk in resources}
    for row in Allocation.objects.filter(resource__in=resources, high_minute__gt=minute_of(now)):
        by = moving[row.booking_id].by if row.booking_id in moving else timedelta()
        busy[row.resource_id].append((row.busy.lower + by, row.busy.upper + by, row.booking_id))
    meeting = set()
    for rows in busy.values():
        rows.sort(key=lambda each: each[0])
        latest: tuple[datetime, datetime, int | None] | None = None
        for each in rows:
            if latest is not None and each[0] < latest[1]:
                meeting |= {latest[2], each[2]}
            if latest is None or each[1] > latest[1]:
                latest = each
    return [shift.booking for pk, shift in moving.items() if pk in late | meeting]


def _move_claims(shifts: Sequence[_Shift]) -> None:
    """Delete all claims before any is written again, because one booking may take the time of another."""
    by = {shift.booking.pk: shift.by for shift in shifts if shift.by}
    rows = list(Allocation.objects.filter(booking__in=by))
    Allocation.objects.filter(pk__in=[row.pk for row in rows]).delete()
    Allocation.objects.bulk_create(
        Allocation(
            resource_id=row.resource_id,
            booking_id=row.booking_id,
            busy=DateTimeTZRange(row.busy.lower + by[row.booking_id], row.busy.upper + by[row.booking_id]),
        )
        for row in rows
        if row.booking_id is not None
    )


def _carry_out(shift: _Shift, old: ZoneInfo, new: ZoneInfo, *, actor: Actor, now: datetime) -> None:
    booking, before = shift.booking, shift.booking.starts_at
    booking.starts_at += shift.by
    booking.ends_at += shift.by
    booking.ical_sequence += 1
    booking.save(update_fields=["starts_at", "ends_at", "ical_sequence", "updated_at"])
    for line in booking.lines.all():
        line.starts_at += shift.by
        line.ends_at += shift.by
        line.save(update_fields=["starts_at", "ends_at"])
    staff_ids = [line.staff_member_id for line in booking.lines.all() if line.staff_member_id is not None]
    keep_card_after(booking)
    person_id = next(iter(staff_ids), None)
    details = {
        side: {"starts_at": at.isoformat(), "zone": zone.key, "staff_member_id": person_id}
        for side, at, zone in (("from", before, old), ("to", booking.starts_at, new))
    }
    record(booking, EventKind.MOVED, actor=actor, now=now, details=details)
    if booking.status == BookingStatus.CONFIRMED:
        visits.announce_moved(
            booking, previous_starts_at=before, previous_staff_ids=staff_ids, previous_zone=old.key, now=now
        )


def _shown(booking: Booking, old: ZoneInfo, new: ZoneInfo) -> Commitment:
    """Return the service and its time in both zones, with the day in the second one if it differs."""
    before, after = booking.starts_at.astimezone(old), booking.starts_at.astimezone(new)
    later = time_text(after) if before.date() == after.date() else f"{full_day_text(after.date())}, {time_text(after)}"
    names = [line.service_name for line in booking.lines.all()]
    names += [line.staff_member.short_name for line in booking.lines.all() if line.staff_member]
    when = f"{full_day_text(before.date())}, {time_text(before)} ({city(old)}) → {later} ({city(new)})"
    url = reverse("admin:bookings_booking_change", args=[booking.pk])
    return Commitment(booking.pk, " · ".join([spoken(booking.reference), when, *names]), url)
