"""Rules of availability that staff may set aside for one start. Pure.

``Overrides`` are names of the engine's rules. They travel from the page in ``hold_slot`` or a ``Wish`` to the engine,
which then answers as if these rules allowed every start. So the page offers exactly what the operation accepts. The
history of the booking keeps the reason.

Some facts can never be set aside: the service is offered there, the staff member is qualified, rooms and devices exist,
no other booking claims the time of a staff member, room or device, and the start is not past. The exclusion constraint
also guards claims.
"""

from bookings.availability.engine import BUFFERS, RELAXABLE, Overrides, candidates, why_not
from bookings.availability.facts import Facts

__all__ = ["BUFFERS", "NO_OVERRIDES", "OF_THE_START", "RELAXABLE", "Overrides", "overrides_needed"]

NO_OVERRIDES: Overrides = frozenset()
# Rules on when a visit begins and how many there are that day. They do not bind a booking that stays where it is.
OF_THE_START: Overrides = frozenset({"grid", "notice", "horizon", "business_limit", "service_limit", "staff_limit"})


def overrides_needed(
    facts: Facts, variant_id: int, location_id: int, start_minute: int, *, staff_member_id: int | None = None
) -> Overrides | None:
    """Return the fewest rules that have to be set aside for this start: none when it is offered as it is.

    Without a staff member, the rules of the one who needs the fewest. None when no override makes the start possible.

    With ``BUFFERS`` the time before and after the visit is neither needed nor claimed, and the candidate's spec has
    none.
    """
    variant = facts.variants.get(variant_id)
    if variant is None:
        return None
    people: list[int | None] = [staff_member_id]
    if staff_member_id is None and variant.spec.needs_staff:
        people = list(variant.staff_ids)
    found = [
        needed
        for person in people
        for kept in (NO_OVERRIDES, frozenset({BUFFERS}))
        if (needed := _needed(facts, variant_id, location_id, start_minute, person, kept)) is not None
    ]
    # A visit that fits without its buffers is not outside working hours.
    return min(found, key=lambda needed: (len(needed), BUFFERS not in needed), default=None)


def _needed(
    facts: Facts, variant_id: int, location_id: int, start_minute: int, person: int | None, kept: Overrides
) -> Overrides | None:
    findings = why_not(facts, variant_id, location_id, start_minute, staff_member_id=person, overrides=kept)
    needed = kept | {finding.rule for finding in findings if not finding.ok}
    if not needed <= RELAXABLE:
        return None
    ways = candidates(facts, variant_id, location_id, start_minute, staff_member_id=person, overrides=needed)
    return needed if ways else None
