"""Asking Stripe about the payments of a booking, because somebody looks at a page that waits for the answer."""

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

# However many tabs ask: the provider is asked at most so often.
_SECONDS = 5


def check_payments(*, booking_id: int, now: datetime) -> None:
    """Ask Stripe about every payment and card setup of a booking that is not over, and let the booking know.

    Done in this process with a short time-out, so that it needs no worker. What does not work now is left in the
    outbox, where a worker finds it. Outside any transaction.
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
    """Publish ``payment.check`` for all that waits and return the keys. A key comes once in some seconds."""
    subject, turn = booking_ref(booking_id), int(now.timestamp()) // _SECONDS
    payments = Payment.objects.filter(subject_ref=subject, status__in=LIVE_PAYMENTS, intent_id__isnull=False)
    over = [SetupStatus.SUCCEEDED, SetupStatus.CANCELLED]
    setups = CardSetup.objects.filter(subject_ref=subject, setup_intent_id__isnull=False).exclude(status__in=over)
    payloads = {f"payment:{pk}:{turn}": {"payment_id": pk} for pk in payments.values_list("pk", flat=True)}
    payloads |= {f"setup:{pk}:{turn}": {"setup_id": pk} for pk in setups.values_list("pk", flat=True)}
    for key, payload in payloads.items():
        outbox.publish("payment.check", key, payload, now=now)
    return list(payloads)
