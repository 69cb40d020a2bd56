"""Outbox handlers of the privacy app."""

from datetime import datetime

from core.outbox import Delivery
from privacy.operations.cases import erase_for_case


def erase(delivery: Delivery, *, now: datetime) -> None:
    """Published when an owner approves an erasure."""
    erase_for_case(case_id=delivery.payload["case_id"], now=now)
