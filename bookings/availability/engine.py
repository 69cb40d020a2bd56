"""When a service may be booked. Pure: facts in, answers out; no database, no clock, no settings.

A start is offered when every rule in ``RULES`` allows one way to perform it (a staff member, or none for a court). Each
rule answers for all starts of the grid at once, and every public function combines the same rules, so what is offered
is what can be booked. See docs/algorithms/availability.md.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from bookings.availability.claims import MAX_CLAIM_MINUTES, Claim, LineSpec, PlacedLine, claims_for
from bookings.availability.facts import Busy, Facts, HeldClaim, Hours, LocationFacts, StaffFacts, VariantFacts
from bookings.availability.grid import Grid, grid_of_days
from core.intervals import Intervals
from staff.hours import day_of, day_start, wall_starts

FEW_COUNT = 3
_NOTHING = Busy((), ())
_NO_HOURS = Hours(())

# Names of rules that staff set aside (see ``overrides``): one of RELAXABLE, or BUFFERS for the time around a visit.
Overrides: TypeAlias = frozenset[str]
BUFFERS = "buffers"
RELAXABLE: Overrides = frozenset(
    {
        "grid",
        "notice",
        "horizon",
        "business_limit",
        "service_limit",
        "opening_hours",
        "working_hours",
        "time_off",
        "staff_limit",
        BUFFERS,
    }
)
_NO_OVERRIDES: Overrides = frozenset()


class DayState(StrEnum):
    FREE = "free"
    FEW = "few"
    FULL = "full"
    CLOSED = "closed"
    PAST = "past"


class DayMark(NamedTuple):
    """A day of the calendar.

    ``few`` is 1 to 3 starts; ``closed`` includes days beyond the horizon, ``past`` days within the notice period.
    ``may_free_at_minute`` is set when the day is full only because of holds: the first minute at which a start may come
    back.
    """

    on: date
    state: DayState
    free_count: int
    may_free_at_minute: int | None


class Candidate(NamedTuple):
    """One way to book a start: the staff member (None for a court), rooms and devices, and the claims.

    The price is without add-ons.
    """

    staff_member_id: int | None
    spec: LineSpec
    price_minor: int
    line: PlacedLine
    claims: tuple[Claim, ...]


class Finding(NamedTuple):
    """What one rule says about one start.

    ``detail["staff"]``: the staff members it allows; ``"left"``: those who passed all rules so far.
    """

    rule: str
    ok: bool
    detail: dict[str, Any]


def free_starts(facts: Facts, variant_id: int, *, staff_member_id: int | None = None) -> dict[int, list[int]]:
    """Return per location the ascending epoch minutes at which the variant may be booked now."""
    return {scene.location.id: scene.grid.chosen(scene.free()) for scene in _scenes(facts, variant_id, staff_member_id)}


def day_marks(facts: Facts, variant_id: int, *, staff_member_id: int | None = None) -> dict[int, list[DayMark]]:
    """Return per location one mark for each requested day."""
    return {scene.location.id: _marks(scene) for scene in _scenes(facts, variant_id, staff_member_id)}


def candidates(
    facts: Facts,
    variant_id: int,
    location_id: int,
    start_minute: int,
    *,
    staff_member_id: int | None = None,
    overrides: Overrides = _NO_OVERRIDES,
    preferred_resource_ids: Collection[int] = (),
) -> list[Candidate]:
    """Return all ways to book this start, the fairest first; empty when it may not be booked.

    The fairest staff member has the fewest claimed minutes that local day; then the day's rotation decides, then the
    lowest id. Of the free rooms and devices the preferred ones are chosen first, then those with the lowest ids.
    """
    scene = _scene_at(facts, variant_id, location_id, start_minute, staff_member_id, overrides)
    if scene is None:
        return []
    free = [option for option in scene.options if scene.free_for(option)]
    return [_candidate(scene, option, preferred_resource_ids) for option in _fairest_first(scene, free)]


def why_not(
    facts: Facts,
    variant_id: int,
    location_id: int,
    start_minute: int,
    *,
    staff_member_id: int | None = None,
    overrides: Overrides = _NO_OVERRIDES,
) -> list[Finding]:
    """Return what every rule says, in order. The start may be booked exactly when all are ok.

    While some staff member passes all rules so far, a rule is ok if it allows one of them; after that, if it allows any
    staff member.
    """
    scene = _scene_at(facts, variant_id, location_id, start_minute, staff_member_id, overrides)
    findings = [Finding("offered_here", ok=scene is not None, detail={})]
    if scene is None:
        return findings
    left = scene.options
    findings.append(Finding("qualified", ok=bool(left), detail={"staff": _staff_ids(left)}))
    for name, rule in _without(RULES, overrides).items():
        allowed = [option for option in scene.options if rule(scene, option)]
        passed = [option for option in left if option in allowed]
        is_ok = bool(passed) if left else bool(allowed)
        findings.append(Finding(name, ok=is_ok, detail={"staff": _staff_ids(allowed), "left": _staff_ids(passed)}))
        left = passed
    return findings


# --- one variant at one location -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A spec with its spans. Staff members with the same length share one, so that it is computed once."""

    spec: LineSpec
    staff_spans: Intervals
    whole: Intervals


