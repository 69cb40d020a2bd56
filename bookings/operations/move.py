"""Moving a booking to another time: one transaction, so that it always has exactly one time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from bookings.availability.engine import Candidate
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.bill_lines import change_fee_line, kept_person
from bookings.booked import fee_facts, only_line
from bookings.enums import WAITING, ActorKind, BookingChannel, BookingStatus, EventKind
from bookings.errors import (
    AlreadyCancelled,
    HoldExpired,
    MoveLimitReached,
    NotBooked,
    PayFirst,
    SameTime,
    SlotNotOffered,
    SlotTaken,
    StaffFixed,
    StalePage,
    TooLateToMove,
    TooManyMoves,
)
from bookings.lifecycle import Actor, record
from bookings.messages import visits
from bookings.models import Booking, BookingLine
from bookings.move_events import Left, move_details
from bookings.operations._allocations import claim, release
from bookings.operations._bill import keep_card_after
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._lock import locked_booking
from bookings.operations._retaking import place, wish_for
from bookings.operations._time import pick
from bookings.operations._transaction import booking_transaction
from bookings.queries import alternatives
from bookings.queries.moves import spec_for_move
from bookings.queries.payables import can_be_paid_online
from bookings.refs import subject_ref
from bookings.rules.moving import RescheduleRefusal, anchor_after_move, move_fee, reschedule_refusal, undo_until
from core.errors import DomainError
from core.minutes import minute_of
from payments.operations import add_line
from staff.queries import time_off_meeting

HOUR = timedelta(hours=1)
_REFUSALS: dict[RescheduleRefusal, Callable[[], DomainError]] = {
    RescheduleRefusal.CANCELLED: AlreadyCancelled,
    RescheduleRefusal.NOT_BOOKED: NotBooked,
    RescheduleRefusal.ALREADY_STARTED: TooLateToMove,
    RescheduleRefusal.TOO_LATE: TooLateToMove,
    RescheduleRefusal.MOVE_LIMIT_REACHED: MoveLimitReached,
}


def reschedule_booking(
    *,
    booking_id: int,
    start_minute: int,
    staff_member_id: int | None,
    expected_sequence: int,
    expected_fee_minor: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    overrides: Overrides = NO_OVERRIDES,
) -> Booking:
    """Move a booking to another start (minutes since the Unix epoch); location, service, price, rules and answers stay.

    With ``staff_member_id`` None the staff member stays; a booking made with "anyone" gets another one if that staff
    member is not free. Another staff member may be named only by the business, for a booking with "anyone", or after
    the staff member has left. The same start with another staff member is a reassignment. A fee for the move goes on
    the bill. Staff can undo their move for a minute (``undo_move``), and its messages wait until then. After a
    customer's late move, cancelling costs at least what it would have cost before. The same
    submission twice returns the booking as it is.

    ``overrides``: the rules of availability that staff set aside for this start, recorded in the history with the
    ``reason``. Customers have none.

    Locks: the booking, owners of daily limits, the resources of the old and the new time, the bill.

    :raises StalePage: when the booking (``expected_sequence``) or the fee is not what the page showed.
    :raises SlotTaken, SlotNotOffered: with the nearest free starts in ``data["alternatives"]``; the old time stays.
    :raises PayFirst: when a customer's move has a fee that can be paid online: ``propose_move`` keeps the time for it.
    :raises TooManyMoves: when the link on the screen has moved it MOVES_PER_HOUR times.
    :raises SeveralServices: when the visit has more than one service.
    :raises TooLateToMove, MoveLimitReached, StaffFixed, SameTime, AlreadyCancelled, NotBooked, HoldExpired, Busy: as
        their sentences say.
    """
    try:
        return _reschedule(
            booking_id,
            start_minute,
            staff_member_id,
            expected_sequence,
            expected_fee_minor,
            actor,
            now,
            reason,
            overrides if actor.is_business else NO_OVERRIDES,
        )
    except (SlotTaken, SlotNotOffered) as refusal:
        refusal.data["alternatives"] = alternatives.nearest_moves(
            booking_id=booking_id, start_minute=start_minute, staff_member_id=staff_member_id, now=now
        )
        raise


@booking_transaction
def _reschedule(
    booking_id: int,
    start_minute: int,
    staff_member_id: int | None,
    expected_sequence: int,
    expected_fee_minor: int,
    actor: Actor,
    now: datetime,
    reason: str,
    overrides: Overrides,
) -> Booking:
    booking = locked_booking(booking_id)
    line = only_line(booking, booking.lines.select_related("staff_member__resource"))
    by_staff = actor.is_business
    is_there = minute_of(booking.starts_at) == start_minute and staff_member_id in {None, line.staff_member_id}
    if is_there and booking.ical_sequence == expected_sequence + 1:
        return booking
    refuse_many_moves(booking, actor, now)
    fee = checked_fee(booking, expected_sequence, expected_fee_minor, by_staff=by_staff, now=now)
    if is_there:
        raise SameTime
    if fee and not by_staff and can_be_paid_online(fee, booking.currency):
        raise PayFirst(fee_minor=fee)
    person_id = checked_person(booking, line, staff_member_id, by_staff=by_staff)
    drop_own_proposals(booking, now=now)
    wish = wish_for(booking, line, start_minute, person_id)
    candidate = pick(replace(wish, promised=spec_for_move(booking, line), overrides=overrides), now=now)
    carry_out(
        booking,
        line,
        candidate,
        start_minute,
        fee_minor=fee,
        actor=actor,
        now=now,
        reason=reason,
        overrides=overrides,
    )
    return booking


def checked_fee(
    booking: Booking,
    expected_sequence: int,
    expected_fee_minor: int,
    *,
    by_staff: bool,
    now: datetime,
) -> int:
    """Check that the booking may be moved and that the page showed the right fee; return the fee.

    :raises HoldExpired: when the time was not paid or answered in time, so that the customer no longer has it.
    """
    require_time(booking, now)
    facts, move_count = fee_facts(booking), booking.customer_move_count
    refusal = reschedule_refusal(facts, move_count=move_count, now=now, by_staff=by_staff)
    fee = move_fee(facts, move_count=move_count, by_staff=by_staff)
    if booking.ical_sequence != expected_sequence and refusal not in {
        RescheduleRefusal.CANCELLED,
        RescheduleRefusal.NOT_BOOKED,
    }:
        raise StalePage(fee_minor=fee, sequence=booking.ical_sequence, starts_at=booking.starts_at)
    if refusal:
        raise _REFUSALS[refusal]()
    if fee != expected_fee_minor:
        raise StalePage(fee_minor=fee, sequence=booking.ical_sequence, starts_at=booking.starts_at)
    return fee


def require_time(booking: Booking, now: datetime) -> None:
    """Check that a booking that waits for its payment or its answer still has its time.

    :raises HoldExpired: when it was not paid or answered in time.
    """
    if booking.status in WAITING and booking.hold_expires_at and booking.hold_expires_at <= now:
        raise HoldExpired


def refuse_many_moves(booking: Booking, actor: Actor, now: datetime) -> None:
    """Refuse if the link on the screen has moved a locked booking MOVES_PER_HOUR times.

    :raises TooManyMoves: beyond that.
    """
    if actor.is_business or actor.channel == BookingChannel.LINK:
        return
    moves = booking.events.filter(kind=EventKind.MOVED, actor_kind=ActorKind.CUSTOMER, at__gt=now - HOUR)
    if moves.exclude(channel=BookingChannel.LINK).count() >= settings.MOVES_PER_HOUR:
        raise TooManyMoves


def checked_person(booking: Booking, line: BookingLine, staff_member_id: int | None, *, by_staff: bool) -> int | None:
    """Return ``staff_member_id`` if it may be asked for.

    :raises StaffFixed: when a customer names another staff member, and the one whom they chose is still here.
    """
    is_another = staff_member_id not in {None, line.staff_member_id}
    if is_another and not by_staff and kept_person(booking, line) is not None:
        raise StaffFixed
    return staff_member_id


def carry_out(
    booking: Booking,
    line: BookingLine,
    candidate: Candidate,
    start_minute: int,
    *,
    fee_minor: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    overrides: Overrides = NO_OVERRIDES,
    anchored_at: datetime | None = None,
) -> None:
    """Replace the time of a locked booking by the candidate: claims, line, history, bill, messages.

    ``anchored_at``: when the customer decided, if that was not ``now``.
    """
    by_staff = actor.is_business
    before = (booking.starts_at, line.staff_member_id)
    if not by_staff and booking.status == BookingStatus.CONFIRMED:
        booking.fee_anchor_minor = anchor_after_move(fee_facts(booking), anchored_at or now)
        booking.customer_move_count += 1
    # Only the desk offers to undo a move. After a move by a link the messages go out at once.
    is_undoable = actor.kind == ActorKind.STAFF and actor.channel == BookingChannel.DESK
    left = _left(booking, line) if is_undoable else None
    take_time(booking, line, candidate, start_minute)
    details = move_details(booking, line, before=before, fee_minor=fee_minor)
    if left:
        details["left"] = left.to_json()
    if overrides:
        details["overrides"] = sorted(overrides)
    record(booking, EventKind.MOVED, actor=actor, now=now, reason=reason, details=details)
    if fee_minor and booking.bill_id:
        new_line = change_fee_line(booking, line, fee_minor)
        add_line(bill_id=booking.bill_id, line=new_line, subject_ref=subject_ref(booking), now=now)
    _announce(booking, before, now, not_before=undo_until(now) if left else None)


def take_time(booking: Booking, line: BookingLine, candidate: Candidate, start_minute: int) -> None:
    """Give a locked booking the time, the claims and the buffers of the candidate."""
    release(booking)
    claim(booking, candidate.claims)
    buffers = (candidate.spec.buffer_before, candidate.spec.buffer_after)
    if (line.buffer_before_minutes, line.buffer_after_minutes) != buffers:
        line.buffer_before_minutes, line.buffer_after_minutes = buffers
        line.save(update_fields=["buffer_before_minutes", "buffer_after_minutes"])
    place(booking, line, start_minute, candidate.staff_member_id)
    keep_card_after(booking)


def _left(booking: Booking, line: BookingLine) -> Left:
    """Return what the booking is about to leave."""
    claims = list(booking.allocations.values_list("resource_id", "busy"))
    return Left(
        sequence=booking.ical_sequence + 1,
        buffers=(line.buffer_before_minutes, line.buffer_after_minutes),
        resource_ids=tuple(sorted({resource_id for resource_id, _ in claims})),
        time_off_ids=tuple(sorted(time_off_meeting(claims))),
        staff_link_version=booking.staff_link_version,
    )


def _announce(
    booking: Booking, before: tuple[datetime, int | None], now: datetime, *, not_before: datetime | None
) -> None:
    starts_at, staff_member_id = before
    previous = [] if staff_member_id is None else [staff_member_id]
    if booking.starts_at == starts_at:
        visits.announce_reassigned(booking, previous_staff_ids=previous, not_before=not_before, now=now)
    else:
        visits.announce_moved(
            booking, previous_starts_at=starts_at, previous_staff_ids=previous, not_before=not_before, now=now
        )
