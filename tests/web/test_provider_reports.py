"""Reports of Twilio and mail providers: accepted only when signed, stored once, applied in any order."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from config import env
from core import clock, outbox
from notifications.addresses import address_hash
from notifications.models import InboundMessage, Notification, ProviderEvent, Suppression
from notifications.queries import may_write_freely
from notifications.unsubscribing import unsubscribe
from tests.factories import NOW

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-account"
PHONE = "+4915155501827"
SID = "SM00000001"


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SMS_FROM = "AC1", TOKEN, "+4915735987654"
    settings.SITE_URL = "https://book.example.com"


def text(**values: Any) -> Notification:
    return Notification.objects.create(
        **{
            "kind": "reminder",
            "subject_ref": "booking:1",
            "recipient_role": "customer",
            "channel": "sms",
            "address": address_hash("sms", PHONE),
            "phone": PHONE,
            "language": "en",
            "key": f"key-{Notification.objects.count()}",
            "status": "sent",
            "provider_ref": SID,
            "message_id": "<1@book.example.com>",
            "sent_at": NOW,
            "not_before": NOW,
            "next_try_at": NOW,
            "created_at": NOW,
            **values,
        }
    )


def post(path: str, values: dict[str, str], *, signed_for: str = "", token: str = TOKEN) -> int:
    address = signed_for or f"https://book.example.com{path}"
    signature = RequestValidator(token).compute_signature(address, values)
    return Client().post(path, values, headers={"X-Twilio-Signature": signature}).status_code


def report(row: Notification | None, status: str, *, sid: str = SID, code: str = "", **values: Any) -> int:
    told = {"MessageSid": sid, "MessageStatus": status, "To": PHONE, "From": "+4915735987654", "ErrorCode": code}
    answer = post(f"/twilio/status?message={row.pk if row else 0}", told, **values)
    outbox.drain(now=clock.now())
    return answer


def status_of(row: Notification) -> str:
    row.refresh_from_db()
    return row.status


def test_a_delivery_is_noted_once(client: Client) -> None:
    row = text()

    assert [report(row, "delivered"), report(row, "delivered"), report(row, "sent")] == [204, 204, 204]

    assert status_of(row) == "delivered"
    assert row.delivered_at is not None
    assert ProviderEvent.objects.count() == 2


def test_a_report_that_overtakes_our_own_answer_finds_its_message() -> None:
    row = text(status="temporary-failure", provider_ref="", sent_at=None)

    report(row, "sent")

    assert status_of(row) == "sent"
    assert row.provider_ref == SID


@pytest.mark.parametrize(
    "forgery",
    [
        {"token": "another"},
        {"signed_for": "http://book.example.com/twilio/status?message=1"},
        {"signed_for": "https://book.example.com/twilio/status"},
    ],
)
def test_a_report_without_twilios_signature_is_refused(forgery: dict[str, str]) -> None:
    row = text()

    assert report(row, "failed", **forgery) == 403
    assert status_of(row) == "sent"
    assert not ProviderEvent.objects.exists()


def test_without_an_account_nothing_is_believed(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""

    assert report(text(), "failed", token="") == 403


def test_behind_a_proxy_the_public_address_is_what_was_signed(settings: Settings) -> None:
    values = {"MessageSid": SID, "MessageStatus": "delivered"}
    path = f"/twilio/status?message={text().pk}"
    signature = RequestValidator(TOKEN).compute_signature(f"https://book.example.com{path}", values)
    headers = {"X-Twilio-Signature": signature, "Host": "testserver"}

    assert Client().post(path, values, headers=headers).status_code == 204


def test_values_that_we_do_not_know_are_signed_as_well() -> None:
    row = text()
    values = {"MessageSid": SID, "MessageStatus": "delivered", "RawDlrDoneDate": "2701041200", "Ünexpected": "ä"}

    assert post(f"/twilio/status?message={row.pk}", values) == 204


def test_a_report_about_nothing_of_ours_changes_nothing() -> None:
    row = text()

    assert report(None, "delivered", sid="SM999") == 204
    assert report(row, "delivered", sid="SM999") == 204
    assert status_of(row) == "sent"


def test_a_failure_is_told_in_words_and_the_number_is_not_tried_again() -> None:
    row = text()

    report(row, "undelivered", code="30006")

    assert status_of(row) == "permanent-failure"
    assert row.error == "This phone number cannot receive SMS. (30006)"
    assert Suppression.objects.get().reason == "unreachable"


def inbound(body: str, *, sid: str = "SM500", sender: str = PHONE, **values: str) -> int:
    return post("/twilio/inbound", {"MessageSid": sid, "From": sender, "To": "+49", "Body": body, **values})


def test_stop_ends_both_channels_at_once_and_start_begins_again() -> None:
    assert inbound("Stopp ") == 200
    assert sorted(Suppression.objects.values_list("channel", "reason")) == [("sms", "stop"), ("whatsapp", "stop")]
    assert inbound("Stopp ") == 200
    assert InboundMessage.objects.get().outcome == "stopped"

    assert inbound("START", sid="SM501") == 200
    assert not Suppression.objects.exists()


def test_start_does_not_bring_a_dead_number_back() -> None:
    Suppression.objects.create(channel="sms", address_hash=address_hash("sms", PHONE), reason="unreachable", since=NOW)
    inbound("START")

    assert Suppression.objects.get().reason == "unreachable"


@pytest.mark.parametrize("body", ["I can't come today", "Ja", "👍", "x" * 1600, ""])
def test_other_words_change_nothing_and_are_kept_for_the_front_desk(body: str) -> None:
    row = text()

    assert inbound(body, NumMedia="1", MediaUrl0="https://api.twilio.com/media/1") == 200

    kept = InboundMessage.objects.get()
    assert (kept.outcome, kept.keyword, kept.is_for_desk) == ("ignored", "", True)
    assert (kept.sender, kept.body) == (PHONE, body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sender, body FROM notifications_inboundmessage")
        [(sender, words)] = cursor.fetchall()
    assert PHONE not in sender
    assert (body == "") == (words == "")
    assert not body or body not in words
    assert status_of(row) == "sent"
    assert not Suppression.objects.exists()


def test_twilios_own_reading_of_an_opt_out_counts() -> None:
    inbound("please leave me alone", OptOutType="STOP")

    assert Suppression.objects.filter(reason="stop").count() == 2


def test_cancel_ends_texts_and_is_read_by_the_front_desk_because_it_may_mean_the_visit() -> None:
    inbound("CANCEL")

    kept = InboundMessage.objects.get()
    assert (kept.outcome, kept.body, kept.is_for_desk) == ("stopped", "CANCEL", True)
    assert Suppression.objects.filter(reason="stop").count() == 2


def test_a_keyword_leaves_no_words_and_no_number() -> None:
    inbound("Stop please")

    kept = InboundMessage.objects.get()
    assert (kept.outcome, kept.sender, kept.body, kept.is_for_desk) == ("stopped", "", "", False)


@pytest.mark.parametrize(
    ("stored", "sender"),
    [("+525512345679", "whatsapp:+5215512345679"), ("+5531987654322", "whatsapp:+553187654322")],
)
def test_a_stop_by_whatsapp_is_that_of_the_stored_number(stored: str, sender: str) -> None:
    inbound("STOP", sender=sender)

    pseudonym = address_hash("sms", stored)
    assert set(Suppression.objects.values_list("channel", "address_hash")) == {
        ("sms", pseudonym),
        ("whatsapp", pseudonym),
    }
    assert may_write_freely(pseudonym, clock.now())


def test_a_forged_stop_is_refused() -> None:
    assert post("/twilio/inbound", {"MessageSid": "SM1", "From": PHONE, "Body": "STOP"}, token="another") == 403
    assert not Suppression.objects.exists()


# --- mail providers ---


@pytest.fixture
def postmark(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "anymail+postmark://token@")
    for name, value in env.email("EMAIL_URL", "", timeout=10, events_secret="s3cret").items():
        setattr(settings, name, value)
    settings.MAIL_EVENTS_SECRET = "s3cret"


def mail_event(event: dict[str, Any] | str, *, secret: str = "s3cret") -> int:
    credentials = base64.b64encode(f"openhours:{secret}".encode()).decode()
    content = event if isinstance(event, str) else json.dumps(event)
    answer = Client().post(
        "/mail/events",
        content,
        content_type="application/json",
        headers={"Authorization": f"Basic {credentials}"},
    )
    outbox.drain(now=clock.now())
    return answer.status_code


BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "TypeCode": 1,
    "ID": 42,
    "MessageID": "pm-1",
    "Email": "Jana@example.com",
    "BouncedAt": "2027-01-04T06:00:00Z",
}


def mail(**values: Any) -> Notification:
    return text(channel="email", address="jana@example.com", **{"provider_ref": "pm-1", "phone": "", **values})


def test_a_hard_bounce_marks_the_mail_and_the_address(postmark: None) -> None:
    row = mail()

    assert [mail_event(BOUNCE), mail_event(BOUNCE)] == [204, 204]

    assert status_of(row) == "permanent-failure"
    assert row.error == "The e-mail came back (bounced)."
    [suppression] = Suppression.objects.all()
    assert (suppression.reason, suppression.address_hash) == ("bounced", address_hash("email", "jana@example.com"))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_mail_that_comes_back_after_it_was_taken_has_failed_in_any_order(
    postmark: None, order: tuple[int, int]
) -> None:
    row = mail(phone=PHONE, kind="confirmed")
    delivery = {
        "RecordType": "Delivery",
        "MessageID": "pm-1",
        "Recipient": "jana@example.com",
        "DeliveredAt": "2027-01-04T06:00:00Z",
    }

    for number in order:
        mail_event((delivery, BOUNCE)[number])

    row.refresh_from_db()
    assert (row.status, row.delivered_at) == ("permanent-failure", None)
    assert row.error == "The e-mail came back (bounced)."
    assert Notification.objects.filter(fallback_of=row).count() == 1


def test_a_text_goes_where_a_mail_came_back(postmark: None) -> None:
    row = mail(phone=PHONE, kind="confirmed")

    mail_event(BOUNCE)
    mail_event({**BOUNCE, "ID": 43})

    [instead] = Notification.objects.filter(fallback_of=row)
    assert (instead.channel, instead.status) == ("sms", "queued")


def test_a_complaint_ends_mails_to_this_address(postmark: None) -> None:
    mail_event({**BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 7})

    assert Suppression.objects.get().reason == "complained"


@pytest.mark.parametrize(("record", "reason"), [("Bounce", "bounced"), ("SpamComplaint", "complained")])
def test_who_wants_no_news_and_then_cannot_be_reached_gets_nothing(postmark: None, record: str, reason: str) -> None:
    pseudonym = address_hash("email", "jana@example.com")
    unsubscribe(pseudonym=pseudonym, now=NOW)

    mail_event({**BOUNCE, "RecordType": record, "Type": "HardBounce" if record == "Bounce" else record})
    unsubscribe(pseudonym=pseudonym, now=NOW)

    assert Suppression.objects.get().reason == reason


def test_a_mail_providers_report_that_overtakes_its_answer_finds_its_message(postmark: None) -> None:
    row = mail(provider_ref="", status="sending", claim_id=uuid.uuid4(), claimed_at=NOW)
    mail_event(BOUNCE)
    assert status_of(row) == "sending"

    Notification.objects.filter(pk=row.pk).update(status="sent", provider_ref="pm-1", claim_id=None)
    outbox.drain(now=clock.now() + timedelta(seconds=6))

    assert status_of(row) == "permanent-failure"


def test_a_mail_report_about_nothing_of_ours_is_left_after_half_a_minute(postmark: None) -> None:
    mail_event(BOUNCE)
    assert ProviderEvent.objects.get().applied_at is None

    for seconds in (6, 20, 60):
        outbox.drain(now=clock.now() + timedelta(seconds=seconds))

    assert ProviderEvent.objects.get().applied_at is not None


def test_a_full_mailbox_is_no_dead_address(postmark: None) -> None:
    row = mail()

    mail_event({**BOUNCE, "Type": "Transient"})

    assert status_of(row) == "sent"
    assert not Suppression.objects.exists()


def test_a_forged_bounce_is_refused(postmark: None) -> None:
    row = mail()

    assert mail_event(BOUNCE, secret="guessed") == 403
    assert status_of(row) == "sent"
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"RecordType": "Nothing"}', "null", '"x"', "[" * 100_000])
def test_what_cannot_be_read_changes_nothing(postmark: None, content: str) -> None:
    assert mail_event(content) == 204
    assert not ProviderEvent.objects.exists()


def test_nul_characters_in_a_report_are_left_out(postmark: None) -> None:
    row = mail()
    report_with_nul = {**BOUNCE, "ID": "4\x002", "MessageID": "pm-1\x00", "Email": "Jana@example.com\x00"}

    assert mail_event(report_with_nul) == 204
    assert status_of(row) == "permanent-failure"


def test_nul_characters_in_what_twilio_sends_are_left_out() -> None:
    row = text()

    assert report(row, "delivered", sid=f"{SID}\x00") == 204
    assert status_of(row) == "delivered"
    sent = {"MessageSid": "SM\x009", "From": PHONE, "Body": "ST\x00OP", "OptOutType": ""}
    assert post("/twilio/inbound", sent) == 200
    assert InboundMessage.objects.count() == 1


def test_a_report_nested_too_deeply_is_refused_without_a_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mailgun signs the body, so it is read before it is believed."""
    monkeypatch.setenv("EMAIL_URL", "anymail+mailgun://key@mg.example.com")
    for name, value in env.email("EMAIL_URL", "", timeout=10, events_secret="s3cret").items():
        setattr(settings, name, value)
    settings.MAIL_EVENTS_SECRET = "s3cret"

    assert mail_event("[" * 100_000, secret="guessed") in (204, 403)


def test_without_a_provider_nothing_is_taken() -> None:
    assert mail_event(BOUNCE) == 403


@pytest.mark.parametrize(
    "address",
    [
        "anymail+postmark://key@",
        "anymail+brevo://key@",
        "anymail+resend://key@",
        "anymail+sparkpost://key@",
        "anymail+mailersend://key@",
        "anymail+mailjet://key:secret@",
        "anymail+mailgun://key@mg.example.com",
    ],
)
def test_each_provider_can_be_set_up_and_believes_nobody_without_the_secret(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", address)
    for name, value in env.email("EMAIL_URL", "", timeout=10, events_secret="s3cret").items():
        setattr(settings, name, value)
    settings.MAIL_EVENTS_SECRET = "s3cret"

    assert mail_event(BOUNCE, secret="guessed") == 403
    assert EmailMultiAlternatives("s", "b", "a@example.com", ["b@example.com"]).get_connection() is not None
