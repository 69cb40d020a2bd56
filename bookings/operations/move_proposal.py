"""Moves that have to be paid first: the new time is kept next to the old one for ten minutes.

The proposal claims only the time that the booking does not have already, so the new time may overlap the old one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bookings.availability.claims import Claim
from bookings.booked import fee_facts, only_line
from bookings.enums import BookingStatus, MoneyEvent
from bookings.errors import NothingToPay, SameTime, SeveralServices, SlotNotOffered, SlotTaken
from bookings.lifecycle import Actor, record_money
from bookings.models import Allocation, Booking, MoveProposal
from bookings.money_events import ProposedMove, proposed_move
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._lock import locked_booking
from bookings.operations._retaking import pick_promised, wish_for
from bookings.operations._time import pick
from bookings.operations._transaction import Overtaken, booking_transaction
from bookings.operations.move import carry_out, checked_fee, checked_person
from bookings.queries import alternatives, bookings
from bookings.queries.moves import spec_for_move
from bookings.queries.payables import can_be_paid_online
from bookings.rules.moving import reschedule_refusal
from core.inserts import insert_rows
from core.intervals import Interval, difference, normalised
from core.minutes import instant, minute_of

PROPOSAL_LIFE = timedelta(minutes=10)


def propose_move(
    *,
    booking_id: int,
    start_minute: int,
    staff_member_id: int | None,
    expected_sequence: int,
    expected_fee_minor: int,
    actor: Actor,
    now: datetime,
) -> MoveProposal:
    """Keep another start for ten minutes, until the fee for the move is paid; the booking stays where it is.

    Takes the arguments of ``reschedule_booking``. A new proposal replaces the last one. The same submission twice
    returns the existing proposal.

    Locks: the booking, owners of daily limits, the resources of both times, the bill.

    :raises NothingToPay: when the move has no fee, or none that can be paid online: ``reschedule_booking`` moves it.
    :raises: otherwise as ``reschedule_booking`` does.
    """
    try:
        return _propose(booking_id, start_minute, staff_member_id, expected_sequence, expected_fee_minor, actor, now)
    except (SlotTaken, SlotNotOffered) as refusal:
        refusal.data["alternatives"] = alternatives.nearest_moves(
            booking_id=booking_id, start_minute=start_minute, staff_member_id=staff_member_id, now=now
        )
        raise


@booking_transaction
def withdraw_proposal(*, booking_id: int, actor: Actor, now: datetime) -> None:
    """Release a proposed time: the booking stays where it is. Does nothing when there is none. Locks: the booking.

    The payment for it is cancelled; if it succeeds before that, the money is refunded.
    """
    booking = locked_booking(booking_id)
    if booking.move_proposals.exists():
        drop_own_proposals(booking, now=now)
        record_money(booking, MoneyEvent.MOVE_WITHDRAWN, actor=actor, now=now)


def accept_paid_move(booking: Booking, *, actor: Actor, now: datetime) -> bool:
    """Move a locked booking to its proposed time because the fee is paid.

    Returns False when that is not possible. A proposal that has run out still counts if its time is free and the
    booking has not been moved since.
    """
    proposed = proposed_move(booking)
    drop_own_proposals(booking, now=now)
    if proposed is None or proposed.sequence != booking.ical_sequence or not _may_move(booking, proposed):
        return False
    minute = minute_of(proposed.starts_at)
    try:
        line = only_line(booking, booking.lines.select_related("staff_member__resource"))
        wish = wish_for(booking, line, minute, proposed.staff_member_id)
        wish = replace(wish, promised=spec_for_move(booking, line))
        candidate = pick_promised(wish, now=now, promised_at=proposed.at)
    except Overtaken:
        raise
    except (SlotTaken, SlotNotOffered, SeveralServices):
        return False
    carry_out(
        booking, line, candidate, minute, fee_minor=proposed.fee_minor, actor=actor, now=now, anchored_at=proposed.at
    )
    return True


@booking_transaction
def _propose(
    booking_id: int,
    start_minute: int,
    staff_member_id: int | None,
    expected_sequence: int,
    expected_fee_minor: int,
    actor: Actor,
    now: datetime,
) -> MoveProposal:
    booking = locked_booking(booking_id)
    line = only_line(booking, booking.lines.select_related("staff_member__resource"))
    by_staff = actor.is_business
    fee = checked_fee(booking, expected_sequence, expected_fee_minor, by_staff=by_staff, now=now)
    if not fee or booking.status != BookingStatus.CONFIRMED or not can_be_paid_online(fee, booking.currency):
        raise NothingToPay
    if minute_of(booking.starts_at) == start_minute and staff_member_id in {None, line.staff_member_id}:
        raise SameTime
    person_id = checked_person(booking, line, staff_member_id, by_staff=by_staff)
    if (known := bookings.live_proposal(booking, now)) and _is_same(known, booking, start_minute, person_id):
        return known
    drop_own_proposals(booking, now=now)
    wish = replace(wish_for(booking, line, start_minute, person_id), promised=spec_for_move(booking, line))
    candidate = pick(wish, now=now)
    proposal = MoveProposal(
        booking=booking,
        starts_at=instant(start_minute),
        staff_member_id=candidate.staff_member_id,
        fee_minor=fee,
        sequence=booking.ical_sequence,
        channel=actor.channel,
        expires_at=now + PROPOSAL_LIFE,
    )
    insert_rows(proposal)
    _claim_new(proposal, booking, candidate.claims)
    record_money(
        booking,
        MoneyEvent.MOVE_PROPOSED,
        amount_minor=proposal.fee_minor,
        actor=actor,
        now=now,
        more={
            "starts_at": proposal.starts_at.isoformat(),
            "staff_member_id": proposal.staff_member_id,
            "sequence": proposal.sequence,
        },
    )
    return proposal


def _may_move(booking: Booking, proposed: ProposedMove) -> bool:
    """Return whether the rules allowed the move when it was proposed: paying takes some minutes."""
    refusal = reschedule_refusal(
        fee_facts(booking), move_count=booking.customer_move_count, now=proposed.at, by_staff=False
    )
    return booking.status == BookingStatus.CONFIRMED and refusal is None


def _is_same(proposal: MoveProposal, booking: Booking, start_minute: int, person_id: int | None) -> bool:
    return (
        proposal.sequence == booking.ical_sequence
        and minute_of(proposal.starts_at) == start_minute
        and person_id in {None, proposal.staff_member_id}
    )


def _claim_new(proposal: MoveProposal, booking: Booking, claims: Sequence[Claim]) -> None:
    """Claim what the new time needs beyond what the booking has."""
    own: dict[int, list[Interval]] = {}
    for resource_id, low, high in booking.allocations.values_list("resource_id", "low_minute", "high_minute"):
        own.setdefault(resource_id, []).append((low, high))
    insert_rows(
        *(
            Allocation(
                resource_id=each.resource_id,
                busy=DateTimeTZRange(instant(low), instant(high)),
                move_proposal=proposal,
            )
            for each in claims
            for low, high in difference(
                normalised([(each.low_minute, each.high_minute)]), normalised(own.get(each.resource_id, []))
            )
        )
    )
