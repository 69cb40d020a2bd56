"""One day of a staff member or a room: hours, bookings and free time. Facts in, values out, no text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bookings.enums import BookingStatus
from core.intervals import Interval, Intervals, intersection, normalised
from dashboard.calendar.facts import BookingFacts, CalendarFacts, LineFacts, PersonFacts, PlaceFacts, RoomFacts, Taken
from dashboard.calendar.grid import Reason, clipped, gaps, minutes_in, usable_time


class Placed(NamedTuple):
    """A booking in one column: when its staff member works or its room is used, and for which lines."""

    booking: BookingFacts
    work: Intervals
    lines: Sequence[LineFacts]


class FreeTime(NamedTuple):
    """A stretch that can still be booked, and the slug of its place."""

    low: int
    high: int
    place: str


@dataclass(frozen=True, slots=True)
class Index:
    """Bookings by staff member, bookings without one, and claims by resource."""

    bookings_of: Mapping[int, Sequence[BookingFacts]]
    without_staff: Sequence[BookingFacts]
    claims_on: Mapping[int, Sequence[Taken]]


@dataclass(frozen=True, slots=True)
class PersonDay:
    """``hours`` are the working hours at the shown places, inside their opening hours (``opening``) and the business
    day (``within``). ``placed`` are the bookings of the date, including those after midnight of a night shift.
    """

    person: PersonFacts
    zone: ZoneInfo
    within: Interval
    opening: Intervals
    hours: Intervals
    elsewhere: Sequence[Reason]
    placed: Sequence[Placed]
    claims: Mapping[int | None, Intervals]
    free: Sequence[FreeTime]
    closed_because: str

    @property
    def is_present(self) -> bool:
        return bool(self.hours or self.placed)

    @property
    def working_minutes(self) -> int:
        return minutes_in(usable_time(self.opening, self.hours, self.elsewhere, self.person.time_off))

    @property
    def booked_minutes(self) -> int:
        """Booked minutes. A time that is only held does not count."""
        counted = [each for each in self.placed if each.booking.status != BookingStatus.HELD]
        return minutes_in(span for each in counted for span in clipped(each.work, self.within))


@dataclass(frozen=True, slots=True)
class RoomDay:
    room: RoomFacts
    opening: Intervals
    placed: Sequence[Placed]
    claims: Mapping[int | None, Intervals]


def index_of(facts: CalendarFacts) -> Index:
    bookings_of: dict[int, list[BookingFacts]] = {}
    without_staff = []
    for booking in facts.bookings.values():
        people = {line.staff_member_id for line in booking.lines}
        for staff_member_id in people:
            if staff_member_id is not None:
                bookings_of.setdefault(staff_member_id, []).append(booking)
        if people == {None}:
            without_staff.append(booking)
    claims_on: dict[int, list[Taken]] = {}
    for claim in facts.taken:
        claims_on.setdefault(claim.resource_id, []).append(claim)
    return Index(bookings_of, without_staff, claims_on)


def person_day(
    facts: CalendarFacts, index: Index, person: PersonFacts, places: Sequence[PlaceFacts], on: date, *, now: int
) -> PersonDay:
    """Build the day of a staff member, on the clock of the first place. Time before ``now`` is not free."""
    within = places[0].business_day(on)
    whole = (places[0].midnight(on), within[1])
    here = {place.id for place in places}
    claims = _within(index.claims_on.get(person.resource_id, ()), whole)
    bookings = [each for each in index.bookings_of.get(person.id, ()) if _is_shown(each, here, whole)]
    elsewhere = _elsewhere(facts, person, here, claims, within)
    taken = [(claim.low, claim.high) for claim in claims]
    hours_at = [(place, _hours(person, place, within)) for place in places]
    free = [
        FreeTime(low, high, place.slug)
        for place, hours in hours_at
        for low, high in gaps(usable_time(place.opening, hours, elsewhere, person.time_off), taken, since=now)
    ]
    return PersonDay(
        person=person,
        zone=places[0].zone,
        within=within,
        opening=clipped((span for place in places for span in place.opening), within),
        hours=normalised(span for _, hours in hours_at for span in hours),
        elsewhere=elsewhere,
        placed=[_placed_with(booking, person.id) for booking in bookings],
        claims=_by_booking(claims, here),
        free=sorted(free),
        closed_because=places[0].closures.get(on.toordinal(), "") if len(places) == 1 else "",
    )


def room_day(facts: CalendarFacts, index: Index, room: RoomFacts, place: PlaceFacts, on: date) -> RoomDay:
    within = place.business_day(on)
    claims = _within(index.claims_on.get(room.id, ()), (place.midnight(on), within[1]))
    by_booking = _by_booking(claims, {place.id})
    bookings = [booking for booking in map(facts.bookings.get, filter(None, by_booking)) if booking]
    return RoomDay(
        room=room,
        opening=clipped(place.opening, within),
        placed=[Placed(booking, [(booking.low, booking.high)], booking.lines) for booking in bookings],
        claims=by_booking,
    )


def _hours(person: PersonFacts, place: PlaceFacts, within: Interval) -> Intervals:
    return clipped(intersection(place.opening, person.working.get(place.id, [])), within)


def _elsewhere(
    facts: CalendarFacts, person: PersonFacts, here: set[int], claims: Sequence[Taken], within: Interval
) -> list[Reason]:
    """Return hours at other places, and bookings there outside these hours."""
    spans = {place_id: clipped(hours, within) for place_id, hours in person.working.items() if place_id not in here}
    for claim in claims:
        if claim.location_id is not None and claim.location_id not in here:
            spans.setdefault(claim.location_id, []).append((claim.low, claim.high))
    return [
        Reason(low, high, facts.places[place_id].name)
        for place_id, times in spans.items()
        for low, high in normalised(times)
    ]


def _placed_with(booking: BookingFacts, staff_member_id: int) -> Placed:
    lines = [line for line in booking.lines if line.staff_member_id == staff_member_id]
    return Placed(booking, normalised(span for line in lines for span in line.work), lines)


def _within(claims: Sequence[Taken], within: Interval) -> list[Taken]:
    return [claim for claim in claims if claim.low < within[1] and claim.high > within[0]]


def _by_booking(claims: Sequence[Taken], here: set[int]) -> dict[int | None, Intervals]:
    """Return the claims of each booking here; claims of classes and of pending moves are under None."""
    found: dict[int | None, Intervals] = {}
    for claim in claims:
        if claim.location_id is None or claim.location_id in here:
            found.setdefault(claim.booking_id, []).append((claim.low, claim.high))
    return found


def _is_shown(booking: BookingFacts, here: set[int], within: Interval) -> bool:
    return booking.location_id in here and booking.low < within[1] and booking.high > within[0]
