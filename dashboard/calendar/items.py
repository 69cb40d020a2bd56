"""The items in a column of the calendar, with their texts: bookings, buffers, free gaps, time not worked.

Facts in, plain values out; the template tag ``calendar_items`` draws them. Positions are CSS classes, because the
content security policy forbids inline styles: ``h3 m15`` begins 3 hours and 15 minutes below the top, ``d1 e30`` is 90
minutes high, ``l1 n2`` is the second of two lanes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from bookings.enums import BookingChannel, BookingStatus
from core import formats
from core.intervals import Interval, Intervals, difference, normalised, overlaps
from dashboard.calendar.days import FreeTime, PersonDay, Placed, RoomDay
from dashboard.calendar.facts import BookingFacts, LineFacts, PersonFacts, TimeOffRequest
from dashboard.calendar.grid import (
    MINUTES_OF_HOUR,
    ROW_MINUTES,
    Lane,
    Off,
    OffKind,
    clipped,
    lanes,
    snapped,
    time_not_worked,
)

# Blocks shorter than these many minutes have one line of text, or two.
ONE_LINE, TWO_LINES = 30, 45
_ALONE = Lane(0, 1)
# Classes of a narrow strip at the right of a column, and of what leaves room for it.
_ASIDE, _BESIDE = " aside", " beside"


class State(NamedTuple):
    """The shown state of a booking: a class for its colour, the word and the icon."""

    css: str
    word: str
    icon: str


class Sized(NamedTuple):
    """A stretch of a column: its classes, and its times as text."""

    low: int
    spot: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class Block:
    """A booking. ``url`` is empty for a time that is being booked. ``staff`` is the slug of the staff member.
    ``is_whole``: it shows the visit from its start to its end.
    """

    at: Sized
    size: str
    state: State
    url: str
    reference: str
    start: int
    minutes: int
    staff: str
    sequence: int
    name: str
    what: str
    is_selected: bool
    is_whole: bool
    is_movable: bool = True


@dataclass(frozen=True, slots=True)
class Strip:
    """Time around a block: ``buffer``, ``wait`` (the staff member is free, the customer is not), ``more`` work, or
    ``kept`` for a move that awaits its payment.
    """

    at: Sized
    kind: str
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Free time. ``url`` books it, and is empty where the reader may not book."""

    at: Sized
    length: str
    url: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Time that is not worked. ``text`` is empty outside working hours."""

    at: Sized
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """Time off that waits for an answer. ``url`` answers it, and is empty where the reader may not."""

    at: Sized
    text: str
    url: str


Item = Block | Strip | Gap | Rest | Request


@dataclass(frozen=True, slots=True)
class Ruler:
    """Converts minutes to classes and text. ``wall_day`` aligns a day by the wall clock, as the week view needs it."""

    base: int
    zone: ZoneInfo
    wall_day: int | None = None
    # Of the minutes asked so far: many items of a page begin and end at the same ones.
    _clocks: dict[int, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def row(self, minute: int) -> int:
        """Return the distance from the top in minutes."""
        if self.wall_day is None:
            return snapped(minute - self.base)
        local = self.local(minute)
        wall = (local.toordinal() - self.wall_day) * 1440 + local.hour * MINUTES_OF_HOUR + local.minute
        return snapped(wall - self.base)

    def sized(self, low: int, high: int, lane: Lane = _ALONE, side: str = "") -> Sized:
        top = self.row(low)
        length = max(ROW_MINUTES, snapped(high - low) if self.wall_day is not None else self.row(high) - top)
        beside = f" l{lane.number} n{lane.of}{side}" if lane.of > 1 else side
        return Sized(low, f"{spot(top)} {size(length)}{beside}", self.clock(low), self.clock(high))

    def local(self, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, tz=self.zone)

    def clock(self, minute: int) -> str:
        if minute not in self._clocks:
            self._clocks[minute] = formats.time_text(self.local(minute))
        return self._clocks[minute]


def spot(minutes: int) -> str:
    hours, rest = divmod(max(0, minutes), MINUTES_OF_HOUR)
    return f"h{hours} m{rest}"


def size(minutes: int) -> str:
    hours, rest = divmod(minutes, MINUTES_OF_HOUR)
    return f"d{hours} e{rest}"


@dataclass(frozen=True, slots=True)
class Links:
    """Where items lead: ``panel`` plus a reference opens a booking. ``book`` returns the address that books a gap,
    ``answer`` the one that answers a request for time off; both are empty where the reader may not. ``may_block`` says
    whether the reader may block time of what is at these places. ``calendar`` is this page without a booking,
    ``selected`` the reference of the open booking. ``linked_at`` are the ids of the places where the reader may open a
    time that waits for its customer.
    """

    panel: str
    book: Callable[[FreeTime, str], str]
    answer: Callable[[TimeOffRequest, PersonFacts], str]
    may_block: Callable[[frozenset[int]], bool]
    calendar: str
    selected: str = ""
    linked_at: Collection[int] = ()


def person_items(day: PersonDay, shown: Interval, ruler: Ruler, links: Links, *, now: int) -> list[Item]:
    """Return everything in a staff member's column between the shown minutes, in the order of time."""
    off = time_not_worked(
        shown,
        opening=day.opening,
        working=day.hours,
        elsewhere=day.elsewhere,
        time_off=day.person.time_off,
        closed_because=day.closed_because,
    )
    slug = day.person.slug
    asked = [(each.low, each.high) for each in day.person.requests]
    found: list[Item] = [Rest(ruler.sized(each.low, each.high), off_text(each)) for each in off]
    found += _bookings(day.placed, day.claims, shown, ruler, links, staff=slug, now=now, asked=asked)
    found += [
        Gap(
            ruler.sized(low, high, side=_side((low, high), asked, _BESIDE)),
            formats.hours_text(high - low),
            links.book(FreeTime(low, high, place), slug),
        )
        for low, high, place in day.free
    ]
    found += _requests(day, shown, ruler, links) if asked else ()
    return sorted(found, key=_order)


