"""Find a receipt of one subject and answer with its PDF. Used by the customer's pages and the desk."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from payments.models import Receipt
from payments.queries import receipt_pdf_bytes, receipts_of


def found_receipt(subject_ref: str, number: str) -> Receipt:
    """Return the receipt with this number if it belongs to the subject.

    :raises Http404: if it does not exist or belongs to another subject.
    """
    for each in receipts_of(subject_ref):
        if each.number == number:
            return each
    raise Http404


def pdf_response(found: Receipt, *, page_url: str) -> HttpResponse:
    """Answer with the stored PDF. Until a worker has drawn it, redirect to the page with the same contents."""
    content = receipt_pdf_bytes(found)
    if content is None:
        return redirect(page_url)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
    return response
