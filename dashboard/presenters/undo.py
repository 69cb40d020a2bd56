"""The notice after a move by staff, with the button that undoes it within a minute."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import local
from bookings.errors import ChangedSinceMove, TooLateToUndo
from bookings.models import Booking
from bookings.move_events import StaffMove, last_staff_move
from bookings.rules.moving import UndoRefusal, undo_refusal, undo_until
from bookings.wording import visit
from core import formats
from core.references import new_token
from dashboard.permissions import Act, Rights, can
from dashboard.presenters.confirmations import Ask

_REFUSED = {UndoRefusal.CHANGED: ChangedSinceMove.text, UndoRefusal.TOO_LATE: TooLateToUndo.text}


@dataclass(frozen=True, slots=True)
class Undo:
    """``until`` and ``now`` are milliseconds since the Unix epoch: the button goes once the time is over."""

    text: str
    url: str
    key: str
    until: int
    now: int


def undo_of(booking: Booking, rights: Rights, *, now: datetime) -> Undo | None:
    """Return the notice of a move that this user may undo now (history loaded)."""
    move = last_staff_move(booking.events.all())
    if move is None or undo_refused(booking, move, now=now) or not can(rights, Act.MOVE, booking):
        return None
    return Undo(
        text=moved_text(booking),
        url=reverse("desk_booking_undo_move", args=[booking.reference]),
        key=new_token(),
        until=_milliseconds(undo_until(move.at)),
        now=_milliseconds(now),
    )


def undo_refused(booking: Booking, move: StaffMove | None, *, now: datetime) -> object:
    """Return why the last move of a booking cannot be undone; empty if it can."""
    if move is None:
        return ChangedSinceMove.text
    is_last = booking.ical_sequence == move.left.sequence
    refusal = undo_refusal(status=booking.status, is_last_change=is_last, moved_at=move.at, now=now)
    return _REFUSED[refusal] if refusal else ""


def undo_ask(booking: Booking, move: StaffMove, name: str) -> Ask:
    """Return the confirming page. ``name`` is the first name of the staff member before the move; empty without one."""
    before = _when_and_who(local(move.starts_at, booking), name)
    text = gettext("It goes back to %(before)s. Whoever has heard of the move gets an e-mail, nobody else.")
    return Ask(gettext("Undo the move?"), text % {"before": before}, gettext("Undo the move"))


def moved_text(booking: Booking) -> str:
    """Return text such as "The booking is now on Tue 5 Jan, 15:00 with Ana." """
    place = _when_and_who(local(booking.starts_at, booking), visit.staff_short_name(booking))
    return gettext("The booking is now on %(when)s.") % {"when": place}


def undone_text(booking: Booking, move: StaffMove, name: str) -> str:
    before = _when_and_who(local(move.starts_at, booking), name)
    return gettext("The move is undone. The booking is back on %(when)s.") % {"when": before}


def _when_and_who(at: datetime, name: str) -> str:
    when = formats.moment_text(at)
    if not name:
        return when
    return gettext("%(when)s with %(name)s") % {"when": when, "name": formats.isolated(name)}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
