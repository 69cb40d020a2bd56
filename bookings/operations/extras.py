"""Extras and party size of a held visit. Its length, claims and price follow."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bookings.availability.claims import Claim, LineSpec, Phase, PlacedLine, claims_for, phases_copy
from bookings.booked import only_line, quote_of, spec_of_line
from bookings.enums import EventKind
from bookings.errors import ExtrasDoNotFit, PartyTooLarge, ServiceNotOffered, SlotNotOffered, SlotTaken
from bookings.lifecycle import Actor, record
from bookings.models import Booking, BookingLine
from bookings.operations._allocations import claim, release
from bookings.operations._lock import locked_booking, require_live_hold
from bookings.operations._time import Wish, pick
from bookings.operations._transaction import booking_transaction
from bookings.queries.offers import Offer, offer_for
from core.minutes import instant, minute_of


@booking_transaction
def change_extras(
    *, booking_id: int, add_on_ids: Sequence[int], party_size: int, actor: Actor, now: datetime
) -> Booking:
    """Replace the extras and the party size of a live hold; its length, claims and price follow.

    What was copied when the time was held stays as it was. With "anyone" the staff member may change, if only another
    one has the time.

    Locks: the booking, then the resources.

    :raises ExtrasDoNotFit: when the longer visit does not fit; nothing is changed.
    :raises HoldExpired, HoldOver, ServiceNotOffered, PartyTooLarge, SeveralServices: as their sentences say.
    """
    booking = locked_booking(booking_id)
    require_live_hold(booking, now)
    line = only_line(booking)
    add_on_ids = tuple(dict.fromkeys(add_on_ids))
    offer = offer_for(
        variant_id=line.variant_id, location_id=booking.location_id, add_on_ids=add_on_ids, language=booking.language
    )
    if offer is None:
        raise ServiceNotOffered
    if not 1 <= party_size <= offer.max_party_size:
        raise PartyTooLarge(maximum=offer.max_party_size)
    extras = _extras(line, offer, add_on_ids)
    before = _extras_seen(booking, line)
    _resize(booking, line, offer, sum(each["extra_minutes"] for each in extras), now)
    line.add_ons, booking.party_size = extras, party_size
    price = quote_of(booking, [line])
    booking.total_minor, booking.tax_minor = price.total_minor, price.tax_minor
    if (after := _extras_seen(booking, line)) == before:
        return booking
    line.save(update_fields=["phases", "ends_at", "staff_member", "add_ons"])
    booking.save(update_fields=["ends_at", "total_minor", "tax_minor", "party_size", "updated_at"])
    record(booking, EventKind.EXTRAS, actor=actor, now=now, details={"from": before, "to": after})
    return booking


def _extras(line: BookingLine, offer: Offer, add_on_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the copies of the wanted extras. Extras that were chosen before keep their copy."""
    known = {extra.id: extra.to_json() for extra in offer.extras} | {extra["id"]: extra for extra in line.add_ons}
    if not known.keys() >= set(add_on_ids):
        raise ServiceNotOffered
    return [known[add_on_id] for add_on_id in add_on_ids]


def _extras_seen(booking: Booking, line: BookingLine) -> dict[str, Any]:
    names = [extra["name"] for extra in line.add_ons]
    return {"add_ons": names, "party_size": booking.party_size, "total_minor": booking.total_minor}


def _resize(booking: Booking, line: BookingLine, offer: Offer, extra_minutes: int, now: datetime) -> None:
    """Lengthen or shorten the held time to these extras and replace its claims."""
    by = extra_minutes - sum(extra["extra_minutes"] for extra in line.add_ons)
    if not by:
        return
    old = spec_of_line(line)
    spec = replace(old, phases=(Phase(old.phases[0].kind, old.phases[0].minutes + by), *old.phases[1:]))
    held_ids = tuple(booking.allocations.values_list("resource_id", flat=True).distinct())
    if by > 0:
        claims, line.staff_member_id = _longer(booking, line, offer, spec, held_ids, now)
    else:
        claims = _shorter(line, spec, held_ids)
    release(booking)
    claim(booking, claims)
    line.phases = phases_copy(spec)
    line.ends_at = booking.ends_at = instant(minute_of(booking.starts_at) + spec.duration_minutes)


def _longer(
    booking: Booking, line: BookingLine, offer: Offer, spec: LineSpec, held_ids: tuple[int, ...], now: datetime
) -> tuple[Sequence[Claim], int | None]:
    wish = Wish(
        variant_id=line.variant_id,
        location_id=booking.location_id,
        zone=offer.zone,
        start_minute=minute_of(booking.starts_at),
        staff_member_id=None if booking.is_any_staff else line.staff_member_id,
        resource_type_ids=tuple(type_id for type_id, _ in spec.requirements),
        qualified_count=offer.qualified_count,
        preferred_staff_id=line.staff_member_id,
        ignore_booking_id=booking.pk,
        held_resource_ids=held_ids,
        promised=spec,
    )
    try:
        # The notice was checked when the time was picked; it must not run out while the customer chooses extras.
        candidate = pick(wish, now=now, facts_at=booking.created_at)
    except (SlotTaken, SlotNotOffered) as refusal:
        raise ExtrasDoNotFit from refusal
    return candidate.claims, candidate.staff_member_id


def _shorter(line: BookingLine, spec: LineSpec, held_ids: tuple[int, ...]) -> Sequence[Claim]:
    """Return the claims of a shorter visit. They lie within what the booking has, so nothing has to be picked."""
    person_id = line.staff_member.resource_id if line.staff_member else None
    others = tuple(each for each in held_ids if each != person_id)
    return claims_for([PlacedLine(spec, minute_of(line.starts_at), person_id, others)])
