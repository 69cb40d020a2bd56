"""Text messages with the stand-in for Twilio: recipient, text, sent once, and the message log when one is not sent."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.models import ChannelChoice, Customer, QuietHours
from devservers import twilio as stand_in
from devservers.twilio import Twilio
from notifications.channels import twilio as channel
from notifications.delivery import sending
from notifications.enums import Channel, NotificationStatus, RecipientRole, SuppressionReason
from notifications.models import InboundMessage, MessageRule, MessageText, Notification, ProviderEvent, Suppression
from notifications.operations import enqueue, send_due
from notifications.reports import inbound
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from notifications.suppression import suppress
from tests.factories import NOW

pytestmark = pytest.mark.django_db

PHONE, OTHER = "+4915155501827", "+4915155501828"
LINK = "https://book.example.com/b/K7M4PXcSECRETSECRETSECRETSECRETSECRETSECRETSECRE/"
Status = NotificationStatus
meanwhile: dict[str, Callable[[], object]] = {}


def context(request: ContextRequest) -> MessageContext | None:
    """The subject of these tests: wants every message, and is proven unless it is a stranger's. Something may happen
    while a message is made.
    """
    if request.kind in meanwhile:
        meanwhile.pop(request.kind)()
    return MessageContext(
        template="no-such-folder-of-short-texts" if request.kind == "broken" else "confirmed_staff",
        variables={"customer": request.subject_ref, "business": "Linden", "manage_url": LINK},
        words={"first_name": "Jana", "manage_url": LINK, "when": "Tue 5 Jan, 14:30"},
        link=LINK,
        may_text=request.kind != "stranger",
    )


@pytest.fixture
def texts(settings: Settings) -> Iterator[Twilio]:
    server = stand_in.start()
    server.callbacks = "off"
    server.clock = lambda: NOW
    for name, value in server.environment.items():
        setattr(settings, name, value)
    settings.TWILIO_WHATSAPP_FROM = server.sender
    settings.SMS_COUNTRIES = ["DE", "AT"]
    settings.NOTIFICATION_CONTEXTS = {"test": "tests.db.test_texts.context"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield server
    server.stop()


def queued(
    subject: int = 1, kind: str = "told", *, channel: Channel | None = Channel.SMS, **values: Any
) -> Notification:
    request = MessageRequest(
        **{
            "kind": kind,
            "subject_ref": f"test:{subject}",
            "version": 0,
            "recipient_role": RecipientRole.CUSTOMER,
            "address": "jana@example.com",
            "phone": PHONE,
            "language": "en",
            "key": f"test:{subject}:{kind}",
            "channel": channel,
            **values,
        }
    )
    with transaction.atomic():
        enqueue([request], now=NOW)
    return Notification.objects.get(key=request.key)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def outcome(row: Notification) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.error


def test_a_text_goes_out_and_its_number_is_kept_encrypted(texts: Twilio) -> None:
    row = queued()

    assert send_due(now=NOW, limit=5) == 1

    [text] = texts.texts(PHONE)
    row.refresh_from_db()
    assert (row.status, row.provider_ref) == (Status.SENT, text.sid)
    assert text.sender == texts.sender
    assert text.status_callback == f"http://localhost:8000/twilio/status?message={row.pk}"
    assert PHONE not in row.address
    assert "SECRET" not in row.body
    assert texts.refusals == []


def test_rules_say_by_which_channels_an_event_is_told(texts: Twilio) -> None:
    MessageRule.objects.create(kind="told", recipient_role="customer", channel="sms", is_on=True)
    queued(channel=None)

    assert sorted(Notification.objects.values_list("channel", "key")) == [
        ("email", "test:1:told"),
        ("sms", "test:1:told:sms"),
    ]


def test_by_default_events_are_told_by_mail_alone(texts: Twilio) -> None:
    queued(channel=None)

    assert [row.channel for row in Notification.objects.all()] == ["email"]


@pytest.mark.parametrize("mode", ["429", "500"])
def test_while_twilio_is_busy_a_text_waits(texts: Twilio, mode: Any) -> None:
    texts.set_mode(mode, times=1)
    row = queued()

    assert [send_due(now=after(second), limit=5) for second in (0, 9, 11)] == [0, 0, 1]

    assert outcome(row)[0] == Status.SENT
    assert len(texts.texts()) == 1


def test_an_answer_that_is_lost_leads_to_a_look_and_not_to_a_second_text(texts: Twilio) -> None:
    texts.set_mode("drop", times=1)
    row = queued()

    assert [send_due(now=after(second), limit=5) for second in (0, 11)] == [0, 1]

    [text] = texts.texts()
    row.refresh_from_db()
    assert (row.status, row.provider_ref, row.attempts) == (Status.SENT, text.sid, 2)


def test_a_text_that_twilio_takes_and_never_says_so_is_found_again(
    texts: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "TIMEOUT_SECONDS", 0.3)
    texts.set_mode("hang", times=1)
    row = queued()

    assert send_due(now=NOW, limit=5) == 0
    assert outcome(row) == (Status.TEMPORARY_FAILURE, "Twilio did not answer.")
    assert send_due(now=after(11), limit=5) == 1

    assert len(texts.texts()) == 1


def test_a_text_that_was_cut_off_is_found_again_as_well(texts: Twilio) -> None:
    long = MessageText(kind="told", recipient_role="customer", channel="sms", language="en", updated_at=NOW)
    long.body = "Bring a towel. " * 200
    long.save()
    texts.set_mode("drop", times=1)
    queued()

    assert [send_due(now=after(second), limit=5) for second in (0, 11)] == [0, 1]

    assert len(texts.texts()) == 1


def test_a_report_that_comes_before_our_own_mark_does_not_lose_the_words(
    texts: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = queued()
    mark_sent = sending._mark_sent

    def after_the_report(row: Notification, message: Any, receipt: Any, now: datetime) -> None:
        inbound.store_report(
            provider_ref=receipt.provider_ref,
            notification_id=row.pk,
            channel=Channel.SMS,
            event="delivered",
            code="",
            now=now,
        )
        inbound.apply_report(event_id=ProviderEvent.objects.get().pk, now=now)
        mark_sent(row, message, receipt, now)

    monkeypatch.setattr(sending, "_mark_sent", after_the_report)
    send_due(now=NOW, limit=5)

    row.refresh_from_db()
    assert row.status == Status.DELIVERED
    assert "test:1" in row.body


def test_the_same_words_to_the_same_number_are_two_messages_if_they_are(texts: Twilio) -> None:
    first = queued()
    send_due(now=NOW, limit=5)
    texts.set_mode("500", times=1)
    second = queued(key="test:1:told:again-1")
    send_due(now=after(1), limit=5)
    send_due(now=after(12), limit=5)

    assert len(texts.texts(PHONE)) == 2
    assert {outcome(first)[0], outcome(second)[0]} == {Status.SENT}
    assert Notification.objects.values("provider_ref").distinct().count() == 2


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (21614, "This phone number cannot receive SMS. (21614)", SuppressionReason.UNREACHABLE),
        (21610, "The person answered STOP. (21610)", SuppressionReason.STOP),
        (21612, "Twilio has no way to this number. (21612)", None),
    ],
)
def test_a_refusal_is_final_in_words_for_staff(texts: Twilio, code: int, words: str, reason: str | None) -> None:
    texts.fail(PHONE, code=code)
    row = queued()
    other = queued(2, phone=OTHER)

    assert send_due(now=NOW, limit=5) == 1

    assert outcome(row) == (Status.PERMANENT_FAILURE, words)
    assert outcome(other)[0] == Status.SENT
    assert set(Suppression.objects.values_list("reason", flat=True)) == ({reason} if reason else set())


def test_after_a_stop_nothing_goes_to_this_phone_by_either_channel(texts: Twilio) -> None:
    suppress(channel=Channel.WHATSAPP, address=f"whatsapp:{PHONE}", reason=SuppressionReason.STOP, now=NOW)
    rows = [queued(), queued(2, channel=Channel.WHATSAPP)]

    assert send_due(now=NOW, limit=5) == 0

    assert [outcome(row) for row in rows] == [(Status.CANCELLED, "The person answered STOP.")] * 2
    assert texts.texts() == []


def told_to_stop() -> None:
    inbound.store_text(provider_ref="SM9", channel=Channel.SMS, sender=PHONE, text="STOP", opt_out="", now=NOW)


def blocked() -> None:
    Customer.objects.update(is_blocked=True)


def put_to_bed() -> None:
    # 6:00 UTC is 7:00 in Berlin.
    QuietHours.objects.create(person_ref="customer:7", start_minute=1320, end_minute=480, time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        (told_to_stop, Status.CANCELLED, "The person answered STOP."),
        (
            blocked,
            Status.CANCELLED,
            "The business blocked this person: only what concerns their bookings and money is sent.",
        ),
        (put_to_bed, Status.QUEUED, ""),
    ],
)
def test_what_happens_while_a_text_is_made_counts_before_it_goes(
    texts: Twilio, what: Callable[[], None], status: str, words: str
) -> None:
    Customer.objects.create(pk=7, name="Jana", email="jana@example.com", email_normalised="jana@example.com")
    meanwhile["late"] = what
    row = queued(1, "late", recipient_ref="customer:7", can_wait=True)

    assert send_due(now=NOW, limit=10) == 0

    assert (outcome(row), texts.texts()) == ((status, words), [])


def test_nobody_can_make_us_text_a_stranger(texts: Twilio) -> None:
    row = queued(kind="stranger")
    abroad = queued(2, phone="+447400123456")
    premium = queued(3, phone="+49900123456")

    assert send_due(now=NOW, limit=5) == 0

    assert outcome(row) == (Status.CANCELLED, sending.NOT_PROVEN)
    assert outcome(abroad)[0] == outcome(premium)[0] == Status.PERMANENT_FAILURE
    assert texts.texts() == []


def test_a_number_gets_five_texts_a_day(texts: Twilio) -> None:
    rows = [queued(subject) for subject in range(7)]
    for second in range(3):
        send_due(now=after(second), limit=10)

    assert len(texts.texts()) == 5
    assert [outcome(row)[0] for row in rows].count("cancelled") == 2

    queued(8, not_before=after(25 * 3600))
    assert send_due(now=after(25 * 3600), limit=10) == 1


def test_the_site_has_a_budget_and_says_when_it_is_used_up(texts: Twilio, settings: Settings) -> None:
    settings.SMS_PER_DAY = 1
    rows = [queued(1), queued(2, phone=OTHER)]

    assert send_due(now=NOW, limit=10) == 1
    assert outcome(rows[1]) == (Status.PERMANENT_FAILURE, "The texts of today are used up (SMS_PER_DAY).")


def test_who_chose_no_texts_gets_none_and_who_sleeps_gets_them_later(texts: Twilio) -> None:
    ChannelChoice.objects.create(person_ref="customer:1", channel="sms", is_on=False, updated_at=NOW)
    # 6:00 UTC is 7:00 in Berlin.
    QuietHours.objects.create(person_ref="customer:2", start_minute=1320, end_minute=480, time_zone="Europe/Berlin")
    off = queued(1, recipient_ref="customer:1")
    asleep = queued(2, recipient_ref="customer:2", phone=OTHER, can_wait=True)

    assert send_due(now=NOW, limit=5) == 0
    assert outcome(off) == (Status.CANCELLED, "The person wants no messages by this channel.")
    assert (*outcome(asleep), asleep.attempts) == (Status.QUEUED, "", 0)
    assert [send_due(now=after(second), limit=5) for second in (3599, 3600)] == [0, 1]


def test_who_was_erased_gets_nothing(texts: Twilio) -> None:
    gone = Customer.objects.create(name="–", email="x@example.com", email_normalised="x@example.com", erased_at=NOW)
    row = queued(recipient_ref=f"customer:{gone.pk}")

    send_due(now=NOW, limit=5)

    assert outcome(row) == (Status.CANCELLED, "The person had their data erased.")


def test_whatsapp_takes_free_words_only_after_the_person_wrote(texts: Twilio) -> None:
    closed = queued(1, channel=Channel.WHATSAPP)
    send_due(now=NOW, limit=5)
    InboundMessage.objects.create(
        provider_ref="SM1", channel="whatsapp", address_hash=closed.address, received_at=after(-3600)
    )
    opened = queued(2, channel=Channel.WHATSAPP)
    send_due(now=NOW, limit=5)

    assert outcome(closed) == (
        Status.PERMANENT_FAILURE,
        "WhatsApp needs an approved template for this message. (63016)",
    )
    assert outcome(opened)[0] == Status.SENT
    assert [text.to for text in texts.texts()] == [f"whatsapp:{PHONE}"]


def test_whatsapp_templates_get_the_variables_in_their_order(texts: Twilio) -> None:
    MessageText.objects.create(
        kind="told",
        recipient_role="customer",
        channel="whatsapp",
        language="en",
        body="Hello {{ first_name }}, see you {{ when }}. {{ nothing }} {{ manage_url }}",
        whatsapp_template_sid="HX123",
        updated_at=NOW,
    )
    texts.set_mode("drop", times=1)
    queued(channel=Channel.WHATSAPP)

    assert [send_due(now=after(second), limit=5) for second in (0, 11)] == [0, 1]

    [text] = texts.texts()
    assert (text.content_sid, text.content_variables) == (
        "HX123",
        '{"1": "Jana", "2": "Tue 5 Jan, 14:30", "3": "\\u2013", "4": "' + LINK + '"}',
    )


def test_own_words_replace_the_file(texts: Twilio) -> None:
    MessageText.objects.create(
        kind="told", recipient_role="customer", channel="sms", language="en", body="Hi {{ first_name }}", updated_at=NOW
    )
    queued()
    send_due(now=NOW, limit=5)

    assert [text.body for text in texts.texts()] == ["Hi Jana"]


def test_a_message_for_minutes_is_valid_for_minutes(texts: Twilio) -> None:
    queued(expires_at=after(300))
    queued(2, expires_at=after(10 * 24 * 3600))
    send_due(now=NOW, limit=5)

    first, second = (text.validity_seconds for text in texts.texts())
    assert first is not None
    assert 295 <= first <= 300
    assert second == 14_400


def test_where_a_mail_fails_for_good_a_text_goes_once(texts: Twilio) -> None:
    suppress(channel=Channel.EMAIL, address="Jana@example.com", reason=SuppressionReason.BOUNCED, now=NOW)
    mail = queued(channel=None)
    for second in range(3):
        send_due(now=after(second), limit=5)

    assert outcome(mail) == (Status.PERMANENT_FAILURE, "E-mails to this address come back.")
    [text] = Notification.objects.filter(fallback_of=mail)
    assert (text.status, text.channel) == (Status.SENT, "sms")
    assert len(texts.texts(PHONE)) == 1


def test_no_text_follows_where_the_business_switched_that_off(texts: Twilio) -> None:
    MessageRule.objects.create(kind="fallback", recipient_role="customer", channel="sms", is_on=False)
    suppress(channel=Channel.EMAIL, address="jana@example.com", reason=SuppressionReason.BOUNCED, now=NOW)
    queued(channel=None)
    send_due(now=NOW, limit=5)

    assert Notification.objects.count() == 1


def test_without_an_account_no_number_is_kept_beside_a_mail(texts: Twilio, settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID = ""

    assert queued(channel=None).phone == ""


def test_numbers_do_not_get_into_reasons_or_logs(texts: Twilio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    texts.fail(PHONE, code=21211)
    queued()
    texts.set_mode("drop", times=1)
    queued(2, phone=OTHER)
    for second in (0, 11, 22):
        send_due(now=after(second), limit=5)

    said = " ".join(record.getMessage() for record in caplog.records)
    assert "5550182" not in said
    assert not Notification.objects.filter(error__contains="5550182").exists()