def room_items(
    day: RoomDay, shown: Interval, ruler: Ruler, links: Links, names: Mapping[int, str], *, now: int
) -> list[Item]:
    """Return the items of a room or device. ``names`` are the names of the staff by id."""
    off = time_not_worked(shown, opening=day.opening, working=day.opening, time_off=day.room.time_off)
    found: list[Item] = [Rest(ruler.sized(each.low, each.high), _room_off_text(each)) for each in off]
    found += _bookings(day.placed, day.claims, shown, ruler, links, staff="", now=now, names=names)
    return sorted(found, key=_order)


def _order(item: Item) -> tuple[int, bool]:
    """Sort key: by time, a background before the block or gap on top of it."""
    return item.at.low, isinstance(item, (Block, Gap, Request))


def _bookings(
    placed: Sequence[Placed],
    claims: Mapping[int | None, Intervals],
    shown: Interval,
    ruler: Ruler,
    links: Links,
    *,
    staff: str,
    now: int,
    names: Mapping[int, str] | None = None,
    asked: Sequence[Interval] = (),
) -> Iterator[Item]:
    """Yield the blocks of bookings with their strips. Blocks leave room for ``asked`` time off at their right."""
    spans = [(each, span) for each in placed for span in clipped(each.work, shown)]
    seen: set[int] = set()
    for (each, (low, high)), lane in zip(spans, lanes([span for _, span in spans]), strict=True):
        at = ruler.sized(low, high, lane, side=_side((low, high), asked, _BESIDE))
        state = state_of(each.booking, now, ruler.clock)
        if each.booking.id in seen:
            yield Strip(at, "more", state)
        else:
            seen.add(each.booking.id)
            yield _block(each, at, high - low, state, links, staff=staff, names=names)
    for each in placed:
        waits = difference([(each.work[0][0], each.work[-1][1])], each.work)
        around = difference(normalised(claims.get(each.booking.id, ())), each.work)
        yield from (Strip(ruler.sized(low, high), "wait") for low, high in clipped(waits, shown))
        yield from (Strip(ruler.sized(low, high), "buffer") for low, high in clipped(around, shown))
    yield from (Strip(ruler.sized(low, high), "kept") for low, high in clipped(claims.get(None, ()), shown))


