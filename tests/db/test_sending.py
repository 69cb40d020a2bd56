"""The message queue with a real mail server: claim, send, mark, and each failure in between."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import QuietHours
from devservers import mailbox as mailboxes
from devservers import proxy as proxies
from devservers.mailbox import Mailbox
from devservers.ports import free_port
from notifications import tasks
from notifications.delivery import claiming, sending
from notifications.delivery.sending import retry_delay
from notifications.enums import NotificationStatus, RecipientRole
from notifications.models import Notification
from notifications.operations import enqueue, send_due
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from tests.factories import NOW

pytestmark = pytest.mark.django_db

SECRET_URL = "https://book.example.com/b/K7M4PXcSECRETSECRETSECRETSECRETSECRETSECRETSECRE/"
Status = NotificationStatus


def context(request: ContextRequest) -> MessageContext | None:
    """The subject of these tests: it wants every message but the unwanted, and cannot make the broken ones."""
    if request.kind == "unwanted":
        return None
    return MessageContext(
        template="no-such-folder" if request.kind == "broken" else "confirmed_staff",
        variables={"customer": f"{request.subject_ref} {request.kind}", "manage_url": SECRET_URL},
        sender_name="Linden\r\nBcc: evil@example.com",
        reply_to="hello@linden.example",
    )


@pytest.fixture
def mailbox(tmp_path: Path, settings: Settings) -> Iterator[Mailbox]:
    box = mailboxes.start(tmp_path / "mails", web=False)
    point_to(box.smtp_port, settings)
    yield box
    box.stop()


def point_to(port: int, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.NOTIFICATION_CONTEXTS = {"test": "tests.db.test_sending.context"}


def queued(subject: int = 1, kind: str = "told", *, to: str = "casey@example.com", **values: Any) -> Notification:
    key = f"test:{subject}:{kind}:{to}"
    request = MessageRequest(
        kind=kind,
        subject_ref=f"test:{subject}",
        version=0,
        recipient_role=RecipientRole.CUSTOMER,
        address=to,
        language="en",
        key=key,
        **values,
    )
    with transaction.atomic():
        enqueue([request], now=NOW)
    return Notification.objects.get(key=key)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def statuses() -> list[str]:
    return list(Notification.objects.order_by("id").values_list("status", flat=True))


def subjects(mailbox: Mailbox) -> list[str]:
    return [mail.subject for mail in mailbox.mails()]


def test_an_accepted_message_is_sent_and_kept_without_its_secret(mailbox: Mailbox) -> None:
    row = queued()

    assert send_due(now=NOW, limit=10) == 1

    row.refresh_from_db()
    [mail] = mailbox.mails("casey@example.com")
    headers = dict(mail.headers)
    assert row.status == Status.SENT
    assert row.sent_at is not None
    assert (row.claim_id, row.claimed_at, row.attempts, row.error) == (None, None, 1, "")
    assert row.subject == mail.subject
    assert headers["Message-ID"] == row.message_id
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Reply-To"] == "hello@linden.example"
    assert SECRET_URL in mail.text
    assert "SECRET" not in row.body
    assert "https://book.example.com/b/…/" in row.body


def test_a_name_adds_no_header_and_no_recipient(mailbox: Mailbox) -> None:
    queued()

    send_due(now=NOW, limit=10)

    [mail] = mailbox.mails()
    assert mail.recipients == ("casey@example.com",)
    assert "Bcc" not in dict(mail.headers)
    assert mail.from_header == '"Linden Bcc: evil@example.com" <bookings@openhours.example>'


def test_nothing_is_sent_twice(mailbox: Mailbox) -> None:
    queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 1, 300)] == [1, 0, 0]
    assert len(mailbox.mails()) == 1


def test_a_message_nobody_wants_any_more_is_dropped_with_the_reason(mailbox: Mailbox) -> None:
    row = queued(kind="unwanted")

    assert send_due(now=NOW, limit=10) == 0

    row.refresh_from_db()
    assert (row.status, row.error) == (Status.CANCELLED, "No longer wanted when it was due.")
    assert mailbox.mails() == []


def test_a_message_for_later_waits(mailbox: Mailbox) -> None:
    queued(not_before=after(60))

    assert send_due(now=after(59), limit=10) == 0
    assert send_due(now=after(60), limit=10) == 1


def test_a_refused_recipient_is_final_and_stops_nobody_else(mailbox: Mailbox) -> None:
    mailbox.fail("gone@example.com", "550")
    queued(1, to="gone@example.com")
    queued(2)

    assert send_due(now=NOW, limit=10) == 1

    assert statuses() == [Status.PERMANENT_FAILURE, Status.SENT]
    assert Notification.objects.order_by("id")[0].error == "550 5.1.1 No such mailbox"


def test_a_busy_server_is_asked_again_later_under_the_same_name(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "451", times=2)
    row = queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 9, 11, 29, 35)] == [0, 0, 0, 0, 1]

    row.refresh_from_db()
    [mail] = mailbox.mails()
    assert (row.status, row.attempts) == (Status.SENT, 3)
    assert dict(mail.headers)["Message-ID"] == row.message_id


def test_a_busy_recipient_stops_nobody_else(mailbox: Mailbox) -> None:
    mailbox.fail("busy@example.com", "451")
    queued(1, to="busy@example.com")
    queued(2)

    assert send_due(now=NOW, limit=10) == 1
    assert statuses() == [Status.TEMPORARY_FAILURE, Status.SENT]


def test_a_server_that_closes_the_connection_is_asked_again(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "421", times=1)
    queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 11)] == [0, 1]
    assert len(mailbox.mails()) == 1


def test_while_the_server_is_away_one_message_is_tried_and_the_rest_waits(settings: Settings) -> None:
    point_to(free_port(), settings)
    for subject in range(3):
        queued(subject)

    assert send_due(now=NOW, limit=10) == 0

    assert statuses() == [Status.TEMPORARY_FAILURE, Status.QUEUED, Status.QUEUED]
    assert list(Notification.objects.order_by("id").values_list("attempts", flat=True)) == [1, 0, 0]


def test_everything_arrives_when_the_server_is_back(mailbox: Mailbox, settings: Settings) -> None:
    for subject in range(5):
        queued(subject)
    point_to(free_port(), settings)
    for second in range(0, 600, 5):
        send_due(now=after(second), limit=10)
    point_to(mailbox.smtp_port, settings)

    accepted = [send_due(now=after(600 + second), limit=10) for second in (0, 60)]

    assert sum(accepted) == 5
    assert statuses() == [Status.SENT] * 5
    assert len(mailbox.mails()) == 5


def test_an_answer_that_is_lost_leads_to_one_more_mail_of_the_same_name(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "drop_before", times=1)
    row = queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 11, 300)] == [0, 1, 0]

    row.refresh_from_db()
    assert [dict(mail.headers)["Message-ID"] for mail in mailbox.mails()] == [row.message_id] * 2


def test_a_connection_that_breaks_while_sending_loses_nothing(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "drop_early", times=1)
    queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 11)] == [0, 1]
    assert len(mailbox.mails()) == 1


def test_an_answer_that_arrived_counts_even_if_the_connection_breaks_then(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "drop_after", times=1)
    queued()

    assert [send_due(now=after(second), limit=10) for second in (0, 11, 300)] == [1, 0, 0]
    assert len(mailbox.mails()) == 1


def test_a_hanging_server_is_left_after_the_time_out(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    blocked = proxies.start(mailbox.smtp_port)
    point_to(blocked.port, settings)
    blocked.set_mode("blackhole")
    row = queued()
    try:
        started = datetime.now(tz=NOW.tzinfo)
        assert send_due(now=NOW, limit=10) == 0
        assert datetime.now(tz=NOW.tzinfo) - started < timedelta(seconds=1.5)
    finally:
        blocked.stop()

    row.refresh_from_db()
    assert (row.status, row.error) == (Status.TEMPORARY_FAILURE, "The mail server did not answer.")


def test_when_the_time_of_a_task_is_over_the_message_waits_and_no_sender_dies(
    mailbox: Mailbox, settings: Settings
) -> None:
    """A server begins to talk and falls silent; Celery's signal comes in the middle of the wait."""
    settings.EMAIL_TIMEOUT = 30
    silent = socket.create_server(("127.0.0.1", 0))
    point_to(silent.getsockname()[1], settings)
    queued(1)
    queued(2)

    def end_the_time() -> None:
        call, _ = silent.accept()
        with call:
            call.sendall(b"220 mail.example\r\n")
            call.recv(1000)  # the greeting, which is never answered
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGUSR1)
            call.recv(1)  # until the other side hangs up

    def time_is_over(number: int, frame: object) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, time_is_over)
    other_side = threading.Thread(target=end_the_time)
    other_side.start()
    try:
        assert send_due(now=NOW, limit=10) == 0
    finally:
        other_side.join(20)
        silent.close()
        signal.signal(signal.SIGUSR1, before)

    assert list(Notification.objects.order_by("id").values_list("status", "attempts", "lost_claims", "error")) == [
        (Status.TEMPORARY_FAILURE, 1, 0, "The other side took too long."),
        (Status.QUEUED, 0, 0, ""),
    ]
    point_to(mailbox.smtp_port, settings)
    assert send_due(now=after(60), limit=10) == 2


