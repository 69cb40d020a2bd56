"""Rules that staff set aside: how few are needed, and what is never set aside."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.availability.engine import candidates, free_starts, why_not
from bookings.availability.overrides import BUFFERS, NO_OVERRIDES, RELAXABLE, overrides_needed
from tests.oracle import World
from tests.worlds import VARIANT_ID, facts_of, worlds

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def some_starts(world: World) -> list[int]:
    """Starts on and off the grid, around now and around what is taken."""
    now = int(world.now.timestamp()) // 60
    taken = [edge for booking in world.bookings for _, low, high in booking.claims for edge in (low, high)]
    return [edge + delta for edge in (now, *taken[:4]) for delta in (-61, 0, 7, 600)]


@settings(slow, max_examples=60)
@given(worlds(), st.sampled_from([None, 1, 2]))
def test_the_rules_named_are_enough_and_each_is_needed(world: World, person_id: int | None) -> None:
    facts = facts_of(world)
    for place_id in world.sold.place_ids:
        for start in some_starts(world):
            needed = overrides_needed(facts, VARIANT_ID, place_id, start, staff_member_id=person_id)
            if needed is None:
                assert not found(facts, place_id, start, person_id, RELAXABLE)
                continue
            assert found(facts, place_id, start, person_id, needed)
            assert (needed == NO_OVERRIDES) is bool(found(facts, place_id, start, person_id, NO_OVERRIDES))
            for rule in needed:
                assert not found(facts, place_id, start, person_id, needed - {rule})


@settings(slow, max_examples=60)
@given(worlds(), st.frozensets(st.sampled_from(sorted(RELAXABLE))))
def test_no_override_takes_what_is_taken_or_begins_in_the_past(world: World, overrides: frozenset[str]) -> None:
    facts = facts_of(world)
    claims = [claim for booking in world.counted() for claim in booking.claims]
    for place_id in world.sold.place_ids:
        for start in some_starts(world):
            for candidate in found(facts, place_id, start, None, overrides):
                assert start * 60 >= world.now.timestamp()
                assert not any(
                    mine.resource_id == resource and mine.low_minute < high and low < mine.high_minute
                    for mine in candidate.claims
                    for resource, low, high in claims
                )


@settings(slow, max_examples=25)
@given(worlds())
def test_rules_set_aside_at_one_start_leave_the_offered_times_alone(world: World) -> None:
    facts = facts_of(world)
    before = free_starts(facts_of(world), VARIANT_ID)
    for place_id in world.sold.place_ids:
        for start in some_starts(world)[:4]:
            found(facts, place_id, start, None, RELAXABLE)

    assert free_starts(facts, VARIANT_ID) == before


@pytest.mark.parametrize("rule", ["staff_free", "resources_free", "resources_exist", "qualified"])
@settings(slow, max_examples=1)
@given(world=worlds())
def test_what_is_never_set_aside_is_refused(world: World, rule: str) -> None:
    place_id = world.sold.place_ids[0]

    with pytest.raises(ValueError, match="never set aside"):
        candidates(facts_of(world), VARIANT_ID, place_id, 0, overrides=frozenset({rule}))


def found(facts, place_id: int, start: int, person_id: int | None, overrides: frozenset[str]):
    ways = candidates(facts, VARIANT_ID, place_id, start, staff_member_id=person_id, overrides=overrides)
    findings = why_not(facts, VARIANT_ID, place_id, start, staff_member_id=person_id, overrides=overrides)
    assert all(finding.ok for finding in findings) is bool(ways)
    assert all(BUFFERS not in overrides or not way.spec.buffer_before + way.spec.buffer_after for way in ways)
    return ways
