"""One visit for its therapist: what to know before it, what to do now, the session note, follow-ups."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from bookings.booked import local
from bookings.enums import NOT_BOOKED
from bookings.errors import NoteChanged
from bookings.models import Booking, SessionNote
from bookings.operations.session_notes import add_follow_up, finish_follow_up, save_session_note
from bookings.queries.money import money_of
from bookings.queries.payables import payable
from core import formats
from core.errors import DomainError
from dashboard.door import Desk
from dashboard.me import presenter, queries
from dashboard.me.forms import DoneForm, FollowUpForm, NoteForm
from dashboard.permissions import Act, can
from dashboard.presenters.actions import actions_of
from dashboard.presenters.booking import card_of
from dashboard.views.booking import open_booking
from dashboard.views.pages import desk_page, show
from dashboard.visits import visits_before


@require_safe
@desk_page
def visit(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Show everything about one visit on one page of a phone."""
    return _visit_page(request, desk, _opened(desk, reference))


@require_POST
@desk_page
def note(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Save the note of a visit: by the button, or by the page's script while the therapist types (``autosave``)."""
    booking = _opened(desk, reference)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _visit_page(request, desk, booking, note_form=form, status=422)
    try:
        saved = save_session_note(
            booking_id=booking.pk,
            text=form.cleaned_data["text"],
            expected_version=form.cleaned_data["version"],
            actor=desk.actor,
            now=desk.now,
        )
    except DomainError as error:
        return _not_saved(request, desk, booking, form, error)
    if "autosave" in request.POST:
        return JsonResponse({"version": saved.version, "saved": _saved_text(saved, booking)})
    messages.success(request, gettext("The note is saved."))
    return _back(booking)


@require_POST
@desk_page
def follow_up(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Add a follow-up to do after the visit."""
    booking = _opened(desk, reference)
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        return _visit_page(request, desk, booking, follow_up_form=form, status=422)
    try:
        add_follow_up(booking_id=booking.pk, actor=desk.actor, now=desk.now, **form.cleaned_data)
    except DomainError as error:
        return _visit_page(request, desk, booking, problem=error.sentence, follow_up_form=form, status=error.status)
    messages.success(request, gettext("The follow-up is saved."))
    return _back(booking)


@require_POST
@desk_page
def follow_up_done(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Mark a follow-up of this booking as done."""
    booking = _opened(desk, reference)
    form = DoneForm(request.POST)
    if form.is_valid():
        finish_follow_up(booking_id=booking.pk, follow_up_id=form.cleaned_data["follow_up"], now=desk.now)
    if request.POST.get("back") == "me":
        response = redirect("desk_me")
        response.status_code = 303
        return response
    return _back(booking)


def _opened(desk: Desk, reference: str) -> Booking:
    """Return a booking whose notes this user may read.

    :raises Http404: for any other one, and for a booking that is called off or only held.
    """
    booking = open_booking(desk, reference)
    if booking.status in NOT_BOOKED or not can(desk.rights, Act.WRITE_NOTES, booking):
        raise Http404
    return booking


def _not_saved(request: HttpRequest, desk: Desk, booking: Booking, form: NoteForm, error: DomainError) -> HttpResponse:
    if "autosave" in request.POST:
        return JsonResponse({"problem": str(error.sentence)}, status=error.status)
    if isinstance(error, NoteChanged):
        # Show both texts, with the version under which the therapist can save them together.
        both = f"{form.cleaned_data['text']}\n\n--- {error.data['author_name']}:\n{error.data['text']}"
        form = NoteForm(initial={"text": both, "version": error.data["version"]})
    return _visit_page(request, desk, booking, problem=error.sentence, note_form=form, status=error.status)


def _visit_page(
    request: HttpRequest,
    desk: Desk,
    booking: Booking,
    *,
    problem: object = "",
    note_form: NoteForm | None = None,
    follow_up_form: FollowUpForm | None = None,
    status: int = 200,
) -> HttpResponse:
    money = money_of(booking)
    earlier = queries.earlier_visits(booking)
    own_note = SessionNote.objects.filter(booking=booking).first()
    initial = {"text": own_note.text, "version": own_note.version} if own_note else {"text": "", "version": 0}
    today = local(desk.now, booking).date()
    context: dict[str, Any] = {
        "card": card_of(booking, visits_before(desk.rights, booking), now=desk.now),
        "actions": actions_of(booking, money, desk.rights, payable(booking, desk.now), now=desk.now),
        "earlier": presenter.notes_of(earlier),
        "note_form": note_form or NoteForm(initial=initial),
        "saved": _saved_text(own_note, booking) if own_note else "",
        "follow_ups": presenter.to_do(queries.open_follow_ups(booking), today),
        "follow_up_form": follow_up_form or FollowUpForm(),
        "problem": problem,
        "back_url": presenter.me_url(on=local(booking.starts_at, booking).date(), today=today)
        if desk.rights.staff_member_id
        else reverse("desk_booking", args=[booking.reference]),
        "sees_booking": can(desk.rights, Act.SEE_PLACE, booking),
    }
    return show(request, desk, "dashboard/me/visit.html", context, current="me", status=status)


def _saved_text(note: SessionNote, booking: Booking) -> str:
    return gettext("Saved %(time)s") % {"time": formats.time_text(local(note.updated_at, booking))}


def _back(booking: Booking) -> HttpResponse:
    response = redirect("desk_booking_visit", booking.reference)
    response.status_code = 303
    return response
