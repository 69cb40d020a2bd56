"""What staff do with a time that waits for its customer: send the link again, free the time, note that it ran out."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from bookings.errors import HoldExpired, HoldOver, StalePage
from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.operations.as_shown import change_as_shown
from bookings.operations.hold_link import free_linked_time, resend_hold_link, settle_ended_link
from bookings.refs import subject_ref
from core.errors import DomainError, Locked
from dashboard import idempotency, queries
from dashboard.door import Desk
from dashboard.forms import SeenForm
from dashboard.permissions import can
from dashboard.phone_booking import link_presenter
from dashboard.presenters.history import history
from dashboard.views.pages import calendar_path, desk_page
from dashboard.visits import visits_before
from notifications.models import Notification


@require_POST
@desk_page
def send_again(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Send the link again, to the same address."""
    booking = _opened(desk, reference)

    def change() -> str:
        resend_hold_link(booking_id=booking.pk, actor=desk.actor, now=desk.now)
        return gettext("The link is on its way again.")

    return _done(request, booking, change)


@require_POST
@desk_page
def free(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Free the time before the link ends; ``tells`` sends the customer a message."""
    booking = _opened(desk, reference)
    tells = "tells" in request.POST

    def change() -> str:
        free_linked_time(booking_id=booking.pk, tells_customer=tells, actor=desk.actor, now=desk.now)
        return gettext("The time is free again.")

    return _done(request, booking, change)


@require_POST
@desk_page
def done(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Take a link that was not used off the to-do list."""
    booking = _opened(desk, reference)
    settle_ended_link(booking_id=booking.pk)
    messages.success(request, gettext("Done."))
    return redirect("desk_hands")


def panel_context(desk: Desk, booking: Booking, *, back: str) -> dict[str, Any]:
    """Return the context of the panel of a time that waits for its customer. Three queries at most."""
    sent = Notification.objects.filter(subject_ref=subject_ref(booking), kind=MessageKind.HOLD_LINK)
    visits = visits_before(desk.rights, booking)
    panel = link_presenter.link_panel(booking, visits, sent.order_by("-pk").first(), now=desk.now)
    return {"waiting": panel, "card": panel.card, "back_to": back, "history": history(booking, now=desk.now)}


def _opened(desk: Desk, reference: str) -> Booking:
    """Return a time that waits for its customer, or what has become of it.

    :raises Http404: for a booking that this user may not see, or may not book.
    """
    booking = queries.linked_hold(desk.rights, reference) or queries.booking_by_reference(desk.rights, reference)
    if booking is None or not can(desk.rights, desk.act, booking):
        raise Http404
    return booking


def _done(request: HttpRequest, booking: Booking, change: Callable[[], str]) -> HttpResponse:
    """Run a change once, whatever has become of the time, and lead back to the calendar with what happened."""
    seen = SeenForm({**request.POST.dict(), "seen": "-"})
    key = seen.cleaned_data["request_key"] if seen.is_valid() else ""
    try:
        result = _once(request, booking, change, key) if key else StalePage()
    except Locked:
        messages.warning(request, gettext("Someone is working on this booking. Nothing was changed. Try again."))
        return _back(request, booking)
    if isinstance(result, (HoldExpired, HoldOver)):
        booking.refresh_from_db(fields=["status", "contact_name"])
        messages.warning(request, link_presenter.changed_text(booking))
    elif isinstance(result, DomainError):
        messages.warning(request, str(result.sentence))
    elif result is not None:
        messages.success(request, result)
    return _back(request, booking)


def _once(request: HttpRequest, booking: Booking, change: Callable[[], str], key: str) -> str | DomainError | None:
    return change_as_shown(
        booking_id=booking.pk,
        claim=lambda: idempotency.claim(request, key),
        is_as_shown=lambda booking: True,
        change=change,
    )


def _back(request: HttpRequest, booking: Booking) -> HttpResponse:
    response = redirect(calendar_path(request.POST.get("back", "")) or link_presenter.panel_url(booking))
    response.status_code = 303
    return response