class _Option(NamedTuple):
    """One way to perform the visit, before rooms and devices are chosen."""

    staff: StaffFacts | None
    shape: _Shape
    price_minor: int


@dataclass(frozen=True, slots=True)
class _Scene:
    """One variant at one location: the requested starts and what is claimed.

    ``known`` keeps what rules have answered already.
    """

    facts: Facts
    variant: VariantFacts
    location: LocationFacts
    options: list[_Option]
    grid: Grid
    on_grid: int
    busy: Mapping[int, Busy]
    known: dict[Any, int]
    overrides: Overrides = _NO_OVERRIDES

    def once(self, key: Any, answer: Callable[[], int]) -> int:
        bits = self.known.get(key)
        if bits is None:
            bits = self.known[key] = answer()
        return bits

    def free(self) -> int:
        """Return the starts at which some staff member is free."""
        return self.once("free", self._free)

    def possible(self) -> int:
        """Return the starts that some staff member could do if no time were booked and booking were open."""
        return self.once("possible", lambda: self._union(_POSSIBLE))

    def free_for(self, option: _Option) -> int:
        return self._all_of(RULES, option)

    def _free(self) -> int:
        free = 0
        for option in self.options:
            shared = self._all_of(_SHARED, option)
            # With many staff members every start is free long before the last of them has been checked.
            if shared & ~free:
                free |= shared & self._all_of(_OWN, option)
        return free

    def _union(self, rules: "_Rules") -> int:
        bits = 0
        for option in self.options:
            bits |= self._all_of(rules, option)
        return bits

    def _all_of(self, rules: "_Rules", option: _Option) -> int:
        bits = self.on_grid
        for rule in _without(rules, self.overrides).values():
            bits &= rule(self, option)
            if not bits:
                break
        return bits


def _scenes(facts: Facts, variant_id: int, staff_member_id: int | None) -> Iterator[_Scene]:
    """Yield the scene of each location for all requested days. Marks and times of one page share what is known."""
    variant = facts.variants.get(variant_id)
    if variant is None:
        return
    for location_id in variant.location_ids:
        location = facts.locations.get(location_id)
        if location is None:
            continue
        grid = grid_of_days(
            location.zone,
            facts.from_on.toordinal(),
            facts.until_on.toordinal(),
            variant.slot_interval_minutes,
            location.opening.intervals,
        )
        options, known = facts.answers.setdefault(
            (variant_id, location_id, staff_member_id), (_options(facts, variant, staff_member_id), {})
        )
        yield _Scene(facts, variant, location, options, grid, grid.everything, facts.busy, known)


def _scene_at(
    facts: Facts,
    variant_id: int,
    location_id: int,
    start_minute: int,
    staff_member_id: int | None,
    overrides: Overrides,
) -> _Scene | None:
    """Return the scene of one start, None if not offered there. Outside the requested days it is off the grid."""
    if not overrides <= RELAXABLE:
        raise ValueError(f"never set aside: {sorted(overrides - RELAXABLE)}")
    variant, location = facts.variants.get(variant_id), facts.locations.get(location_id)
    if variant is None or location is None or location_id not in variant.location_ids:
        return None
    day = day_of(location.zone, start_minute)
    is_asked = facts.from_on.toordinal() <= day < facts.until_on.toordinal()
    is_on_grid = is_asked and (
        "grid" in overrides or start_minute in wall_starts(location.zone, day, variant.slot_interval_minutes)
    )
    return _Scene(
        facts,
        variant,
        location,
        _options(facts, variant, staff_member_id, overrides),
        Grid([start_minute], [day]),
        int(is_on_grid),
        facts.busy,
        {},
        overrides,
    )


