"""Each check of the messages finds exactly the planted violation, and nothing in healthy rows."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from accounts.models import QuietHours
from notifications import doctor
from notifications.addresses import address_hash
from notifications.enums import NotificationStatus as Status
from notifications.models import InboundMessage, Notification, ProviderEvent, Suppression
from tests.factories import NOW

pytestmark = pytest.mark.django_db

_numbers = count(1)
CLAIM = "3f1c8f0e-8a4e-4c1a-9a83-0a54f3b3d1b6"


def ago(**values: float) -> datetime:
    return NOW - timedelta(**values)


def row(**values: Any) -> Notification:
    created_at = values.pop("created_at", ago(hours=1))
    return Notification.objects.create(
        **{
            "kind": "confirmed",
            "subject_ref": f"booking:{next(_numbers)}",
            "recipient_role": "customer",
            "address": "casey@example.com",
            "language": "en",
            "key": f"key-{next(_numbers)}",
            "status": Status.QUEUED,
            "not_before": created_at,
            "next_try_at": created_at,
            "created_at": created_at,
            **values,
        }
    )


def sent(**values: Any) -> Notification:
    name = f"<{next(_numbers)}@example.com>"
    return row(**{"status": Status.SENT, "sent_at": ago(minutes=50), "message_id": name, **values})


def healthy() -> None:
    row(created_at=ago(minutes=2))
    row(not_before=NOW + timedelta(days=1), next_try_at=NOW + timedelta(days=1))
    row(status=Status.TEMPORARY_FAILURE, next_try_at=NOW + timedelta(minutes=4), subject_ref="booking:behind")
    row(subject_ref="booking:behind")  # waits for the one before it
    row(
        status=Status.SENDING,
        claim_id=CLAIM,
        claimed_at=ago(minutes=1),
        next_try_at=NOW + timedelta(minutes=1),
    )
    row(status=Status.CANCELLED, error="No longer wanted when it was due.")
    row(status=Status.PERMANENT_FAILURE, error="550 5.1.1 No such mailbox")
    sent(subject_ref="booking:ordered", sent_at=ago(minutes=59))
    sent(subject_ref="booking:ordered", sent_at=ago(minutes=58), kind="moved", version=1)
    # A reminder is written first and sent last.
    reminder_at = ago(minutes=10)
    sent(subject_ref="booking:late", kind="reminder", not_before=reminder_at, sent_at=reminder_at)
    sent(subject_ref="booking:late", kind="moved", version=1, sent_at=ago(minutes=30))
    # Two reminders of one state, and two refunds of it.
    for minutes in (20, 15):
        sent(subject_ref="booking:reminded", kind="reminder", not_before=ago(minutes=minutes), sent_at=ago(minutes=5))
    for number in (1, 2):
        sent(subject_ref="booking:refunded", kind="refund_done", details={"refund_id": number})
    # Two people, one telling each.
    sent(subject_ref="booking:two")
    sent(subject_ref="booking:two", recipient_role="staff", address="sam@example.com")


@pytest.mark.parametrize("check", doctor.CHECKS, ids=lambda check: check.run.__name__)
def test_healthy_rows_have_no_findings(check: Any) -> None:
    healthy()

    assert check.run(NOW) == []


def plant_overdue() -> Notification:
    return row(created_at=ago(minutes=3))


def plant_overdue_retry() -> Notification:
    return row(status=Status.TEMPORARY_FAILURE, next_try_at=ago(minutes=3), attempts=2)


def plant_stuck_claim() -> Notification:
    return row(status=Status.SENDING, claim_id=CLAIM, claimed_at=ago(minutes=6), next_try_at=ago(minutes=1))


def plant_claim_of_nobody() -> Notification:
    return row(status=Status.SENDING, next_try_at=NOW)


def plant_sent_without_time() -> Notification:
    return sent(sent_at=None)


def plant_sent_without_name() -> Notification:
    return sent(message_id="")


def plant_cancelled_without_reason() -> Notification:
    return row(status=Status.CANCELLED)


def plant_technical_failure() -> Notification:
    return row(status=Status.TECHNICAL_FAILURE, error="KeyError")


def plant_wrong_order() -> Notification:
    late = sent(subject_ref="booking:x", sent_at=ago(minutes=5))
    sent(subject_ref="booking:x", kind="moved", version=1, sent_at=ago(minutes=10))
    return late


def plant_too_early() -> Notification:
    return sent(not_before=ago(minutes=10), sent_at=ago(minutes=11))


def text(**values: Any) -> Notification:
    number = next(_numbers)
    return sent(**{"channel": "sms", "address": f"pseudonym-{number}", "provider_ref": f"SM{number}", **values})


def plant_text_without_reference() -> Notification:
    return text(provider_ref="")


def plant_one_text_for_two_messages() -> Notification:
    first = text(provider_ref="SM1")
    text(provider_ref="SM1")
    return first


def plant_sent_too_late() -> Notification:
    return sent(expires_at=ago(minutes=51))


def plant_text_after_stop() -> Notification:
    Suppression.objects.create(channel="sms", address_hash="stopped", reason="stop", since=ago(minutes=52))
    return text(address="stopped")


def plant_mail_after_bounce() -> Notification:
    pseudonym = address_hash("email", "gone@example.com")
    Suppression.objects.create(channel="email", address_hash=pseudonym, reason="bounced", since=ago(minutes=52))
    return sent(address="gone@example.com")


def plant_news_nobody_asked_for() -> Notification:
    return sent(purpose="marketing", recipient_ref="customer:7")


def plant_noise_at_night() -> Notification:
    QuietHours.objects.create(person_ref="customer:7", start_minute=0, end_minute=1439, time_zone="UTC")
    return sent(can_wait=True, recipient_ref="customer:7", sent_at=ago(minutes=5))


@pytest.mark.parametrize(
    ("run", "plant"),
    [
        (doctor.sent_without_name_at_provider, plant_text_without_reference),
        (doctor.named_twice, plant_one_text_for_two_messages),
        (doctor.sent_too_late, plant_sent_too_late),
        (doctor.sent_to_suppressed, plant_text_after_stop),
        (doctor.sent_to_suppressed, plant_mail_after_bounce),
        (doctor.sent_without_consent, plant_news_nobody_asked_for),
        (doctor.sent_in_quiet_hours, plant_noise_at_night),
        (doctor.overdue, plant_overdue),
        (doctor.overdue, plant_overdue_retry),
        (doctor.stuck_claims, plant_stuck_claim),
        (doctor.stuck_claims, plant_claim_of_nobody),
        (doctor.without_outcome, plant_sent_without_time),
        (doctor.without_outcome, plant_sent_without_name),
        (doctor.without_outcome, plant_cancelled_without_reason),
        (doctor.failed_on_our_side, plant_technical_failure),
        (doctor.sent_out_of_order, plant_wrong_order),
        (doctor.sent_too_early, plant_too_early),
    ],
    ids=lambda value: value.__name__,
)
def test_a_planted_violation_is_the_only_finding(
    run: Callable[[datetime], Sequence[str]], plant: Callable[[], Notification]
) -> None:
    healthy()
    planted = plant()

    [line] = run(NOW)

    assert line.startswith(f"notification {planted.pk} ")
    assert "@" not in line


def test_telling_twice_is_found() -> None:
    healthy()
    sent(subject_ref="booking:17")
    sent(subject_ref="booking:17")

    assert doctor.sent_twice(NOW) == ["2 messages tell customer confirmed v0 of booking:17"]


def test_reports_that_nobody_read_are_found() -> None:
    healthy()
    old = {"received_at": ago(minutes=6)}
    report = ProviderEvent.objects.create(key="1", channel="sms", event="delivered", **old)
    ProviderEvent.objects.create(key="2", channel="sms", event="delivered", applied_at=ago(minutes=5), **old)
    came = InboundMessage.objects.create(provider_ref="SM1", channel="sms", address_hash="p", **old)
    InboundMessage.objects.create(provider_ref="SM2", channel="sms", address_hash="p", outcome="ignored", **old)

    first, second = doctor.unread_reports(NOW)

    assert first.startswith(f"report {report.pk} ")
    assert second.startswith(f"inbound message {came.pk} ")
