"""When each person of the walk-in queue can be seen today. Pure: the answers come from the engine.

In the order of coming, each person takes the earliest start that the engine offers; the next person gets what is still
free after that. Walk-ins need no notice. See docs/algorithms/walk-ins.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from bookings.availability.engine import Candidate, candidates, free_starts
from bookings.availability.facts import Busy, Counts, Facts
from staff.hours import day_of

Key = TypeVar("Key")


class QueueWish(NamedTuple):
    """What a person in the queue wants. ``staff_member_id`` None means any staff member."""

    variant_id: int
    staff_member_id: int | None = None


class Turn(NamedTuple):
    """The expected start as an epoch minute, and the staff member (None for a service without staff)."""

    start_minute: int
    staff_member_id: int | None


def expected_turns(facts: Facts, location_id: int, wishes: Sequence[QueueWish]) -> list[Turn | None]:
    """Return the expected turn of each person, in the order of the queue; None where no start of these days is left.

    Of the staff members who are free at that start, one comes first for whom no later person waits, then the fairest.
    """
    left = without_notice(facts)
    full: set[QueueWish] = set()
    turns: list[Turn | None] = []
    for position, wish in enumerate(wishes):
        # Each turn takes time and gives none back, so a wish that finds no start will find none later.
        taken = None if wish in full else _earliest(left, location_id, wish, wishes[position + 1 :])
        if taken is None:
            full.add(wish)
            turns.append(None)
            continue
        turns.append(Turn(taken.line.start_minute, taken.staff_member_id))
        left = _without(left, location_id, wish.variant_id, taken)
    return turns


def without_notice(facts: Facts) -> Facts:
    """Return the facts as they are for a customer who is here already."""
    variants = {each.id: replace(each, lead_minutes=0) for each in facts.variants.values()}
    return replace(facts, variants=variants, answers={})


def _earliest(facts: Facts, location_id: int, wish: QueueWish, behind: Sequence[QueueWish]) -> Candidate | None:
    starts = free_starts(facts, wish.variant_id, staff_member_id=wish.staff_member_id).get(location_id)
    if not starts:
        return None
    ways = candidates(facts, wish.variant_id, location_id, starts[0], staff_member_id=wish.staff_member_id)
    wanted = {each.staff_member_id for each in behind}
    return min(ways, key=lambda way: way.staff_member_id in wanted)


def _without(facts: Facts, location_id: int, variant_id: int, taken: Candidate) -> Facts:
    """Return the facts as if the candidate were booked: its claims are busy, and daily limits count it."""
    busy = dict(facts.busy)
    for claim in taken.claims:
        lows, highs = busy.get(claim.resource_id, Busy((), ()))
        busy[claim.resource_id] = Busy([*lows, claim.low_minute], [*highs, claim.high_minute])
    day = day_of(facts.locations[location_id].zone, taken.line.start_minute)
    counts = Counts(
        business=_one_more(facts.counts.business, day),
        services=_one_more(facts.counts.services, (facts.variants[variant_id].service_id, day)),
        staff=facts.counts.staff
        if taken.staff_member_id is None
        else _one_more(facts.counts.staff, (taken.staff_member_id, day)),
    )
    return replace(facts, busy=busy, counts=counts, answers={})


def _one_more(counts: Mapping[Key, int], key: Key) -> dict[Key, int]:
    return {**counts, key: counts.get(key, 0) + 1}
