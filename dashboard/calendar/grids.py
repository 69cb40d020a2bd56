"""Grids of the calendar: columns on one clock, for the staff and rooms of a place or the week of one staff member."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext

from core import formats
from core.intervals import Interval
from dashboard.calendar.address import Address, View
from dashboard.calendar.days import Index, PersonDay, RoomDay, person_day, room_day
from dashboard.calendar.facts import CalendarFacts, PersonFacts, PlaceFacts
from dashboard.calendar.grid import MINUTES_OF_HOUR, ROW_MINUTES, clipped, extent, hour_marks
from dashboard.calendar.items import Item, Links, Ruler, person_items, room_items, size, spot
from staff.hours import day_start, hours_between

# The hours shown on a day without hours or bookings: nine to five, in wall minutes.
_QUIET_DAY = (540, 1020)
_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Blocking:
    """How the reader blocks time of a column: by dragging over it (``resource_id``), or by ``url`` without a mouse."""

    resource_id: int
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """One staff member, one day of a staff member, or one room. ``key`` makes its id, ``number`` picks the colour of
    the avatar (None: no avatar). ``staff`` (slug), ``who`` (id), ``place`` and ``on`` say whose time it is, where, and
    on which date. ``top`` is the epoch minute at its upper edge, ``clock`` the same as minutes of the local day.
    ``blocking`` is None where the reader may not, and in the past.
    """

    key: str
    title: str
    note: str
    items: Sequence[Item]
    top: int
    clock: int
    blocking: Blocking | None
    url: str = ""
    number: int | None = None
    staff: str = ""
    who: int | None = None
    place: str = ""
    on: str = ""
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """``title`` names the place when a page has several grids. ``size`` and the first item of each mark and of ``now``
    are CSS classes. ``from_minute`` is the epoch minute at the top.
    """

    title: str
    from_minute: int
    size: str
    marks: Sequence[tuple[str, str]]
    now: tuple[str, str] | None
    columns: Sequence[Column]


def day_grid(
    facts: CalendarFacts,
    index: Index,
    days: Sequence[PersonDay],
    place: PlaceFacts,
    address: Address,
    links: Links,
    *,
    now: int,
) -> Grid:
    """Build a column for each staff member's day, and for the rooms that are asked for or used without staff."""
    rooms = _rooms(facts, index, place, address)
    whole = (place.midnight(address.on), place.business_day(address.on)[1])
    spans = clipped(
        [span for day in days for span in _spans(day)] + [span for room in rooms for span in _spans(room)], whole
    )
    shown = extent(spans or _quiet(place, address.on), place.zone)
    ruler = Ruler(shown[0], place.zone)
    names = {person.id: person.short_name for person in facts.people}
    numbers = {person.id: number for number, person in enumerate(facts.people)}
    of_people = [
        Column(
            key=f"{place.slug}-{day.person.slug}",
            title=day.person.name,
            note=load_text(day.booked_minutes, day.working_minutes),
            url=address.but(view=View.WEEK, who=day.person.slug, booking="").url,
            number=numbers[day.person.id],
            staff=day.person.slug,
            who=day.person.id,
            place=place.slug,
            on=address.on.isoformat(),
            items=person_items(day, shown, ruler, links, now=now),
            top=shown[0],
            clock=_clock(shown[0], place),
            blocking=_blocking_of_person(day, shown, links, now),
        )
        for day in days
    ]
    of_rooms = [
        Column(
            key=f"{place.slug}-room-{room.room.id}",
            title=room.room.name,
            note="",
            place=place.slug,
            on=address.on.isoformat(),
            items=room_items(room, shown, ruler, links, names, now=now),
            top=shown[0],
            clock=_clock(shown[0], place),
            blocking=_blocking(room.room.id, frozenset({place.id}), shown, links, now),
        )
        for room in rooms
    ]
    return Grid(
        title=place.name if len(facts.windows) > 1 else "",
        from_minute=shown[0],
        size=size(shown[1] - shown[0]),
        marks=[(spot(mark - shown[0]), ruler.clock(mark)) for mark in hour_marks(shown)],
        now=(spot(ruler.row(now)), ruler.clock(now)) if shown[0] <= now < shown[1] else None,
        columns=[*of_people, *of_rooms],
    )


