"""Calendar files of bookings."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bookings.calendar_entries import customer_file
from bookings.enums import BookingStatus
from bookings.views.opened import open_for_customer
from bookings.views.tokens import token_page

_OFF = frozenset({BookingStatus.CANCELLED, BookingStatus.DECLINED})


@token_page
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Give the entry to add to a calendar; nothing once the booking is off."""
    opened = open_for_customer(token)
    if opened.booking.status in _OFF:
        raise Http404
    content = customer_file(opened.booking, opened.business, role=opened.role, now=opened.now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response["Content-Disposition"] = f'attachment; filename="{opened.booking.reference}.ics"'
    return response
