"""The start page of a signed-in customer, their bookings by reference, and booking in two taps."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.contact.contact import Contact
from accounts.customer_merge import merge_stamp
from accounts.customer_record import By
from accounts.models import Customer
from accounts.operations import prove_customer_email
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.confirm import confirm_booking
from bookings.operations.merge_customers import merge_customers
from payments.operations.receipts import draw_receipt, issue_receipt
from services.models import Business
from tests.factories import NOW, Studio
from tests.journeys import GUEST, JANA, arrived, booked, completed, hold, paid_studio
from tests.pages import squeezed
from tests.signing_in import sign_in_customer
from tests.web.conftest import StoppedClock, agreed, details, filled, slot

pytestmark = pytest.mark.django_db

OTHER = Contact(name="Emil Brandt", email="emil@example.com", phone="+4915155501828", note="")


def proven(booking: Booking) -> Customer:
    """The customer of a booking, who has proven the mailbox."""
    return prove_customer_email(
        customer_id=booking.customer_id,
        name=booking.contact_name,
        email=booking.contact_email,
        phone=booking.contact_phone,
        language="en",
        now=NOW,
    )


def past(studio: Studio, hour: int = 10, *, days: int, staff: int = 0, contact: Contact = JANA) -> Booking:
    """A visit that took place ``days`` days before ``NOW``."""
    before = NOW - timedelta(days=days + 1)
    minute = int((studio.at(hour, days=0) - timedelta(days=days)).timestamp()) // 60
    booking = booked(studio, contact=contact, start_minute=minute, staff_member_id=studio.staff[staff].pk, now=before)
    return completed(booking)


@pytest.fixture
def jana(client: Client, studio: Studio) -> Booking:
    """A booking tomorrow at ten of Jana, who is signed in."""
    booking = booked(studio, staff_member_id=studio.staff[0].pk)
    sign_in_customer(client, proven(booking))
    return booking


def page(client: Client, path: str = "/my/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return squeezed(response.content.decode())


def test_the_next_visit_comes_first_with_what_can_be_done(client: Client, jana: Booking) -> None:
    client.cookies["zone"] = "America/New_York"

    shown = page(client)

    assert "Hello Jana" in shown
    assert "jana@example.com" in shown
    assert "Tue 5 Jan, 10:00" in shown
    assert "4:00" in shown  # the visitor's own clock
    assert "Lindenstraße 14, Kreuzberg" in shown
    assert "<strong>Mon 4 Jan, 10:00</strong>; after that 50" in shown
    assert f'href="/my/bookings/{jana.reference}/"' in shown
    assert f'href="/my/bookings/{jana.reference}/calendar.ics"' in shown
    assert "https://map.example/linden" in shown


def test_a_visitor_who_is_not_signed_in_is_sent_to_sign_in(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    for path in ("/my/", f"/my/bookings/{booking.reference}/", "/my/bookings/ZZZZZZ/cancel"):
        response = client.get(path)

        assert response.status_code in {302, 303}
        assert response["Location"].startswith("/my/sign-in/?next=/my/"), path


@pytest.mark.parametrize("name", ["", "move", "cancel", "confirmed", "coming", "calendar.ics", "pay"])
def test_the_booking_of_another_customer_does_not_exist(
    client: Client, studio: Studio, jana: Booking, name: str
) -> None:
    other = booked(studio, 14, contact=OTHER)
    for reference in (other.reference, "ZZZZZZ"):
        for method in (client.get, client.post):
            assert method(f"/my/bookings/{reference}/{name}").status_code in {404, 405}
    assert client.get(f"/my/bookings/{other.reference}/{name}").status_code == 404


def test_a_time_that_is_only_held_has_no_page(client: Client, studio: Studio, jana: Booking) -> None:
    held = hold(studio, 14)
    Booking.objects.filter(pk=held.booking.pk).update(customer=jana.customer)

    assert client.get(f"/my/bookings/{held.booking.reference}/").status_code == 404
    assert held.booking.reference not in page(client)


def test_moving_and_cancelling_work_as_from_a_mail_and_no_address_holds_a_secret(
    client: Client, studio: Studio, jana: Booking
) -> None:
    base = f"/my/bookings/{jana.reference}/"
    shown = page(client, base)
    assert "My bookings" in shown
    assert "/b/" not in shown

    step = page(client, f"{base}move?slot={slot(studio, 14)}")
    performer = re.search(r'name="performer" value="(\d+)"', step)
    assert performer
    moved = client.post(f"{base}move", agreed(jana, performer=performer[1], slot=slot(studio, 14)), follow=True)
    jana.refresh_from_db()
    assert moved.redirect_chain == [(base, 303)]
    assert jana.starts_at == studio.at(14)
    assert "/b/" not in page(client, f"{base}cancel")

    client.post(f"{base}cancel", agreed(jana))
    jana.refresh_from_db()
    assert jana.status == BookingStatus.CANCELLED
    assert "Cancelled by you" in page(client)


def test_past_visits_have_their_sums_and_receipts(client: Client, studio: Studio) -> None:
    for days in range(7, 49, 7):
        last = past(studio, days=days)
    first = Booking.objects.latest("starts_at")
    receipt = issue_receipt(payment_id=arrived(first, 8000).pk, now=NOW)
    assert receipt
    draw_receipt(receipt_id=receipt.pk, now=NOW)
    missed = booked(studio, 12)
    cancel_booking(booking_id=missed.pk, expected_fee_minor=0, expected_sequence=0, actor=GUEST, now=NOW)
    sign_in_customer(client, proven(last))

    shown = page(client)

    assert "No visit is booked." in shown
    assert shown.count("my-past-sum") == 4
    assert "€80.00 left to pay" in shown
    assert "Cancelled by you, nothing due" in shown
    assert "All 7 visits" in shown
    receipt_url = f"/my/bookings/{first.reference}/receipt/{receipt.number}"
    assert receipt_url in shown
    assert client.get(receipt_url).status_code == 200
    assert client.get(f"{receipt_url}.pdf")["Content-Type"] == "application/pdf"
    assert page(client, "/my/?all=1").count("my-past-sum") == 7
    # The page of an old visit stays open to its customer, longer than a link.
    assert client.get(f"/my/bookings/{last.reference}/").status_code == 200


def test_merged_bookings_are_own_bookings(client: Client, studio: Studio, jana: Booking) -> None:
    other = booked(studio, 14, contact=OTHER)
    assert other.customer
    kept = Customer.objects.get(pk=jana.customer_id)
    merge_customers(
        kept_id=kept.pk,
        other_id=other.customer.pk,
        seen=merge_stamp(kept, other.customer),
        reason="Same person",
        by=By(None, "Olivia"),
        now=NOW,
    )

    assert client.get(f"/my/bookings/{other.reference}/").status_code == 200
    assert other.reference in page(client)


# --- booking again ----------------------------------------------------------------------------------------------------


def test_the_usual_time_is_one_tap_away(client: Client, studio: Studio) -> None:
    for days in (13, 27, 41):
        last = past(studio, 11, days=days)
    sign_in_customer(client, proven(last))

    shown = page(client)

    assert "you come about every 2 weeks" in shown
    assert "Your usual day and hour." in shown
    button = re.search(r'name="slot" value="([\d.]+)"\s*>\s*Book ([^<]+?)\s*</button>', shown)
    assert button
    held = client.post(
        f"/s/{studio.variant.service.slug}/hold",
        {"variant": studio.variant.pk, "staff": studio.staff[0].pk, "slot": button[1], "next": "details"},
    )
    step = page(client, held["Location"])
    assert 'value="Jana Weber"' in step
    assert "Jana Weber</b>" in step
    assert "Edit" in step
    booking = Booking.objects.latest("pk")
    client.post(held["Location"], {**filled_from(step), "note": ""})
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    assert booking.customer_id == last.customer_id


def filled_from(step: str) -> dict[str, str]:
    """What the page sends when only its main button is pressed."""
    return {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', step)[1]  # type: ignore[index]
        for name in ("name", "email", "phone", "email_seen", "expected_total", "read_at")
    }


def test_a_service_that_is_no_longer_sold_is_not_offered_again(client: Client, studio: Studio) -> None:
    last = past(studio, days=7)
    sign_in_customer(client, proven(last))
    assert "Book again" in page(client)

    studio.variant.service.visibility = "hidden"
    studio.variant.service.save()
    assert "Book again" not in page(client)

    studio.variant.service.visibility = "public"
    studio.variant.service.save()
    Business.objects.update(is_booking_paused=True)
    assert "Book again" not in page(client)


def test_who_has_left_is_replaced_by_anyone(client: Client, studio: Studio) -> None:
    last = past(studio, days=7)
    sign_in_customer(client, proven(last))
    assert 'name="staff"' in page(client)

    studio.staff[0].is_active = False
    studio.staff[0].save()

    shown = page(client)
    assert "Book again" in shown
    assert 'name="staff"' not in shown


@pytest.mark.parametrize("count", [1, 50])
def test_the_queries_of_the_page_do_not_grow(
    client: Client, studio: Studio, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        last = past(studio, 9 + number % 8, days=7 + number)
        booked(studio, contact=JANA, start_minute=studio.minute(9 + number % 8, days=1 + number))
    sign_in_customer(client, proven(last))
    client.get("/my/?all=1")

    with django_assert_max_num_queries(30):
        assert client.get("/my/?all=1").status_code == 200


# --- the details of a known customer ----------------------------------------------------------------------------------


def test_details_are_filled_in_for_a_signed_in_customer_only(client: Client, studio: Studio, jana: Booking) -> None:
    held = hold(studio, 14)

    assert 'value="Jana Weber"' in page(client, details(held))
    assert "Jana Weber" not in page(Client(), details(held))


def test_a_signed_in_customer_is_exempt_without_a_link_of_a_mail(client: Client) -> None:
    place = paid_studio("full")
    customer = Customer.objects.create(
        name="Jana Weber",
        email="jana@example.com",
        email_normalised="jana@example.com",
        email_proven_at=NOW,
        is_prepayment_exempt=True,
    )
    held = hold(place)

    confirmed = confirm_booking(
        booking_id=held.booking.pk,
        contact=JANA,
        consent_text="I agree.",
        actor=GUEST,
        now=NOW,
        signed_in_id=customer.pk,
    )

    assert confirmed.status == BookingStatus.CONFIRMED
    assert confirmed.customer_id == customer.pk


def test_a_signed_in_customer_books_for_the_own_record_whatever_address_is_typed(
    client: Client, studio: Studio, jana: Booking
) -> None:
    emil = booked(studio, 9, contact=OTHER)
    held = hold(studio, 14)

    client.post(details(held), filled(held, name="Emil Brandt", email="emil@example.com", phone="+4915155501828"))

    booking = Booking.objects.get(pk=held.booking.pk)
    assert booking.status == BookingStatus.CONFIRMED
    assert booking.contact_email == "emil@example.com"
    assert booking.customer_id == jana.customer_id != emil.customer_id


def test_a_blocked_customer_stays_blocked_under_another_address(
    client: Client, studio: Studio, jana: Booking, stopped: StoppedClock
) -> None:
    Customer.objects.filter(pk=jana.customer_id).update(is_blocked=True)
    held = hold(studio, 14)

    response = client.post(details(held), filled(held, email="new@example.com", phone="+4915155501829"))

    assert response.status_code in {303, 422, 409, 403}
    assert Booking.objects.get(pk=held.booking.pk).status == BookingStatus.HELD


def test_after_booking_the_addresses_hold_no_secret(client: Client, studio: Studio, jana: Booking) -> None:
    held = hold(studio, 14)

    response = client.post(details(held), filled(held))

    assert response["Location"] == f"/my/bookings/{held.booking.reference}/confirmed"
    assert "You are booked, Jana" in page(client, response["Location"])


def test_on_the_picker_one_tap_leads_a_known_customer_to_the_last_step(
    client: Client, studio: Studio, jana: Booking
) -> None:
    url = f"/s/{studio.variant.service.slug}/hold"
    form = {"variant": studio.variant.pk, "slot": slot(studio, 14), "next": "picker"}

    assert client.post(url, form)["Location"].startswith("/h/")
    scripted = client.post(
        url, {**form, "slot": slot(studio, 15)}, headers={"HX-Request": "true", "HX-Target": "picker"}
    )
    assert (scripted.status_code, scripted["HX-Redirect"][:3]) == (204, "/h/")
    assert Client().post(url, {**form, "slot": slot(studio, 12)})["Location"].startswith("/s/")