def week_grid(
    facts: CalendarFacts,
    index: Index,
    person: PersonFacts,
    places: Sequence[PlaceFacts],
    address: Address,
    links: Links,
    *,
    now: int,
) -> tuple[Grid, list[PersonDay]]:
    """Build a column for each day of a week on the wall clock of the first place. Equal hours line up even in a week in
    which the clocks change.
    """
    place = places[0]
    dates = [date.fromordinal(address.monday.toordinal() + number) for number in range(7)]
    days = [person_day(facts, index, person, places, on, now=now) for on in dates]
    if not days[_SUNDAY].opening and not days[_SUNDAY].placed:
        dates, days = dates[:_SUNDAY], days[:_SUNDAY]
    low, high = _wall_extent(days, dates, place)
    columns = []
    for on, day in zip(dates, days, strict=True):
        ordinal = on.toordinal()
        [shown] = hours_between(place.zone, ordinal, ordinal + 1, (), {ordinal: [(low, high)]})
        ruler = Ruler(low, place.zone, wall_day=ordinal)
        columns.append(
            Column(
                key=f"day-{on.isoformat()}",
                title=formats.day_text(on),
                note=load_text(day.booked_minutes, day.working_minutes) or gettext("Not working"),
                url=address.but(view=View.DAY, on=on, booking="").url,
                staff=person.slug,
                who=person.id,
                place=place.slug,
                on=on.isoformat(),
                items=person_items(day, shown, ruler, links, now=now),
                top=shown[0],
                clock=low,
                blocking=_blocking_of_person(day, shown, links, now),
                is_today=on == address.today,
            )
        )
    grid = Grid(
        title="",
        from_minute=day_start(place.zone, dates[0].toordinal()) + low,
        size=size(high - low),
        marks=[(spot(mark - low), formats.clock_text(mark)) for mark in range(low, high, MINUTES_OF_HOUR)],
        now=_now_in_week(Ruler(low, place.zone, wall_day=address.today.toordinal()), dates, address, high - low, now),
        columns=columns,
    )
    return grid, days


def load_text(booked_minutes: int, working_minutes: int) -> str:
    """Return text such as "4.9 of 7.5 h, 65 %", the booked share of working time; empty for a free day off."""
    if not working_minutes:
        return gettext("%(hours)s h booked") % {"hours": _hours(booked_minutes)} if booked_minutes else ""
    return pgettext("booked time", "%(booked)s of %(working)s h, %(share)s") % {
        "booked": _hours(booked_minutes),
        "working": _hours(working_minutes),
        "share": formats.percent_text(share(booked_minutes, working_minutes)),
    }


def share(booked_minutes: int, working_minutes: int) -> int:
    """Return whole percent, at most 100 even when bookings exceed the planned hours."""
    return min(100, round(booked_minutes * 100 / working_minutes)) if working_minutes else 0


def _hours(minutes: int) -> str:
    """Return hours as text, such as "7.5" or "8"."""
    hours = round(minutes / MINUTES_OF_HOUR, 1)
    return str(number_format(int(hours) if hours == int(hours) else hours))


def _blocking_of_person(day: PersonDay, shown: Interval, links: Links, now: int) -> Blocking | None:
    """Return how to block time of a staff member. The link begins with their first free time."""
    if not day.person.is_active:
        return None
    free = min(((low, high) for low, high, _ in day.free), default=shown)
    return _blocking(day.person.resource_id, day.person.weekly_at, (free[0], min(shown[1], free[1])), links, now)


def _blocking(resource_id: int, place_ids: frozenset[int], wanted: Interval, links: Links, now: int) -> Blocking | None:
    low = max(wanted[0], -(-now // ROW_MINUTES) * ROW_MINUTES)
    if low >= wanted[1] or not links.may_block(place_ids):
        return None
    asked = {
        "resource": resource_id,
        "start": low,
        "end": min(low + MINUTES_OF_HOUR, wanted[1]),
        "back": links.calendar,
    }
    return Blocking(resource_id, f"{reverse('desk_time_off')}?{urlencode(asked)}#block")


def _clock(minute: int, place: PlaceFacts) -> int:
    at = datetime.fromtimestamp(minute * 60, tz=place.zone)
    return at.hour * MINUTES_OF_HOUR + at.minute


def _rooms(facts: CalendarFacts, index: Index, place: PlaceFacts, address: Address) -> list[RoomDay]:
    """Return all rooms and devices of the place if asked for, else those booked without staff, such as a sauna."""
    alone = {booking.id for booking in index.without_staff}
    days = [room_day(facts, index, room, place, address.on) for room in facts.rooms if room.location_id == place.id]
    return [day for day in days if address.has_rooms or any(each.booking.id in alone for each in day.placed)]


def _spans(day: PersonDay | RoomDay) -> Iterable[Interval]:
    """Yield the intervals of a day that the grid has to show."""
    yield from day.opening
    yield from (span for each in day.placed for span in each.work)


def _quiet(place: PlaceFacts, on: date) -> list[Interval]:
    ordinal = on.toordinal()
    return hours_between(place.zone, ordinal, ordinal + 1, (), {ordinal: [_QUIET_DAY]})


def _wall_extent(days: Sequence[PersonDay], dates: Sequence[date], place: PlaceFacts) -> Interval:
    """Return the full wall-clock hours that cover the week, as minutes of a day."""
    tops, ends = [], []
    for on, day in zip(dates, days, strict=True):
        ruler = Ruler(0, place.zone, wall_day=on.toordinal())
        for low, high in _spans(day):
            tops.append(ruler.row(low))
            ends.append(ruler.row(low) + high - low)
    low, high = (min(tops), max(ends)) if tops else _QUIET_DAY
    return low // MINUTES_OF_HOUR * MINUTES_OF_HOUR, -(-high // MINUTES_OF_HOUR) * MINUTES_OF_HOUR


def _now_in_week(
    ruler: Ruler, dates: Sequence[date], address: Address, height: int, now: int
) -> tuple[str, str] | None:
    is_shown = address.today in dates and 0 <= ruler.row(now) < height
    return (spot(ruler.row(now)), ruler.clock(now)) if is_shown else None
