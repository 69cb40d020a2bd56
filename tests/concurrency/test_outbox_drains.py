"""Several workers drain at once: each message is handled by exactly one of them."""

import threading
from collections import Counter

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from core import outbox
from core.models import OutboxMessage
from tests import outbox_handlers
from tests.factories import NOW

MESSAGES = 40
WORKERS = 4

pytestmark = pytest.mark.django_db(transaction=True)


def drained_by_workers() -> None:
    start = threading.Barrier(WORKERS)

    def work() -> None:
        try:
            start.wait(10)
            outbox.drain(now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.fixture(autouse=True)
def _published(settings: Settings) -> None:
    settings.OUTBOX_ROUTES = outbox_handlers.ROUTES
    outbox_handlers.handled.clear()
    with transaction.atomic():
        for number in range(MESSAGES):
            outbox.publish("thing.slow", f"thing:{number}", {}, now=NOW)


def test_each_message_is_handled_once() -> None:
    drained_by_workers()

    assert Counter(delivery.key for _, delivery in outbox_handlers.handled) == {
        f"thing:{number}": 1 for number in range(MESSAGES)
    }
    assert len({worker for worker, _ in outbox_handlers.handled}) == WORKERS
    assert not OutboxMessage.objects.exclude(status="done").exists()


@pytest.mark.control
def test_without_the_row_lock_they_do_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(now: object) -> OutboxMessage | None:
        return OutboxMessage.objects.filter(status="pending").order_by("id").first()

    monkeypatch.setattr(outbox, "_claimed", unlocked)
    monkeypatch.setattr(
        outbox, "_mark", lambda message, **values: OutboxMessage.objects.filter(pk=message.pk).update(**values)
    )

    drained_by_workers()

    assert max(Counter(delivery.key for _, delivery in outbox_handlers.handled).values()) > 1
