"""Receipts at the desk: the same as the customer's, for users who see the whole place, only of that booking."""

import pytest
from django.test import Client

from bookings.models import Booking
from payments.models import Payment, Receipt
from payments.operations import draw_receipt, issue_receipt
from staff.enums import Role
from staff.models import Access
from tests import factories
from tests.desk import DeskClient, at_desk, cash
from tests.factories import NOW, Studio
from tests.journeys import arrived, booked
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def booking(studio: Studio) -> Booking:
    booking = booked(studio, 10)
    _issue(arrived(booking, 1600))
    return booking


def _issue(payment: Payment) -> Receipt:
    receipt = issue_receipt(payment_id=payment.pk, now=NOW)
    assert receipt
    draw_receipt(receipt_id=receipt.pk, now=NOW)
    return receipt


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.AUDITOR, studio.location)


def test_the_booking_leads_to_page_and_pdf(desk: DeskClient, booking: Booking) -> None:
    number = Receipt.objects.get().number
    html = desk.page(booking).content.decode()
    page = desk.page(booking, f"receipts/{number}")
    pdf = desk.page(booking, f"receipts/{number}.pdf")

    assert f'href="/desk/bookings/{booking.reference}/receipts/{number}">Receipt for €16.00</a>' in html
    assert f'href="/desk/bookings/{booking.reference}/receipts/{number}.pdf"' in html
    assert number in page.content.decode()
    assert "Jana Weber" in page.content.decode()
    assert f"/receipts/{number}.pdf" in page.content.decode()
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert pdf["Content-Disposition"] == f'inline; filename="{number}.pdf"'


@pytest.mark.parametrize("ending", ["", ".pdf"])
def test_that_of_another_booking_is_not_here(desk: DeskClient, studio: Studio, booking: Booking, ending: str) -> None:
    other = booked(studio, 12)
    foreign = _issue(cash(other, 2000)).number

    assert desk.page(booking, f"receipts/{foreign}{ending}").status_code == 404
    assert desk.page(other, f"receipts/{foreign}{ending}").status_code == 200
    assert desk.page(booking, f"receipts/2027-999999{ending}").status_code == 404


@pytest.mark.parametrize("ending", ["", ".pdf"])
def test_who_only_performs_the_visit_reads_none(client: Client, studio: Studio, booking: Booking, ending: str) -> None:
    """Not even a therapist who manages another place."""
    user = factories.desk_user(Role.THERAPIST, studio.location, of=booking)
    Access.objects.create(user=user, role=Role.MANAGER, location=factories.location(name="Alfama"))
    sign_in_staff(client, user)
    desk = DeskClient(client, user)
    number = Receipt.objects.get().number

    html = desk.page(booking).content.decode()
    assert "/receipts/" not in html
    assert desk.page(booking, f"receipts/{number}{ending}").status_code == 404
