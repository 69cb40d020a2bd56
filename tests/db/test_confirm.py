"""Confirming a hold: everything that belongs to a booking is written at once, and once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Consent, Customer
from bookings.enums import BookingStatus
from bookings.errors import HoldExpired, HoldOver
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from notifications.models import Notification
from payments.models import Bill, BillLine
from tests.factories import NOW, add_on, studio
from tests.journeys import DESK, GUEST, JANA, booked, claims, confirm, hold

pytestmark = pytest.mark.django_db


def test_confirm_writes_contact_bill_consent_history_and_messages() -> None:
    place = studio()
    towel = add_on(place.variant.service)
    held = hold(place, add_on_ids=[towel.pk]).booking
    before = claims()
    contact = replace(JANA, note="Sore shoulder", visit_address="Lindenstr. 1")

    confirm(held, contact=contact)

    booking = Booking.objects.get()
    assert (booking.status, booking.confirmed_at, booking.hold_expires_at) == (BookingStatus.CONFIRMED, NOW, None)
    assert (booking.contact_name, booking.contact_email) == ("Jana Weber", "jana@example.com")
    assert (booking.contact_phone, booking.customer_note) == ("+4915155501827", "Sore shoulder")
    assert booking.visit_address == "Lindenstr. 1"
    assert claims() == before
    customer = Customer.objects.get()
    assert (booking.customer, customer.email, customer.email_proven_at) == (customer, "jana@example.com", None)
    assert booking.bill == Bill.objects.get()
    assert (booking.bill.customer, booking.bill.currency) == (customer, "EUR")
    lines = BillLine.objects.values_list("kind", "text", "net_minor", "tax_minor", "gross_minor", "subject_ref")
    assert list(lines) == [
        ("service", "Deep tissue massage", 6723, 1277, 8000, f"booking:{booking.pk}"),
        ("add_on", "Hot towel wrap", 672, 128, 800, f"booking:{booking.pk}"),
    ]
    consent = Consent.objects.get()
    assert (consent.customer, consent.text, consent.given_at) == (customer, "I agree.", NOW)
    assert list(booking.events.values_list("from_status", "to_status")) == [("", "held"), ("held", "confirmed")]
    sent_to = set(Notification.objects.exclude(kind="reminder").values_list("kind", "address"))
    assert sent_to == {("confirmed", "jana@example.com"), ("confirmed", place.staff[0].email)}


def test_confirm_twice_is_one_booking() -> None:
    held = hold(studio()).booking

    first = confirm(held)
    second = confirm(held, contact=replace(JANA, name="Somebody else"))

    assert first == second
    assert Booking.objects.get().contact_name == "Jana Weber"
    assert [Bill.objects.count(), Consent.objects.count(), Notification.objects.count()] == [1, 1, 4]
    assert held.events.count() == 2


@pytest.mark.parametrize("is_swept", [True, False])
def test_confirm_after_the_hold_ran_out_changes_nothing(is_swept: bool) -> None:
    from bookings.operations.hold import expire_holds

    held = hold(studio()).booking
    late = NOW + timedelta(minutes=10)
    if is_swept:
        expire_holds(now=late)

    with pytest.raises(HoldExpired):
        confirm(held, now=late)

    assert not Bill.objects.exists()
    assert not Notification.objects.exists()
    assert not Customer.objects.exists()
    assert Booking.objects.get().contact_name == ""


def test_confirm_at_the_last_moment_is_in_time() -> None:
    held = hold(studio()).booking

    assert confirm(held, now=NOW + timedelta(minutes=9, seconds=59)).status == BookingStatus.CONFIRMED


def test_confirm_of_a_cancelled_booking_is_refused() -> None:
    booking = confirm(hold(studio()).booking)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )

    with pytest.raises(HoldOver):
        confirm(booking)

    assert Booking.objects.get().status == BookingStatus.CANCELLED


def test_a_guest_with_the_address_of_a_known_customer_gets_an_own_record_and_changes_nothing() -> None:
    known = Customer.objects.create(name="Jana W.", email="Jana@example.com", email_normalised="jana@example.com")

    booking = confirm(hold(studio()).booking, contact=replace(JANA, name="Impostor", phone="+491"))

    own = booking.customer
    assert own is not None
    assert (own.name, own.email_normalised, own.email_proven_at) == ("Impostor", None, None)
    known.refresh_from_db()
    assert (known.name, known.phone) == ("Jana W.", "")
    assert booking.bill
    assert booking.bill.customer == own


def test_a_guest_who_books_again_with_the_same_contact_has_both_visits() -> None:
    place = studio(staff=2)

    first, second = booked(place, 10), booked(place, 15)

    assert first.customer == second.customer == Customer.objects.get()


def test_a_booking_at_the_desk_needs_no_address() -> None:
    place = studio()
    held = hold(place, actor=DESK).booking

    booking = confirm(held, contact=replace(JANA, email=""), actor=DESK)

    assert (booking.customer, booking.channel) == (Customer.objects.get(name="Jana Weber", email=""), "desk")
    assert list(Notification.objects.values_list("address", flat=True)) == [place.staff[0].email]


def test_an_online_visit_takes_the_link_of_its_person() -> None:
    place = studio(delivery="online")
    place.staff[0].meeting_url = "https://meet.example.com/ana"
    place.staff[0].save()

    booking = confirm(hold(place).booking, actor=GUEST)

    booking.refresh_from_db()
    assert booking.meeting_url == "https://meet.example.com/ana"


def test_prices_without_tax_owe_price_and_tax() -> None:
    place = studio()
    place.business.prices_include_tax = False
    place.business.save()

    booking = confirm(hold(place).booking)

    assert (booking.total_minor, booking.tax_minor) == (9520, 1520)
    assert BillLine.objects.values_list("net_minor", "gross_minor").get() == (8000, 9520)
