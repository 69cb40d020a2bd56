"""When the people of the walk-in queue are expected: the rule against the oracle, and cases with names."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bookings.availability.claims import PlacedLine, claims_for, spec_of
from bookings.availability.engine import free_starts
from bookings.availability.facts import (
    Busy,
    Facts,
    Hours,
    LocationFacts,
    QualifiedStaff,
    StaffFacts,
    VariantFacts,
)
from bookings.availability.queue import QueueWish, Turn, expected_turns, without_notice
from tests.oracle import Oracle, Place, Taken, World
from tests.worlds import VARIANT_ID, facts_of, worlds

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
queues = st.lists(st.sampled_from([None, None, 1, 2]), min_size=1, max_size=5)
HERE = 1


def turns_in(world: World, people: list[int | None]) -> list[Turn | None]:
    return expected_turns(facts_of(world), HERE, [QueueWish(VARIANT_ID, each) for each in people])


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(slow, max_examples=80)
@given(worlds(), queues)
def test_everybody_is_expected_when_the_engine_offers_a_start_and_nobody_before_those_ahead(
    world: World, people: list[int | None]
) -> None:
    facts = without_notice(facts_of(world))
    turns = turns_in(world, people)

    event(f"expected: {sum(turn is not None for turn in turns)} of {len(turns)}")
    for person_id, turn in zip(people, turns, strict=True):
        if turn is not None:
            assert turn.start_minute in free_starts(facts, VARIANT_ID, staff_member_id=person_id)[HERE]
            assert turn.staff_member_id in (person_id, None) or person_id is None
    for person_id in set(people):
        own = [turn for each, turn in zip(people, turns, strict=True) if each == person_id]
        for ahead, behind in pairwise(own):
            assert behind is None or (ahead is not None and ahead.start_minute <= behind.start_minute)


@settings(slow, max_examples=80)
@given(worlds().filter(lambda world: not world.sold.needs), queues)
def test_each_gets_the_earliest_start_that_is_free_once_those_ahead_are_booked(
    world: World, people: list[int | None]
) -> None:
    """The oracle sees those ahead as bookings, and answers minute by minute."""
    world = replace(world, sold=replace(world.sold, lead=0))
    place = world.places[0]
    facts = facts_of(world)

    for person_id, turn in zip(people, turns_in(world, people), strict=True):
        starts = Oracle(world, person_id).starts(place)
        assert (turn.start_minute if turn else None) == (starts[0] if starts else None)
        if turn is not None:
            world = replace(world, bookings=(*world.bookings, booked(world, facts, place, turn)))


def booked(world: World, facts: Facts, place: Place, turn: Turn) -> Taken:
    variant = facts.variants[VARIANT_ID]
    [spec] = [each.spec for each in variant.staff if each.staff_member_id == turn.staff_member_id] or [variant.spec]
    resource_id = facts.staff[turn.staff_member_id].resource_id if turn.staff_member_id else None
    line = PlacedLine(spec, turn.start_minute, resource_id, ())
    claims = tuple((claim.resource_id, claim.low_minute, claim.high_minute) for claim in claims_for([line]))
    return Taken(
        id=1000 + len(world.bookings),
        place_id=place.id,
        start=turn.start_minute,
        status="confirmed",
        ends=None,
        is_ours=True,
        person_id=turn.staff_member_id,
        claims=claims,
    )


# --- cases ------------------------------------------------------------------------------------------------------------

DAY = date(2027, 1, 4)
MIDNIGHT = int(datetime(2027, 1, 4, tzinfo=UTC).timestamp()) // 60
ANA, MAREK = 1, 2
MASSAGE, FACIAL = 1, 2


def studio(
    *, now: int = 600, until: int = 1080, lead: int = 0, room_ids: tuple[int, ...] = (), **values: object
) -> Facts:
    """Ana and Marek massage for an hour, Marek alone gives facials of half an hour. Minutes are those of the day."""
    opening = Hours(((MIDNIGHT + 540, MIDNIGHT + until),))

    def variant(number: int, minutes: int, staff_ids: tuple[int, ...]) -> VariantFacts:
        spec = spec_of(work_minutes=minutes, requirements=[(1, 1)] if room_ids else [])
        return VariantFacts(
            id=number,
            service_id=number,
            spec=spec,
            price_minor=8000,
            lead_minutes=lead,
            horizon_days=60,
            slot_interval_minutes=15,
            hold_minutes=10,
            service_daily_limit=None,
            is_public=True,
            location_ids=(HERE,),
            staff=tuple(QualifiedStaff(each, spec, 8000) for each in staff_ids),
        )

    facts = Facts(
        now_minute=MIDNIGHT + now,
        from_on=DAY,
        until_on=date(2027, 1, 5),
        locations={HERE: LocationFacts(HERE, ZoneInfo("UTC"), DAY, opening, {1: room_ids})},
        variants={MASSAGE: variant(MASSAGE, 60, (ANA, MAREK)), FACIAL: variant(FACIAL, 30, (MAREK,))},
        staff={each: StaffFacts(each, 100 + each, None, {HERE: opening}) for each in (ANA, MAREK)},
        busy={},
        time_off={},
    )
    return replace(facts, **values)  # type: ignore[arg-type]


def clocks(facts: Facts, *wishes: tuple[int, int | None]) -> list[tuple[str, int | None] | None]:
    turns = expected_turns(facts, HERE, [QueueWish(*wish) for wish in wishes])
    return [turn and (_clock(turn.start_minute - MIDNIGHT), turn.staff_member_id) for turn in turns]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def test_two_are_seen_at_once_by_two_people_and_the_third_waits() -> None:
    found = clocks(studio(), (MASSAGE, None), (MASSAGE, None), (MASSAGE, None))

    assert [each and each[0] for each in found] == ["10:00", "10:00", "11:00"]
    assert {each[1] for each in found[:2] if each} == {ANA, MAREK}


def test_a_start_lies_on_the_grid_and_needs_no_notice() -> None:
    assert clocks(studio(now=602, lead=1440), (MASSAGE, ANA)) == [("10:15", ANA)]


def test_whoever_takes_anyone_leaves_the_one_free_whom_somebody_behind_asks_for() -> None:
    for asked in (ANA, MAREK):
        other = MAREK if asked is ANA else ANA
        assert clocks(studio(), (MASSAGE, None), (MASSAGE, asked)) == [("10:00", other), ("10:00", asked)]


def test_another_service_takes_the_same_person_and_the_same_room() -> None:
    assert clocks(studio(), (MASSAGE, MAREK), (FACIAL, None)) == [("10:00", MAREK), ("11:00", MAREK)]
    one_room = studio(room_ids=(200,))
    assert clocks(one_room, (MASSAGE, ANA), (FACIAL, None)) == [("10:00", ANA), ("11:00", MAREK)]


def test_a_gap_is_given_to_the_first_whom_it_fits() -> None:
    busy = {102: Busy([MIDNIGHT + 630], [MIDNIGHT + 720])}

    assert clocks(studio(busy=busy), (MASSAGE, MAREK), (FACIAL, None)) == [("12:00", MAREK), ("10:00", MAREK)]


@pytest.mark.parametrize("until", [540, 630])
def test_nothing_is_expected_when_today_has_no_time_left(until: int) -> None:
    assert clocks(studio(until=max(until, 541)), (MASSAGE, ANA), (MASSAGE, None)) == [None, None]


def test_a_full_day_is_full_for_everybody_behind_with_the_same_wish_alone() -> None:
    facts = studio(now=1020)

    assert clocks(facts, (MASSAGE, ANA), (MASSAGE, ANA), (FACIAL, None), (MASSAGE, ANA)) == [
        ("17:00", ANA),
        None,
        ("17:00", MAREK),
        None,
    ]


def test_those_ahead_count_against_daily_limits() -> None:
    facts = studio()
    limited = replace(facts, business_daily_limit=1)
    own_limit = replace(facts, staff={**facts.staff, ANA: replace(facts.staff[ANA], daily_limit=1)})
    massage = replace(facts.variants[MASSAGE], service_daily_limit=1)
    of_service = replace(facts, variants={**facts.variants, MASSAGE: massage})

    assert clocks(limited, (MASSAGE, ANA), (FACIAL, None)) == [("10:00", ANA), None]
    assert clocks(own_limit, (MASSAGE, ANA), (MASSAGE, ANA)) == [("10:00", ANA), None]
    assert clocks(of_service, (MASSAGE, ANA), (MASSAGE, None), (FACIAL, None)) == [
        ("10:00", ANA),
        None,
        ("10:00", MAREK),
    ]


def test_a_service_that_is_not_sold_here_is_never_expected() -> None:
    assert clocks(studio(), (99, None), (MASSAGE, ANA)) == [None, ("10:00", ANA)]
