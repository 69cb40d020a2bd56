"""Delete old Stripe events and card declines. Bills, payments, refunds and receipts stay."""

from datetime import datetime, timedelta

from django.conf import settings

from core.retention import delete_in_batches
from payments.models import Decline, StripeEvent


def delete_old_notices(*, now: datetime) -> int:
    """Delete declines after a day and handled Stripe events after EVENTS_KEPT_DAYS; return the number of events.

    Stripe repeats an event for three days at most.
    """
    before = now - timedelta(days=settings.EVENTS_KEPT_DAYS)
    delete_in_batches(Decline.objects.filter(at__lt=now - timedelta(days=1)).only("pk"))
    return delete_in_batches(StripeEvent.objects.filter(handled_at__isnull=False, received_at__lt=before).only("pk"))
