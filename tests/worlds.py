"""Random worlds for the oracle, and the two ways into the engine: facts made in memory, and rows in the database."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bookings.availability.claims import spec_of
from bookings.availability.facts import (
    Busy,
    Counts,
    Facts,
    HeldClaim,
    Hours,
    LocationFacts,
    QualifiedStaff,
    StaffFacts,
    VariantFacts,
)
from core.intervals import normalised
from staff.hours import WeeklyHours, hours_between
from tests.oracle import ENDING, Person, Place, Sold, SpecialDay, Taken, Week, World, wall_minute

VARIANT_ID, SERVICE_ID, OTHER_VARIANT_ID, OTHER_SERVICE_ID = 1, 1, 2, 2
TYPE_IDS = (1, 2)
# Zones with the nights in which their clocks change: the usual hour, half an hour, and none at an odd offset.
NIGHTS = {
    "Europe/Warsaw": [date(2027, 3, 28), date(2027, 10, 31), date(2027, 7, 7)],
    "America/New_York": [date(2027, 3, 14), date(2027, 11, 7), date(2027, 1, 20)],
    "Australia/Lord_Howe": [date(2027, 4, 4), date(2027, 10, 3)],
    "Asia/Kathmandu": [date(2027, 5, 5)],
}


# --- random worlds -------------------------------------------------------------------------------------------------

flags = st.booleans()
mostly = st.sampled_from([True, True, True, True, True, False])
seldom = st.sampled_from([False, False, False, True])
all_dice = st.integers(0, 10**9).map(Random)
limits = st.sampled_from([None, None, None, None, 1, 2])


@st.composite
def hours(draw: st.DrawFn) -> tuple[int, int]:
    """Often the whole day or the night of the clock's change, so that something is left to book."""
    if draw(mostly):
        return draw(st.sampled_from([(0, 1440), (0, 1440), (60, 1380), (480, 1200), (1320, 1800), (150, 600)]))
    start, length = draw(st.integers(0, 1439)), draw(st.integers(1, 1440))
    return start, min(start + length, 2880)


@st.composite
def weeks(draw: st.DrawFn, place_id: int, from_on: date, *, may_alternate: bool) -> tuple[Week, ...]:
    rows = []
    for start, end in draw(st.lists(hours(), min_size=1, max_size=2)):
        plain = not may_alternate or draw(mostly)
        values: dict[str, object] = {}
        if not plain:
            values = {
                "valid_from": draw(st.sampled_from([None, from_on])),
                "valid_until": draw(st.sampled_from([None, from_on, from_on + timedelta(days=1)])),
                "cycle_weeks": 2,
                "cycle_week": draw(st.integers(0, 1)),
            }
        skipped = draw(st.sampled_from([None, None, None, None, from_on.weekday(), (from_on.weekday() + 1) % 7]))
        rows += [Week(place_id, weekday, start, end, **values) for weekday in range(7) if weekday != skipped]  # type: ignore[arg-type]
    return tuple(rows)


@st.composite
def special_days(draw: st.DrawFn, place_id: int, from_on: date) -> tuple[SpecialDay, ...]:
    days = []
    for number in draw(st.lists(st.integers(-1, 2), max_size=2)):
        start, end = draw(st.one_of(st.just((None, None)), hours()))
        days.append(SpecialDay(place_id, from_on + timedelta(days=number), start, end))
    return tuple(days)


@st.composite
def places(draw: st.DrawFn, place_id: int, zone: str, from_on: date) -> Place:
    kinds = draw(st.lists(st.sampled_from(TYPE_IDS), min_size=2, max_size=6))
    return Place(
        id=place_id,
        zone=zone,
        weeks=draw(weeks(place_id, from_on, may_alternate=False)),
        closures=draw(special_days(place_id, from_on)) if draw(seldom) else (),
        rooms=tuple((200 + 10 * place_id + number, kind) for number, kind in enumerate(kinds)),
    )


@st.composite
def people(draw: st.DrawFn, person_id: int, place_ids: list[int], from_on: date) -> Person:
    return Person(
        id=person_id,
        resource_id=100 + person_id,
        weeks=tuple(
            week
            for place_id in place_ids
            if draw(mostly)
            for week in draw(weeks(place_id, from_on, may_alternate=True))
        ),
        exceptions=draw(special_days(draw(st.sampled_from(place_ids)), from_on)) if draw(seldom) else (),
        is_qualified=draw(mostly),
        own_minutes=draw(st.sampled_from([None, None, 20, 75])),
        limit=draw(limits),
    )


