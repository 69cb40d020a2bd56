"""The page of the calendar: its head, its figures and its grids. Facts in, plain values out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.enums import BookingStatus
from core import formats
from core.minutes import minute_of
from dashboard.calendar.address import EVERYWHERE, Address, View
from dashboard.calendar.days import FreeTime, PersonDay, index_of, person_day
from dashboard.calendar.facts import BookingFacts, CalendarFacts, PersonFacts, TimeOffRequest
from dashboard.calendar.grids import Grid, day_grid, share, week_grid
from dashboard.calendar.items import Links
from dashboard.presenters.day import Figure
from payments.queries import Balance
from staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class Link:
    """A link. ``note`` is small text next to the label."""

    label: str
    url: str
    is_on: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """A staff member to choose. ``number`` picks the colour of the avatar; None stands for all staff."""

    name: str
    short_name: str
    url: str
    note: str
    is_on: bool
    number: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """The part above the grids in every view. ``hidden`` are extra fields of the form that picks another day."""

    title: str
    before: Link
    after: Link
    today_url: str
    is_today: bool
    views: Sequence[Link]
    on: str
    hidden: Sequence[tuple[str, str]]
    new_url: str
    why_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """``grids`` is empty on a day without working staff."""

    head: Head
    faces: Sequence[Face]
    toggles: Sequence[Link]
    figures: Sequence[Figure]
    next_free: str  # the nearest gap; in the week view the longest
    grids: Sequence[Grid]
    close_url: str
    is_week: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader's rights: the slugs and the ids of the places where they may book, the ids of those where they block
    time and answer requests for time off (None: everywhere), and whether they see only own bookings.
    """

    books_at: Sequence[str]
    books_at_ids: Collection[int] = ()
    blocks_at: Collection[int] | None = ()
    answers_at: Collection[int] | None = ()
    is_only_own: bool = False


def book_url(*, at: str, who: str = "", on: date | None = None, start: int | None = None) -> str:
    """Return the address of the phone booking page. ``start`` is an epoch minute."""
    asked = {"at": at, "who": who, "on": on.isoformat() if on else "", "start": "" if start is None else str(start)}
    return f"{reverse('desk_book')}?{urlencode({name: value for name, value in asked.items() if value})}"


def head_of(address: Address, reader: Reader, title: str) -> Head:
    is_week = address.view is View.WEEK
    shut = address.but(booking="")
    views = [(View.DAY, gettext("Day")), (View.WEEK, gettext("Week")), (View.LIST, gettext("List"))]
    hidden = {"at": address.at, "view": address.view, "who": address.who, "rooms": "1" if address.has_rooms else ""}
    return Head(
        title=title,
        before=Link(gettext("Week before") if is_week else gettext("Day before"), address.step(-1).url),
        after=Link(gettext("Week after") if is_week else gettext("Day after"), address.step(1).url),
        today_url=shut.but(on=address.today).url,
        is_today=address.monday <= address.today < address.step(1).monday if is_week else address.is_today,
        views=[
            Link(label, shut.but(view=view, who="" if view is View.LIST else address.who).url, address.view is view)
            for view, label in views
        ],
        on=address.on.isoformat(),
        hidden=[(name, value) for name, value in hidden.items() if value],
        new_url=_new_url(address, reader),
        why_url=_why_url(address, reader),
    )


def day_page(
    facts: CalendarFacts, balances: Mapping[int, Balance], address: Address, reader: Reader, now: datetime
) -> Page:
    """Build the day of one or all places, with a column for each staff member who works there."""
    index = index_of(facts)
    minute = minute_of(now)
    links = _links(address, reader)
    grids: list[Grid] = []
    everybody: list[PersonDay] = []
    for place_id in facts.windows:
        place = facts.places[place_id]
        people = [each for each in facts.people if facts.sight.shows(each.id, place_id)]
        days = [person_day(facts, index, person, [place], address.on, now=minute) for person in people]
        shown = [day for day in days if _is_chosen(day, address)]
        grids.append(day_grid(facts, index, shown, place, address, links, now=minute))
        everybody += days
    absent = {day.person.id for day in everybody} - {day.person.id for day in everybody if day.is_present}
    bookings = _of_dates(facts, address.on, address.on)
    chosen = [day for day in everybody if not address.who or day.person.slug == address.who]
    return Page(
        head=head_of(address, reader, formats.long_day_text(address.on)),
        faces=() if reader.is_only_own else _faces(facts.people, everybody, address, minute),
        toggles=() if reader.is_only_own else _toggles(facts, address, len(absent)),
        figures=figures_of(bookings, balances, chosen),
        next_free=_next_free(chosen),
        grids=[grid for grid in grids if grid.columns],
        close_url=address.but(booking="").url,
    )


