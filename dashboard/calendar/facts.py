"""The facts of the calendar: places, staff, rooms, bookings and claims. ``queries`` fills them. No text, no database.

Minutes are whole minutes since the Unix epoch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bookings.availability.claims import WORK
from core.intervals import Interval, Intervals
from dashboard.calendar.grid import Reason
from staff.hours import day_start

# Minutes. A place that is open longer after midnight counts as open all night, and its days begin at midnight.
LONGEST_TAIL = 480


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """A location with its opening hours around the asked days. ``closures`` has the reasons of its closures by day."""

    id: int
    slug: str
    name: str
    zone: ZoneInfo
    opening: Intervals
    closures: Mapping[int, str]

    def midnight(self, on: date) -> int:
        return day_start(self.zone, on.toordinal())

    def business_day(self, on: date) -> Interval:
        """Return the interval of a date. A shift that runs past midnight belongs to the day on which it began."""
        return self._first_minute(on.toordinal()), self._first_minute(on.toordinal() + 1)

    def _first_minute(self, day: int) -> int:
        midnight = day_start(self.zone, day)
        tails = (high for low, high in self.opening if low < midnight < high <= midnight + LONGEST_TAIL)
        return next(tails, midnight)


class TimeOffRequest(NamedTuple):
    """Time off that waits for an answer. It blocks no time."""

    low: int
    high: int
    id: int
    text: str


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A staff member with the working hours by location id, approved time off, and requests for more.

    ``weekly_at`` are the ids of the locations with weekly hours, which block time and answer the requests.
    """

    id: int
    slug: str
    name: str
    short_name: str
    resource_id: int
    is_active: bool
    working: Mapping[int, Intervals]
    weekly_at: frozenset[int]
    time_off: Sequence[Reason]
    requests: Sequence[TimeOffRequest]


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """A room or device of a location with its time off."""

    id: int
    name: str
    location_id: int
    time_off: Sequence[Reason]


class LineFacts(NamedTuple):
    """One line of a booking. ``phases`` are pairs of kind and minutes."""

    staff_member_id: int | None
    low: int
    high: int
    service: str
    phases: tuple[tuple[str, int], ...]

    @property
    def work(self) -> Iterator[Interval]:
        """Yield the stretches that need the staff member. Between them the customer waits and the staff is free."""
        minute = self.low
        for kind, length in self.phases:
            if kind == WORK:
                yield minute, minute + length
            minute += length


@dataclass(slots=True)
class BookingFacts:
    """A booking in the calendar with its lines, including one that is being made. ``linked_until`` is the minute until
    which a time waits for the customer who got a link to it.
    """

    id: int
    reference: str
    status: str
    channel: str
    location_id: int
    low: int
    high: int
    name: str
    is_arrived: bool
    sequence: int
    currency: str
    total_minor: int
    linked_until: int | None = None
    lines: list[LineFacts] = field(default_factory=list)


class Taken(NamedTuple):
    """A claim on a resource's time, buffers included. ``booking_id`` is None for a class or a pending move."""

    resource_id: int
    low: int
    high: int
    booking_id: int | None
    location_id: int | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see: everything at some places, and their own bookings at any place.

    ``own_id`` is the id of the reader as a staff member. No staff member has the id 0.
    """

    whole_place_ids: frozenset[int]
    own_id: int = 0

    def shows(self, staff_member_id: int, place_id: int) -> bool:
        return place_id in self.whole_place_ids or staff_member_id == self.own_id


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """Everything between two dates at some places that a reader may see. ``windows`` maps a place id to its minutes."""

    sight: Sight
    windows: Mapping[int, Interval]
    places: Mapping[int, PlaceFacts]
    people: Sequence[PersonFacts]
    rooms: Sequence[RoomFacts]
    bookings: Mapping[int, BookingFacts]
    taken: Sequence[Taken]