@st.composite
def sold(draw: st.DrawFn, place_ids: list[int]) -> Sold:
    dice = draw(all_dice)
    return Sold(
        needs_staff=draw(mostly),
        work=dice.choice([5, 25, 50, 60, 90]),
        processing=dice.choice([0, 7, 30, 60]),
        finish=dice.choice([0, 0, 10, 15]),
        extra=dice.choice([0, 0, 10]),
        before=dice.choice([0, 0, 5, 10, 45]),
        after=dice.choice([0, 0, 10, 15]),
        needs=dice.choice([(), (), (), ((1, 1),), ((1, 2),), ((1, 1), (2, 1)), ((1, 2), (2, 1))]),
        place_ids=tuple(place_id for place_id in place_ids if place_id == 1 or draw(flags)),
        limit=draw(limits),
        lead=draw(st.sampled_from([0, 0, 0, 1, 60, 1500])),
        horizon=draw(st.sampled_from([60, 60, 60, 1, 2])),
        step=dice.choice([15, 15, 5, 10, 20, 25, 30, 60, 7]),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone = draw(st.sampled_from(sorted(NIGHTS)))
    days = draw(st.integers(1, 2))
    from_on = draw(st.sampled_from(NIGHTS[zone])) - timedelta(days=draw(st.integers(0, days)))
    zones = [zone, *([draw(st.sampled_from(sorted(NIGHTS)))] if draw(seldom) else [])]
    found = [draw(places(number, name, from_on)) for number, name in enumerate(zones, start=1)]
    place_ids = [place.id for place in found]
    staff = [draw(people(number, place_ids, from_on)) for number in range(1, draw(st.sampled_from([1, 1, 2, 3])) + 1)]
    resource_ids = [person.resource_id for person in staff] + [room for place in found for room, _ in place.rooms]
    midnight = wall_minute(zone, from_on, 0)
    now = datetime.fromtimestamp((midnight + draw(st.one_of(st.integers(-3000, 0), st.integers(0, 900)))) * 60, tz=UTC)
    now += timedelta(seconds=draw(st.sampled_from([0, 0, 1, 59])))
    bookings = draw(taken(found, staff, resource_ids, midnight, now))
    return World(
        now=now,
        from_on=from_on,
        days=days,
        places=tuple(found),
        people=tuple(staff),
        sold=draw(sold(place_ids)),
        off=draw(time_off(resource_ids, midnight)),
        bookings=bookings,
        business_limit=draw(st.sampled_from([None, None, None, None, None, 1, 3])),
        ignored=draw(st.sampled_from([None, *[booking.id for booking in bookings]])) if draw(flags) else None,
    )


@st.composite
def time_off(draw: st.DrawFn, resource_ids: list[int], midnight: int) -> tuple[tuple[int, int, int], ...]:
    rows = []
    for resource_id in draw(st.lists(st.sampled_from(resource_ids), max_size=2)):
        low = midnight + draw(st.integers(-8000, 2500))
        rows.append((resource_id, low, low + draw(st.sampled_from([60, 60, 1, 500, 9000]))))
    return tuple(rows)


@st.composite
def taken(
    draw: st.DrawFn, found: list[Place], staff: list[Person], resource_ids: list[int], midnight: int, now: datetime
) -> tuple[Taken, ...]:
    """Bookings whose claims never overlap, as the database guarantees.

    Thrown with dice, because what Hypothesis draws itself is too often small and the same; it still tries fewer.
    """
    count, dice = draw(st.sampled_from([9, 6, 3, 1, 0])), draw(all_dice)
    is_crowded = dice.random() < 0.2
    person_of = {person.resource_id: person.id for person in staff}
    claimed: list[tuple[int, int, int]] = []
    rows = []
    for number in range(1, count + 1):
        low = midnight + dice.randint(*dice.choice([(-200, 200)] if is_crowded else [(-2880, 0), (-200, 2880)]))
        high = low + dice.choice([1440, 2880] if is_crowded else [5, 30, 30, 60, 60, 61, 240, 700, 2880])
        wanted = dice.sample(resource_ids, min(len(resource_ids), dice.randint(1, 3)))
        wanted += [person for person in person_of if is_crowded and person not in wanted]
        claims = [
            (resource_id, low, high)
            for resource_id in wanted
            if not any(other == resource_id and low < end and start < high for other, start, end in claimed)
        ]
        claimed += claims
        status = dice.choice(["confirmed", "confirmed", "held", "held", "requested", "no_show", "cancelled"])
        status = "held" if is_crowded else status
        persons = [person_of[resource_id] for resource_id in wanted if resource_id in person_of]
        rows.append(
            Taken(
                id=number,
                place_id=dice.choice(found).id,
                start=low,
                status=status,
                ends=now + timedelta(seconds=dice.choice([-60, 0, 1, 300, 300, 600])) if status in ENDING else None,
                is_ours=dice.random() < 0.5,
                person_id=persons[0] if persons else None,
                claims=tuple(claims) if status != "cancelled" else (),
            )
        )
    return tuple(rows)


# --- facts in memory -----------------------------------------------------------------------------------------------


def facts_of(world: World) -> Facts:
    thing, first, until = world.sold, world.from_on.toordinal() - 4, world.until_on.toordinal() + 4
    zones = {place.id: ZoneInfo(place.zone) for place in world.places}

    def spec(own_minutes: int | None):
        return spec_of(
            work_minutes=thing.work,
            processing_minutes=thing.processing,
            finish_minutes=thing.finish,
            buffer_before=thing.before,
            buffer_after=thing.after,
            requirements=thing.needs,
            needs_staff=thing.needs_staff,
            add_on_minutes=thing.extra,
            own_work_minutes=own_minutes,
        )

    def opened(place_id: int, rows: tuple[Week, ...], special: dict[int, list[tuple[int, int]]]) -> Hours:
        weekly = [
            WeeklyHours(
                week.weekday,
                week.start,
                week.end,
                week.valid_from.toordinal() if week.valid_from else 0,
                week.valid_until.toordinal() if week.valid_until else 4_000_000,
                week.cycle_weeks,
                week.cycle_week,
            )
            for week in rows
            if week.location_id == place_id
        ]
        return Hours(tuple(hours_between(zones[place_id], first, until, weekly, special)))

    counted = world.counted()
    claims = [claim for booking in counted for claim in booking.claims]
    resource_ids = {claim[0] for claim in claims}
    return Facts(
        now_minute=-int(-world.now.timestamp() // 60),
        from_on=world.from_on,
        until_on=world.until_on,
        locations={
            place.id: LocationFacts(
                id=place.id,
                zone=zones[place.id],
                today=world.now.astimezone(zones[place.id]).date(),
                opening=opened(place.id, place.weeks, special_of(place.closures, place.id)),
                resources={kind: tuple(room for room, of in place.rooms if of == kind) for kind in TYPE_IDS},
            )
            for place in world.places
        },
        variants={
            VARIANT_ID: VariantFacts(
                id=VARIANT_ID,
                service_id=SERVICE_ID,
                spec=spec(None),
                price_minor=8000,
                lead_minutes=thing.lead,
                horizon_days=thing.horizon,
                slot_interval_minutes=thing.step,
                hold_minutes=10,
                service_daily_limit=thing.limit,
                is_public=True,
                location_ids=thing.place_ids,
                staff=tuple(
                    QualifiedStaff(person.id, spec(person.own_minutes), 8000)
                    for person in world.people
                    if person.is_qualified
                ),
            )
        },
        staff={
            person.id: StaffFacts(
                person.id,
                person.resource_id,
                person.limit,
                {
                    place.id: opened(place.id, person.weeks, special_of(person.exceptions, place.id))
                    for place in world.places
                },
            )
            for person in world.people
        },
        busy={
            resource_id: Busy(
                [low for resource, low, _ in claims if resource == resource_id],
                [high for resource, _, high in claims if resource == resource_id],
            )
            for resource_id in resource_ids
        },
        time_off={
            resource: tuple(normalised((low, high) for of, low, high in world.off if of == resource))
            for resource, _, _ in world.off
        },
        held=[
            HeldClaim(*claim, -int(-booking.ends.timestamp() // 60))
            for booking in counted
            if booking.status in ENDING and booking.ends
            for claim in booking.claims
        ],
        business_daily_limit=world.business_limit,
        counts=counts_of(world, zones),
    )


def special_of(days: tuple[SpecialDay, ...], place_id: int) -> dict[int, list[tuple[int, int]]]:
    special: dict[int, list[tuple[int, int]]] = {}
    for day in days:
        pairs = special.setdefault(day.on.toordinal(), [])
        if day.location_id == place_id and day.start is not None and day.end is not None:
            pairs.append((day.start, day.end))
    return special


def counts_of(world: World, zones: dict[int, ZoneInfo]) -> Counts:
    business: dict[int, int] = {}
    services: dict[tuple[int, int], int] = {}
    staff: dict[tuple[int, int], int] = {}
    for booking in world.counted():
        day = datetime.fromtimestamp(booking.start * 60, tz=zones[booking.place_id]).toordinal()
        business[day] = business.get(day, 0) + 1
        if booking.is_ours:
            services[SERVICE_ID, day] = services.get((SERVICE_ID, day), 0) + 1
        if booking.person_id is not None:
            staff[booking.person_id, day] = staff.get((booking.person_id, day), 0) + 1
    return Counts(business, services, staff)
