"""Plan the visits of Linden Studio around a day, as values. Reads the studio's rows and writes nothing.

Every visit is at a time that a customer could have booked: inside opening and working hours, outside absences, in a
free room, on the grid of its service. All randomness comes from the given generator, so the same day gives the same
visits.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects

from bookings.availability.claims import Claim, LineSpec, PlacedLine, claims_for, spec_of
from core.intervals import Intervals, intersection, overlaps
from core.minutes import minute_of
from demo import people
from demo.setup import Studio
from services.models import AddOn, Closure, Location, OpeningHours, Resource, Service, ServiceVariant
from services.queries import the_business
from staff.enums import TimeOffStatus
from staff.hours import WeeklyHours, hours_between
from staff.models import Qualification, StaffMember, TimeOff, WorkingHours, WorkingHoursException

PAUSES = (15, 30, 45, 60)
CABIN_LOAD = 35
CANCELLED_PERCENT = 7
ADD_ON_PERCENT = 25
Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


class Skill(NamedTuple):
    """A variant with the price and work minutes of one therapist, or of the service if it needs no staff."""

    variant: ServiceVariant
    price_minor: int
    own_work_minutes: int | None


@dataclass(frozen=True)
class Visit:
    """One placed line and the staff member who performs it. A cancelled visit claims no time."""

    place: Location
    skill: Skill
    staff_member: StaffMember | None
    add_ons: tuple[AddOn, ...]
    line: PlacedLine
    is_cancelled: bool

    @property
    def service(self) -> Service:
        return self.skill.variant.service

    @property
    def start_minute(self) -> int:
        return self.line.start_minute

    @property
    def end_minute(self) -> int:
        return self.line.start_minute + self.line.spec.duration_minutes

    @property
    def claims(self) -> list[Claim]:
        return [] if self.is_cancelled else claims_for([self.line])


def visits_around(today: date, *, days: int, studio: Studio, random: Random) -> list[Visit]:
    """Return the visits of each day from ``today - days`` to ``today + days``, sorted by start."""
    diary = _Diary(studio, random)
    for offset in range(-days, days + 1):
        diary.fill_day(today + timedelta(days=offset))
    return sorted(diary.visits, key=lambda visit: (visit.start_minute, visit.skill.variant.pk))


class _Diary:
    """The studio's rows, loaded once, and the time that the visits planned so far take."""

    def __init__(self, studio: Studio, random: Random) -> None:
        self.studio = studio
        self.random = random
        self.visits: list[Visit] = []
        self.per_day: Counter[tuple[str, int, date]] = Counter()
        self.zones = {place.pk: ZoneInfo(place.time_zone) for place in studio.places.values()}
        self.own_grid = the_business().booking_policy.slot_interval_minutes
        self.opening = _grouped(OpeningHours.objects.all(), lambda row: (row.location_id, row.weekday))
        self.closures = _grouped(Closure.objects.all(), lambda row: (row.location_id, row.on))
        self.hours = _grouped(WorkingHours.objects.all(), lambda row: (row.staff_member_id, row.weekday))
        self.special_days = _grouped(WorkingHoursException.objects.all(), lambda row: (row.staff_member_id, row.on))
        self.resources = _grouped(
            Resource.objects.exclude(resource_type=None), lambda row: (row.location_id, row.resource_type_id)
        )
        self.skills = _skills()
        self.taken: defaultdict[int, Intervals] = _absences()

    def fill_day(self, on: date) -> None:
        for person in people.THERAPISTS:
            member = self.studio.staff[person.slug]
            for place in self.studio.places.values():
                spans = intersection(self._open(place, on), self._working(member, place, on))
                self._fill(spans, place, on, member, self.skills[member.pk], person.load)
        sauna, berlin = self.studio.services["infrared-sauna"], self.studio.places["kreuzberg"]
        prefetch_related_objects([sauna], "variants", "requirements", "add_ons", "locations")
        alone = [Skill(variant, variant.price_minor, None) for variant in sauna.variants.all()]
        self._fill(self._open(berlin, on), berlin, on, None, alone, CABIN_LOAD)

    def _fill(
        self,
        spans: Intervals,
        place: Location,
        on: date,
        member: StaffMember | None,
        skills: list[Skill],
        load: int,
    ) -> None:
        """Go through the spans and book a visit at about ``load`` percent of the possible starts."""
        for low, high in spans:
            minute = low
            while minute < high:
                if self.random.randrange(100) >= load:
                    minute += self.random.choice(PAUSES)
                    continue
                visit = self._visit(minute, high, place, on, member, skills)
                if visit is None:
                    minute += 15
                    continue
                self._note(visit, on)
                if not visit.is_cancelled:
                    minute = visit.end_minute + visit.line.spec.buffer_after

    def _visit(
        self, low: int, high: int, place: Location, on: date, member: StaffMember | None, skills: list[Skill]
    ) -> Visit | None:
        """Return the first of the shuffled skills that fits between ``low`` and ``high``, buffers included."""
        for skill in self.random.sample(skills, len(skills)):
            service = skill.variant.service
            if place.pk not in {each.pk for each in service.locations.all()} or self._is_full(service, member, on):
                continue
            offered = list(service.add_ons.all())
            wants_extra = offered and self.random.randrange(100) < ADD_ON_PERCENT
            add_ons = (self.random.choice(offered),) if wants_extra else ()
            spec = _spec(skill, add_ons)
            start = self._on_grid(low + spec.buffer_before, service, place)
            line = self._placed(spec, start, place, member)
            if line and start + spec.duration_minutes + spec.buffer_after <= high:
                is_cancelled = self.random.randrange(100) < CANCELLED_PERCENT
                return Visit(place, skill, member, add_ons, line, is_cancelled)
        return None

    def _placed(
        self, spec: LineSpec, start_minute: int, place: Location, member: StaffMember | None
    ) -> PlacedLine | None:
        """Choose free rooms and devices. None if the therapist or a required resource is taken."""
        line = PlacedLine(spec, start_minute, member.resource_id if member else None, ())
        if not self._is_free(line):
            return None
        chosen: list[int] = []
        for type_id, quantity in spec.requirements:
            candidates = [resource.pk for resource in self.resources[place.pk, type_id]]
            free = [pk for pk in candidates if self._is_free(PlacedLine(spec, start_minute, None, (pk,)))]
            if len(free) < quantity:
                return None
            chosen += free[:quantity]
        return line._replace(resource_ids=tuple(chosen))

    def _is_free(self, line: PlacedLine) -> bool:
        return not any(
            overlaps((low, high), taken)
            for resource_id, low, high in claims_for([line])
            for taken in self.taken[resource_id]
        )

    def _note(self, visit: Visit, on: date) -> None:
        self.visits.append(visit)
        for resource_id, low, high in visit.claims:
            self.taken[resource_id].append((low, high))
        if not visit.is_cancelled:
            self.per_day["service", visit.service.pk, on] += 1
            if visit.staff_member:
                self.per_day["staff", visit.staff_member.pk, on] += 1

    def _is_full(self, service: Service, member: StaffMember | None, on: date) -> bool:
        owners = (("service", service), ("staff", member))
        return any(
            owner is not None
            and owner.daily_limit is not None
            and self.per_day[kind, owner.pk, on] >= owner.daily_limit
            for kind, owner in owners
        )

    def _on_grid(self, minute: int, service: Service, place: Location) -> int:
        """Round up to the next start that the service offers, counted from local midnight."""
        policy = service.booking_policy
        grid = policy.slot_interval_minutes if policy else self.own_grid
        wall = datetime.fromtimestamp(minute * 60, self.zones[place.pk])
        return minute + -(wall.hour * 60 + wall.minute) % grid

    def _open(self, place: Location, on: date) -> Intervals:
        weekly = self.opening[place.pk, on.weekday()]
        return self._hours(place, on, weekly, self.closures.get((place.pk, on)))

    def _working(self, member: StaffMember, place: Location, on: date) -> Intervals:
        weekly = [row for row in self.hours[member.pk, on.weekday()] if row.location_id == place.pk]
        special = self.special_days.get((member.pk, on))
        here = None if special is None else [row for row in special if row.location_id == place.pk]
        return self._hours(place, on, weekly, here)

    def _hours(self, place: Location, on: date, weekly: Iterable[Any], special: Sequence[Any] | None) -> Intervals:
        """Return the hours of one date in minutes since the epoch. ``special`` replaces the weekly hours."""
        pairs = [(row.start_minute, row.end_minute) for row in special or () if row.start_minute is not None]
        day = on.toordinal()
        return hours_between(
            self.zones[place.pk],
            day,
            day + 1,
            [
                WeeklyHours(
                    row.weekday,
                    row.start_minute,
                    row.end_minute,
                    cycle_weeks=getattr(row, "cycle_weeks", 1),
                    cycle_week=getattr(row, "cycle_week", 0),
                )
                for row in weekly
            ],
            {} if special is None else {day: pairs},
        )


