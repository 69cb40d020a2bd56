"""The walk-in queue as text: who waits for what since when, and when each is expected to be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, pgettext

from accounts.contact.phones import phone_text
from bookings.availability.queue import Turn
from bookings.enums import WalkInState
from bookings.errors import SlotNotOffered, SlotTaken
from bookings.models import Booking, WalkIn
from core import formats
from core.errors import DomainError
from core.minutes import instant
from dashboard.phone_booking.choice import Slot
from dashboard.phone_booking.queries import Offered
from services.models import Location


@dataclass(frozen=True, slots=True)
class Expected:
    """When a person can be seen. ``value`` is what the button sends: epoch minute and staff member."""

    at: str
    ahead: str
    book_label: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A person who waits. Without ``expected`` today has no time left: ``none_left`` says so, and ``otherwise`` are the
    fields that fill in a phone booking. ``problem`` says why the last press of the button changed nothing.
    """

    pk: int
    number: int
    name: str
    customer_url: str
    what: str
    wish: str
    since: str
    contact: str
    expected: Expected | None
    none_left: str = ""
    otherwise: tuple[tuple[str, str], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EndedRow:
    """A person who was booked today or has left. ``booking_url`` is empty for those who left."""

    pk: int
    name: str
    text: str
    booking_url: str


@dataclass(frozen=True, slots=True)
class Tab:
    """The queue of one location."""

    label: str
    url: str
    is_on: bool


def rows_of(
    queue: Sequence[WalkIn],
    turns: Sequence[Turn | None],
    place: Location,
    offered: Sequence[Offered],
    *,
    now: datetime,
    problems: Mapping[int, str],
) -> list[Row]:
    people = {person.id: person.name for each in offered for person in each.people}
    labels = {variant.id: each.with_length(variant) for each in offered for variant in each.variants}
    zone = ZoneInfo(place.time_zone)
    return [
        Row(
            pk=walk_in.pk,
            number=number,
            name=name_of(walk_in),
            customer_url=reverse("desk_customer", args=[walk_in.customer.reference]) if walk_in.customer else "",
            what=labels.get(walk_in.variant_id) or walk_in.variant.service.text("name"),
            wish=_wish(walk_in),
            since=_since(walk_in, zone, now),
            contact=_contact(walk_in),
            expected=_expected(turn, people, zone, now) if turn else None,
            none_left="" if turn else _none_left(walk_in),
            otherwise=() if turn else _otherwise(walk_in, place),
            problem=problems.get(walk_in.pk, ""),
        )
        for number, (walk_in, turn) in enumerate(zip(queue, turns, strict=True), start=1)
    ]


def ended_rows(ended: Sequence[WalkIn], place: Location) -> list[EndedRow]:
    zone = ZoneInfo(place.time_zone)
    return [_ended(each, zone) for each in ended]


def tabs(places: Sequence[Location], shown: Location) -> list[Tab]:
    """Return the locations to choose from; none where there is only one."""
    if len(places) < 2:
        return []
    return [Tab(each.text("name"), queue_url(each), each == shown) for each in places]


def queue_url(place: Location) -> str:
    return f"{reverse('desk_queue')}?at={place.slug}"


def name_of(walk_in: WalkIn) -> str:
    """Return the name; another word after the name was erased."""
    return formats.isolated(walk_in.name) or gettext("Someone")


def booked_text(walk_in: WalkIn, booking: Booking, who: str) -> str:
    return gettext("%(name)s is booked: %(time)s.") % {"name": name_of(walk_in), "time": _time(booking, walk_in, who)}


def over_text(walk_in: WalkIn) -> str:
    """Return what became of a person for whom the button was pressed once more."""
    name = {"name": name_of(walk_in)}
    if walk_in.state == WalkInState.SEATED:
        return gettext("%(name)s is booked already. Nothing was changed.") % name
    return gettext("%(name)s was taken off the list before. Nothing was booked.") % name


def refusal_text(error: DomainError, slot: Slot, who: str, place: Location) -> str:
    """Return why nothing was booked. The row has the new expected time below it."""
    if not isinstance(error, SlotTaken | SlotNotOffered):
        return str(error.sentence)
    at = formats.time_text(instant(slot.start_minute).astimezone(ZoneInfo(place.time_zone)))
    return gettext("%(time)s has just gone. Nothing is booked.") % {"time": _with(at, who)}


def _expected(turn: Turn, people: Mapping[int, str], zone: ZoneInfo, now: datetime) -> Expected:
    starts = instant(turn.start_minute)
    at = formats.time_text(starts.astimezone(zone))
    who = people.get(turn.staff_member_id or 0, "")
    ahead = max(0, int((starts - now).total_seconds() + 59) // 60)
    return Expected(
        at=at,
        ahead=formats.until_text(ahead) if ahead else gettext("now"),
        book_label=gettext("Book %(time)s") % {"time": _with(at, who)},
        value=str(Slot(turn.start_minute, turn.staff_member_id)),
    )


def _with(at: str, who: str) -> str:
    return pgettext("time and staff member", "%(time)s with %(name)s") % {"time": at, "name": who} if who else at


def _time(booking: Booking, walk_in: WalkIn, who: str) -> str:
    zone = ZoneInfo(walk_in.location.time_zone)
    return _with(formats.time_text(booking.starts_at.astimezone(zone)), who)


def _wish(walk_in: WalkIn) -> str:
    wished = walk_in.staff_member
    return gettext("with %(name)s") % {"name": wished.text("short_name")} if wished else gettext("with anyone")


def _since(walk_in: WalkIn, zone: ZoneInfo, now: datetime) -> str:
    """Return text such as "here since 13:52, 18 min"."""
    at = formats.time_text(walk_in.joined_at.astimezone(zone))
    minutes = int((now - walk_in.joined_at).total_seconds()) // 60
    if minutes < 1:
        return gettext("here since %(time)s") % {"time": at}
    return gettext("here since %(time)s, %(length)s") % {"time": at, "length": formats.hours_text(minutes)}


def _contact(walk_in: WalkIn) -> str:
    source = walk_in.customer or walk_in
    return " · ".join(filter(None, (phone_text(source.phone) if source.phone else "", source.email)))


def _none_left(walk_in: WalkIn) -> str:
    wished = walk_in.staff_member
    if wished is None:
        return gettext("No time is left today.")
    return gettext("No time with %(name)s is left today.") % {"name": wished.text("short_name")}


def _otherwise(walk_in: WalkIn, place: Location) -> tuple[tuple[str, str], ...]:
    """Return the fields that fill in a phone booking, for a time on another day."""
    wished = walk_in.staff_member
    about = {"at": place.slug, "service": walk_in.variant.service.slug, "variant": str(walk_in.variant_id)}
    known = {"customer": walk_in.customer.reference} if walk_in.customer else {}
    typed = {"customer": "new", "name": walk_in.name, "phone": walk_in.phone, "email": walk_in.email}
    values = about | ({"who": wished.slug} if wished else {}) | (known or typed)
    return tuple(values.items())


def _ended(walk_in: WalkIn, zone: ZoneInfo) -> EndedRow:
    if walk_in.booking is not None:
        at = formats.time_text(walk_in.booking.starts_at.astimezone(zone))
        text, url = gettext("booked for %(time)s"), reverse("desk_booking", args=[walk_in.booking.reference])
    else:
        at = formats.time_text((walk_in.ended_at or walk_in.joined_at).astimezone(zone))
        text, url = gettext("left at %(time)s"), ""
    return EndedRow(walk_in.pk, name_of(walk_in), text % {"time": at}, url)
