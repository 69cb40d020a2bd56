"""A slow and obvious answer to "what may be booked", minute by minute, to hold the engine against.

A ``World`` is a plain description. ``Oracle`` reads it directly; ``facts_of`` makes the engine's facts from it; and
tests/worlds.py writes it into the database. The oracle shares no code with the engine: it looks at sets of minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ENDING = {"held", "requested", "pending_payment"}
COUNTED = ENDING | {"confirmed", "started", "completed", "no_show"}


@dataclass(frozen=True)
class Week:
    """Weekly hours; ``location_id`` matters for people only."""

    location_id: int
    weekday: int
    start: int
    end: int
    valid_from: date | None = None
    valid_until: date | None = None
    cycle_weeks: int = 1
    cycle_week: int = 0


@dataclass(frozen=True)
class SpecialDay:
    """Hours of one date; without times there are none."""

    location_id: int
    on: date
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Place:
    id: int
    zone: str
    weeks: tuple[Week, ...]
    closures: tuple[SpecialDay, ...] = ()
    rooms: tuple[tuple[int, int], ...] = ()  # (resource id, type id)


@dataclass(frozen=True)
class Person:
    id: int
    resource_id: int
    weeks: tuple[Week, ...]
    exceptions: tuple[SpecialDay, ...] = ()
    is_qualified: bool = True
    own_minutes: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Sold:
    """The service and its one variant."""

    needs_staff: bool
    work: int
    processing: int
    finish: int
    extra: int
    before: int
    after: int
    needs: tuple[tuple[int, int], ...]  # (type id, quantity)
    place_ids: tuple[int, ...]
    limit: int | None
    lead: int
    horizon: int
    step: int


@dataclass(frozen=True)
class Taken:
    """A booking with its claims (resource id, low, high). ``is_ours``: of the service that is asked for."""

    id: int
    place_id: int
    start: int
    status: str
    ends: datetime | None
    is_ours: bool
    person_id: int | None
    claims: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class World:
    now: datetime
    from_on: date
    days: int
    places: tuple[Place, ...]
    people: tuple[Person, ...]
    sold: Sold
    off: tuple[tuple[int, int, int], ...] = ()  # (resource id, low, high)
    bookings: tuple[Taken, ...] = ()
    business_limit: int | None = None
    ignored: int | None = None

    @property
    def until_on(self) -> date:
        return self.from_on + timedelta(days=self.days)

    def counted(self) -> list[Taken]:
        """Bookings that exist at ``now``, without the one to ignore."""
        return [
            booking
            for booking in self.bookings
            if booking.id != self.ignored
            and booking.status in COUNTED
            and not (booking.status in ENDING and booking.ends is not None and booking.ends <= self.now)
        ]


@dataclass
class Way:
    """One way of doing it: a person (or nobody) and the minutes needed, relative to the start."""

    person: Person | None
    staff_minutes: list[int]
    all_minutes: list[int]


@dataclass
class Oracle:
    world: World
    person_id: int | None = None
    _sets: dict[object, set[int]] = field(default_factory=dict)
    _ways: list[Way] | None = None

    def starts(self, place: Place) -> list[int]:
        return [minute for minute in self._asked_minutes(place) if self.people_at(place, minute)]

    def people_at(self, place: Place, start: int) -> list[int | None]:
        """Who can do it at that minute (None: nobody is needed); empty when it may not be booked."""
        if not (self._on_grid(place, start) and self._in_time(place, start) and self._below_limits(place, start)):
            return []
        return [
            way.person.id if way.person else None
            for way in self.ways()
            if self._could(place, way, start)
            and self._below_own_limit(place, way, start)
            and self._person_free(way, start)
            and all(len(self.rooms_at(place, way, start, kind)) >= count for kind, count in self.world.sold.needs)
        ]

    def rooms_at(self, place: Place, way: Way, start: int, kind: int, *, with_bookings: bool = True) -> list[int]:
        needed = {start + minute for minute in way.all_minutes}
        return [
            resource_id
            for resource_id, room_kind in place.rooms
            if room_kind == kind
            and needed.isdisjoint(self._off(resource_id))
            and not (with_bookings and not needed.isdisjoint(self._busy(resource_id)))
        ]

    def mark(self, place: Place, on: date) -> tuple[str, int]:
        of_day = {minute for minute, day, _ in wall_clock(place.zone, self.world.from_on, self.world.days) if day == on}
        day = [minute for minute in self._asked_minutes(place) if minute in of_day]
        count = sum(1 for minute in day if self.people_at(place, minute))
        today = self.world.now.astimezone(ZoneInfo(place.zone)).date()
        if on < today:
            return "past", count
        if count:
            return ("free" if count > 3 else "few"), count
        possible = [minute for minute in day if self._possible(place, minute)]
        if not possible or on > today + timedelta(days=self.world.sold.horizon):
            return "closed", 0
        return ("full" if any(self._has_notice(minute) for minute in possible) else "past"), 0

    def may_free(self, place: Place, on: date) -> int | None:
        """The first end of holds after which the day has a start, looking at their claims only."""
        ends = {b.ends for b in self.world.counted() if b.status in ENDING and b.ends is not None}
        for end in sorted(ends):
            bookings = tuple(
                replace(b, claims=()) if b.status in ENDING and b.ends is not None and b.ends <= end else b
                for b in self.world.bookings
            )
            if Oracle(replace(self.world, bookings=bookings), self.person_id).mark(place, on)[1]:
                return -int(-end.timestamp() // 60)
        return None

    def _asked_minutes(self, place: Place) -> list[int]:
        return [
            minute
            for minute, _, minute_of_day in wall_clock(place.zone, self.world.from_on, self.world.days)
            if minute_of_day % self.world.sold.step == 0
        ]

    def _on_grid(self, place: Place, start: int) -> bool:
        wall = self._local(place, start)
        in_asked_days = self.world.from_on <= wall.date() < self.world.until_on
        return in_asked_days and (wall.hour * 60 + wall.minute) % self.world.sold.step == 0

    def _has_notice(self, start: int) -> bool:
        starts_at = datetime.fromtimestamp(start * 60, tz=UTC)
        return starts_at >= self.world.now + timedelta(minutes=self.world.sold.lead)

    def _in_time(self, place: Place, start: int) -> bool:
        today = self.world.now.astimezone(ZoneInfo(place.zone)).date()
        last = today + timedelta(days=self.world.sold.horizon)
        return self._has_notice(start) and self._local(place, start).date() <= last

    def _below_limits(self, place: Place, start: int) -> bool:
        that_day = self._bookings_on(self._local(place, start).date())
        limit, own_limit = self.world.business_limit, self.world.sold.limit
        return (limit is None or len(that_day) < limit) and (
            own_limit is None or len([booking for booking in that_day if booking.is_ours]) < own_limit
        )

    def _below_own_limit(self, place: Place, way: Way, start: int) -> bool:
        if way.person is None or way.person.limit is None:
            return True
        that_day = self._bookings_on(self._local(place, start).date())
        return len([booking for booking in that_day if booking.person_id == way.person.id]) < way.person.limit

    def _bookings_on(self, on: date) -> list[Taken]:
        places = {place.id: place for place in self.world.places}
        return [b for b in self.world.counted() if self._local(places[b.place_id], b.start).date() == on]

    def _possible(self, place: Place, start: int) -> bool:
        """Whether it could be done if nothing were booked."""
        return any(
            self._could(place, way, start)
            and all(
                len(self.rooms_at(place, way, start, kind, with_bookings=False)) >= count
                for kind, count in self.world.sold.needs
            )
            for way in self.ways()
        )

    def _could(self, place: Place, way: Way, start: int) -> bool:
        if not self._open(place).issuperset(start + minute for minute in way.all_minutes):
            return False
        if way.person is None:
            return True
        needed = {start + minute for minute in way.staff_minutes}
        return needed <= self._works(way.person, place) and needed.isdisjoint(self._off(way.person.resource_id))

    def _person_free(self, way: Way, start: int) -> bool:
        if way.person is None:
            return True
        return self._busy(way.person.resource_id).isdisjoint(start + minute for minute in way.staff_minutes)

    def ways(self) -> list[Way]:
        sold = self.world.sold
        if self._ways is None and not sold.needs_staff:
            self._ways = [self._way(None, sold.work)]
        if self._ways is None:
            self._ways = [
                self._way(person, person.own_minutes or sold.work)
                for person in self.world.people
                if person.is_qualified and self.person_id in (None, person.id)
            ]
        return self._ways

    def _way(self, person: Person | None, work: int) -> Way:
        sold = self.world.sold
        first = work + sold.extra
        finish = first + sold.processing
        end = finish + sold.finish
        staff = [*range(-sold.before, first), *range(finish, end + sold.after)]
        return Way(person, staff, list(range(-sold.before, end + sold.after)))

    def _open(self, place: Place) -> set[int]:
        special = list(place.closures)
        return self._once(("open", place.id), lambda: self._hours(place, list(place.weeks), special, place.closures))

    def _works(self, person: Person, place: Place) -> set[int]:
        weeks = [week for week in person.weeks if week.location_id == place.id]
        here = [day for day in person.exceptions if day.location_id == place.id]
        return self._once(("works", person.id, place.id), lambda: self._hours(place, weeks, here, person.exceptions))

    def _hours(
        self, place: Place, weeks: list[Week], special: list[SpecialDay], replacing: tuple[SpecialDay, ...]
    ) -> set[int]:
        minutes: set[int] = set()
        for number in range(-5, self.world.days + 5):
            on = self.world.from_on + timedelta(days=number)
            if any(day.on == on for day in replacing):
                pairs = [(d.start, d.end) for d in special if d.on == on and d.start is not None and d.end is not None]
            else:
                pairs = [(week.start, week.end) for week in weeks if counts_on(week, on)]
            for start, end in pairs:
                minutes.update(range(wall_minute(place.zone, on, start), wall_minute(place.zone, on, end)))
        return minutes

    def _off(self, resource_id: int) -> set[int]:
        return self._once(
            ("off", resource_id),
            lambda: {m for resource, low, high in self.world.off if resource == resource_id for m in range(low, high)},
        )

    def _busy(self, resource_id: int) -> set[int]:
        return self._once(
            ("busy", resource_id),
            lambda: {
                minute
                for booking in self.world.counted()
                for resource, low, high in booking.claims
                if resource == resource_id
                for minute in range(low, high)
            },
        )

    def _once(self, key: object, minutes: Callable[[], set[int]]) -> set[int]:
        if key not in self._sets:
            self._sets[key] = minutes()
        return self._sets[key]

    def _local(self, place: Place, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, tz=ZoneInfo(place.zone))


def counts_on(week: Week, on: date) -> bool:
    if on.weekday() != week.weekday:
        return False
    if week.valid_from is not None and on < week.valid_from:
        return False
    if week.valid_until is not None and on > week.valid_until:
        return False
    weeks_since = ((on - timedelta(days=on.weekday())) - date(1970, 1, 5)).days // 7
    return week.cycle_weeks == 1 or weeks_since % 2 == week.cycle_week


@cache
def wall_clock(zone: str, from_on: date, days: int) -> list[tuple[int, date, int]]:
    """Every minute that the clock on the wall shows on those dates: the instant, the date, the minute of the day."""
    shown = []
    first = epoch(datetime(from_on.year, from_on.month, from_on.day, tzinfo=UTC)) - 16 * 60
    for minute in range(first, first + (days + 2) * 1440):
        wall = datetime.fromtimestamp(minute * 60, tz=ZoneInfo(zone))
        if from_on <= wall.date() < from_on + timedelta(days=days):
            shown.append((minute, wall.date(), wall.hour * 60 + wall.minute))
    return shown


def wall_minute(zone: str, on: date, minute: int) -> int:
    """A wall-clock minute of a date as an instant: skipped times move forward, repeated ones are the first."""
    wall = datetime.fromordinal(on.toordinal()) + timedelta(minutes=minute)
    return epoch(wall.replace(tzinfo=ZoneInfo(zone), fold=0))


def epoch(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
