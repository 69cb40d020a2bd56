"""Cards that a bank has refused, counted, because who tries one card after the other is testing stolen ones."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from core.inserts import insert_unless_known
from payments.models import Decline
from payments.operations.paying import call_off_payments

DECLINES_ALLOWED = 5
DECLINES_COUNT_FOR = timedelta(minutes=10)


@transaction.atomic
def count_decline(*, event_id: str, subject_ref: str, now: datetime) -> None:
    """Write down that a bank refused a card, once for each notice. After DECLINES_ALLOWED what waits is called off.

    Locks the bill when it is called off.
    """
    row = Decline(event_id=event_id, subject_ref=subject_ref, at=now)
    if insert_unless_known(row, unique=("event_id",)) and decline_count([subject_ref], now) >= DECLINES_ALLOWED:
        call_off_payments(subject_ref=subject_ref, now=now)


def decline_count(subject_refs: Collection[str], now: datetime) -> int:
    """How many cards were refused for these subjects within DECLINES_COUNT_FOR."""
    return Decline.objects.filter(subject_ref__in=subject_refs, at__gt=now - DECLINES_COUNT_FOR).count()
