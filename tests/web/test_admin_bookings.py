"""Bookings in the admin: looked at, never edited; what can be done to them is asked first and done by POST."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Consent, Customer, User
from bookings.enums import BookingStatus
from bookings.links import LinkRole, manage_token
from bookings.models import Allocation, Booking, BookingEvent, BookingLine
from bookings.operations.move import reschedule_booking
from notifications.models import Notification
from payments.models import Bill, BillLine
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock


@pytest.fixture
def desk(db: None, stopped: StoppedClock) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


@pytest.fixture
def booking(desk: Client) -> Booking:
    return journeys.booked(factories.studio())


def everything() -> list[Any]:
    """All rows that only operations may change."""
    models = (Booking, BookingLine, Allocation, BookingEvent, Bill, BillLine, Consent, Notification)
    return [list(model.objects.order_by("pk").values()) for model in models]


def step(booking: Booking, name: str) -> str:
    return reverse("admin:bookings_booking_step", args=[booking.pk, name])


@pytest.mark.parametrize(
    "model", [Booking, BookingLine, Allocation, BookingEvent, Bill, BillLine, Consent, Notification], ids=str
)
def test_crafted_posts_change_nothing(desk: Client, booking: Booking, model: Any) -> None:
    before = everything()
    row, name = model.objects.earliest("pk"), f"admin:{model._meta.app_label}_{model._meta.model_name}"
    crafted = {"status": "completed", "reference": "AAAAAA", "total_minor": "1", "gross_minor": "1", "text": "x"}

    answers = [
        desk.post(reverse(f"{name}_change", args=[row.pk]), crafted).status_code,
        desk.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code,
        desk.post(reverse(f"{name}_add"), crafted).status_code,
    ]
    desk.post(reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    desk.post(reverse(f"{name}_changelist"), {"form-0-id": row.pk, "form-0-status": "completed", "_save": "Save"})

    assert answers == [403, 403, 403]
    assert everything() == before


@pytest.mark.parametrize("name", ["cancel", "resend", "renew"])
def test_asking_changes_nothing(desk: Client, booking: Booking, name: str) -> None:
    before = everything()

    link = desk.get(reverse(f"admin:bookings_booking_{name}_action", args=[booking.pk]))
    page = desk.get(step(booking, name))

    assert (link.status_code, link["Location"]) == (302, step(booking, name))
    assert "Jana Weber" in page.content.decode()
    assert everything() == before


def test_the_business_cancels_without_a_fee_and_with_its_reason(desk: Client, booking: Booking) -> None:
    response = desk.post(step(booking, "cancel"), {"reason": "Ana is ill", "sequence": "0"}, follow=True)

    booking.refresh_from_db()
    event = booking.events.latest("pk")
    assert "The booking is cancelled" in response.content.decode()
    assert (booking.status, booking.cancellation_fee_minor) == (BookingStatus.CANCELLED, 0)
    assert (event.actor_kind, event.actor_name, event.channel, event.reason) == (
        "staff",
        "Olivia",
        "desk",
        "Ana is ill",
    )
    assert Allocation.objects.count() == 0


def test_cancelling_twice_says_so(desk: Client, booking: Booking) -> None:
    desk.post(step(booking, "cancel"), {"reason": "", "sequence": "0"})
    before = everything()

    response = desk.post(step(booking, "cancel"), {"reason": "", "sequence": "0"}, follow=True)

    assert "already cancelled" in response.content.decode()
    assert everything() == before


def test_the_confirmation_goes_out_once_more(desk: Client, booking: Booking) -> None:
    known = set(Notification.objects.values_list("pk", flat=True))

    desk.post(step(booking, "resend"), {})
    desk.post(step(booking, "resend"), {})

    again = Notification.objects.exclude(pk__in=known)
    assert [(row.kind, row.address, row.version) for row in again] == [("confirmed", "jana@example.com", 0)]


def test_a_cancelled_booking_is_not_confirmed_again(desk: Client, booking: Booking) -> None:
    desk.post(step(booking, "cancel"), {"reason": "", "sequence": "0"})
    count = Notification.objects.count()

    desk.post(step(booking, "resend"), {})

    assert Notification.objects.count() == count


def test_renewed_links_replace_the_old_ones(desk: Client, booking: Booking) -> None:
    old = [f"/b/{manage_token(booking, role)}/" for role in (LinkRole.CUSTOMER, LinkRole.STAFF)]
    assert [Client().get(url).status_code for url in old] == [200, 200]

    desk.post(step(booking, "renew"), {"reason": "Wrong mailbox"})

    booking.refresh_from_db()
    new = [f"/b/{manage_token(booking, role)}/" for role in (LinkRole.CUSTOMER, LinkRole.STAFF)]
    event = booking.events.latest("pk")
    assert [Client().get(url).status_code for url in old] == [404, 404]
    assert [Client().get(url).status_code for url in new] == [200, 200]
    assert (event.kind, event.reason) == ("link", "Wrong mailbox")


def test_looking_is_not_enough_to_act(booking: Booking) -> None:
    reader = User.objects.create_user("aud@studio.example", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_booking"))
    client = Client()
    sign_in_staff(client, reader)
    before = everything()

    page = client.get(reverse("admin:bookings_booking_change", args=[booking.pk]))
    client.post(step(booking, "cancel"), {"reason": "", "sequence": "0"})

    assert page.status_code == 200
    assert "Cancel …" not in page.content.decode()
    assert everything() == before


@pytest.mark.parametrize("sent", [{"sequence": "0"}, {}, {"sequence": "x"}])
def test_a_page_older_than_a_move_cancels_nothing(desk: Client, booking: Booking, sent: dict[str, str]) -> None:
    assert 'name="sequence" value="0"' in desk.get(step(booking, "cancel")).content.decode()
    reschedule_booking(
        booking_id=booking.pk, start_minute=int(booking.starts_at.timestamp()) // 60 + 240, staff_member_id=None,
        expected_sequence=0, expected_fee_minor=0, actor=journeys.DESK, now=NOW,
    )  # fmt: skip

    response = desk.post(step(booking, "cancel"), {"reason": "", **sent}, follow=True)

    assert "This booking has changed since you opened the page." in response.content.decode()
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_a_stranger_sees_no_step(booking: Booking) -> None:
    before = everything()

    response = Client().post(step(booking, "cancel"), {"reason": "", "sequence": "0"})

    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/desk/sign-in")
    assert everything() == before


def test_messages_are_sent_again_after_a_question(desk: Client, booking: Booking) -> None:
    message = Notification.objects.get(recipient_role="customer", kind="confirmed")
    url, chosen = reverse("admin:notifications_notification_changelist"), {"_selected_action": [message.pk]}

    asked = desk.post(url, {"action": "send_again", **chosen})
    count = Notification.objects.count()
    desk.post(url, {"action": "send_again", "confirmed": "1", **chosen})

    assert "jana@example.com" in asked.content.decode()
    assert Notification.objects.count() == count + 1
    copy = Notification.objects.latest("pk")
    assert (copy.kind, copy.address, copy.status) == (message.kind, message.address, "queued")


def test_the_list_shows_what_lies_ahead(desk: Client, booking: Booking, stopped: StoppedClock) -> None:
    url = reverse("admin:bookings_booking_changelist")
    shown = f"{booking.reference[:3]} {booking.reference[3:]}"
    Booking.objects.update(starts_at="2020-01-01T10:00Z", ends_at="2020-01-01T11:00Z")

    pages = [desk.get(f"{url}{query}").content.decode() for query in ("", "?when=past", "?when=all", "?q=Jana")]

    assert [shown in page for page in pages] == [False, True, True, True]


def test_customers_with_the_same_mailbox_are_refused(desk: Client, booking: Booking) -> None:
    values = {"name": "Other", "email": "JANA@example.com", "phone": "", "language": "en", "notes": "", "user": ""}

    response = desk.post(reverse("admin:accounts_customer_add"), values)

    assert "Another customer has this address." in response.content.decode()
    assert Customer.objects.count() == 1


def test_a_new_address_of_a_customer_is_not_proven(desk: Client, booking: Booking) -> None:
    customer = Customer.objects.get()
    Customer.objects.update(email_proven_at=factories.NOW)
    values = {"name": "Jana", "email": "weber@example.com", "phone": "", "language": "en", "notes": "", "user": ""}

    desk.post(reverse("admin:accounts_customer_change", args=[customer.pk]), values)

    customer.refresh_from_db()
    assert (customer.email, customer.email_normalised) == ("weber@example.com", "weber@example.com")
    assert customer.email_proven_at is None


def test_nobody_deletes_the_own_sign_in(desk: Client) -> None:
    own = User.objects.get()

    one = desk.post(reverse("admin:accounts_user_delete", args=[own.pk]), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"}
    desk.post(reverse("admin:accounts_user_changelist"), chosen)

    assert one.status_code == 403
    assert User.objects.count() == 1


def test_texts_of_guests_are_shown_as_typed(desk: Client) -> None:
    studio: Studio = factories.studio()
    name = "<script>alert(1)</script> {{7*7}}"
    booking = journeys.booked(studio, contact=journeys.Contact(name=name, email="j@example.com", phone="", note=name))

    for url in (
        reverse("admin:bookings_booking_changelist"),
        reverse("admin:bookings_booking_change", args=[booking.pk]),
        step(booking, "cancel"),
    ):
        html = desk.get(url).content.decode()
        assert "<script>alert(1)" not in html
        assert "&lt;script&gt;alert(1)" in html
