"""Tests of own words that the owner lets come: to the own mailbox, or to a phone by Twilio's stand-in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from bookings.messages.samples import TESTS_PER_HOUR
from devservers import twilio as stand_in
from devservers.twilio import Twilio
from notifications.enums import Channel, NotificationStatus, SuppressionReason
from notifications.models import Notification
from notifications.operations import send_due
from notifications.suppression import suppress
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import booked
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db

PHONE, TYPED = "+4915155501827", "0151 55501827"
SMS, WHATSAPP = "/desk/messages/confirmed/customer/sms/", "/desk/messages/confirmed/customer/whatsapp/"
MAIL = "/desk/messages/confirmed/customer/email/"
TEST = {"act": "test", "phone": TYPED}


@pytest.fixture
def texts(settings: Settings) -> Iterator[Twilio]:
    server = stand_in.start()
    server.callbacks = "off"
    server.clock = lambda: NOW
    for name, value in server.environment.items():
        setattr(settings, name, value)
    settings.SMS_COUNTRIES = ["DE"]
    yield server
    server.stop()


@pytest.fixture
def desk(client: Client, studio: Studio) -> Client:
    booked(studio)
    Notification.objects.all().delete()
    sign_in_staff(client, factories.desk_user(Role.OWNER, email="olivia@studio.example"))
    return client


def shown(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_test_reaches_the_typed_number_and_says_what_it_costs(desk: Client, texts: Twilio) -> None:
    desk.post(SMS, {"body": "Dear {{ first_name }}, see {{ manage_url }} " + "x" * 120})
    assert "It takes 2 SMS." in shown(desk, SMS)

    response = desk.post(SMS, TEST)
    send_due(now=NOW, limit=20)

    [text] = texts.texts(PHONE)
    assert response.status_code == 303
    assert text.body.startswith("Dear Jana, see http")
    row = Notification.objects.get()
    assert (row.status, row.sms_parts, row.purpose) == (NotificationStatus.SENT, 2, "service")
    log = shown(desk, "/desk/messages/log/")
    assert "Test: " in log
    assert "SMS: +49 1515 5501827 · 2 SMS" in log
    assert "Send again" not in log


def test_its_links_open_nothing_and_are_as_long_as_real_ones(desk: Client, texts: Twilio, studio: Studio) -> None:
    booking = booked(studio, 13)
    desk.post(SMS, TEST)
    send_due(now=NOW, limit=20)

    [text] = texts.texts(PHONE)
    path = text.body[text.body.index("/b/") :].split()[0]
    assert path.startswith(f"/b/{'x' * len(booking.reference)}")
    assert "…" not in text.body
    assert len(path) > 40
    assert desk.get(path).status_code == 404
    assert booking.reference not in text.body


def test_a_preview_of_a_text_measures_links_as_long_as_real_ones(desk: Client) -> None:
    assert "more than double its cost" not in shown(desk, f"{SMS}preview")
    assert "2 SMS" in desk.post(f"{SMS}preview", {"body": "{{ manage_url }} " * 3}).content.decode()


def test_a_test_by_whatsapp_goes_the_way_of_every_message(desk: Client, texts: Twilio) -> None:
    desk.post(WHATSAPP, TEST)
    send_due(now=NOW, limit=20)

    row = Notification.objects.get()
    assert (row.status, texts.texts()) == (NotificationStatus.PERMANENT_FAILURE, [])
    log = shown(desk, "/desk/messages/log/")
    assert "WhatsApp needs an approved template" in log
    assert "Check the number with the customer" not in log

    sid = "HX" + "a" * 32
    desk.post(WHATSAPP, {"body": "{{ first_name }}", "template_sid": sid})
    desk.post(WHATSAPP, {**TEST, "phone": "0151 55501828"})
    send_due(now=NOW, limit=20)
    assert [text.content_sid for text in texts.texts()] == [sid]


def test_the_page_of_a_message_says_to_whom_texts_go(desk: Client, texts: Twilio, settings: Settings) -> None:
    settings.SMS_COUNTRIES = ["PT", "DE"]

    page = shown(desk, "/desk/messages/confirmed/customer/")

    assert "only once it is sure that the number is meant" in page
    assert "Numbers of these countries get texts: DE, PT (SMS_COUNTRIES)." in page
    assert "only once it is sure" not in shown(desk, "/desk/messages/confirmed/staff/")


def test_who_said_stop_gets_no_test_either(desk: Client, texts: Twilio) -> None:
    suppress(channel=Channel.SMS, address=PHONE, reason=SuppressionReason.STOP, now=NOW - timedelta(days=1))

    desk.post(SMS, TEST)
    send_due(now=NOW, limit=20)

    assert (texts.texts(), Notification.objects.get().error) == ([], "The person answered STOP.")


def test_a_number_gets_as_many_tests_a_day_as_texts(desk: Client, texts: Twilio, settings: Settings) -> None:
    settings.SMS_PER_NUMBER_PER_DAY = 1
    desk.post(SMS, TEST)
    Notification.objects.update(key="earlier")
    desk.post(SMS, TEST)
    send_due(now=NOW, limit=20)

    assert len(texts.texts(PHONE)) == 1
    assert Notification.objects.latest("pk").error == "This number had its texts of today."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Give the number that the test goes to."),
        ("12", "12"),
        ("call me", "digits only"),
        ("+48 601 234 567", "SMS_COUNTRIES does not allow texts to PL."),
        ("+49 30 901820", "This phone number cannot receive SMS."),
    ],
)
def test_what_is_no_number_for_texts_is_refused_in_words(
    desk: Client, texts: Twilio, typed: str, sentence: str
) -> None:
    response = desk.post(SMS, {"act": "test", "phone": typed})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Notification.objects.exists()


def test_pressing_twice_sends_once_and_another_number_is_another_test(desk: Client, texts: Twilio) -> None:
    for typed in (TYPED, TYPED, "0151 55501828"):
        assert desk.post(SMS, {"act": "test", "phone": typed}).status_code == 303

    assert Notification.objects.count() == 2


@pytest.mark.parametrize("address", [SMS, WHATSAPP])
def test_without_twilio_the_page_says_so_and_sends_nothing(desk: Client, address: str) -> None:
    page = shown(desk, address)

    assert "Texts are not set up here" in page
    assert "Send a test" not in page
    assert desk.post(address, TEST).status_code == 404
    assert not Notification.objects.exists()


def test_web_push_has_no_test(desk: Client) -> None:
    address = "/desk/messages/confirmed/customer/push/"

    assert "Send a test" not in shown(desk, address)
    assert desk.post(address, TEST).status_code == 404


def test_before_the_first_booking_there_is_nothing_to_try(client: Client, studio: Studio, texts: Twilio) -> None:
    sign_in_staff(client, factories.desk_user(Role.OWNER))

    for address in (SMS, MAIL):
        assert "Send a test" not in shown(client, address)
        assert client.post(address, TEST).status_code == 404


@pytest.mark.parametrize("role", [Role.MANAGER, Role.FRONT_DESK, Role.THERAPIST, Role.AUDITOR])
def test_nobody_but_the_owner_sends_tests(client: Client, studio: Studio, texts: Twilio, role: Role) -> None:
    booking = booked(studio)
    Notification.objects.all().delete()
    sign_in_staff(client, factories.desk_user(role, studio.location, of=booking))

    assert client.post(SMS, TEST).status_code == 404
    assert "Send a test" not in shown(client, SMS)
    assert not Notification.objects.exists()


@pytest.mark.parametrize("address", [SMS, MAIL])
def test_nobody_can_write_to_the_world_by_tests(desk: Client, texts: Twilio, settings: Settings, address: str) -> None:
    answers = [
        desk.post(address, {"act": "test", "phone": f"0151 555018{number}"}).status_code
        for number in range(10, 11 + TESTS_PER_HOUR)
    ]
    refused = desk.post(address, TEST)

    assert answers == [303] * TESTS_PER_HOUR + [429]
    assert "many tests within an hour" in refused.content.decode()
    send_due(now=NOW, limit=100)
    assert {message.to[0] for message in mail.outbox} <= {"olivia@studio.example"}
