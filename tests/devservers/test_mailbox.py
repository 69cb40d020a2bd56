"""The mailbox keeps what it says it keeps, and fails as asked."""

import concurrent.futures
import json
import smtplib
import time
import urllib.error
import urllib.request
from email.message import EmailMessage

import pytest

from devservers import mailbox
from devservers.mailbox import SLOW_SECONDS


@pytest.fixture
def box(tmp_path):
    box = mailbox.start(tmp_path / "mails")
    yield box
    box.stop()


def message(to="casey@example.com", subject="Your appointment – Tuesday"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Openhours <bookings@openhours.example>", to, subject
    mail.set_content("Change it here: http://localhost:8000/m/abc?x=1&y=2.\nSee you!\n")
    mail.add_alternative(
        '<p>Grüße <script>alert(1)</script><a href="http://localhost:8000/m/abc">Change</a></p>', "html"
    )
    mail.add_attachment(b"BEGIN:VCALENDAR\r\n", "text", "calendar", filename="invite.ics")
    return mail


def send(box, mail, *, bcc=()):
    with smtplib.SMTP("127.0.0.1", box.smtp_port, timeout=10) as smtp:
        smtp.send_message(mail, to_addrs=[mail["To"], *bcc])


def fetch(box, path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{box.web_port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), answer.headers


def test_mail_when_taken_is_kept_with_all_its_parts(box):
    send(box, message(), bcc=["olivia@example.com"])

    (mail,) = box.wait_for("olivia@example.com", subject="tuesday")
    assert mail.subject == "Your appointment – Tuesday"
    assert mail.recipients == ("casey@example.com", "olivia@example.com")
    assert mail.links == ["http://localhost:8000/m/abc?x=1&y=2"]
    assert "Grüße" in mail.html
    assert [(each.filename, each.content_type) for each in mail.attachments] == [("invite.ics", "text/calendar")]
    assert mail.raw.startswith(b"From: Openhours")


def test_mails_when_restarted_are_still_there(box):
    send(box, message())
    box.stop()

    again = mailbox.start(box.folder)

    assert [mail.subject for mail in again.mails()] == ["Your appointment – Tuesday"]
    again.stop()


@pytest.mark.parametrize("code", [421, 451, 550])
def test_recipient_when_refused_gets_the_code_and_nothing_is_kept(box, code):
    box.fail("casey@example.com", str(code), times=1)

    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(box, message())

    assert refusal.value.recipients["casey@example.com"][0] == code
    assert box.mails() == []
    send(box, message())
    assert len(box.mails()) == 1


@pytest.mark.parametrize(("mode", "kept"), [("drop_early", 0), ("drop_before", 1)])
def test_connection_when_dropped_before_the_reply_leaves_the_sender_in_doubt(box, mode, kept):
    box.fail("*", mode)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(box, message())

    assert len(box.mails()) == kept


def test_connection_when_dropped_after_the_reply_has_kept_the_mail(box):
    box.fail("casey@example.com", "drop_after")
    smtp = smtplib.SMTP("127.0.0.1", box.smtp_port, timeout=10)

    smtp.send_message(message())

    assert len(box.mails()) == 1
    smtp.close()


def test_answer_when_slow_comes_as_soon_as_the_mailbox_recovers(box):
    box.slow_seconds = 60
    box.fail("*", "slow")

    with concurrent.futures.ThreadPoolExecutor() as pool:
        sending = pool.submit(send, box, message())
        deadline = time.monotonic() + 10
        while not box.dawdling:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert not sending.done()
        assert box.mails() == []
        box.recover()
        sending.result(10)

    assert len(box.mails()) == 1
    assert box.slow_seconds == SLOW_SECONDS


def test_pages_show_the_mail_and_keep_its_scripts_out(box):
    send(box, message(subject="<b>Hi</b>"))
    (mail,) = box.mails()

    listing, _ = fetch(box, "/")
    page, headers = fetch(box, f"/mail/{mail.id}")
    html, html_headers = fetch(box, f"/mail/{mail.id}/html")
    calendar, calendar_headers = fetch(box, f"/mail/{mail.id}/attachment/0")

    assert b"&lt;b&gt;Hi&lt;/b&gt;" in listing
    assert b'href="http://localhost:8000/m/abc?x=1&amp;y=2"' in page
    assert b"<script>alert" not in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert html_headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "Grüße".encode() in html
    assert calendar == b"BEGIN:VCALENDAR\r\n"
    assert "invite.ics" in calendar_headers["Content-Disposition"]


def test_listing_for_programs_is_newest_first(box):
    for subject in ("one", "two"):
        send(box, message(subject=subject))

    listing, _ = fetch(box, "/mails.json")

    assert [mail["subject"] for mail in json.loads(listing)] == ["two", "one"]


def test_pages_when_asked_by_another_name_answer_nothing(box):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        fetch(box, "/mails.json", Host="evil.example")

    assert refusal.value.code == 421
    refusal.value.close()
