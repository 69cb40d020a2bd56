"""Texts of one line: the same rules for subjects, sender names, calendars, receipts and form fields."""

from datetime import UTC, datetime

import icalendar
import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.contact import names
from bookings.calendars import ical
from core.lines import breaks_line, one_line
from notifications.channels.email import composed
from notifications.channels.outgoing import Outgoing
from notifications.enums import Channel
from notifications.errors import PermanentFailure
from notifications.models import MessageText
from notifications.requests import MessageContext
from notifications.wording.rendering import Rendered, rendered
from payments.receipts.fonts import readable

TEXTS = [
    ("Jana\r\nBcc: x@y.example", "Jana Bcc: x@y.example"),
    ("a\u2028b\u2029c\x00d\x85e", "a b c d e"),
    ("half \ud800 pair", "half pair"),
    ("  many   spaces\t", "many spaces"),
    ("ශ්\u200dරී", "ශ්\u200dරී"),
    ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
    ("می\u200cنا", "می\u200cنا"),
    ("newer than Python \U0001fae9", "newer than Python \U0001fae9"),
]


NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def outgoing(subject: str, *, sender: str = "Linden", to: str = "jana@example.com", reply_to: str = "") -> Outgoing:
    return Outgoing(
        to=to,
        words=Rendered(subject, "Hello", ""),
        context=MessageContext(template="x", variables={}, sender_name=sender, reply_to=reply_to),
        language="en",
        message_id="<1@openhours.example>",
        due_at=NOW,
    )


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_a_line_keeps_all_but_what_breaks_it(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_a_mail_has_it_on_one_line(text: str, line: str) -> None:
    mail = composed(outgoing(text, sender=text))

    assert mail.subject == line
    assert "\n" not in mail.from_email
    if line.isprintable():
        assert str(mail.message()["Subject"]) == line


def test_a_typed_line_is_refused_for_what_breaks_it_and_for_nothing_else() -> None:
    for text, line in TEXTS:
        if any(breaks_line(character) for character in text.strip()):
            with pytest.raises(ValidationError):
                names.clean_line(text, limit=120, label="Name")
        else:
            assert names.clean_line(text, limit=120, label="Name") == line


@pytest.mark.parametrize("own", [None, MessageText(subject="New: {{ customer }}", body="Hello")])
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PUSH])
def test_the_words_of_a_message_have_their_subject_on_one_line(own: MessageText | None, channel: Channel) -> None:
    """The row that keeps it, a push and the message log have no header that would refuse two lines."""
    typed = {"customer": "Jana\r\nBcc: x@y.example"}

    subject = rendered(MessageContext("confirmed_staff", typed, words=typed), channel, own).subject

    assert "Jana Bcc: x@y.example" in subject
    assert subject.splitlines() == [subject]


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_a_calendar_has_it_on_one_line(text: str, line: str) -> None:
    jana = ical.Mailbox(text, "jana@example.com")
    entry = ical.Entry("k7m4px@x", 0, NOW, NOW, text, text, "", "", jana)
    [event] = icalendar.Calendar.from_ical(ical.invite(entry, ical.Method.PUBLISH, now=NOW)).walk("VEVENT")

    assert (event["summary"], event["location"], event["organizer"].params["CN"]) == (line, line, line)


@pytest.mark.parametrize("sign", ["\r", "\n", "\x00", "\x85", "\u2028", "\u2029", "\ud800"])
def test_a_receipt_has_a_space_instead_of_what_breaks_a_line(sign: str) -> None:
    assert readable(f"a{sign}b") == "a b"


@pytest.mark.parametrize(
    "subject",
    ["새로운 예약이 들어왔습니다: " * 6, "Ж" * 200],
)
def test_a_long_subject_in_another_script_begins_on_its_own_line(subject: str) -> None:
    written = composed(outgoing(subject)).message().as_bytes()

    [first] = [line for line in written.split(b"\n") if line.startswith(b"Subject:")]
    assert first.startswith(b"Subject: =?utf-8?")
    assert all(len(line) <= 78 for line in written.split(b"\n"))


def test_addresses_travel_by_the_rules_of_2008(settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Openhours <bookings@βόλος.example>"
    message = composed(outgoing("x", to="rita@faß.example", reply_to="hello@straße.example"))

    assert message.to == ["rita@xn--fa-hia.example"]
    assert message.recipients() == ["rita@xn--fa-hia.example"]
    written = message.message()
    assert written["To"] == "rita@xn--fa-hia.example"
    assert written["Reply-To"] == "hello@xn--strae-oqa.example"
    assert written["From"] == "Linden <bookings@xn--nxasmm1c.example>"


def test_a_mail_to_a_domain_that_cannot_exist_is_not_tried() -> None:
    with pytest.raises(PermanentFailure, match="has a domain that does not exist"):
        composed(outgoing("x", to="ana@i❤.example"))
