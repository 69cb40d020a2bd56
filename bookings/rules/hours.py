"""Which bookings a change of hours leaves outside them. Pure. Minutes are whole minutes since the Unix epoch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from core.intervals import Interval, Intervals, contains, difference

# When a resource may be used at a location, by the ids of both.
Hours = Mapping[tuple[int, int], Intervals]


class Claim(NamedTuple):
    """Time of a resource that a booking claims at its location."""

    booking_id: int
    resource_id: int
    location_id: int
    low: int
    high: int

    @property
    def key(self) -> tuple[int, int]:
        return self.resource_id, self.location_id

    @property
    def span(self) -> Interval:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class HoursEffect:
    """Ids of the bookings that a change puts outside the hours (``hit``) or back inside them (``freed``)."""

    hit: frozenset[int]
    freed: frozenset[int]


def effect_of(claims: Iterable[Claim], before: Hours, after: Hours) -> HoursEffect:
    """Compare the hours before and after a change.

    A booking is hit if any minute of it was inside the hours and is no longer. So a booking that was outside already is
    hit again only by a change that takes more of it. It is freed if a part was outside and now all of it is inside.
    """
    hit, was_outside, is_outside = set(), set(), set()
    for claim in claims:
        lost_before = difference([claim.span], before.get(claim.key, []))
        lost = difference([claim.span], after.get(claim.key, []))
        if difference(lost, lost_before):
            hit.add(claim.booking_id)
        if lost_before:
            was_outside.add(claim.booking_id)
        if lost:
            is_outside.add(claim.booking_id)
    return HoursEffect(frozenset(hit), frozenset(was_outside - is_outside))


def outside(claims: Iterable[Claim], hours: Hours) -> set[int]:
    """Return the ids of the bookings with any time outside the hours."""
    return {claim.booking_id for claim in claims if not contains(hours.get(claim.key, []), claim.span)}
