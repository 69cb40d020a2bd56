"""Outbox handlers of messages."""

from datetime import datetime

from core.outbox import Delivery
from notifications.reports import inbound


def message_reported(delivery: Delivery, *, now: datetime) -> None:
    if not inbound.apply_report(event_id=int(delivery.payload["event_id"]), now=now):
        raise inbound.TooEarly
