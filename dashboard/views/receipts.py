"""Receipts of a booking at the desk: the same page and PDF that the customer has."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from bookings.models import Booking
from bookings.refs import subject_ref
from dashboard.door import Desk
from dashboard.permissions import can
from dashboard.presenters.confirmations import booking_facts
from dashboard.queries import has_several_zones
from dashboard.views.booking import open_booking
from dashboard.views.pages import desk_page, show
from payments.queries import has_receipt_pdf
from payments.receipts.contents import ReceiptContents, written
from payments.receipts.serving import found_receipt, pdf_response


@require_safe
@desk_page
def receipt(request: HttpRequest, desk: Desk, reference: str, number: str) -> HttpResponse:
    booking = _open(desk, reference)
    found = found_receipt(subject_ref(booking), number)
    contents = ReceiptContents.from_json(found.contents)
    context = {
        "facts": booking_facts(booking, names_zone=has_several_zones()),
        "back_url": reverse("desk_booking", args=[booking.reference]),
        "pdf_url": reverse("desk_booking_receipt_pdf", args=[booking.reference, found.number]),
        "number": found.number,
        "receipt": written(contents),
        "lang": contents.language,
        "has_pdf": has_receipt_pdf(found),
    }
    return show(request, desk, "dashboard/receipt.html", context, current="day", place=booking.location)


@require_safe
@desk_page
def pdf(request: HttpRequest, desk: Desk, reference: str, number: str) -> HttpResponse:
    booking = _open(desk, reference)
    found = found_receipt(subject_ref(booking), number)
    return pdf_response(found, page_url=reverse("desk_booking_receipt", args=[booking.reference, found.number]))


def _open(desk: Desk, reference: str) -> Booking:
    """Return the booking; a user without the right to its receipts gets the answer of an unknown booking."""
    booking = open_booking(desk, reference)
    if not can(desk.rights, desk.act, booking):
        raise Http404
    return booking
