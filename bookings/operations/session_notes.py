"""Session notes and follow-ups that staff write about a visit."""

from datetime import date, datetime

from bookings.enums import BookingStatus
from bookings.errors import CannotWriteNote, NoteChanged
from bookings.lifecycle import Actor
from bookings.models import Booking, FollowUp, SessionNote
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction

NOTE_LIMIT = 10_000
FOLLOW_UP_LIMIT = 500
# Most open follow-ups of one booking.
FOLLOW_UPS_OPEN = 20
_VISITS = frozenset({BookingStatus.CONFIRMED, BookingStatus.STARTED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW})


@booking_transaction
def save_session_note(*, booking_id: int, text: str, expected_version: int, actor: Actor, now: datetime) -> SessionNote:
    """Save the note of a visit; it is cut at ``NOTE_LIMIT`` characters. Locks: the booking.

    The same text again changes nothing, whatever version the page had.

    :raises NoteChanged: when it was saved elsewhere since ``expected_version``, with that ``text`` and ``version``.
    :raises CannotWriteNote: when the booking is cancelled, or was never confirmed.
    """
    booking = locked_booking(booking_id)
    _require_visit(booking)
    text = text.strip()[:NOTE_LIMIT]
    note = SessionNote.objects.filter(booking=booking).first() or SessionNote(booking=booking, updated_at=now)
    if note.text == text and (note.pk or not text):
        return note
    if note.version != expected_version:
        raise NoteChanged(text=note.text, version=note.version, author_name=note.author_name)
    note.text, note.version, note.updated_at = text, note.version + 1, now
    note.author_id, note.author_name = actor.user_id, actor.name
    note.save()
    return note


@booking_transaction
def add_follow_up(*, booking_id: int, text: str, due_on: date | None, actor: Actor, now: datetime) -> FollowUp:
    """Add a follow-up to a visit, perhaps with a due date. An equal open one is reused. Locks: the booking.

    :raises CannotWriteNote: when the booking is cancelled or was never confirmed, or has FOLLOW_UPS_OPEN already.
    """
    booking = locked_booking(booking_id)
    _require_visit(booking)
    text = text.strip()[:FOLLOW_UP_LIMIT]
    waiting = list(booking.follow_ups.filter(done_at=None))
    for each in waiting:
        if (each.text, each.due_on) == (text, due_on):
            return each
    if len(waiting) >= FOLLOW_UPS_OPEN:
        raise CannotWriteNote
    return FollowUp.objects.create(
        booking=booking, text=text, due_on=due_on, author_id=actor.user_id, author_name=actor.name, created_at=now
    )


@booking_transaction
def finish_follow_up(*, booking_id: int, follow_up_id: int, now: datetime) -> None:
    """Mark a follow-up of this booking as done. Repeating it changes nothing. Locks: the booking."""
    booking = locked_booking(booking_id)
    booking.follow_ups.filter(pk=follow_up_id, done_at=None).update(done_at=now)


def _require_visit(booking: Booking) -> None:
    if booking.status not in _VISITS:
        raise CannotWriteNote
