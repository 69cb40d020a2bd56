"""The PDF of a receipt: a worker draws it once, it never changes, and no page waits for it."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from payments.enums import Method
from payments.models import Receipt, ReceiptDocument
from payments.operations import draw_missing_receipts, draw_receipt, issue_receipt, refund_payment
from payments.receipts.contents import ReceiptContents
from payments.receipts.pdf import receipt_pdf
from services.models import Business
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import arrived, booked
from tests.money import deliver

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=11)


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio, 10)


def issue(booking: Booking) -> Receipt:
    receipt = issue_receipt(payment_id=arrived(booking, 1600).pk, now=NOW)
    assert receipt
    return receipt


def kept(receipt: Receipt) -> bytes:
    return bytes(ReceiptDocument.objects.get(receipt=receipt).pdf)


def test_worker_draws_what_was_issued_and_keeps_it_as_it_is(booking: Booking) -> None:
    receipt = issue(booking)
    assert not ReceiptDocument.objects.exists()

    deliver()
    first = kept(receipt)
    Business.objects.update(brand_colour="#123456")
    draw_receipt(receipt_id=receipt.pk, now=LATER)

    assert first == receipt_pdf(ReceiptContents.from_json(receipt.contents))
    assert kept(receipt) == first
    assert NOW <= ReceiptDocument.objects.get().drawn_at < LATER


def test_refund_has_its_own_document(booking: Booking) -> None:
    refund_payment(
        payment_id=issue(booking).payment_id or 0,
        amount_minor=600,
        method=Method.CASH,
        note="",
        actor_id=None,
        actor_name="Sam",
        request_key="form-1",
        now=NOW,
    )

    deliver()

    receipts = Receipt.objects.order_by("pk")
    assert [each.contents["kind"] for each in receipts] == ["receipt", "refund"]
    assert [kept(each) for each in receipts] == [
        receipt_pdf(ReceiptContents.from_json(each.contents)) for each in receipts
    ]


def test_page_waits_for_nothing_until_the_document_is_there(client: Client, booking: Booking) -> None:
    receipt = issue(booking)
    path = reverse("receipt", args=[manage_token(booking, LinkRole.CUSTOMER), receipt.number])
    document = reverse("receipt_pdf", args=[manage_token(booking, LinkRole.CUSTOMER), receipt.number])

    early, redirected = client.get(path).content.decode(), client.get(document)
    deliver()
    late = client.get(path).content.decode()

    assert "The PDF follows in a moment." in early
    assert document not in early
    assert (redirected.status_code, redirected["Location"]) == (302, path)
    assert document in late
    assert "The PDF follows" not in late
    assert client.get(document).content == kept(receipt)


def test_web_process_has_nothing_to_draw_with() -> None:
    script = (
        "import sys, django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns;"
        "print([name for name in ('typst', 'fontTools', 'manimgx_fonts') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert loaded.stdout.strip() == "[]"


def test_receipts_without_a_document_get_one_later(booking: Booking, studio: Studio) -> None:
    """From before they were kept, or given up. One that cannot be drawn keeps no other waiting."""
    broken, other = issue(booking), issue(booked(studio, 12))
    Receipt.objects.filter(pk=broken.pk).update(contents={"kind": "receipt"})

    assert draw_missing_receipts(now=NOW) == 0
    assert draw_missing_receipts(now=LATER) == 2

    assert list(ReceiptDocument.objects.values_list("receipt", flat=True)) == [other.pk]


def test_document_goes_with_its_receipt(booking: Booking) -> None:
    """Whoever deletes a receipt when it need be kept no longer has deleted the name in its PDF as well."""
    receipt = issue(booking)
    deliver()

    receipt.delete()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM payments_receiptdocument")
        assert cursor.fetchone() == (0,)
