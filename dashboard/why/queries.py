"""What the engine says about one time, and the claims that stand in its way. It only reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bookings.availability.claims import LineSpec
from bookings.availability.engine import BUFFERS, Finding, candidates, free_starts, why_not
from bookings.availability.facts import Facts, LocationFacts, VariantFacts
from bookings.availability.loading import availability_facts
from bookings.models import Allocation, Booking
from core.intervals import Intervals
from core.minutes import instant
from dashboard.permissions import Rights, bookings_visible_to
from dashboard.phone_booking.queries import Offered, Person, Variant
from services.models import Location, Resource
from staff.queries import people_at

_DAYS_BEFORE, _DAYS_AFTER = timedelta(days=3), timedelta(days=15)
_NEAREST = 4
# No claim is longer, so none that begins earlier reaches into the visit.
_LONGEST_CLAIM = 2880


@dataclass(frozen=True, slots=True)
class Asked:
    """The time that is asked about. ``person`` None means any staff member, or none for a court."""

    place: Location
    service: Offered
    variant: Variant
    person: Person | None
    start: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.place.time_zone)

    @property
    def starts_at(self) -> datetime:
        return instant(self.start).astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question with the facts that answer it."""

    asked: Asked
    facts: Facts

    @property
    def variant(self) -> VariantFacts | None:
        return self.facts.variants.get(self.asked.variant.id)

    @property
    def location(self) -> LocationFacts:
        return self.facts.locations[self.asked.place.pk]

    @property
    def needs_staff(self) -> bool:
        return self.variant is not None and self.variant.spec.needs_staff

    def findings(self, person_id: int | None) -> list[Finding]:
        return why_not(self.facts, *self._time, staff_member_id=person_id)

    def fits_without_buffers(self, person_id: int | None) -> bool:
        """Whether no other booking has the time of the visit itself."""
        found = why_not(self.facts, *self._time, staff_member_id=person_id, overrides=frozenset({BUFFERS}))
        return all(finding.ok for finding in found if finding.rule in {"staff_free", "resources_free"})

    def spec(self, person_id: int | None) -> LineSpec | None:
        """Return the lengths that count for this person."""
        if self.variant is None:
            return None
        own = [each.spec for each in self.variant.staff if each.staff_member_id == person_id]
        return own[0] if own else self.variant.spec

    def nearest(self) -> list[tuple[int, int | None]]:
        """Return the nearest other free starts, with the same person first, and who can do each."""
        variant_id, place_id, start = self._time
        person_id = self.asked.person.id if self.asked.person else None
        found: dict[int, int | None] = {}
        for wished, most in ((person_id, _NEAREST // 2 if person_id else _NEAREST), (None, _NEAREST)):
            free = free_starts(self.facts, variant_id, staff_member_id=wished).get(place_id, [])
            others = set(free) - found.keys() - ({start} if wished == person_id else set())
            for minute in sorted(others, key=lambda each: abs(each - start))[: most - len(found)]:
                ways = candidates(self.facts, variant_id, place_id, minute, staff_member_id=wished)
                found[minute] = ways[0].staff_member_id
        return sorted(found.items())

    @property
    def _time(self) -> tuple[int, int, int]:
        return self.asked.variant.id, self.asked.place.pk, self.asked.start


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A claim in the way. ``booking`` is None when the user may not see it, or when it is only held."""

    resource_id: int
    low: int
    high: int
    booking: Booking | None


def staff_at(place: Location) -> list[Person]:
    """Return the active staff members of a place in the order of the business. One query."""
    people = people_at(place.pk).filter(is_active=True).order_by("position", "name")
    return [Person(each.pk, each.slug, each.text("short_name")) for each in people]


def inquiry(asked: Asked, now: datetime) -> Inquiry:
    """Load the facts of the day and of those near it. Five queries at most."""
    on, today = asked.starts_at.date(), now.astimezone(asked.zone).date()
    facts = availability_facts(
        variant_ids=[asked.variant.id],
        from_on=max(today, on - _DAYS_BEFORE),
        until_on=on + _DAYS_AFTER,
        now=now,
        location_ids=[asked.place.pk],
    )
    return Inquiry(asked, facts)


def rooms_of(inquired: Inquiry) -> dict[int, str]:
    """Return the names of the rooms and devices that could serve, by id. One query."""
    types = [type_id for type_id, _ in inquired.variant.spec.requirements] if inquired.variant else []
    ids = [pk for type_id in types for pk in inquired.location.resources.get(type_id, ())]
    return dict(Resource.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def obstacles(rights: Rights, inquired: Inquiry, resource_ids: Iterable[int], spans: Intervals) -> list[Obstacle]:
    """Return the claims of these resources that meet the visit, as the engine counts them. Two queries."""
    start, ids = inquired.asked.start, list(resource_ids)
    if not spans or not ids:
        return []
    claims = Allocation.objects.filter(
        resource_id__in=ids,
        low_minute__lt=start + spans[-1][1],
        low_minute__gte=start + spans[0][0] - _LONGEST_CLAIM,
        high_minute__gt=start + spans[0][0],
    ).order_by("low_minute", "pk")
    met = [
        claim
        for claim in claims
        if _counts(inquired.facts, claim)
        and any(claim.low_minute < start + end and claim.high_minute > start + begin for begin, end in spans)
    ]
    visible = bookings_visible_to(rights).in_bulk([claim.booking_id for claim in met if claim.booking_id])
    return [
        Obstacle(claim.resource_id, claim.low_minute, claim.high_minute, visible.get(claim.booking_id or 0))
        for claim in met
    ]


def _counts(facts: Facts, claim: Allocation) -> bool:
    """Whether the engine counts a claim: those of expired holds are over."""
    busy = facts.busy.get(claim.resource_id)
    claimed = zip(busy.lows, busy.highs, strict=True) if busy else ()
    return (claim.low_minute, claim.high_minute) in set(claimed)