def _skills() -> defaultdict[int, list[Skill]]:
    rows = Qualification.objects.select_related("variant__service__booking_policy").prefetch_related(
        "variant__service__requirements", "variant__service__add_ons", "variant__service__locations"
    )
    found: defaultdict[int, list[Skill]] = defaultdict(list)
    for row in rows.order_by("pk"):
        price = row.variant.price_minor if row.price_minor is None else row.price_minor
        found[row.staff_member_id].append(Skill(row.variant, price, row.work_minutes))
    return found


def _spec(skill: Skill, add_ons: Iterable[AddOn]) -> LineSpec:
    variant, service = skill.variant, skill.variant.service
    return spec_of(
        work_minutes=variant.work_minutes,
        processing_minutes=variant.processing_minutes,
        finish_minutes=variant.finish_minutes,
        buffer_before=service.buffer_before_minutes,
        buffer_after=service.buffer_after_minutes,
        requirements=[(need.resource_type_id, need.quantity) for need in service.requirements.all()],
        needs_staff=service.needs_staff,
        add_on_minutes=sum(extra.extra_minutes for extra in add_ons),
        own_work_minutes=skill.own_work_minutes,
    )


def _absences() -> defaultdict[int, Intervals]:
    taken: defaultdict[int, Intervals] = defaultdict(list)
    for row in TimeOff.objects.filter(status=TimeOffStatus.APPROVED):
        low, high = row.during.lower, row.during.upper
        taken[row.resource_id].append((minute_of(low), minute_of(high)))
    return taken


def _grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> defaultdict[Key, list[Row]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups
