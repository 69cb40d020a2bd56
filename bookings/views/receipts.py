"""Receipts of a booking, by its link: as a page and as a PDF that say the same."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from bookings.models import Booking
from bookings.views.opened import open_for_customer
from bookings.views.tokens import token_page
from payments.models import Receipt
from payments.queries import has_receipt_pdf, receipt_pdf_bytes, receipts_of
from payments.receipts import ReceiptContents, written


@token_page
@require_safe
def receipt(request: HttpRequest, token: str, number: str) -> HttpResponse:
    opened = open_for_customer(token)
    found = found_receipt(opened.booking, number)
    contents = ReceiptContents.from_json(found.contents)
    context = {
        "token": opened.token,
        "number": found.number,
        "receipt": written(contents),
        "lang": contents.language,
        "has_pdf": has_receipt_pdf(found),
    }
    return render(request, "bookings/receipt.html", context)


@token_page
@require_safe
def pdf(request: HttpRequest, token: str, number: str) -> HttpResponse:
    opened = open_for_customer(token)
    found = found_receipt(opened.booking, number)
    return pdf_response(found, page_url=reverse("receipt", args=[opened.token, found.number]))


def found_receipt(booking: Booking, number: str) -> Receipt:
    """Find a receipt of exactly this booking; those of others do not exist here."""
    for each in receipts_of(f"booking:{booking.pk}"):
        if each.number == number:
            return each
    raise Http404


def pdf_response(found: Receipt, *, page_url: str) -> HttpResponse:
    """Answer with the kept PDF. Until a worker has drawn it, lead to the page that says the same."""
    content = receipt_pdf_bytes(found)
    if content is None:
        return redirect(page_url)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
    return response
