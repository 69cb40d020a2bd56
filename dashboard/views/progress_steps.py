"""Actions that mark the progress of a visit: arrived, started, completed, and undoing each.

The page of the booking sends these forms itself, so that one press is enough. Opened by their address they ask first.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from bookings.enums import BookingStatus
from bookings.errors import CannotMarkVisit
from bookings.operations import visit_progress
from dashboard.door import Desk
from dashboard.forms import StepForm
from dashboard.presenters.progress import DONE, Mark, from_when, mark_ask
from dashboard.views.booking_actions import Opened, Step, answer, open_step, refused
from dashboard.views.pages import desk_page

_S = BookingStatus
_OPERATIONS: dict[Mark, tuple[Callable[..., Any], frozenset[BookingStatus]]] = {
    Mark.ARRIVED: (visit_progress.mark_arrived, frozenset({_S.CONFIRMED})),
    Mark.NOT_ARRIVED: (visit_progress.undo_arrived, frozenset({_S.CONFIRMED})),
    Mark.START: (visit_progress.start_visit, frozenset({_S.CONFIRMED})),
    Mark.NOT_STARTED: (visit_progress.undo_start, frozenset({_S.STARTED})),
    Mark.COMPLETE: (visit_progress.complete_visit, frozenset({_S.CONFIRMED, _S.STARTED})),
    Mark.NOT_COMPLETED: (visit_progress.undo_complete, frozenset({_S.COMPLETED})),
}


def mark_view(mark: Mark) -> Callable[..., HttpResponseBase]:
    """Return the view that sets one mark."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @desk_page
    def view(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
        opened = open_step(request, desk, reference)
        if reason := _not_markable(opened, mark):
            return refused(opened, reason)
        operation, _ = _OPERATIONS[mark]

        def run(form: StepForm, key: str) -> str:
            sequence = opened.booking.ical_sequence
            operation(booking_id=opened.booking.pk, expected_sequence=sequence, actor=desk.actor, now=desk.now)
            return DONE[mark]()

        return answer(opened, StepForm(opened.data), Step(lambda form: mark_ask(mark), run))

    return view


def _not_markable(opened: Opened, mark: Mark) -> str:
    """Return why staff cannot set the mark now; empty if they can."""
    if day := from_when(opened.booking, now=opened.desk.now):
        return gettext("That can be marked from %(time)s on.") % {"time": day}
    _, statuses = _OPERATIONS[mark]
    return "" if opened.booking.status in statuses else str(CannotMarkVisit().sentence)
