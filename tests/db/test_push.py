"""Web push up to the network: encrypted for each device, signed by the site, and deleted when the device is gone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from devservers import application, push
from devservers.push import PushService, Subscription
from notifications.channels import push as push_channel
from notifications.enums import Channel, NotificationStatus, RecipientRole
from notifications.models import MessageText, Notification, PushSubscription
from notifications.operations import enqueue, send_due
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from tests.factories import NOW

pytestmark = pytest.mark.django_db

Status = NotificationStatus
LINK = "https://book.example.com/b/K7M4PXcSECRETSECRETSECRETSECRETSECRETSECRETSECRE/"


def context(request: ContextRequest) -> MessageContext:
    words = {"customer": request.subject_ref, "time": "14:30"}
    return MessageContext(template="confirmed_staff", variables=words, words=words, link=LINK)


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    running = push.start()
    settings.VAPID_PRIVATE_KEY = application.new_key().replace("=", "")
    settings.VAPID_SUBJECT = "mailto:hello@example.com"
    settings.NOTIFICATION_CONTEXTS = {"test": "tests.db.test_push.context"}
    MessageText.objects.create(
        kind="confirmed",
        recipient_role="staff",
        channel="push",
        language="en",
        subject="New booking: {{ customer }}",
        body="At {{ time }}",
        updated_at=NOW,
    )
    yield running
    running.stop()


def device(service: PushService, person: str = "staff:3") -> Subscription:
    made = service.subscribe()
    PushSubscription.objects.create(
        person_ref=person, endpoint=made.endpoint, p256dh=made.p256dh, auth=made.auth, created_at=NOW
    )
    return made


def queued(**values: Any) -> Notification:
    request = MessageRequest(
        **{
            "kind": "confirmed",
            "subject_ref": "test:1",
            "version": 0,
            "recipient_role": RecipientRole.STAFF,
            "recipient_ref": "staff:3",
            "address": "sam@example.com",
            "language": "en",
            "key": "test:1:confirmed",
            "channel": Channel.PUSH,
            **values,
        }
    )
    with transaction.atomic():
        enqueue([request], now=NOW)
    return Notification.objects.latest("pk")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def outcome(row: Notification) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.error


def test_each_device_reads_the_message_and_where_a_tap_leads(service: PushService) -> None:
    phone, laptop, other = device(service), device(service), device(service, "staff:4")
    row = queued(expires_at=after(600))

    assert send_due(now=NOW, limit=5) == 1

    assert outcome(row) == (Status.SENT, "")
    for mine in (phone, laptop):
        [arrived] = service.to(mine.endpoint)
        assert arrived.content["title"] == "New booking: test:1"
        assert arrived.content["body"] == "At 14:30"
        assert arrived.content["url"] == LINK
        assert 590 <= int(arrived.headers["ttl"]) <= 600
        assert len(arrived.headers["topic"]) == 32
    assert service.to(other.endpoint) == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(service: PushService, status: int) -> None:
    gone, kept = device(service), device(service)
    service.answer(gone.endpoint, status)
    queued()

    assert send_due(now=NOW, limit=5) == 1
    assert list(PushSubscription.objects.values_list("endpoint", flat=True)) == [kept.endpoint]


def test_when_the_last_device_is_gone_the_message_says_so(service: PushService) -> None:
    service.answer(device(service).endpoint, 410)
    row = queued()

    assert send_due(now=NOW, limit=5) == 0
    assert outcome(row) == (Status.PERMANENT_FAILURE, "The device is gone.")
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again_under_the_same_topic(service: PushService, status: int) -> None:
    mine = device(service)
    service.answer(mine.endpoint, status)
    row = queued()
    assert send_due(now=NOW, limit=5) == 0
    assert outcome(row)[0] == Status.TEMPORARY_FAILURE

    service.answer(mine.endpoint, 201)
    assert send_due(now=after(11), limit=5) == 1
    assert len(service.to(mine.endpoint)) == 1


def test_a_service_that_is_away_is_asked_again(service: PushService) -> None:
    device(service)
    service.stop()
    row = queued()

    assert send_due(now=NOW, limit=5) == 0
    assert outcome(row) == (Status.TEMPORARY_FAILURE, "The push service cannot be reached (ConnectionError).")


def test_a_service_that_is_slow_does_not_take_the_time_of_all_devices(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_channel, "LONGEST_SECONDS", -1)
    device(service)
    row = queued()

    assert send_due(now=NOW, limit=5) == 0

    row.refresh_from_db()
    assert (row.status, row.error) == (Status.TEMPORARY_FAILURE, "The push service is slow.")
    monkeypatch.setattr(push_channel, "LONGEST_SECONDS", 40)
    assert send_due(now=after(20), limit=5) == 1


def test_an_event_goes_to_devices_beside_the_mail_where_there_are_some(service: PushService) -> None:
    queued(channel=None)
    assert [row.channel for row in Notification.objects.all()] == ["email"]

    device(service)
    queued(channel=None, key="test:2:confirmed")
    assert [row.key for row in Notification.objects.filter(channel="push")] == ["test:2:confirmed:push"]
