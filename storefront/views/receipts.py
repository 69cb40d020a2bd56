"""Receipts of a booking by its link: a page and a PDF with the same content."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from bookings.refs import subject_ref
from payments.queries import has_receipt_pdf
from payments.receipts.contents import ReceiptContents, written
from payments.receipts.serving import found_receipt, pdf_response
from storefront.tokens import token_page
from storefront.views._booking_page import open_for_customer


@token_page
@require_safe
def receipt(request: HttpRequest, token: str, number: str) -> HttpResponse:
    opened = open_for_customer(request, token)
    found = found_receipt(subject_ref(opened.booking), number)
    contents = ReceiptContents.from_json(found.contents)
    context = {
        "token": opened.token,
        "number": found.number,
        "receipt": written(contents),
        "lang": contents.language,
        "has_pdf": has_receipt_pdf(found),
    }
    return render(request, "storefront/receipt.html", context)


@token_page
@require_safe
def pdf(request: HttpRequest, token: str, number: str) -> HttpResponse:
    opened = open_for_customer(request, token)
    found = found_receipt(subject_ref(opened.booking), number)
    return pdf_response(found, page_url=reverse("receipt", args=[opened.token, found.number]))