def test_messages_about_one_thing_to_one_person_keep_their_order(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "451", times=1)
    queued(1, "first")
    queued(1, "second")
    queued(1, "first", to="sam@example.com")

    send_due(now=NOW, limit=10)
    assert subjects(mailbox) == ["New booking: , test:1 first"]

    send_due(now=after(11), limit=10)
    assert [mail.subject[-6:] for mail in mailbox.mails("casey@example.com")] == [" first", "second"]


def test_a_refused_message_does_not_hold_up_the_next_one(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "550", times=1)
    queued(1, "first")
    queued(1, "second")

    send_due(now=NOW, limit=10)

    assert statuses() == [Status.PERMANENT_FAILURE, Status.SENT]


def test_a_reminder_for_next_week_does_not_hold_up_todays_change(mailbox: Mailbox) -> None:
    queued(1, "reminder", not_before=NOW + timedelta(days=7))
    queued(1, "moved")

    assert send_due(now=NOW, limit=10) == 1
    assert statuses() == [Status.QUEUED, Status.SENT]


def test_what_waits_for_the_end_of_quiet_hours_does_not_hold_up_what_cannot_wait(mailbox: Mailbox) -> None:
    # 6:00 UTC is 7:00 in Berlin.
    QuietHours.objects.create(person_ref="customer:1", start_minute=1320, end_minute=480, time_zone="Europe/Berlin")
    queued(kind="reminder", recipient_ref="customer:1", can_wait=True)
    queued(kind="pay-link", recipient_ref="customer:1")

    assert send_due(now=NOW, limit=10) == 1

    assert statuses() == [Status.QUEUED, Status.SENT]
    assert send_due(now=after(3600), limit=10) == 1


