"""Nightly deletion: what is deleted, to the second, and what stays. A deleted message is not sent a second time."""

import threading
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core import mail
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from bookings.messages import visits
from bookings.models import Booking
from core import outbox, retention
from core.models import OutboxMessage
from notifications.enums import Channel, InboundOutcome, NotificationStatus
from notifications.models import InboundMessage, Notification, ProviderEvent, Suppression
from notifications.operations import send_again, send_due
from notifications.reports.inbound import store_text
from notifications.retention import delete_old_messages, delete_old_reports
from payments.models import Payment, StripeEvent
from payments.queries import balance
from payments.retention import delete_old_notices
from payments.stripe_events import keep_notice
from tests import factories, money
from tests.factories import NOW
from tests.journeys import booked
from tests.money import SUBJECT, notice

pytestmark = pytest.mark.django_db

EVENTS, MESSAGES = timedelta(days=30), timedelta(days=365)
SECOND = timedelta(seconds=1)
Status = NotificationStatus
Effect = OutboxMessage.Status
_numbers = count(1)


def row(**values: Any) -> Notification:
    created_at = values.pop("created_at", NOW)
    return Notification.objects.create(
        **{
            "kind": "confirmed",
            "subject_ref": "staff:1",
            "recipient_role": "staff",
            "address": "sam@example.com",
            "language": "en",
            "key": f"key-{next(_numbers)}",
            "status": Status.SENT,
            "not_before": created_at,
            "next_try_at": created_at,
            "sent_at": created_at,
            "created_at": created_at,
            **values,
        }
    )


def effect(**values: Any) -> OutboxMessage:
    number = next(_numbers)
    return OutboxMessage.objects.create(
        **{
            "route": "r",
            "topic": "t",
            "key": f"k{number}",
            "due_at": NOW,
            "status": Effect.DONE,
            "done_at": NOW,
            **values,
        }
    )


def over(at: datetime) -> Booking:
    """A visit that ended at an instant, and was told of a year before."""
    booking = booked(factories.studio())
    Notification.objects.all().delete()
    Booking.objects.filter(pk=booking.pk).update(starts_at=at - timedelta(hours=1), ends_at=at)
    return booking


# --- effects --------------------------------------------------------------------------------


def test_an_effect_that_ran_goes_after_its_days_to_the_second() -> None:
    effect()

    assert retention.delete_old_effects(now=NOW + EVENTS) == 0
    assert retention.delete_old_effects(now=NOW + EVENTS + SECOND) == 1
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("status", [Effect.PENDING, Effect.CLAIMED, Effect.DEAD])
def test_an_effect_that_did_not_run_stays_for_ever(status: str) -> None:
    effect(status=status, done_at=None)

    assert retention.delete_old_effects(now=NOW + timedelta(days=4000)) == 0


def test_days_are_those_of_the_settings(settings: Settings) -> None:
    settings.EVENTS_KEPT_DAYS = 7
    effect()

    assert retention.delete_old_effects(now=NOW + timedelta(days=7)) == 0
    assert retention.delete_old_effects(now=NOW + timedelta(days=7) + SECOND) == 1


def test_many_go_in_batches_of_a_few_statements_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for number in range(8):
        effect(done_at=NOW if number != 4 else NOW + EVENTS)

    with CaptureQueriesContext(connection) as queries:
        gone = retention.delete_old_effects(now=NOW + EVENTS + SECOND)

    deletes = [each["sql"] for each in queries if each["sql"].startswith("DELETE")]
    assert (gone, len(deletes)) == (7, 3)
    assert OutboxMessage.objects.count() == 1
    assert retention.delete_old_effects(now=NOW + EVENTS + SECOND) == 0


