"""The to-do list, settling an alert, and handling text messages from customers."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.enums import RecordKind
from dashboard import todo as waiting
from dashboard.door import Desk
from dashboard.forms import ResolveForm
from dashboard.permissions import Act, may
from dashboard.presenters import todo as presenter
from dashboard.time_off import time_off_asked
from dashboard.views.pages import desk_page, show
from notifications.reports.inbound import mark_handled, opt_out_sender
from payments.enums import AlertKind
from payments.operations import resolve_alert
from privacy.queries import open_reading_alerts


@require_safe
@desk_page
def hands(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show every to-do, and below them the open balances of past visits."""
    found = waiting.hands(desk.rights, desk.now)
    context = {
        "rows": presenter.rows_of(found, desk.rights, now=desk.now),
        "unpaid": presenter.unpaid_rows(found, now=desk.now),
        "is_cut": found.is_cut,
        "is_unpaid_cut": len(found.unpaid) == waiting.MOST_LISTED,
        "most": waiting.MOST_LISTED,
        "days": waiting.OPEN_FOR.days,
        "outside": waiting.outside_count(desk.rights, desk.now),
        "reading": open_reading_alerts().count() if may(desk.rights, Act.WATCH_READING) else 0,
        "time_off": time_off_asked(desk.rights, desk.now) if may(desk.rights, Act.ANSWER_TIME_OFF) else 0,
    }
    return show(request, desk, "dashboard/hands.html", context, current="hands")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def alert(request: HttpRequest, desk: Desk, alert_id: int) -> HttpResponse:
    """Settle an alert with a sentence about how. Settling it again keeps the first sentence."""
    settling = waiting.alert_to_settle(desk.rights, alert_id)
    if settling is None:
        raise Http404
    found, booking = settling
    if booking is not None:
        desk.note_reading(RecordKind.BOOKING, booking.reference)
    form = ResolveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        resolution = form.cleaned_data["resolution"]
        resolve_alert(alert_id=found.pk, resolution=resolution, actor_name=str(desk.user), now=desk.now)
        messages.success(request, gettext("Settled."))
        return redirect("desk_hands")
    context = {
        "title": str(AlertKind(found.kind).label),
        "text": presenter.alert_text(found),
        "sum": presenter.alert_sum(found),
        "about": presenter.about_of(booking) if booking else None,
        "details": presenter.alert_details(found),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return show(request, desk, "dashboard/alert.html", context, current="hands", status=status)


@require_POST
@desk_page
def stop_texts(request: HttpRequest, desk: Desk, message_id: int) -> HttpResponse:
    """Stop text messages to the number that a text came from, and remove the text from the list."""
    if waiting.text_to_answer(desk.rights, message_id, desk.now) is None:
        raise Http404
    opt_out_sender(message_id=message_id, actor_name=str(desk.user), now=desk.now)
    messages.success(request, gettext("This number gets no more texts. The customer can start them again with START."))
    return redirect("desk_hands")


@require_POST
@desk_page
def text_done(request: HttpRequest, desk: Desk, message_id: int) -> HttpResponse:
    """Remove a text message from the list because staff have dealt with it."""
    if waiting.text_to_answer(desk.rights, message_id, desk.now) is None:
        raise Http404
    mark_handled(message_id=message_id, actor_name=str(desk.user), now=desk.now)
    messages.success(request, gettext("Done."))
    return redirect("desk_hands")