def week_page(
    facts: CalendarFacts,
    balances: Mapping[int, Balance],
    address: Address,
    person: PersonFacts,
    team: Sequence[StaffMember],
    reader: Reader,
    now: datetime,
) -> Page:
    """Build the week of one staff member. ``team`` are the staff members whose week the reader may choose."""
    minute = minute_of(now)
    places = [facts.places[place_id] for place_id in facts.windows]
    # The clock is that of the place where the staff member works.
    places.sort(key=lambda place: place.id not in person.working)
    grid, days = week_grid(facts, index_of(facts), person, places, address, _links(address, reader), now=minute)
    last = date.fromordinal(address.monday.toordinal() + len(days) - 1)
    bookings = _of_dates(facts, address.monday, last)
    title = gettext("%(first)s – %(last)s") % {
        "first": formats.day_month_text(address.monday),
        "last": formats.day_month_text(last),
    }
    return Page(
        head=head_of(address, reader, title),
        faces=() if reader.is_only_own else _week_faces(team, address, person),
        toggles=(),
        figures=figures_of(bookings, balances, days),
        next_free=_longest_free(days, places[0].zone),
        grids=[grid],
        close_url=address.but(booking="").url,
        is_week=True,
    )


def figures_of(
    bookings: Sequence[BookingFacts], balances: Mapping[int, Balance], days: Sequence[PersonDay]
) -> list[Figure]:
    """Return the number of bookings, how full the day is, expected and open money, and what needs attention."""
    standing = [booking for booking in bookings if booking.status != BookingStatus.HELD]
    figures = [Figure(str(len(standing)), ngettext("booking", "bookings", len(standing)))]
    if working := sum(day.working_minutes for day in days):
        booked = share(sum(day.booked_minutes for day in days), working)
        figures.append(Figure(formats.percent_text(booked), gettext("booked")))
    for currency in dict.fromkeys(booking.currency for booking in standing):
        expected = sum(
            balances[booking.id].owed_minor or booking.total_minor
            for booking in standing
            if booking.currency == currency
        )
        figures.append(Figure(formats.money_text(expected, currency, short=True), gettext("expected")))
    if asked := sum(booking.status == BookingStatus.REQUESTED for booking in standing):
        figures.append(Figure(str(asked), gettext("to answer"), "warn", "alert"))
    if unpaid := sum(booking.status == BookingStatus.PENDING_PAYMENT for booking in standing):
        figures.append(Figure(str(unpaid), gettext("unpaid"), "warn", "card"))
    return figures


def _links(address: Address, reader: Reader) -> Links:
    shut = address.but(booking="").url
    url = f"{shut}{'&' if '?' in shut else '?'}b="

    def book(free: FreeTime, who: str) -> str:
        if free.place not in reader.books_at:
            return ""
        return book_url(at=free.place, who=who, on=address.on, start=free.low)

    def may_block(place_ids: frozenset[int]) -> bool:
        return reader.blocks_at is None or not place_ids.isdisjoint(reader.blocks_at)

    def answer(request: TimeOffRequest, person: PersonFacts) -> str:
        if reader.answers_at is not None and person.weekly_at.isdisjoint(reader.answers_at):
            return ""
        return f"{reverse('desk_time_off')}#time-off-{request.id}"

    return Links(url, book, answer, may_block, shut, address.booking, reader.books_at_ids)


def _is_chosen(day: PersonDay, address: Address) -> bool:
    if address.who:
        return day.person.slug == address.who
    return day.is_present or address.has_others


def _of_dates(facts: CalendarFacts, first: date, last: date) -> list[BookingFacts]:
    """Return the bookings that begin on these dates, by the clock of their place, as the list of a day counts them."""
    after = date.fromordinal(last.toordinal() + 1)
    return [
        booking
        for booking in facts.bookings.values()
        for place in [facts.places[booking.location_id]]
        if place.midnight(first) <= booking.low < place.midnight(after)
    ]


def _faces(people: Sequence[PersonFacts], days: Sequence[PersonDay], address: Address, now: int) -> list[Face]:
    """Return "All", then each staff member with the time of their next gap."""
    faces = [Face(gettext("All"), gettext("All"), address.but(who="", booking="").url, "", not address.who, None)]
    for number, person in enumerate(people):
        own = [day for day in days if day.person.id == person.id]
        if not any(day.is_present for day in own) and not address.has_others and person.slug != address.who:
            continue
        url = address.but(who=person.slug, booking="").url
        note = _face_note(own, now)
        faces.append(Face(person.name, person.short_name, url, note, person.slug == address.who, number))
    return faces


def _face_note(days: Sequence[PersonDay], now: int) -> str:
    if not any(day.is_present for day in days):
        return gettext("off")
    free = min((each for day in days for each in day.free), default=None)
    if free is None:
        return gettext("full") if any(day.within[1] > now for day in days) else ""
    zone = next(day.zone for day in days if free in day.free)
    return gettext("free %(time)s") % {"time": _clock(free.low, zone)}


def _week_faces(team: Sequence[StaffMember], address: Address, chosen: PersonFacts) -> list[Face]:
    return [
        Face(
            person.name,
            person.short_name,
            address.but(who=person.slug, booking="").url,
            "",
            person.pk == chosen.id,
            number,
        )
        for number, person in enumerate(team)
    ]


def _toggles(facts: CalendarFacts, address: Address, absent: int) -> list[Link]:
    shut = address.but(booking="")
    toggles = []
    if facts.rooms and not address.who:
        toggles.append(Link(gettext("Rooms"), shut.but(has_rooms=not address.has_rooms).url, address.has_rooms))
    if absent and not address.who:
        label = ngettext("%(count)d not working", "%(count)d not working", absent) % {"count": absent}
        toggles.append(Link(label, shut.but(has_others=not address.has_others).url, address.has_others))
    return toggles


def _next_free(days: Sequence[PersonDay]) -> str:
    """Return text such as "12:30 with Marek, 1 h"; empty when nothing is free."""
    offered = ((each, day) for day in days for each in day.free)
    # Of gaps with the same start, the longest.
    free = min(offered, key=lambda pair: (pair[0].low, -pair[0].high), default=None)
    if free is None:
        return ""
    (low, high, _), day = free
    return gettext("%(time)s with %(name)s, %(length)s") % {
        "time": _clock(low, day.zone),
        "name": formats.isolated(day.person.short_name),
        "length": formats.hours_text(high - low),
    }


def _longest_free(days: Sequence[PersonDay], zone: ZoneInfo) -> str:
    """Return text such as "Thu 3 Dec, 14:15, 1 h 25 min"; empty when nothing is free."""
    free = max((each for day in days for each in day.free), key=lambda each: each.high - each.low, default=None)
    if free is None:
        return ""
    at = datetime.fromtimestamp(free.low * 60, tz=zone)
    return f"{formats.moment_text(at)}, {formats.hours_text(free.high - free.low)}"


def _clock(minute: int, zone: ZoneInfo) -> str:
    return formats.time_text(datetime.fromtimestamp(minute * 60, tz=zone))


def _why_url(address: Address, reader: Reader) -> str:
    """Return the page that says why a time of the shown day is not free, for those who may book at the place."""
    at = next(iter(reader.books_at), "") if address.at == EVERYWHERE else address.at
    if at not in reader.books_at:
        return ""
    asked = {"at": at, "who": address.who, "on": address.on.isoformat()}
    return f"{reverse('desk_why')}?{urlencode({name: value for name, value in asked.items() if value})}"


def _new_url(address: Address, reader: Reader) -> str:
    """Return the page for a new booking at the shown place, or at the first place where the reader may book."""
    at = next(iter(reader.books_at), "") if address.at == EVERYWHERE else address.at
    if at not in reader.books_at:
        return ""
    return book_url(at=at, who=address.who, on=None if address.is_today else address.on)
