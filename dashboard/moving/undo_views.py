"""Undoing a move within a minute. The notice of the move sends this form; opened by its address it asks first."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from bookings.move_events import StaffMove, last_staff_move
from bookings.operations.undo_move import undo_move as undo
from dashboard.door import Desk
from dashboard.forms import StepForm
from dashboard.presenters.undo import undo_ask, undo_refused, undone_text
from dashboard.views.booking_actions import Step, answer, open_step, refused
from dashboard.views.pages import desk_page
from staff.models import StaffMember


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def undo_move(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Put a booking back to where it was before staff moved it."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    move = last_staff_move(booking.events.all())
    reason = undo_refused(booking, move, now=desk.now)
    if move is None or reason:
        return refused(opened, reason)
    name = _name_of(move)

    def run(form: StepForm, key: str) -> str:
        undo(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=desk.actor, now=desk.now)
        return undone_text(booking, move, name)

    return answer(opened, StepForm(opened.data), Step(lambda form: undo_ask(booking, move, name), run))


def _name_of(move: StaffMove) -> str:
    if move.staff_member_id is None:
        return ""
    return StaffMember.objects.values_list("short_name", flat=True).get(pk=move.staff_member_id)