def test_a_claim_nobody_honours_is_taken_over_after_two_minutes(mailbox: Mailbox) -> None:
    row = queued()
    claiming.claimed(NOW, limit=1)

    assert send_due(now=after(119), limit=10) == 0
    assert send_due(now=after(120), limit=10) == 1

    row.refresh_from_db()
    assert (row.status, row.attempts) == (Status.SENT, 2)


def test_a_message_that_takes_its_process_down_takes_no_other_with_it_again(mailbox: Mailbox) -> None:
    for subject in (1, 2, 3):
        queued(subject)
    assert len(claiming.claimed(NOW, limit=10)) == 3  # and the process dies
    queued(4)

    batches = [[row.subject_ref for row in claiming.claimed(after(121), limit=10)] for _ in range(5)]

    assert batches == [["test:4"], ["test:1"], ["test:2"], ["test:3"], []]


def test_a_message_that_stops_every_sender_is_given_up_aloud(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    killer = queued(1)
    queued(1, "second")
    for tries in range(3):
        assert [row.pk for row in claiming.claimed(after(121 * tries), limit=10)] == [killer.pk]  # and the process dies

    assert send_due(now=after(363), limit=10) == 1

    killer.refresh_from_db()
    assert (killer.status, killer.error) == (Status.TECHNICAL_FAILURE, "Sending this stopped the worker 3 times.")
    assert (killer.attempts, killer.claim_id, killer.claimed_at) == (3, None, None)
    assert subjects(mailbox) == ["New booking: , test:1 second"]
    assert [record.levelname for record in caplog.records if "given up" in record.getMessage()] == ["ERROR"]
    assert send_due(now=after(100_000), limit=10) == 0


def test_many_that_stop_their_senders_are_given_up_in_one_go(mailbox: Mailbox) -> None:
    for subject in range(3):
        queued(subject)
    Notification.objects.update(status=Status.SENDING, lost_claims=2, next_try_at=NOW)
    queued(4)

    assert send_due(now=after(1), limit=10) == 1
    assert statuses() == [*[Status.TECHNICAL_FAILURE] * 3, Status.SENT]


def test_a_try_that_came_back_forgets_those_that_did_not(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "451", times=1)
    row = queued()
    claiming.claimed(NOW, limit=10)
    claiming.claimed(after(121), limit=10)
    row.refresh_from_db()
    assert row.lost_claims == 1

    send_due(now=after(242), limit=10)

    row.refresh_from_db()
    assert (row.status, row.lost_claims, row.attempts) == (Status.TEMPORARY_FAILURE, 0, 3)


def test_one_given_back_untried_is_still_tried_alone(mailbox: Mailbox) -> None:
    queued(1)
    claiming.claimed(NOW, limit=10)
    [lost] = claiming.claimed(after(121), limit=10)
    claiming.release(lost, after(122))
    queued(2)

    batches = [[row.subject_ref for row in claiming.claimed(after(123), limit=10)] for _ in range(3)]

    assert sorted(batches) == [[], ["test:1"], ["test:2"]]


def test_nobody_takes_over_what_a_slow_server_is_just_being_handed(mailbox: Mailbox) -> None:
    queued()
    [row] = claiming.claimed(NOW, limit=1)

    # Others of its batch were slow before its turn came.
    assert claiming.renew(row, after(100))

    assert claiming.claimed(after(219), limit=1) == []
    assert len(claiming.claimed(after(220), limit=1)) == 1
    assert not claiming.renew(row, after(221))


def test_a_sender_is_dead_before_its_claims_run_out() -> None:
    task = tasks.send_due

    assert sending.BATCH_SECONDS < task.soft_time_limit < task.time_limit < claiming.CLAIM_SECONDS


def test_whoever_lost_the_claim_sends_and_marks_nothing(mailbox: Mailbox) -> None:
    queued()
    [slow] = claiming.claimed(NOW, limit=1)
    assert send_due(now=after(120), limit=10) == 1
    before = Notification.objects.values().get()

    with sending._Run(after(121)) as run:
        assert sending._send([slow], run) == 0
    claiming.mark(slow, status=Status.PERMANENT_FAILURE, error="late")

    assert Notification.objects.values().get() == before
    assert len(mailbox.mails()) == 1


def test_a_mistake_of_ours_stops_nobody_else_and_ends_after_some_tries(mailbox: Mailbox) -> None:
    queued(1, "broken")
    queued(2)

    assert send_due(now=NOW, limit=10) == 1
    assert statuses() == [Status.TEMPORARY_FAILURE, Status.SENT]

    for minute in range(1, 30):
        send_due(now=NOW + timedelta(minutes=minute), limit=10)
    broken = Notification.objects.get(kind="broken")
    assert (broken.status, broken.attempts, broken.error) == (Status.TECHNICAL_FAILURE, 5, "TemplateDoesNotExist")


def test_a_recipient_who_is_busy_for_days_is_given_up(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "451")
    row = queued()
    send_due(now=NOW + timedelta(days=2), limit=10)
    row.refresh_from_db()
    assert row.status == Status.TEMPORARY_FAILURE

    send_due(now=NOW + timedelta(days=3, minutes=10), limit=10)

    row.refresh_from_db()
    assert (row.status, row.error) == (Status.PERMANENT_FAILURE, "Given up after three days. 451 4.2.1 Try again later")


def test_a_mail_that_always_breaks_the_connection_is_given_up_where_others_get_through(mailbox: Mailbox) -> None:
    mailbox.fail("casey@example.com", "drop_early")
    row = queued()
    long_after = NOW + timedelta(days=3, minutes=10)
    send_due(now=long_after, limit=10)
    row.refresh_from_db()
    assert row.status == Status.TEMPORARY_FAILURE  # it may be the server that fails

    queued(2, to="drew@example.com")
    send_due(now=long_after + timedelta(seconds=1), limit=10)
    send_due(now=long_after + timedelta(minutes=2), limit=10)

    assert statuses() == [Status.PERMANENT_FAILURE, Status.SENT]


def test_a_mail_too_large_for_the_server_is_final_and_stops_nobody_else(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # More than the mailbox takes, which says so when it hears the sender.
        patch.setattr("tests.db.test_sending.SECRET_URL", "x" * 34_000_000)
        row = queued()
        send_due(now=NOW, limit=10)
    queued(2)

    assert send_due(now=after(1), limit=10) == 1

    row.refresh_from_db()
    assert (row.status, row.error[:3]) == (Status.PERMANENT_FAILURE, "552")


def test_addresses_do_not_get_into_reasons_or_logs(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.fail("casey@example.com", "451", times=1)
    mailbox.fail("gone@example.com", "550")
    queued(1)
    queued(2, to="gone@example.com")
    queued(3, "broken", to="odd@example.com")

    send_due(now=NOW, limit=10)

    said = [record.getMessage() for record in caplog.records if record.name.startswith("notifications")]
    assert len(said) == 3
    assert "@" not in " ".join(said)
    assert not Notification.objects.filter(error__contains="@").exists()


def test_a_run_needs_one_connection(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.fail("gone@example.com", "550")
    caplog.set_level("INFO", logger="mail.log")
    caplog.clear()
    for subject, to in enumerate(["a@example.com", "gone@example.com", "b@example.com"]):
        queued(subject, to=to)

    send_due(now=NOW, limit=10)

    assert sum("Peer: " in record.getMessage() for record in caplog.records) == 1


def test_one_run_sends_no_more_than_it_may(mailbox: Mailbox) -> None:
    for subject in range(5):
        queued(subject)

    assert [send_due(now=NOW, limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300), (5000, 300)]
)
def test_the_wait_grows_up_to_five_minutes(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts) == timedelta(seconds=seconds)
    assert retry_delay(attempts, is_outage=True) == timedelta(seconds=min(seconds, 60))


@pytest.mark.django_db(transaction=True)
def test_senders_at_once_send_each_message_once_and_in_order(mailbox: Mailbox) -> None:
    for subject in range(20):
        queued(subject, "first")
        queued(subject, "second")
    barrier = threading.Barrier(4)
    accepted: list[int] = []

    def work() -> None:
        try:
            barrier.wait(10)
            for _ in range(5):
                accepted.append(send_due(now=NOW + timedelta(seconds=1), limit=100))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    arrived = [mail.subject.removeprefix("New booking: , ") for mail in mailbox.mails()]
    assert sum(accepted) == 40
    assert sum(1 for count in accepted if count) > 1, "only one of them worked, so nothing was shown"
    assert sorted(arrived) == sorted(f"test:{n} {kind}" for n in range(20) for kind in ("first", "second"))
    assert all(arrived.index(f"test:{n} first") < arrived.index(f"test:{n} second") for n in range(20))


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_is_passed_over(mailbox: Mailbox) -> None:
    locked = queued(1)
    queued(2)
    is_locked, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Notification.objects.select_for_update().get(pk=locked.pk)
                is_locked.set()
                may_go.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    is_locked.wait(10)
    try:
        assert send_due(now=NOW, limit=10) == 1
    finally:
        may_go.set()
        thread.join(10)

    assert send_due(now=NOW, limit=10) == 1


def test_when_the_first_due_ones_all_have_to_wait_the_others_still_go(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "LOOKED_AT", 3)
    mailbox.fail("casey@example.com", "451", times=1)
    queued(1, "first")
    send_due(now=NOW, limit=1)
    for number in range(4):
        queued(1, f"behind-{number}")
    queued(2, not_before=after(1))

    assert send_due(now=after(2), limit=1) == 1
    assert Notification.objects.get(subject_ref="test:2").status == Status.SENT


def test_an_hour_of_refusals_then_half_an_hour_of_closing_delays_and_loses_nothing(
    mailbox: Mailbox, settings: Settings
) -> None:
    point_to(free_port(), settings)
    for number in range(3):
        queued(1, f"told-{number}")
    useless = queued(2, "reminder", expires_at=after(3000))
    gone = queued(3, to="gone@example.com")
    for second in range(0, 3600, 30):
        send_due(now=after(second), limit=10)
    point_to(mailbox.smtp_port, settings)
    mailbox.fail("*", "421")
    for second in range(3600, 5400, 30):
        send_due(now=after(second), limit=10)
    mailbox.recover()
    mailbox.fail("gone@example.com", "550")
    for second in range(5400, 6000, 5):
        send_due(now=after(second), limit=10)

    told = [mail.subject[-6:] for mail in mailbox.mails("casey@example.com")]
    assert told == ["told-0", "told-1", "told-2"]
    assert [Notification.objects.get(pk=row.pk).status for row in (useless, gone)] == [
        Status.CANCELLED,
        Status.PERMANENT_FAILURE,
    ]
    assert not Notification.objects.filter(status__in=sending.OPEN).exists()