def test_a_night_that_is_over_leaves_the_rest_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LONGEST_RUN_SECONDS", 0)
    effect()

    assert retention.delete_old_effects(now=NOW + EVENTS + SECOND) == 0
    assert OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_passed_over_and_nobody_waits() -> None:
    held, other = effect(), effect()
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            OutboxMessage.objects.select_for_update().get(pk=held.pk)
            locked.set()
            done.wait(10)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        assert retention.delete_old_effects(now=NOW + EVENTS + SECOND) == 1
    finally:
        done.set()
        holder.join()

    assert list(OutboxMessage.objects.values_list("pk", flat=True)) == [held.pk]
    assert other.pk != held.pk


# --- messages --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.CANCELLED, Status.PERMANENT_FAILURE])
def test_a_message_that_ended_goes_after_its_days_to_the_second(status: str) -> None:
    row(status=status)

    assert delete_old_messages(now=NOW + MESSAGES) == 0
    assert delete_old_messages(now=NOW + MESSAGES + SECOND) == 1


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SENDING, Status.TEMPORARY_FAILURE, Status.TECHNICAL_FAILURE])
def test_what_is_still_to_go_or_failed_on_our_side_stays_for_ever(status: str) -> None:
    row(status=status, sent_at=None)

    assert delete_old_messages(now=NOW + timedelta(days=4000)) == 0


@pytest.mark.parametrize("last", ["not_before", "sent_at"])
def test_the_latest_of_its_instants_counts(last: str) -> None:
    row(**{"created_at": NOW, last: NOW + timedelta(days=3)})

    assert delete_old_messages(now=NOW + MESSAGES + timedelta(days=1)) == 0
    assert delete_old_messages(now=NOW + MESSAGES + timedelta(days=3, seconds=1)) == 1


def test_what_failed_on_our_side_goes_once_somebody_has_sent_it_again() -> None:
    failed = row(status=Status.TECHNICAL_FAILURE, sent_at=None)
    send_again(notification_id=failed.pk, now=NOW)
    Notification.objects.exclude(pk=failed.pk).update(status=Status.SENT, sent_at=NOW)

    assert delete_old_messages(now=NOW + MESSAGES + SECOND) == 2


def test_a_message_about_a_visit_stays_until_that_has_been_over_as_long() -> None:
    booking = over(NOW + timedelta(days=300))
    row(subject_ref=f"booking:{booking.pk}")
    row(subject_ref="booking:999999")  # of a booking that is gone

    assert delete_old_messages(now=NOW + timedelta(days=300) + MESSAGES) == 1
    assert Notification.objects.get().subject_ref == f"booking:{booking.pk}"
    assert delete_old_messages(now=NOW + timedelta(days=300) + MESSAGES + SECOND) == 1


def test_messages_that_stay_do_not_hold_up_those_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    booking = over(NOW + timedelta(days=300))
    for _ in range(5):
        row(subject_ref=f"booking:{booking.pk}")
    row()

    assert delete_old_messages(now=NOW + MESSAGES + SECOND) == 1
    assert Notification.objects.count() == 5


def test_a_text_that_went_in_place_of_a_mail_survives_it() -> None:
    old = row(status=Status.PERMANENT_FAILURE)
    text = row(fallback_of=old, sent_at=NOW + timedelta(days=1))

    assert delete_old_messages(now=NOW + MESSAGES + SECOND) == 1

    text.refresh_from_db()
    assert text.fallback_of is None


def test_nothing_is_told_twice_after_its_row_went_away() -> None:
    booking = booked(factories.studio())
    send_due(now=NOW, limit=20)
    Notification.objects.filter(status=Status.QUEUED).update(status=Status.CANCELLED, error="Not of this test.")
    told = len(mail.outbox)
    later = booking.ends_at + MESSAGES + SECOND
    assert told > 0
    assert delete_old_messages(now=later) > 0
    assert not Notification.objects.exists()

    visits.announce_confirmed(booking, now=later)
    send_due(now=later, limit=20)

    assert Notification.objects.exists()
    assert set(Notification.objects.values_list("status", flat=True)) == {Status.CANCELLED}
    assert len(mail.outbox) == told


