"""Asks Stripe about the payments of a booking while a customer's page waits for the result."""

import logging
from datetime import datetime

from django.db import transaction

from bookings.refs import booking_ref
from core import outbox
from core.errors import DomainError
from payments.enums import LIVE_PAYMENTS, SetupStatus
from payments.models import CardSetup, Payment
from payments.stripe.client import answering_soon
from payments.stripe_events import tell_at_once

logger = logging.getLogger(__name__)

# However many tabs poll, Stripe is asked at most once in this time.
_SECONDS = 5


def check_payments(*, booking_id: int, now: datetime) -> None:
    """Ask Stripe about every pending payment and card setup of a booking, and apply the result to the booking.

    Runs in this process with a short time-out, so that it needs no worker. What fails now stays in the outbox, where a
    worker retries it. Runs outside any transaction.
    """
    keys = _published(booking_id, now)
    try:
        with answering_soon():
            for key in keys:
                outbox.run_now("payment.check", key, now=now)
        tell_at_once(subject_ref=booking_ref(booking_id), now=now)
    except DomainError as error:
        logger.warning("the payments of booking %s could not be checked at once: %s", booking_id, error.code)


@transaction.atomic
def _published(booking_id: int, now: datetime) -> list[str]:
    """Publish ``payment.check`` for all pending payments and card setups and return the keys.

    The outbox accepts a key once within some seconds.
    """
    subject, turn = booking_ref(booking_id), int(now.timestamp()) // _SECONDS
    payments = Payment.objects.filter(subject_ref=subject, status__in=LIVE_PAYMENTS, intent_id__isnull=False)
    over = [SetupStatus.SUCCEEDED, SetupStatus.CANCELLED]
    setups = CardSetup.objects.filter(subject_ref=subject, setup_intent_id__isnull=False).exclude(status__in=over)
    payloads = {f"payment:{pk}:{turn}": {"payment_id": pk} for pk in payments.values_list("pk", flat=True)}
    payloads |= {f"setup:{pk}:{turn}": {"setup_id": pk} for pk in setups.values_list("pk", flat=True)}
    for key, payload in payloads.items():
        outbox.publish("payment.check", key, payload, now=now)
    return list(payloads)
