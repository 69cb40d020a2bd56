"""The message log, and resending a message."""

from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.enums import RecordKind
from bookings.models import Booking
from dashboard import message_log as sent
from dashboard.door import Desk
from dashboard.lists.address import asked_of
from dashboard.lists.presenter import address
from dashboard.message_log import shown_at
from dashboard.permissions import Act, can, limited_to, locations_visible_to, may
from dashboard.presenters.message_log import Sent, page_of, sent_of
from dashboard.views.booking import open_booking
from dashboard.views.pages import csv_or_list, desk_page, show, show_list
from notifications.models import Notification
from notifications.operations import send_again


@require_safe
@desk_page
def log(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show one page of the messages about visible bookings, planned ones included."""
    places = list(locations_visible_to(desk.rights))
    zones = [ZoneInfo(place.time_zone) for place in places]
    zone, names_zone = zones[0] if zones else ZoneInfo("UTC"), len(set(zones)) > 1
    asked = asked_of(request.GET, sent.listing_for(places))
    found = sent.page_of(desk.rights, asked, zone)
    if asked.value("q"):
        desk.note_search(RecordKind.SENT, found.count)
    bookings = sent.bookings_of(desk.rights, found.rows)
    back = urlencode({"back": address(reverse("desk_message_log"), asked.whole_query)})
    rows = [
        _row(desk, row, bookings.get(row.subject_ref), zone, names_zone=names_zone, back=back) for row in found.rows
    ]
    page = page_of(found, rows, asked, may_export=may(desk.rights, Act.EXPORT_CUSTOMERS))
    return show_list(request, desk, "message_log", page, current="messages", places=places)


@require_safe
@desk_page
def log_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered list, all pages of it, without the texts, of the places where the reader may download it."""
    places = list(locations_visible_to(desk.rights))
    asked = asked_of(request.GET, sent.listing_for(places))
    zone = ZoneInfo(places[0].time_zone if places else "UTC")
    lines = sent.lines_of(limited_to(desk.rights, desk.act), asked, zone)
    return csv_or_list(asked, "messages.csv", lines, list_name="desk_message_log")


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


def _row(
    desk: Desk, row: Notification, booking: Booking | None, zone: ZoneInfo, *, names_zone: bool = False, back: str = ""
) -> Sent:
    may_resend = booking is not None and can(desk.rights, Act.SEND_AGAIN, booking)
    where = ZoneInfo(booking.location.time_zone) if booking else zone
    return sent_of(row, booking, zone=where, names_zone=names_zone, may_resend=may_resend, back=back)
