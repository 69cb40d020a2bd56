"""The message log, and resending a message."""

from zoneinfo import ZoneInfo

from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from bookings.models import Booking
from dashboard import message_log as sent
from dashboard.door import Desk
from dashboard.permissions import Act, can, locations_visible_to
from dashboard.presenters.message_log import Sent, sent_of, shown_at
from dashboard.views.booking import open_booking
from dashboard.views.pages import desk_page, show
from notifications.models import Notification
from notifications.operations import send_again

_FILTERS = {"failed": sent.FAILED, "waiting": sent.WAITING}


@require_safe
@desk_page
def log(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the latest messages of visible bookings; only failed or planned ones if the address asks."""
    chosen = request.GET.get("only", "")
    found = sent.latest(desk.rights, _FILTERS.get(chosen, ()))
    bookings = sent.bookings_of(desk.rights, found)
    zones = [ZoneInfo(place.time_zone) for place in locations_visible_to(desk.rights)]
    zone, names_zone = zones[0] if zones else ZoneInfo("UTC"), len(set(zones)) > 1
    rows = sorted(found, key=lambda row: (shown_at(row), row.pk), reverse=True)
    context = {
        "rows": [_row(desk, row, bookings.get(row.subject_ref), zone, names_zone=names_zone) for row in rows],
        "chosen": chosen if chosen in _FILTERS else "",
        "most": sent.MOST_SHOWN,
        "is_cut": len(found) == sent.MOST_SHOWN,
    }
    return show(request, desk, "dashboard/message_log.html", context, current="messages")


@require_safe
@desk_page
def of_booking(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Show every message about one booking, planned ones included."""
    booking = open_booking(desk, reference)
    if not can(desk.rights, desk.act, booking):
        raise Http404
    zone = ZoneInfo(booking.location.time_zone)
    context = {
        "booking": booking,
        "rows": [
            _row(desk, row, booking, zone)
            for row in sorted(sent.of_booking(booking), key=lambda row: (shown_at(row), row.pk), reverse=True)
        ],
    }
    return show(request, desk, "dashboard/booking_messages.html", context, current="day")


@require_POST
@desk_page
def again(request: HttpRequest, desk: Desk, message_id: int) -> HttpResponse:
    """Queue a copy of a message. It is rendered when it is sent, and dropped if it no longer applies by then."""
    row = sent.message_by_number(desk.rights, message_id)
    booking = sent.bookings_of(desk.rights, [row]).get(row.subject_ref) if row else None
    if row is None or booking is None or not can(desk.rights, desk.act, booking):
        raise Http404
    send_again(notification_id=row.pk, now=desk.now)
    notes.success(request, gettext("It goes out again."))
    response = redirect("desk_booking_messages", booking.reference)
    response.status_code = 303
    return response


def _row(desk: Desk, row: Notification, booking: Booking | None, zone: ZoneInfo, *, names_zone: bool = False) -> Sent:
    may_resend = booking is not None and can(desk.rights, Act.SEND_AGAIN, booking)
    where = ZoneInfo(booking.location.time_zone) if booking else zone
    return sent_of(row, booking, zone=where, names_zone=names_zone, may_resend=may_resend)
