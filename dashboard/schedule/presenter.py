"""Time off as text: the staff member, the time, the reason, and the bookings in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse

from bookings.booked import local
from bookings.models import Booking
from core import formats
from dashboard.moving.presenter import move_url
from staff.enums import TimeOffStatus
from staff.models import TimeOff


@dataclass(frozen=True, slots=True)
class Hit:
    """A booking within a time off: customer, time, and the pages that move or cancel it."""

    name: str
    when: str
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
    hits: tuple[Hit, ...]


def rows_of(times: Iterable[TimeOff], hit: Mapping[int, Sequence[Booking]], zone: ZoneInfo) -> list[Row]:
    return [
        Row(
            pk=each.pk,
            who=who_of(each),
            when=when_text(each, zone),
            reason=each.reason,
            is_asked=each.status == TimeOffStatus.REQUESTED,
            hits=tuple(_hit(booking) for booking in hit.get(each.pk, ())),
        )
        for each in times
    ]


def who_of(each: TimeOff) -> str:
    resource = each.resource
    return str(resource.staff_member.name if hasattr(resource, "staff_member") else resource.name)


def when_text(each: TimeOff, zone: ZoneInfo) -> str:
    """Return text such as "Fri 27 Nov, 14:30–15:40", with both days if it ends on another one."""
    starts, ends = each.during.lower.astimezone(zone), each.during.upper.astimezone(zone)
    if starts.date() == ends.date():
        return f"{formats.day_text(starts.date())}, {formats.span_text(starts, ends)}"
    return f"{formats.moment_text(starts)} – {formats.moment_text(ends)}"


def _hit(booking: Booking) -> Hit:
    return Hit(
        name=booking.contact_name or formats.reference_text(booking.reference),
        when=formats.moment_text(local(booking.starts_at, booking)),
        url=reverse("desk_booking", args=[booking.reference]),
        move_url=move_url(booking),
        cancel_url=reverse("desk_booking_cancel", args=[booking.reference]),
    )