def _options(
    facts: Facts, variant: VariantFacts, staff_member_id: int | None, overrides: Overrides = _NO_OVERRIDES
) -> list[_Option]:
    shapes: dict[int, _Shape] = {}

    def shape_of(spec: LineSpec) -> _Shape:
        if id(spec) not in shapes:
            kept = replace(spec, buffer_before=0, buffer_after=0) if BUFFERS in overrides else spec
            shapes[id(spec)] = _Shape(kept, kept.staff_spans(), kept.resource_spans())
        return shapes[id(spec)]

    if not variant.spec.needs_staff:
        return [_Option(None, shape_of(variant.spec), variant.price_minor)]
    return [
        _Option(facts.staff[person.staff_member_id], shape_of(person.spec), person.price_minor)
        for person in variant.staff
        if staff_member_id in (None, person.staff_member_id)
    ]


# --- the rules: each returns the starts that it allows for one option ----------------------------------------------

_Rule: TypeAlias = Callable[[_Scene, _Option], int]
_Rules: TypeAlias = Mapping[str, _Rule]


def _on_grid(scene: _Scene, option: _Option) -> int:
    return scene.on_grid


def _notice(scene: _Scene, option: _Option) -> int:
    return _after_notice(scene)


def _horizon(scene: _Scene, option: _Option) -> int:
    return _within_horizon(scene)


def _business_limit(scene: _Scene, option: _Option) -> int:
    limit, counts = scene.facts.business_daily_limit, scene.facts.counts.business
    if limit is None:
        return scene.grid.everything
    return scene.once("business_limit", lambda: scene.grid.on_days(lambda day: counts.get(day, 0) < limit))


def _service_limit(scene: _Scene, option: _Option) -> int:
    limit, counts, service_id = scene.variant.service_daily_limit, scene.facts.counts.services, scene.variant.service_id
    if limit is None:
        return scene.grid.everything
    return scene.once("service_limit", lambda: scene.grid.on_days(lambda day: counts.get((service_id, day), 0) < limit))


def _opening_hours(scene: _Scene, option: _Option) -> int:
    """The whole visit, with buffers and processing, lies in opening hours and is no longer than a claim may be."""
    return scene.once(("opening", option.shape), lambda: _open_for(scene, option.shape))


def _working_hours(scene: _Scene, option: _Option) -> int:
    if option.staff is None:
        return scene.grid.everything
    hours, shape = option.staff.working.get(scene.location.id, _NO_HOURS), option.shape
    return scene.once(("working", hours, shape), lambda: scene.grid.fitting(hours.intervals, shape.staff_spans))


def _time_off(scene: _Scene, option: _Option) -> int:
    times = scene.facts.time_off.get(option.staff.resource_id) if option.staff else None
    if not times:
        return scene.grid.everything
    return scene.grid.everything & ~scene.grid.meeting_anywhere(times, option.shape.staff_spans)


def _resources_exist(scene: _Scene, option: _Option) -> int:
    """The location has enough rooms and devices of each type that are in service at that time, claimed or not."""
    return scene.once(("exist", option.shape), lambda: _enough_resources(scene, option.shape, {}))


def _resources_free(scene: _Scene, option: _Option) -> int:
    return scene.once(("resources", option.shape), lambda: _enough_resources(scene, option.shape, scene.busy))


def _staff_limit(scene: _Scene, option: _Option) -> int:
    if option.staff is None or option.staff.daily_limit is None:
        return scene.grid.everything
    limit, counts, staff_id = option.staff.daily_limit, scene.facts.counts.staff, option.staff.id
    return scene.grid.on_days(lambda day: counts.get((staff_id, day), 0) < limit)


