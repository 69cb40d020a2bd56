"""How operations take time: lock, read the facts again under the locks, choose, end expired holds, write.

Lock order everywhere: booking rows, then the owners of daily limits, then resource rows by id, then the bill. Functions
here run inside the operation's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from bookings.availability.claims import LineSpec
from bookings.availability.engine import Candidate, candidates, why_not
from bookings.availability.facts import Facts
from bookings.availability.loading import availability_facts
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.errors import SlotNotOffered, SlotTaken
from bookings.operations._expiring import end_owners
from bookings.operations._transaction import Overtaken

# With "any" and at most this many qualified staff members, all of them are locked at once and the facts are read once.
FEW_PEOPLE = 16
# With more, only this many of the best ranked are locked.
BEST_RANKED = 8
# When one of these rules refuses a start, another booking has the time.
TAKEN = frozenset({"resources_free", "staff_free"})


@dataclass(frozen=True, slots=True)
class Wish:
    """A start that a customer or a staff member asks for.

    ``staff_member_id`` None means any staff member, or none for a court. ``preferred_staff_id`` comes first among them
    if free. ``ignore_booking_id`` is the booking that this wish replaces: its own claims do not count;
    ``held_resource_ids`` are the resources it claims now. Of the free rooms and devices
    ``preferred_resource_ids`` are taken first. ``promised`` is what was agreed before and stays the same in
    a move; without it the catalogue counts. ``overrides`` are the rules that staff set aside
    (``availability.overrides``). With BUFFERS among them the candidate's spec has no buffers, and the caller copies
    that spec to the line.
    """

    variant_id: int
    location_id: int
    zone: ZoneInfo
    start_minute: int
    staff_member_id: int | None
    resource_type_ids: tuple[int, ...]
    qualified_count: int
    add_on_ids: tuple[int, ...] = ()
    preferred_staff_id: int | None = None
    ignore_booking_id: int | None = None
    held_resource_ids: tuple[int, ...] = ()
    preferred_resource_ids: tuple[int, ...] = ()
    promised: LineSpec | None = None
    overrides: Overrides = NO_OVERRIDES


def pick(wish: Wish, *, now: datetime, facts_at: datetime | None = None) -> Candidate:
    """Lock every resource that may be chosen, then return the best candidate by facts read under those locks.

    Ends expired holds that are in the way. ``facts_at`` is the moment that notice and horizon are measured from, if it
    is not ``now``.

    :raises SlotTaken: when other bookings have the time.
    :raises SlotNotOffered: when a rule forbids the start.
    """
    facts_at = facts_at or now
    locked = _lock(_wanted_ids(wish, facts_at), wish)
    facts = _facts(wish, facts_at)
    found = _candidates(facts, wish)
    if not found:
        raise _refusal(facts, wish)
    for candidate in found:
        if locked.issuperset(claim.resource_id for claim in candidate.claims) and _is_cleared(candidate, wish, now):
            return candidate
    # Other transactions took the locked resources, but others seem free: start again with new facts.
    raise Overtaken


def _wanted_ids(wish: Wish, facts_at: datetime) -> Sequence[int] | None:
    """Return the staff resources to lock if staff must be ranked first; None to lock all qualified staff members."""
    if wish.staff_member_id is not None or wish.qualified_count <= FEW_PEOPLE:
        return None
    best = _candidates(_facts(wish, facts_at), wish)[:BEST_RANKED]
    return [claim.resource_id for candidate in best for claim in candidate.claims]


# Values come through a materialized row, here and below. With plain parameters their size would change the estimate,
# and PostgreSQL would plan the statement anew each time, which takes longer than running it.
_LOCK = """
WITH asked AS MATERIALIZED (
    SELECT %s::bigint[] AS ids, %s::bigint AS variant_id, %s::boolean AS is_anyone, %s::bigint AS staff_member_id,
        %s::bigint AS location_id, %s::bigint[] AS type_ids
)
SELECT r.id FROM services_resource r
WHERE r.id IN (
    SELECT unnest(ids) FROM asked
    UNION ALL
    SELECT m.resource_id FROM asked
    JOIN staff_qualification q ON q.variant_id = asked.variant_id
    JOIN staff_staffmember m ON m.id = q.staff_member_id AND (asked.is_anyone OR m.id = asked.staff_member_id)
    UNION ALL
    SELECT x.id FROM asked
    JOIN services_resource x ON x.location_id = asked.location_id AND x.resource_type_id = ANY(asked.type_ids)
)
ORDER BY r.id
FOR NO KEY UPDATE OF r
"""


def _lock(ids: Sequence[int] | None, wish: Wish) -> set[int]:
    """Lock resources by id: rooms and devices of the needed types, and staff (``ids``, or all who qualify).

    NO KEY: a plain FOR UPDATE would also block every insert that refers to the row.
    """
    is_anyone = wish.staff_member_id is None and ids is None
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK,
            [
                [*(ids or ()), *wish.held_resource_ids],
                wish.variant_id,
                is_anyone,
                wish.staff_member_id,
                wish.location_id,
                list(wish.resource_type_ids),
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def _facts(wish: Wish, facts_at: datetime) -> Facts:
    on = datetime.fromtimestamp(wish.start_minute * 60, wish.zone).date()
    return availability_facts(
        variant_ids=[wish.variant_id],
        from_on=on,
        until_on=on + timedelta(days=1),
        now=facts_at,
        location_ids=[wish.location_id],
        staff_member_id=wish.staff_member_id,
        add_on_ids=wish.add_on_ids,
        ignore_booking_id=wish.ignore_booking_id,
        promised=wish.promised,
    )


def _candidates(facts: Facts, wish: Wish) -> list[Candidate]:
    found = candidates(
        facts,
        wish.variant_id,
        wish.location_id,
        wish.start_minute,
        staff_member_id=wish.staff_member_id,
        overrides=wish.overrides,
        preferred_resource_ids=wish.preferred_resource_ids,
    )
    if wish.preferred_staff_id is not None:
        found = sorted(found, key=lambda each: each.staff_member_id != wish.preferred_staff_id)
    return found


def _refusal(facts: Facts, wish: Wish) -> SlotTaken | SlotNotOffered:
    for finding in why_not(
        facts,
        wish.variant_id,
        wish.location_id,
        wish.start_minute,
        staff_member_id=wish.staff_member_id,
        overrides=wish.overrides,
    ):
        if not finding.ok:
            return SlotTaken() if finding.rule in TAKEN else SlotNotOffered(rule=finding.rule)
    return SlotTaken()


_IN_THE_WAY = """
WITH asked AS MATERIALIZED (
    SELECT %s::bigint[] AS resource_ids, %s::int[] AS lows, %s::int[] AS highs, %s::bigint AS ignored
)
SELECT DISTINCT a.booking_id, a.move_proposal_id
FROM asked
CROSS JOIN LATERAL unnest(resource_ids, lows, highs) wanted (resource_id, low, high)
JOIN bookings_allocation a ON a.resource_id = wanted.resource_id
    AND a.low_minute < wanted.high AND a.low_minute >= wanted.low - 2880 AND a.high_minute > wanted.low
WHERE a.booking_id IS NULL OR a.booking_id IS DISTINCT FROM asked.ignored
"""


def _is_cleared(candidate: Candidate, wish: Wish, now: datetime) -> bool:
    """End the expired holds in the way of ``candidate``.

    Returns False when one of them cannot be ended, for example because another transaction has locked it: then the time
    is taken.
    """
    claims = candidate.claims
    with connection.cursor() as cursor:
        cursor.execute(
            _IN_THE_WAY,
            [
                [each.resource_id for each in claims],
                [each.low_minute for each in claims],
                [each.high_minute for each in claims],
                wish.ignore_booking_id,
            ],
        )
        owners = cursor.fetchall()
    return not owners or end_owners(
        {booking for booking, _ in owners if booking}, {proposal for _, proposal in owners if proposal}, now
    )
