"""Concurrent message operations: limits on text messages hold exactly, and a button pressed twice counts once."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.contact.same_phones import phone_hash
from bookings.messages import visits
from bookings.models import Booking
from bookings.operations.agendas import enqueue_agendas
from devservers import twilio as stand_in
from devservers.twilio import Twilio
from notifications.delivery import sending
from notifications.enums import Channel, NotificationStatus, RecipientRole, SuppressionReason
from notifications.gate import TextCounts
from notifications.models import MessageRule, Notification, Suppression
from notifications.operations import cancel_pending, enqueue, send_again, send_due
from notifications.reports.inbound import store_text
from notifications.requests import MessageRequest
from notifications.suppression import suppress
from notifications.wording.editing import set_rules
from tests import factories
from tests.concurrency.racing import deadlock_count, race
from tests.factories import NOW
from tests.journeys import booked

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+4915155501827"
Status = NotificationStatus


@pytest.fixture
def texts(settings: Settings) -> Iterator[Twilio]:
    server = stand_in.start()
    server.callbacks = "off"
    server.clock = lambda: NOW
    for name, value in server.environment.items():
        setattr(settings, name, value)
    settings.SMS_COUNTRIES = ["DE"]
    settings.NOTIFICATION_CONTEXTS = {"test": "tests.db.test_texts.context"}
    yield server
    server.stop()


def queued(count: int, *, channel: Channel = Channel.SMS) -> None:
    requests = [
        MessageRequest(
            kind="told",
            subject_ref=f"test:{number}",
            version=0,
            recipient_role=RecipientRole.CUSTOMER,
            address="jana@example.com",
            phone=PHONE,
            language="en",
            key=f"test:{number}",
            channel=channel,
        )
        for number in range(count)
    ]
    with transaction.atomic():
        enqueue(requests, now=NOW)


def statuses() -> Counter[str]:
    return Counter(Notification.objects.values_list("status", flat=True))


def test_workers_that_count_at_once_let_no_text_more_through(
    texts: Twilio, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMS_PER_NUMBER_PER_DAY = 2
    queued(5)
    together, counted, has_counted = threading.Barrier(5), sending.text_counts, threading.local()

    def first_all_at_once(row: Notification, now: datetime) -> TextCounts:
        counts = counted(row, now)
        if not hasattr(has_counted, "once"):
            has_counted.once = True
            together.wait(30)
        return counts

    monkeypatch.setattr(sending, "text_counts", first_all_at_once)

    accepted = race([lambda: send_due(now=NOW, limit=1)] * 5)

    assert sorted(accepted) == [0, 0, 0, 1, 1]
    assert len(texts.texts(PHONE)) == 2
    assert statuses() == {Status.SENT: 2, Status.CANCELLED: 3}
    assert set(Notification.objects.filter(status=Status.CANCELLED).values_list("error", flat=True)) == {
        "This number had its texts of today."
    }


def test_every_text_goes_once_whoever_sends(texts: Twilio, settings: Settings) -> None:
    settings.SMS_PER_NUMBER_PER_DAY = 100
    queued(20)

    race([lambda: send_due(now=NOW, limit=200)] * 4)

    assert statuses() == {Status.SENT: 20}
    assert Counter(text.body for text in texts.texts(PHONE)).most_common(1)[0][1] == 1


def test_rules_that_are_kept_twice_at_once_are_kept() -> None:
    wanted = {(Channel.EMAIL, 2880): True, (Channel.EMAIL, 60): True, (Channel.SMS, 120): True}
    for _ in range(10):
        outcomes = race([lambda: set_rules(kind="reminder", role=RecipientRole.CUSTOMER, wanted=wanted)] * 3)

        assert outcomes == [None] * 3
    assert MessageRule.objects.count() == 2  # the usual hour before is not written down


def test_of_two_who_change_rules_at_once_one_is_obeyed_whole() -> None:
    one = {(Channel.EMAIL, 2880): True, (Channel.EMAIL, 60): False}
    other = {(Channel.EMAIL, 180): True, (Channel.EMAIL, 60): True}
    for _ in range(10):
        acts = [
            lambda wanted=wanted: set_rules(kind="reminder", role=RecipientRole.CUSTOMER, wanted=wanted)
            for wanted in (one, other)
        ]
        assert race(acts) == [None, None]

        kept = set(MessageRule.objects.values_list("offset_minutes", "is_on"))
        assert kept in ({(2880, True), (60, False)}, {(180, True)})


def asked_again() -> int:
    return Notification.objects.filter(key__contains=":again-").count()


def test_a_double_click_on_send_again_makes_one_copy_even_when_the_second_turns() -> None:
    queued(1, channel=Channel.EMAIL)
    row = Notification.objects.get()
    turn = NOW + timedelta(milliseconds=990), NOW + timedelta(milliseconds=1010)

    assert race([lambda now=now: send_again(notification_id=row.pk, now=now) for now in turn]) == [None, None]

    assert asked_again() == 1
    send_again(notification_id=row.pk, now=NOW + timedelta(seconds=30))
    assert asked_again() == 2


def test_a_confirmation_that_is_asked_for_twice_goes_once_unless_its_links_are_new() -> None:
    booking = booked(factories.studio())

    for milliseconds in (990, 1010):
        with transaction.atomic():
            visits.announce_again(booking, to_staff=False, now=NOW + timedelta(milliseconds=milliseconds))
    assert asked_again() == 1

    Booking.objects.filter(pk=booking.pk).update(link_version=booking.link_version + 1)
    booking.refresh_from_db()
    with transaction.atomic():
        visits.announce_again(booking, to_staff=False, now=NOW + timedelta(seconds=2))
    assert asked_again() == 2


def test_what_is_taken_back_while_it_is_claimed_is_either_sent_or_taken_back(texts: Twilio, settings: Settings) -> None:
    settings.SMS_PER_NUMBER_PER_DAY = 1000
    for _ in range(10):
        Notification.objects.all().delete()
        texts.clear()
        queued(1)

        sent, taken_back = race(
            [lambda: send_due(now=NOW, limit=5), lambda: cancel_pending("test:0", reason="It is off.")]
        )

        assert sent + taken_back == 1
        assert len(texts.texts(PHONE)) == sent
        assert statuses() == ({Status.SENT: 1} if sent else {Status.CANCELLED: 1})


def test_two_beats_tell_everybody_their_day_once() -> None:
    studio = factories.studio(staff=3)
    for hour in (9, 11, 13):
        booked(studio, hour)
    morning = NOW + timedelta(days=1, hours=1)  # the visits are tomorrow
    deadlocks = deadlock_count()

    race([lambda: enqueue_agendas(now=morning)] * 4)

    agendas = Notification.objects.filter(kind="agenda").values_list("recipient_ref", flat=True)
    assert len(agendas) == len(set(agendas)) > 0
    assert deadlock_count() == deadlocks


def told(word: str, ref: str) -> Any:
    return store_text(
        provider_ref=ref, channel=Channel.SMS, sender=PHONE, text=word, opt_out="", now=NOW + timedelta(minutes=1)
    )


def test_stop_start_and_a_dead_number_at_once_end_without_deadlock_and_with_one_row_each() -> None:
    deadlocks = deadlock_count()
    for number in range(15):
        outcomes = race(
            [
                lambda number=number: told("STOP", f"SM-a{number}"),
                lambda number=number: told("STOP", f"SM-a{number}"),
                lambda number=number: told("START", f"SM-b{number}"),
                lambda: suppress(channel=Channel.SMS, address=PHONE, reason=SuppressionReason.UNREACHABLE, now=NOW),
            ]
        )
        assert outcomes == [None] * 4

    told("STOP", "SM-last")
    assert set(Suppression.objects.filter(address_hash=phone_hash(PHONE)).values_list("channel", "reason")) == {
        ("sms", "stop"),
        ("whatsapp", "stop"),
    }
    assert deadlock_count() == deadlocks
    connection.close()
