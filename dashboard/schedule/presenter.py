"""Time off as text: the staff member, the time, the reason, and the bookings in it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.booked import local
from bookings.models import Booking
from core import formats
from core.zones import city
from dashboard.door import Desk
from dashboard.moving.presenter import move_url
from dashboard.permissions import Act, may
from dashboard.todo import outside_count
from staff.enums import TimeOffStatus
from staff.models import TimeOff


@dataclass(frozen=True, slots=True)
class Hit:
    """A booking within a time off: customer, time, and the pages that move or cancel it. ``note`` says that only the
    time around the visit lies in it.
    """

    name: str
    when: str
    note: str
    url: str
    move_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Row:
    pk: int
    who: str
    when: str
    reason: str
    is_asked: bool
    may_answer: bool
    hits: tuple[Hit, ...]


def rows_of(
    times: Iterable[TimeOff],
    hit: Mapping[int, Sequence[Booking]],
    zones: Mapping[int | None, ZoneInfo],
    answerable: Collection[int],
) -> list[Row]:
    """Write each time off in the zone of its resource, which is named where the ``zones`` differ."""
    names_zone = differ(zones)
    return [
        Row(
            pk=each.pk,
            who=who_of(each),
            when=when_text(each, zones[each.resource_id], names_zone=names_zone),
            reason=each.reason,
            is_asked=each.status == TimeOffStatus.REQUESTED,
            may_answer=each.resource_id in answerable,
            hits=tuple(_hit(booking, each) for booking in hit.get(each.pk, ())),
        )
        for each in times
    ]


@dataclass(frozen=True, slots=True)
class Tab:
    """A page about hours. ``count`` is the number of bookings that wait there."""

    label: str
    url: str
    is_on: bool
    count: int = 0


def tabs_of(desk: Desk, current: str) -> list[Tab]:
    """Return the pages about hours that this user may open; ``current`` is the key of the shown one."""
    pages = [
        ("time-off", Act.BLOCK_TIME, gettext("Time off"), reverse("desk_time_off"), 0),
        ("closures", Act.EDIT_HOURS, gettext("Closed days"), reverse("desk_closures"), 0),
        (
            "outside-hours",
            Act.SEE_PLACE,
            gettext("Bookings outside the hours"),
            reverse("desk_outside_hours"),
            outside_count(desk.rights, desk.now),
        ),
    ]
    return [Tab(label, url, key == current, count) for key, act, label, url, count in pages if may(desk.rights, act)]


def who_of(each: TimeOff) -> str:
    resource = each.resource
    return str(resource.staff_member.name if hasattr(resource, "staff_member") else resource.name)


def differ(zones: Mapping[int | None, ZoneInfo]) -> bool:
    return len(set(zones.values())) > 1


def choices_of(named: Iterable[tuple[int, str]], zones: Mapping[int | None, ZoneInfo]) -> list[tuple[int, str]]:
    """Return the resources to choose from, with the zone in which their time is typed where the ``zones`` differ."""
    names_zone = differ(zones)
    return [(pk, f"{name} · {zone_text(zones[pk])}" if names_zone else name) for pk, name in named]


def when_text(each: TimeOff, zone: ZoneInfo, *, names_zone: bool = False) -> str:
    text = _span_text(each, zone)
    return f"{text} · {zone_text(zone)}" if names_zone else text


def zone_text(zone: ZoneInfo) -> str:
    return gettext("%(city)s time") % {"city": city(zone)}


def _span_text(each: TimeOff, zone: ZoneInfo) -> str:
    """Return text such as "Fri 27 Nov, 14:30–15:40", with both days if it ends on another one."""
    starts, ends = each.during.lower.astimezone(zone), each.during.upper.astimezone(zone)
    if starts.date() == ends.date():
        return f"{formats.day_text(starts.date())}, {formats.span_text(starts, ends)}"
    return f"{formats.moment_text(starts)} – {formats.moment_text(ends)}"


def blocked_text(each: TimeOff, zone: ZoneInfo, count: int) -> str:
    """Say what is blocked now, such as "Ana Silva, Tue 5 Jan, 15:00–15:30 is blocked." ``count`` bookings lie in it."""
    values = {"who": formats.isolated(who_of(each)), "when": when_text(each, zone), "count": count}
    if not count:
        return gettext("%(who)s, %(when)s is blocked. Nobody can book this time.") % values
    return (
        ngettext(
            "%(who)s, %(when)s is blocked. %(count)d booking lies in this time: decide about it below.",
            "%(who)s, %(when)s is blocked. %(count)d bookings lie in this time: decide about each of them below.",
            count,
        )
        % values
    )


def _around_text(booking: Booking, each: TimeOff) -> str:
    """Return "only the 10 minutes after it" where not the visit but its buffer reaches into the time off."""
    booked = list(booking.lines.all())
    lines = [
        line for line in booked if line.staff_member and line.staff_member.resource_id == each.resource_id
    ] or booked
    first, last = min(lines, key=lambda line: line.starts_at), max(lines, key=lambda line: line.ends_at)
    if last.ends_at <= each.during.lower:
        count = last.buffer_after_minutes
        words = ngettext("only the %(count)d minute after it", "only the %(count)d minutes after it", count)
    elif first.starts_at >= each.during.upper:
        count = first.buffer_before_minutes
        words = ngettext("only the %(count)d minute before it", "only the %(count)d minutes before it", count)
    else:
        return ""
    return words % {"count": count}


def _hit(booking: Booking, each: TimeOff) -> Hit:
    return Hit(
        name=booking.contact_name or formats.reference_text(booking.reference),
        when=formats.moment_text(local(booking.starts_at, booking)),
        note=_around_text(booking, each),
        url=reverse("desk_booking", args=[booking.reference]),
        move_url=move_url(booking),
        cancel_url=reverse("desk_booking_cancel", args=[booking.reference]),
    )
