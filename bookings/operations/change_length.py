"""Changing the length of a booked visit: to another variant of its service, or to minutes that staff choose."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bookings.availability.claims import phases_copy
from bookings.availability.engine import Candidate
from bookings.availability.overrides import NO_OVERRIDES, OF_THE_START, Overrides
from bookings.bill_lines import other_length_lines
from bookings.booked import only_line
from bookings.enums import EventKind
from bookings.errors import (
    AlreadyCancelled,
    LengthDoesNotFit,
    LengthNotOffered,
    NoLengthReason,
    NotBooked,
    SameLength,
    SlotNotOffered,
    SlotTaken,
    StalePage,
    VisitBegun,
)
from bookings.lifecycle import Actor, record
from bookings.messages import money, visits
from bookings.models import Booking, BookingLine
from bookings.operations._allocations import claim, release
from bookings.operations._bill import give_back, keep_card_after, settled_excess, write_lines
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._lock import locked_booking, require_sequence
from bookings.operations._retaking import wish_for
from bookings.operations._time import pick
from bookings.operations._transaction import Overtaken, booking_transaction
from bookings.operations.move import require_time
from bookings.queries.lengths import NewLength, claims_within_own, length_by_hand, lengths_of_variants, total_after
from bookings.rules.lengths import LengthRefusal, length_refusal, may_change_variant
from core.errors import DomainError
from core.minutes import minute_of
from payments.enums import RefundReason

_REFUSALS: dict[LengthRefusal, Callable[[], DomainError]] = {
    LengthRefusal.CANCELLED: AlreadyCancelled,
    LengthRefusal.NOT_BOOKED: NotBooked,
    LengthRefusal.STARTED: VisitBegun,
    LengthRefusal.OVER: VisitBegun,
}


def change_length(
    *,
    booking_id: int,
    variant_id: int | None,
    minutes: int | None,
    expected_sequence: int,
    expected_total_minor: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    overrides: Overrides = NO_OVERRIDES,
) -> Booking:
    """Make a visit longer or shorter; start, staff member, rules and extras stay.

    With ``variant_id`` it becomes another variant of its service, at the price of that variant; what was paid beyond a
    lower price is refunded. With ``minutes`` it gets that length by hand at the same price, and the ``reason`` is
    needed. A room or device stays if it is free for that long, else another one of its type is taken. The same
    submission twice returns the booking as it is.

    ``overrides``: the rules of availability that staff set aside for this length, recorded in the history.

    Locks: the booking, owners of daily limits, the resources, the bill.

    :raises StalePage: when the booking (``expected_sequence``) or the price is not what the page showed.
    :raises LengthDoesNotFit: when another booking or a rule has the time; nothing is changed.
    :raises LengthNotOffered: when the staff member does not perform this variant, or the visit cannot be so short or
        so long; also for a variant while a payment or an answer is awaited.
    :raises VisitBegun: when the visit has begun or is over.
    :raises NoLengthReason, SameLength, AlreadyCancelled, NotBooked, HoldExpired, SeveralServices, Busy: as their
        sentences say.
    """
    try:
        return _change(
            booking_id, variant_id, minutes, expected_sequence, expected_total_minor, actor, now, reason, overrides
        )
    except Overtaken:
        raise
    except (SlotTaken, SlotNotOffered) as refusal:
        raise LengthDoesNotFit from refusal


@booking_transaction
def _change(
    booking_id: int,
    variant_id: int | None,
    minutes: int | None,
    expected_sequence: int,
    expected_total_minor: int,
    actor: Actor,
    now: datetime,
    reason: str,
    overrides: Overrides,
) -> Booking:
    booking = locked_booking(booking_id)
    line = only_line(booking, booking.lines.select_related("staff_member__resource", "variant"))
    if booking.ical_sequence == expected_sequence + 1 and _is_done(booking, variant_id, minutes):
        return booking
    if refusal := length_refusal(status=booking.status, ends_at=booking.ends_at, now=now):
        raise _REFUSALS[refusal]()
    require_sequence(booking, expected_sequence)
    require_time(booking, now)
    new = _wanted(booking, line, variant_id, minutes, reason)
    total_minor = total_after(booking, line, new)
    if total_minor != expected_total_minor:
        raise StalePage(sequence=booking.ical_sequence, starts_at=booking.starts_at)
    drop_own_proposals(booking, now=now)
    before = _facts(booking, line)
    _take_time(booking, line, new, overrides, now)
    _take_price(booking, line, new, total_minor, actor=actor, now=now)
    details: dict[str, Any] = {"from": before, "to": _facts(booking, line)}
    if overrides:
        details["overrides"] = sorted(overrides)
    record(booking, EventKind.LENGTH, actor=actor, now=now, reason=reason, details=details)
    visits.announce_length(booking, now=now)
    return booking


def _is_done(booking: Booking, variant_id: int | None, minutes: int | None) -> bool:
    """Return whether the last change of length is the one that is asked for."""
    event = booking.events.filter(kind=EventKind.LENGTH).last()
    if event is None:
        return False
    after = event.details["to"]
    return bool(after["variant_id"] == variant_id if variant_id else after["minutes"] == minutes)


def _wanted(booking: Booking, line: BookingLine, variant_id: int | None, minutes: int | None, reason: str) -> NewLength:
    if variant_id is not None:
        offered = lengths_of_variants(booking, line) if may_change_variant(booking.status) else []
        new = next((each for each in offered if each.variant_id == variant_id), None)
    else:
        new = length_by_hand(line, minutes or 0)
    if new is None or total_after(booking, line, new) < 0:
        raise LengthNotOffered
    if new.is_by_hand and new.minutes == _minutes(line):
        raise SameLength
    if new.is_by_hand and not reason:
        raise NoLengthReason
    return new


def _take_time(booking: Booking, line: BookingLine, new: NewLength, overrides: Overrides, now: datetime) -> None:
    """Replace the claims, the phases and the end of a locked booking.

    :raises SlotTaken, SlotNotOffered: when the longer visit does not fit.
    """
    claims, spec = claims_within_own(booking, line, new), new.spec
    if claims is None:
        candidate = _longer(booking, line, new, overrides, now)
        claims, spec = list(candidate.claims), candidate.spec
    release(booking)
    claim(booking, claims)
    line.phases = phases_copy(spec)
    line.buffer_before_minutes, line.buffer_after_minutes = spec.buffer_before, spec.buffer_after
    line.ends_at = booking.ends_at = booking.starts_at + timedelta(minutes=spec.duration_minutes)
    line.save(update_fields=["phases", "buffer_before_minutes", "buffer_after_minutes", "ends_at"])
    booking.ical_sequence += 1
    booking.save(update_fields=["ends_at", "ical_sequence", "updated_at"])
    keep_card_after(booking)


def _longer(booking: Booking, line: BookingLine, new: NewLength, overrides: Overrides, now: datetime) -> Candidate:
    wish = wish_for(booking, line, minute_of(booking.starts_at), line.staff_member_id)
    wish = replace(
        wish,
        variant_id=new.variant_id,
        staff_member_id=line.staff_member_id,
        promised=new.spec,
        preferred_resource_ids=wish.held_resource_ids,
        overrides=overrides | OF_THE_START,
    )
    # The start may be past by now: a visit can get longer while its customer is late.
    return pick(wish, now=now, facts_at=min(now, booking.starts_at))


def _take_price(
    booking: Booking, line: BookingLine, new: NewLength, total_minor: int, *, actor: Actor, now: datetime
) -> None:
    """Give a locked booking the variant and its price; refund what was paid beyond a lower one."""
    if new.is_by_hand:
        return
    changed, by = new.applied(line), total_minor - booking.total_minor
    written = other_length_lines(booking, line, changed)
    line.variant_id, line.variant_name, line.price_minor = new.variant_id, new.variant_name, new.price_minor
    line.save(update_fields=["variant", "variant_name", "price_minor"])
    booking.total_minor = total_minor
    booking.tax_minor += sum(each.tax_minor for each in written)
    booking.save(update_fields=["total_minor", "tax_minor", "updated_at"])
    write_lines(booking, written, now=now)
    if by < 0:
        excess = min(-by, settled_excess(booking))
        refunds = give_back(booking, excess, reason=RefundReason.EXCESS, actor=actor, now=now)
        money.announce_refunds(booking, refunds, now=now)


def _facts(booking: Booking, line: BookingLine) -> dict[str, Any]:
    return {"minutes": _minutes(line), "variant_id": line.variant_id, "total_minor": booking.total_minor}


def _minutes(line: BookingLine) -> int:
    return int((line.ends_at - line.starts_at).total_seconds()) // 60