# --- what came in ---------------------------------------------------------------------------


def test_reports_go_once_they_were_looked_at() -> None:
    told = {"channel": Channel.SMS, "event": "sent", "received_at": NOW}
    ProviderEvent.objects.create(key="a", applied_at=NOW, **told)
    unread = ProviderEvent.objects.create(key="b", **told)

    assert delete_old_reports(now=NOW + EVENTS) == 0
    assert delete_old_reports(now=NOW + EVENTS + SECOND) == 1
    assert ProviderEvent.objects.get() == unread


def came_in(text: str, ref: str, now: datetime = NOW) -> None:
    store_text(provider_ref=ref, channel=Channel.SMS, sender="+4915112345679", text=text, opt_out="", now=now)


def test_an_old_start_that_is_played_again_does_not_undo_a_stop() -> None:
    came_in("START", "SM1")
    came_in("STOP", "SM2", NOW + timedelta(days=1))
    came_in("Is there parking?", "SM3")

    assert delete_old_reports(now=NOW + timedelta(days=4000)) == 1
    came_in("START", "SM1", NOW + timedelta(days=4000))

    assert set(InboundMessage.objects.values_list("outcome", flat=True)) == {
        InboundOutcome.STOPPED,
        InboundOutcome.RESTARTED,
    }
    assert Suppression.objects.count() == 2


# --- notices of the payment provider ----------------------------------------------------------


def stripe_notice(**values: Any) -> StripeEvent:
    number = next(_numbers)
    return StripeEvent.objects.create(
        **{"event_id": f"evt_{number}", "type": "x", "payload": {}, "received_at": NOW, "handled_at": NOW, **values}
    )


def test_notices_go_once_they_were_worked_on() -> None:
    stripe_notice()
    waiting = stripe_notice(handled_at=None)

    assert delete_old_notices(now=NOW + EVENTS) == 0
    assert delete_old_notices(now=NOW + EVENTS + SECOND) == 1
    assert StripeEvent.objects.get() == waiting


@pytest.mark.usefixtures("payments_alone")
def test_a_notice_that_comes_again_after_its_rows_went_away_moves_no_money(stripe: Any) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))
    about = {"id": payment.intent_id, "object": "payment_intent"}
    event = notice("payment_intent.succeeded", about, event_id="evt_again")
    keep_notice(event, now=NOW)
    money.deliver()
    paid, rows = balance(SUBJECT).paid_minor, Payment.objects.count()
    later = NOW + timedelta(days=40)
    StripeEvent.objects.update(handled_at=NOW)
    OutboxMessage.objects.update(done_at=NOW)
    assert delete_old_notices(now=later) == 1
    assert retention.delete_old_effects(now=later) > 0

    assert keep_notice(event, now=later)
    outbox.drain(now=later)

    assert paid > 0
    assert (balance(SUBJECT).paid_minor, Payment.objects.count()) == (paid, rows)
    assert not OutboxMessage.objects.filter(topic="payment.succeeded").exists()


def test_every_night_brings_every_deletion() -> None:
    tasks = {entry["task"] for entry in site_settings.CELERY_BEAT_SCHEDULE.values()}

    assert {
        "core.tasks.delete_old_effects",
        "notifications.tasks.delete_old",
        "payments.tasks.delete_old_notices",
    } <= tasks


def test_the_words_of_customers_go_with_the_messages() -> None:
    for number, words in enumerate(["Is there parking?", "CANCEL", "STOP"]):
        came_in(words, f"SM{number}")

    assert delete_old_reports(now=NOW + EVENTS + SECOND) == 0
    assert InboundMessage.objects.get(provider_ref="SM0").body == "Is there parking?"
    assert delete_old_reports(now=NOW + MESSAGES + SECOND) == 1

    kept = InboundMessage.objects.order_by("provider_ref").values_list("provider_ref", "sender", "body", "is_for_desk")
    assert list(kept) == [("SM1", "", "", False), ("SM2", "", "", False)]