def _staff_free(scene: _Scene, option: _Option) -> int:
    busy = scene.busy.get(option.staff.resource_id) if option.staff else None
    if not busy:
        return scene.grid.everything
    return scene.grid.everything & ~scene.grid.meeting(busy, option.shape.staff_spans)


# If no time were booked and booking were open at any time …
_POSSIBLE: _Rules = {
    "opening_hours": _opening_hours,
    "working_hours": _working_hours,
    "time_off": _time_off,
    "resources_exist": _resources_exist,
}
# … with what is the same for many staff members …
_SHARED: _Rules = {
    "grid": _on_grid,
    "notice": _notice,
    "horizon": _horizon,
    "business_limit": _business_limit,
    "service_limit": _service_limit,
    **_POSSIBLE,
    "resources_free": _resources_free,
}
# … and with what each staff member has to be checked for.
_OWN: _Rules = {"staff_limit": _staff_limit, "staff_free": _staff_free}
RULES: _Rules = {**_SHARED, **_OWN}


def _not_past(scene: _Scene, option: _Option) -> int:
    return scene.grid.since(scene.facts.now_minute)


def _length_of_a_claim(scene: _Scene, option: _Option) -> int:
    return scene.grid.everything if _is_short_enough(option.shape) else 0


def _everything(scene: _Scene, option: _Option) -> int:
    return scene.grid.everything


# What remains of a rule that is set aside. Nothing remains of the other rules.
_RESTS: _Rules = {"grid": _on_grid, "notice": _not_past, "opening_hours": _length_of_a_claim}


def _without(rules: _Rules, overrides: Overrides) -> _Rules:
    """Return the rules, replacing those that are set aside by what remains of them."""
    if not overrides:
        return rules
    return {name: _RESTS.get(name, _everything) if name in overrides else rule for name, rule in rules.items()}


def _after_notice(scene: _Scene) -> int:
    return scene.once("notice", lambda: scene.grid.since(scene.facts.now_minute + scene.variant.lead_minutes))


def _within_horizon(scene: _Scene) -> int:
    last_day = scene.location.today.toordinal() + scene.variant.horizon_days
    return scene.once("horizon", lambda: scene.grid.on_days(lambda day: day <= last_day))


def _open_for(scene: _Scene, shape: _Shape) -> int:
    if not _is_short_enough(shape):
        return 0
    return scene.grid.fitting(scene.location.opening.intervals, shape.whole)


def _is_short_enough(shape: _Shape) -> bool:
    return 0 < sum(high - low for low, high in shape.whole) <= MAX_CLAIM_MINUTES


def _enough_resources(scene: _Scene, shape: _Shape, busy: Mapping[int, Busy]) -> int:
    """Return the starts at which, of each needed type, at least the quantity is free for the whole visit."""
    bits = scene.grid.everything
    for type_id, quantity in shape.spec.requirements:
        # at_least[k]: the starts at which k or more of the resources checked so far are free.
        at_least = [scene.grid.everything] + [0] * quantity
        for resource_id in scene.location.resources.get(type_id, ()):
            free = _resource_free(scene, shape, busy, resource_id)
            for count in range(quantity, 0, -1):
                at_least[count] |= at_least[count - 1] & free
        bits &= at_least[quantity]
    return bits


def _resource_free(scene: _Scene, shape: _Shape, busy: Mapping[int, Busy], resource_id: int) -> int:
    off = scene.grid.meeting_anywhere(scene.facts.time_off.get(resource_id, ()), shape.whole)
    return scene.grid.everything & ~(off | scene.grid.meeting(busy.get(resource_id, _NOTHING), shape.whole))


# --- marks ---------------------------------------------------------------------------------------------------------


def _marks(scene: _Scene) -> list[DayMark]:
    grid, facts = scene.grid, scene.facts
    free = grid.count_by_day(scene.free())
    ahead = scene.possible() & _within_horizon(scene)
    days_ahead, days_open = set(grid.count_by_day(ahead)), set(grid.count_by_day(ahead & _after_notice(scene)))
    today = scene.location.today.toordinal()

    def state(day: int) -> DayState:
        if day < today:
            return DayState.PAST
        if free[day]:
            return DayState.FREE if free[day] > FEW_COUNT else DayState.FEW
        if day not in days_ahead:
            return DayState.CLOSED
        return DayState.FULL if day in days_open else DayState.PAST

    states = {day: state(day) for day in range(facts.from_on.toordinal(), facts.until_on.toordinal())}
    may_free = _may_free(scene, {day for day, is_what in states.items() if is_what is DayState.FULL})
    return [DayMark(date.fromordinal(day), states[day], free[day], may_free.get(day)) for day in states]


