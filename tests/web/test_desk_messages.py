"""Messages at the desk: their words, their ways, what was sent, and who may do what with them."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from bookings.messages.catalogue import TYPES
from bookings.models import Booking
from dashboard.presenters.message_log import advice_text
from notifications.enums import Channel, NotificationStatus, RecipientRole
from notifications.models import MessageRule, MessageText, Notification
from notifications.operations import send_due
from notifications.rules import current_rules
from notifications.text_refusal import text_refusal
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import booked
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db

TEXT = "/desk/messages/confirmed/customer/email/"
PREVIEW = f"{TEXT}preview"
OWN = {
    "subject": "Bis bald, {{ first_name }}",
    "body": "Hello {{ first_name }},\n\n{{ appointment }}\n\n{{ manage_url }}\n",
}


@pytest.fixture
def owner(studio: Studio) -> User:
    return factories.desk_user(Role.OWNER, email="olivia@studio.example")


@pytest.fixture
def desk(client: Client, owner: User) -> Client:
    sign_in_staff(client, owner)
    return client


def at_the_desk(client: Client, role: Role, studio: Studio, booking: Booking | None = None) -> Client:
    sign_in_staff(client, factories.desk_user(role, studio.location, of=booking))
    return client


# --- which messages, and which way --------------------------------------------------------------------------------


def test_every_message_is_listed_with_its_ways(desk: Client) -> None:
    page = desk.get("/desk/messages/").content.decode()

    for words in ("To customers", "Reminder", "e-mail: 1 day before, 1 hour before", "To your staff", "New booking"):
        assert words in page, words
    assert page.count('class="kind"') == len(TYPES)


def test_switching_a_way_off_holds_from_now_on(desk: Client) -> None:
    desk.post("/desk/messages/confirmed/staff/", {"push": "on"})

    rules = current_rules()
    assert not rules.is_on("confirmed", RecipientRole.STAFF, Channel.EMAIL)
    assert rules.is_on("confirmed", RecipientRole.STAFF, Channel.PUSH)
    assert MessageRule.objects.count() == 1  # what is usual is not written down


def test_the_mail_of_what_was_agreed_cannot_be_switched_off(desk: Client) -> None:
    page = desk.get("/desk/messages/confirmed/customer/").content.decode()
    desk.post("/desk/messages/confirmed/customer/", {})

    assert "The e-mail always goes" in page
    assert current_rules().is_on("confirmed", RecipientRole.CUSTOMER, Channel.EMAIL)
    assert not current_rules().is_on("confirmed", RecipientRole.CUSTOMER, Channel.PUSH)


def test_reminders_go_at_the_distances_that_were_chosen(desk: Client) -> None:
    response = desk.post("/desk/messages/reminder/customer/", {"email-2880": "on", "email-60": "on"})

    assert response.status_code == 303
    rules = current_rules()
    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.EMAIL) == [2880, 60]
    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.PUSH) == []
    assert "e-mail: 2 days before, 1 hour before" in desk.get("/desk/messages/").content.decode()


def test_choosing_the_usual_again_leaves_no_rows(desk: Client) -> None:
    desk.post("/desk/messages/reminder/customer/", {"email-2880": "on"})
    usual = {f"{channel}-{offset}": "on" for channel in ("email", "push") for offset in (1440, 60)}

    desk.post("/desk/messages/reminder/customer/", usual)

    assert not MessageRule.objects.exists()


# --- words --------------------------------------------------------------------------------


def test_own_words_are_kept_and_sent(desk: Client, studio: Studio, owner: User) -> None:
    booking = booked(studio)

    response = desk.post(TEXT, OWN)

    kept = MessageText.objects.get()
    assert response.status_code == 303
    assert (kept.subject, kept.updated_by, kept.language) == (OWN["subject"], owner, "en")
    send_due(now=NOW, limit=20)
    [sent] = [each for each in mail.outbox if each.to == ["jana@example.com"]]
    assert sent.subject == "Bis bald, Jana"
    assert "Reference" in sent.body
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert "See, move or cancel" in html
    assert booking.reference[:3] in html


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"body": "one\ntwo {{ fist_name }}"}, "Line 2: There is no “fist_name”. Did you mean “first_name”?"),
        ({"subject": "{{ first_name.password }}"}, "Between {{ and }} there can only be one name from the list."),
        ({"body": "{% load x %}"}, "Only {% if name %}, {% else %} and {% endif %} can stand between {% and %}."),
        ({"body": "{0.__class__}"}, "A single brace is no variable."),
        ({"body": "  "}, "Write a text, or restore the default."),
        ({"body": "x" * 5001}, "at most 5000"),
    ],
)
def test_words_that_cannot_be_filled_in_are_refused(desk: Client, changes: dict[str, str], sentence: str) -> None:
    response = desk.post(TEXT, {**OWN, **changes})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not MessageText.objects.exists()


def test_the_default_comes_back(desk: Client) -> None:
    desk.post(TEXT, OWN)
    assert "Restore the default" in desk.get(TEXT).content.decode()

    desk.post(TEXT, {"act": "restore"})

    assert not MessageText.objects.exists()
    assert "Our default is sent" in desk.get(TEXT).content.decode()


def test_what_is_kept_is_shown_as_it_was_typed(desk: Client) -> None:
    desk.post(TEXT, {**OWN, "body": "<script>alert(1)</script>\r\n{{ first_name }}"})

    page = desk.get(TEXT).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n{{ first_name }}" in page
    assert "<script>alert" not in page


def test_preview_shows_a_real_booking_without_links_that_work(desk: Client, studio: Studio) -> None:
    booking = booked(studio)

    default, typed = desk.get(PREVIEW), desk.post(PREVIEW, OWN)

    assert "You are booked, Jana" in default.content.decode()
    assert "Hello Jana," in typed.content.decode()
    for response in (default, typed):
        page = response.content.decode()
        assert "/b/…/" in page
        assert f"/b/{booking.reference}" not in page
        assert response["X-Frame-Options"] == "SAMEORIGIN"
        policy = response["Content-Security-Policy"]
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
    assert not MessageText.objects.exists()


def test_preview_says_what_is_wrong(desk: Client, studio: Studio) -> None:
    booked(studio)

    assert "There is no “nme”" in desk.post(PREVIEW, {**OWN, "body": "{{ nme }}"}).content.decode()


def test_preview_before_the_first_booking_says_so(desk: Client) -> None:
    assert "There is no booking yet" in desk.get(PREVIEW).content.decode()


def test_an_sms_is_measured(desk: Client, studio: Studio) -> None:
    booked(studio)
    address = "/desk/messages/confirmed/customer/sms/preview"

    plain = desk.post(address, {"body": "See you {{ when }}"}).content.decode()
    dear = desk.post(address, {"body": "See you {{ when }} ❤"}).content.decode()

    assert "See you Tue 5 Jan, 10:00" in plain
    assert "of 160 characters, 1 SMS" in plain
    assert "of 70 characters, 1 SMS. These signs more than double its cost: ❤" in dear


@pytest.mark.parametrize("channel", list(Channel))
def test_every_message_can_be_looked_at(desk: Client, studio: Studio, channel: Channel) -> None:
    booked(studio)
    pages = [
        each for each in desk.get("/desk/messages/").content.decode().split('"') if each.startswith("/desk/messages/")
    ]
    kinds = {each for each in pages if each.count("/") == 5}

    assert len(kinds) == len(TYPES)
    for address in kinds:
        assert desk.get(f"{address}{channel}/").status_code == 200
        shown = desk.get(f"{address}{channel}/preview").content.decode()
        assert "There is no booking yet" not in shown, address
        assert "None" not in shown, address


def test_whatsapp_says_how_its_template_is_filled(desk: Client) -> None:
    address = "/desk/messages/reminder/customer/whatsapp/"
    sent = {"body": "{{ business }}: {{ when }} {{ business }}", "template_sid": "HX" + "a" * 32}
    assert desk.post(address, {**sent, "template_sid": "x"}).status_code == 422

    desk.post(address, sent)

    page = desk.get(address).content.decode()
    assert "only within 24 hours" in page
    assert "1 = business, 2 = when" in page


def test_a_test_goes_to_whoever_asked_for_it(desk: Client, studio: Studio) -> None:
    booking = booked(studio)
    desk.post(TEXT, OWN)
    mail.outbox.clear()

    for _ in range(2):
        assert desk.post(TEXT, {"act": "test"}).status_code == 303
    send_due(now=NOW, limit=20)

    [sent] = [each for each in mail.outbox if each.to == ["olivia@studio.example"]]
    assert sent.subject == "Bis bald, Jana"
    assert sent.from_email.startswith("Test ·") or "Test" in sent.from_email
    assert f"/b/{booking.reference}" not in sent.body + str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert len(sent.alternatives) == 1  # type: ignore[attr-defined] # no calendar entry


def test_managers_read_and_change_nothing(client: Client, studio: Studio) -> None:
    booked(studio)
    manager = at_the_desk(client, Role.MANAGER, studio)

    assert manager.get(TEXT).status_code == 200
    assert "Keep these words" not in manager.get(TEXT).content.decode()
    for address, sent in ((TEXT, OWN), (TEXT, {"act": "test"}), ("/desk/messages/reminder/customer/", {})):
        assert manager.post(address, sent).status_code == 404
    assert not MessageText.objects.exists()
    assert not MessageRule.objects.exists()


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.THERAPIST, Role.AUDITOR])
def test_others_find_no_words(client: Client, studio: Studio, role: Role) -> None:
    somebody = at_the_desk(client, role, studio, booked(studio))

    for address in ("/desk/messages/", "/desk/messages/reminder/customer/", TEXT, PREVIEW):
        assert somebody.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/desk/messages/nothing/customer/",
        "/desk/messages/agenda/customer/email/",
        "/desk/messages/confirmed/customer/pigeon/",
        "/desk/messages/confirmed/customer/email/?language=xx",
    ],
)
def test_what_is_not_sent_has_no_page(desk: Client, address: str) -> None:
    assert desk.get(address).status_code == 404


# --- what was sent --------------------------------------------------------------------------------


def test_the_log_says_what_became_of_each_and_what_to_do(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    Notification.objects.filter(kind="confirmed", recipient_role="customer").update(
        status=NotificationStatus.PERMANENT_FAILURE, error="550 no such user"
    )
    front = at_the_desk(client, Role.FRONT_DESK, studio)

    page = front.get("/desk/messages/log/").content.decode()

    for words in ("Jana Weber", "550 no such user", "Could not be delivered", "Ask the customer for the right address"):
        assert words in page, words
    assert "Goes Mon 4 Jan, 10:00" in page  # the reminder of tomorrow, a day before
    only = front.get("/desk/messages/log/?only=failed").content.decode()
    assert only.count('class="list-row"') == 1
    of_booking = front.get(f"/desk/bookings/{booking.reference}/messages").content.decode()
    assert "550 no such user" in of_booking
    assert "Messages that were sent" in front.get(f"/desk/bookings/{booking.reference}/").content.decode()


def test_a_text_to_a_country_of_no_texts_is_not_blamed_on_the_number() -> None:
    row = Notification(
        status=NotificationStatus.PERMANENT_FAILURE,
        channel=Channel.SMS,
        error=text_refusal("+351912345678", ["DE"]) or "",
        kind="confirmed",
    )

    assert "SMS_COUNTRIES does not allow texts to PT." in row.error
    assert "add the country to SMS_COUNTRIES" in advice_text(row)
    row.error = "This number has no WhatsApp."
    assert "Check the number with the customer" in advice_text(row)


def test_the_log_is_in_the_order_of_the_times_it_shows(desk: Client, studio: Studio) -> None:
    """The later visit was booked first, so its rows are the older ones."""
    for day in (3, 1, 2):
        booked(studio, start_minute=studio.minute(10, days=day))

    page = desk.get("/desk/messages/log/").content.decode()

    goes = re.findall(r'class="list-when" role="cell">(\w+ \d+ Jan, \d\d:\d\d)', page)
    assert len(goes) > 6
    assert goes == sorted(goes, key=lambda text: text.split(" ", 1)[1], reverse=True)


def test_the_log_tells_times_by_the_clock_of_each_place_and_names_it(desk: Client, studio: Studio) -> None:
    place = factories.location(name="Alfama", time_zone="Europe/Lisbon")
    offered = factories.service(place)
    lisbon = Studio(studio.business, place, offered, [factories.staff_member(offered, at=place)])
    booked(studio)
    assert "Berlin time" not in desk.get(f"/desk/bookings/{booked(studio, 14).reference}/messages").content.decode()
    booked(lisbon)

    page = desk.get("/desk/messages/log/").content.decode()

    assert "Goes Mon 4 Jan, 10:00 (Berlin time)" in page
    assert "Goes Mon 4 Jan, 10:00 (Lisbon time)" in page


def test_sending_again_puts_one_copy_into_the_queue(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    Notification.objects.filter(kind="confirmed").update(status=NotificationStatus.PERMANENT_FAILURE, error="x")
    row = Notification.objects.get(kind="confirmed", recipient_role="customer")
    front = at_the_desk(client, Role.FRONT_DESK, studio)

    answers = [front.post(f"/desk/messages/log/{row.pk}/again") for _ in range(2)]

    assert [answer["Location"] for answer in answers] == [f"/desk/bookings/{booking.reference}/messages"] * 2
    copies = Notification.objects.filter(kind="confirmed", recipient_role="customer").exclude(pk=row.pk)
    assert [copy.status for copy in copies] == ["queued"]


def test_one_that_stopped_the_worker_says_so_and_goes_again_by_hand(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    Notification.objects.filter(kind="confirmed").update(status=NotificationStatus.SENT, sent_at=NOW)
    deadly = Notification.objects.get(kind="confirmed", recipient_role="customer")
    Notification.objects.filter(pk=deadly.pk).update(status=NotificationStatus.SENDING, lost_claims=2)
    send_due(now=NOW + timedelta(minutes=1), limit=20)
    front = at_the_desk(client, Role.FRONT_DESK, studio)

    for address in ("/desk/messages/log/?only=failed", f"/desk/bookings/{booking.reference}/messages"):
        page = front.get(address).content.decode()
        for words in ("Failed on our side", "Sending this stopped the worker 3 times.", "It may have arrived", "again"):
            assert words in page, (address, words)
    assert "1 did not arrive" in front.get(f"/desk/bookings/{booking.reference}/").content.decode()

    front.post(f"/desk/messages/log/{deadly.pk}/again")

    assert "did not arrive" not in front.get(f"/desk/bookings/{booking.reference}/").content.decode()
    copy = Notification.objects.latest("pk")
    assert (copy.kind, copy.status, copy.lost_claims) == ("confirmed", "queued", 0)


def test_messages_of_another_place_are_not_found(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    elsewhere = factories.location(name="Alfama")
    row = Notification.objects.filter(kind="confirmed").earliest("pk")
    sign_in_staff(client, factories.desk_user(Role.MANAGER, elsewhere))

    assert "Jana Weber" not in client.get("/desk/messages/log/").content.decode()
    assert client.post(f"/desk/messages/log/{row.pk}/again").status_code == 404
    assert client.get(f"/desk/bookings/{booking.reference}/messages").status_code == 404
    assert Notification.objects.filter(kind="confirmed").count() == 2


def test_an_auditor_reads_and_sends_nothing(client: Client, studio: Studio) -> None:
    booked(studio)
    row = Notification.objects.filter(kind="confirmed").earliest("pk")
    Notification.objects.update(status=NotificationStatus.SENT)
    auditor = at_the_desk(client, Role.AUDITOR, studio)

    page = auditor.get("/desk/messages/log/").content.decode()

    assert "Jana Weber" in page
    assert "Send again" not in page
    assert auditor.post(f"/desk/messages/log/{row.pk}/again").status_code == 404


def test_reading_costs_the_same_for_one_and_three_bookings(
    client: Client, studio: Studio, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    front = at_the_desk(client, Role.FRONT_DESK, studio)
    for hour in (9, 11, 13):
        booked(studio, hour)
        with django_assert_max_num_queries(9):
            assert front.get("/desk/messages/log/").status_code == 200
