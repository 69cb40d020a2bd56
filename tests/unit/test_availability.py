"""The engine against the oracle: thousands of small worlds, every start of every asked day."""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bookings.availability.engine import Candidate, candidates, day_marks, free_starts, why_not
from bookings.availability.facts import Facts
from tests.oracle import Oracle, Place, Way, World
from tests.worlds import VARIANT_ID, facts_of, worlds

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(slow, max_examples=400)
@given(worlds(), st.sampled_from([None, None, 1, 2]))
def test_engine_offers_what_the_oracle_finds(world: World, person_id: int | None):
    assert_same(facts_of(world), world, person_id)


@pytest.mark.load
@pytest.mark.timeout(1800)
@settings(slow, max_examples=10_000)
@given(worlds(), st.sampled_from([None, None, 1, 2]))
def test_engine_offers_what_the_oracle_finds_in_many_worlds(world: World, person_id: int | None):
    assert_same(facts_of(world), world, person_id)


def assert_same(facts: Facts, world: World, person_id: int | None) -> None:
    oracle = Oracle(world, person_id)
    offered = [place for place in world.places if place.id in world.sold.place_ids]
    expected = {place.id: oracle.starts(place) for place in offered}
    note(f"expected {expected}")

    assert free_starts(facts, VARIANT_ID, staff_member_id=person_id) == expected
    marks = day_marks(facts, VARIANT_ID, staff_member_id=person_id)
    assert set(marks) == set(expected)
    for place in offered:
        for mark in marks[place.id]:
            assert (mark.state, mark.free_count) == oracle.mark(place, mark.on)
            expected_end = oracle.may_free(place, mark.on) if mark.state == "full" else None
            assert mark.may_free_at_minute == expected_end
        for start in some_minutes(world, expected[place.id]):
            assert_same_at(facts, oracle, place, start)


def some_minutes(world: World, starts: list[int]) -> set[int]:
    """The first and last start, their neighbours on and off the grid, and minutes about which nobody asked."""
    step = world.sold.step
    edges = {*starts[:2], *starts[-2:]} or {int(world.now.timestamp()) // 60}
    return {edge + delta for edge in edges for delta in (-step, -1, 0, 1, step, 5000)}


def assert_same_at(facts: Facts, oracle: Oracle, place: Place, start: int) -> None:
    found = candidates(facts, VARIANT_ID, place.id, start, staff_member_id=oracle.person_id)
    findings = why_not(facts, VARIANT_ID, place.id, start, staff_member_id=oracle.person_id)

    people = oracle.people_at(place, start)
    assert sorted(candidate.staff_member_id or 0 for candidate in found) == sorted(person or 0 for person in people)
    assert all(finding.ok for finding in findings) is bool(people)
    for candidate in found:
        assert_takes_what_is_free(candidate, oracle, place, start)


def assert_takes_what_is_free(candidate: Candidate, oracle: Oracle, place: Place, start: int) -> None:
    (way,) = [w for w in oracle.ways() if (w.person.id if w.person else None) == candidate.staff_member_id]
    claimed = {
        resource_id: sorted(
            minute for claim in candidate.claims if claim[0] == resource_id for minute in range(*claim[1:])
        )
        for resource_id in {claim.resource_id for claim in candidate.claims}
    }
    expected = {
        room: [start + minute for minute in way.all_minutes] for room in chosen_rooms(oracle, place, way, start)
    }
    if way.person:
        expected[way.person.resource_id] = [start + minute for minute in way.staff_minutes]
    assert claimed == expected


def chosen_rooms(oracle: Oracle, place: Place, way: Way, start: int) -> list[int]:
    """The lowest ids of each kind, so that the others stay whole for who needs several."""
    return [
        room
        for kind, count in oracle.world.sold.needs
        for room in sorted(oracle.rooms_at(place, way, start, kind))[:count]
    ]
