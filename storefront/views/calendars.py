"""Calendar files of bookings."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bookings.calendars import ical
from bookings.calendars.entries import customer_file
from bookings.enums import BookingStatus
from storefront.tokens import token_page
from storefront.views._booking_page import open_for_customer

_OFF = frozenset({BookingStatus.CANCELLED, BookingStatus.DECLINED})


@token_page
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Send the calendar entry of a booking; for a cancelled booking, its cancellation."""
    opened = open_for_customer(request, token)
    is_off = opened.booking.status in _OFF
    content = customer_file(opened.booking, opened.business, role=opened.role, is_off=is_off, now=opened.now)
    method = ical.Method.CANCEL if is_off else ical.Method.PUBLISH
    response = HttpResponse(content, content_type=f"text/calendar; charset=utf-8; method={method}")
    response["Content-Disposition"] = f'attachment; filename="{opened.booking.reference}.ics"'
    return response
