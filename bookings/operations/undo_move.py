"""Undoing a move: for a minute staff can put a booking back where it was, before anyone hears of a slip."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bookings.availability.engine import Candidate
from bookings.availability.overrides import BUFFERS, RELAXABLE, Overrides
from bookings.booked import only_line, spec_of_line
from bookings.enums import EventKind
from bookings.errors import ChangedSinceMove, FormerTimeTaken, SlotNotOffered, SlotTaken, TooLateToUndo
from bookings.lifecycle import Actor, record
from bookings.messages import visits
from bookings.models import Booking, BookingLine
from bookings.move_events import Left, StaffMove, is_last_move_undone, last_staff_move, move_details
from bookings.operations._allocations import allocations_of
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._lock import locked_booking
from bookings.operations._retaking import wish_for
from bookings.operations._time import pick
from bookings.operations._transaction import Overtaken, booking_transaction
from bookings.operations.move import require_time, take_time
from bookings.rules.moving import UndoRefusal, undo_refusal
from core.minutes import minute_of
from staff.queries import time_off_meeting

# The booking kept these rules before, or staff set them aside. Limits are counted again: another booking may have taken
# the place of this one.
_KEPT: Overrides = RELAXABLE - {BUFFERS, "business_limit", "service_limit", "staff_limit"}


def undo_move(*, booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    """Put a booking back to the time, the staff member and the rooms that it had before staff moved it.

    If its room or device is taken by now, it gets another one of the same type. Messages about the move that are not
    sent yet are withdrawn; only those who have heard of it are informed. A move by staff costs nothing, so no money
    moves. The same submission twice returns the booking as it is.

    Locks: the booking, owners of daily limits, the resources of both times.

    :raises ChangedSinceMove: when the booking is not as the move left it (``expected_sequence``): moved again,
        cancelled, begun.
    :raises TooLateToUndo: when a minute has passed since the move.
    :raises FormerTimeTaken: when another booking, a limit or an absence has the former time; the booking stays.
    :raises HoldExpired, SeveralServices, Busy: as their sentences say.
    """
    try:
        return _undo(booking_id, expected_sequence, actor, now)
    except Overtaken:
        raise
    except (SlotTaken, SlotNotOffered) as refusal:
        raise FormerTimeTaken from refusal


@booking_transaction
def _undo(booking_id: int, expected_sequence: int, actor: Actor, now: datetime) -> Booking:
    booking = locked_booking(booking_id)
    line = only_line(booking, booking.lines.select_related("staff_member__resource"))
    history = list(booking.events.filter(kind=EventKind.MOVED))
    if booking.ical_sequence == expected_sequence + 1 and is_last_move_undone(history):
        return booking
    move = _checked_move(booking, last_staff_move(history), expected_sequence, now)
    drop_own_proposals(booking, now=now)
    candidate = _former_time(booking, line, move, now)
    reached = visits.withdraw_move(booking, now=now)
    before = (booking.starts_at, line.staff_member_id)
    take_time(booking, line, candidate, minute_of(move.starts_at))
    reached = _links_back(booking, move, before[1], reached)
    record(
        booking, EventKind.MOVED, actor=actor, now=now, details=move_details(booking, line, before=before, is_undo=True)
    )
    visits.announce_move_undone(
        booking,
        previous_starts_at=before[0],
        previous_staff_ids=[] if before[1] is None else [before[1]],
        reached=reached,
        now=now,
    )
    return booking


def _checked_move(booking: Booking, move: StaffMove | None, expected_sequence: int, now: datetime) -> StaffMove:
    if move is None:
        raise ChangedSinceMove
    is_last = booking.ical_sequence == move.left.sequence == expected_sequence
    match undo_refusal(status=booking.status, is_last_change=is_last, moved_at=move.at, now=now):
        case UndoRefusal.CHANGED:
            raise ChangedSinceMove
        case UndoRefusal.TOO_LATE:
            raise TooLateToUndo
    require_time(booking, now)
    return move


def _former_time(booking: Booking, line: BookingLine, move: StaffMove, now: datetime) -> Candidate:
    """Lock and choose the time before the move.

    :raises SlotTaken, SlotNotOffered: when it is not free.
    """
    left = move.left
    spec = replace(spec_of_line(line), buffer_before=left.buffers[0], buffer_after=left.buffers[1])
    wish = replace(
        wish_for(booking, line, minute_of(move.starts_at), move.staff_member_id),
        promised=spec,
        preferred_resource_ids=left.resource_ids,
        overrides=_KEPT | _set_aside(booking),
    )
    # The former start may be past by now: it was late when staff moved it.
    candidate = pick(wish, now=now, facts_at=min(now, move.starts_at))
    _refuse_new_time_off(booking, candidate, left)
    return candidate


def _set_aside(booking: Booking) -> Overrides:
    """Return the rules that staff set aside for this booking at some time, without those about buffers."""
    rules = booking.events.filter(details__has_key="overrides").values_list("details__overrides", flat=True)
    return frozenset(rule for names in rules for rule in names) & RELAXABLE - {BUFFERS}


def _refuse_new_time_off(booking: Booking, candidate: Candidate, left: Left) -> None:
    """Refuse if somebody blocked the former time since the move. Absences that the booking lay in before stay."""
    claims = [(each.resource_id, each.busy) for each in allocations_of(booking, candidate.claims)]
    if time_off_meeting(claims) - set(left.time_off_ids):
        raise SlotTaken


def _links_back(
    booking: Booking, move: StaffMove, staff_member_id: int | None, reached: Collection[tuple[str, str]]
) -> Collection[tuple[str, str]]:
    """Make the link in the mails of the former staff member open the booking again. Return who has to be informed.

    If the other one has a link already, both links end, and the former staff member gets a new one by mail.
    """
    former_id = move.staff_member_id
    if former_id == staff_member_id:
        return reached
    if ("staff", f"staff:{staff_member_id}") in reached:
        return {*reached, ("staff", f"staff:{former_id}")}
    if booking.staff_link_version == move.left.staff_link_version + 2:
        booking.staff_link_version = move.left.staff_link_version
        booking.save(update_fields=["staff_link_version", "updated_at"])
    return reached
