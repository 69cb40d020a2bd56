"""Finding a receipt of one subject, and answering with its PDF. Shared by the pages of customers and of the desk."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from payments.models import Receipt
from payments.queries import receipt_pdf_bytes, receipts_of


def found_receipt(subject_ref: str, number: str) -> Receipt:
    """Find a receipt of exactly this subject; those of others do not exist here."""
    for each in receipts_of(subject_ref):
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
