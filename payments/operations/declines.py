"""Count declined cards per subject. A visitor who tries one card after the other is probably testing stolen cards."""

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
    """Count a declined card, once per Stripe event. From DECLINES_ALLOWED on, cancel the open payments of the subject.

    Locks the bill if it cancels payments.
    """
    row = Decline(event_id=event_id, subject_ref=subject_ref, at=now)
    if insert_unless_known(row, unique=("event_id",)) and decline_count([subject_ref], now) >= DECLINES_ALLOWED:
        call_off_payments(subject_ref=subject_ref, now=now)


def decline_count(subject_refs: Collection[str], now: datetime) -> int:
    """Return how many cards banks declined for these subjects within DECLINES_COUNT_FOR."""
    return Decline.objects.filter(subject_ref__in=subject_refs, at__gt=now - DECLINES_COUNT_FOR).count()
