"""Which customer a booking belongs to after the customer acts from the mailbox, and what goes with it."""

from dataclasses import replace

import pytest

from accounts.models import Consent, Customer
from bookings.models import Booking
from bookings.operations.proven_customer import link_proven_customer
from notifications.models import Notification
from tests.factories import NOW, studio
from tests.journeys import JANA, booked

pytestmark = pytest.mark.django_db


def recipients(booking: Booking) -> set[str]:
    to_customer = Notification.objects.filter(subject_ref=f"booking:{booking.pk}", recipient_role="customer")
    return set(to_customer.values_list("recipient_ref", flat=True))


def test_a_proof_under_another_number_gives_the_booking_its_bill_and_consent_to_the_known_customer() -> None:
    place = studio(staff=2)
    known = link_proven_customer(booking_id=booked(place, 10).pk, now=NOW).customer
    again = booked(place, 15, contact=replace(JANA, phone="+4915155509999"))
    assert again.customer != known

    linked = link_proven_customer(booking_id=again.pk, now=NOW)

    assert linked.customer == known
    assert linked.bill is not None
    assert linked.bill.customer == known
    assert Consent.objects.get(subject_ref=f"booking:{again.pk}").customer == known
    assert recipients(again) == {f"customer:{known.pk if known else 0}"}
    # The record that the guest had until then held nothing else.
    assert Customer.objects.get() == known


def test_a_guests_record_with_another_visit_stays() -> None:
    place = studio(staff=2)
    link_proven_customer(booking_id=booked(place, 9).pk, now=NOW)
    contact = replace(JANA, phone="+4915155509999")
    one, other = booked(place, 11, contact=contact), booked(place, 15, contact=contact)
    assert one.customer == other.customer

    link_proven_customer(booking_id=one.pk, now=NOW)

    other.refresh_from_db()
    assert other.customer is not None
    assert other.customer.email_normalised is None


def test_people_who_share_a_mailbox_keep_their_bookings_apart() -> None:
    place = studio(staff=2)
    link_proven_customer(booking_id=booked(place, 10).pk, now=NOW)
    booking = booked(place, 15, contact=replace(JANA, name="Robin Weber"))
    own = booking.customer

    linked = link_proven_customer(booking_id=booking.pk, now=NOW)

    assert linked.customer == own
    assert own is not None
    own.refresh_from_db()
    assert (own.name, own.email_proven_at, own.email_normalised) == ("Robin Weber", NOW, None)
