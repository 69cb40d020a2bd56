"""Outbox handlers of the privacy app."""

from datetime import datetime

from core.outbox import Delivery
from privacy.operations.cases import erase_for_case
from privacy.reading_messages import announce_unusual_reading


def erase(delivery: Delivery, *, now: datetime) -> None:
    """Published when an owner approves an erasure."""
    erase_for_case(case_id=delivery.payload["case_id"], now=now)


def unusual_reading(delivery: Delivery, *, now: datetime) -> None:
    """Published when a user has read more than is usual."""
    announce_unusual_reading(alert_id=delivery.payload["alert_id"], now=now)