def _may_free(scene: _Scene, full_days: set[int]) -> dict[int, int]:
    """Return, for each full day that ending holds would open, the minute at which the first start may come back."""
    held = scene.facts.held
    if not held or not full_days:
        return {}
    waiting = full_days & _days_without(scene, held, full_days)
    found: dict[int, int] = {}
    for ends in sorted({claim.ends_minute for claim in held}):
        if not waiting:
            break
        opened = _days_without(scene, [claim for claim in held if claim.ends_minute <= ends], waiting)
        found.update(dict.fromkeys(opened, ends))
        waiting -= opened
    return found


def _days_without(scene: _Scene, held: Iterable[HeldClaim], days: set[int]) -> set[int]:
    """Return which of the days would have a free start without these claims."""
    asked = [(minute, day) for minute, day in zip(scene.grid.minutes, scene.grid.days, strict=True) if day in days]
    grid = Grid([minute for minute, _ in asked], [day for _, day in asked])
    gone: dict[int, set[tuple[int, int]]] = {}
    for claim in held:
        gone.setdefault(claim.resource_id, set()).add((claim.low_minute, claim.high_minute))
    busy = {**scene.busy, **{resource_id: _less(scene.busy[resource_id], times) for resource_id, times in gone.items()}}
    without = _Scene(scene.facts, scene.variant, scene.location, scene.options, grid, grid.everything, busy, {})
    return set(grid.count_by_day(without.free()))


def _less(busy: Busy, gone: set[tuple[int, int]]) -> Busy:
    kept = [claim for claim in zip(busy.lows, busy.highs, strict=True) if claim not in gone]
    return Busy([low for low, _ in kept], [high for _, high in kept])


# --- choosing ------------------------------------------------------------------------------------------------------


def _fairest_first(scene: _Scene, options: list[_Option]) -> list[_Option]:
    day = scene.grid.days[0]
    opens, closes = day_start(scene.location.zone, day), day_start(scene.location.zone, day + 1)
    staff_ids = sorted(person.staff_member_id for person in scene.variant.staff)
    # Without a rotation the lowest id would get the first booking of every day.
    turns = {staff_id: (place - day) % len(staff_ids) for place, staff_id in enumerate(staff_ids)}

    def burden(option: _Option) -> tuple[int, int]:
        if option.staff is None:
            return 0, 0
        lows, highs = scene.busy.get(option.staff.resource_id, _NOTHING)
        taken = sum(max(0, min(high, closes) - max(low, opens)) for low, high in zip(lows, highs, strict=True))
        return taken, turns[option.staff.id]

    return sorted(options, key=burden)


def _candidate(scene: _Scene, option: _Option, preferred_resource_ids: Collection[int]) -> Candidate:
    spec = option.shape.spec

    def rank(resource_id: int) -> tuple[bool, int]:
        return resource_id not in preferred_resource_ids, resource_id

    resource_ids = [
        resource_id
        for type_id, quantity in spec.requirements
        for resource_id in [
            resource_id
            for resource_id in sorted(scene.location.resources.get(type_id, ()), key=rank)
            if _resource_free(scene, option.shape, scene.busy, resource_id)
        ][:quantity]
    ]
    line = PlacedLine(
        spec=spec,
        start_minute=scene.grid.minutes[0],
        staff_resource_id=option.staff.resource_id if option.staff else None,
        resource_ids=tuple(resource_ids),
    )
    return Candidate(
        staff_member_id=option.staff.id if option.staff else None,
        spec=spec,
        price_minor=option.price_minor,
        line=line,
        claims=tuple(claims_for([line])),
    )


def _staff_ids(options: list[_Option]) -> list[int]:
    return [option.staff.id for option in options if option.staff]