def _requests(day: PersonDay, shown: Interval, ruler: Ruler, links: Links) -> Iterator[Request]:
    """Yield requests for time off. What is booked or free in that time keeps its place beside the request."""
    others = [*(span for each in day.placed for span in each.work), *((low, high) for low, high, _ in day.free)]
    for request in day.person.requests:
        for low, high in clipped([(request.low, request.high)], shown):
            at = ruler.sized(low, high, side=_side((low, high), others, _ASIDE))
            yield Request(at, _request_text(request), links.answer(request, day.person))


def _side(span: Interval, others: Iterable[Interval], side: str) -> str:
    """Return ``side`` if the span overlaps one of the others."""
    return side if any(overlaps(span, other) for other in others) else ""


def _request_text(request: TimeOffRequest) -> str:
    if not request.text:
        return gettext("Time off requested")
    return gettext("Time off requested: %(reason)s") % {"reason": request.text}


def off_text(off: Off) -> str:
    match off.kind:
        case OffKind.TIME_OFF:
            return gettext("Time off: %(reason)s") % {"reason": off.text} if off.text else gettext("Time off")
        case OffKind.ELSEWHERE:
            return gettext("At %(place)s") % {"place": off.text}
        case OffKind.CLOSED:
            return gettext("Closed: %(reason)s") % {"reason": off.text}
        case OffKind.BREAK:
            return gettext("Break")
        case OffKind.DAY_OFF:
            return gettext("Not working")
        case OffKind.BEFORE_OR_AFTER:
            return ""


def state_of(booking: BookingFacts, now: int, clock: Callable[[int], str]) -> State:
    """Return the shown state. ``now`` is an epoch minute: a confirmed visit that has ended unmarked counts as past.

    ``clock`` writes an epoch minute as a time.
    """
    match booking.status:
        case BookingStatus.HELD if booking.linked_until is not None:
            until = clock(booking.linked_until)
            return State("linked", gettext("Link sent, waits until %(until)s") % {"until": until}, "clock")
        case BookingStatus.HELD if booking.channel == BookingChannel.DESK:
            return State("held", gettext("Being booked at the desk"), "clock")
        case BookingStatus.HELD:
            return State("held", gettext("Being booked online"), "clock")
        case BookingStatus.REQUESTED:
            return State("asked", gettext("Needs answer"), "alert")
        case BookingStatus.PENDING_PAYMENT:
            return State("unpaid", gettext("Waiting for payment"), "card")
        case BookingStatus.STARTED:
            return State("started", gettext("Started"), "play")
        case BookingStatus.COMPLETED:
            return State("done", gettext("Completed"), "check")
        case BookingStatus.NO_SHOW:
            return State("missed", gettext("No-show"), "close")
        case _ if booking.high <= now:
            return State("done", gettext("Past"), "clock")
        case _ if booking.is_arrived:
            return State("arrived", gettext("Arrived"), "door")
        case _:
            return State("confirmed", gettext("Confirmed"), "calendar")


def _block(
    placed: Placed,
    at: Sized,
    minutes: int,
    state: State,
    links: Links,
    *,
    staff: str,
    names: Mapping[int, str] | None,
) -> Block:
    booking = placed.booking
    is_linked = booking.linked_until is not None
    is_held = booking.status == BookingStatus.HELD and not is_linked
    is_closed = is_held or (is_linked and booking.location_id not in links.linked_at)
    people = dict.fromkeys(names[line.staff_member_id] for line in placed.lines if names and line.staff_member_id)
    return Block(
        at=at,
        size="tiny" if minutes < ONE_LINE else "short" if minutes < TWO_LINES else "",
        state=state,
        url="" if is_closed else links.panel + booking.reference,
        reference=booking.reference,
        start=booking.low,
        minutes=booking.high - booking.low,
        staff=staff,
        sequence=booking.sequence,
        name=gettext("Someone") if is_held else formats.isolated(booking.name) or gettext("No name given"),
        what=" · ".join(filter(None, (_services(placed.lines), ", ".join(people)))),
        is_selected=booking.reference == links.selected,
        is_whole=minutes == booking.high - booking.low,
        is_movable=not is_linked,
    )


def _room_off_text(off: Off) -> str:
    if off.kind is not OffKind.TIME_OFF:
        return ""
    return gettext("Out of use: %(reason)s") % {"reason": off.text} if off.text else gettext("Out of use")


def _services(lines: Iterable[LineFacts]) -> str:
    return " + ".join(dict.fromkeys(line.service for line in lines))
