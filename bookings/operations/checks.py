"""Having the payment provider asked soon, because somebody looks at a page that waits for its answer."""

from datetime import datetime

from django.db import transaction

from core.outbox import publish
from payments.enums import LIVE_PAYMENTS, SetupStatus
from payments.models import CardSetup, Payment

# However many tabs ask: the provider is asked at most so often.
_SECONDS = 5


@transaction.atomic
def ask_about_payments(*, booking_id: int, now: datetime) -> None:
    """Publish ``payment.check`` for every payment and card setup of a booking that is not over."""
    subject, turn = f"booking:{booking_id}", int(now.timestamp()) // _SECONDS
    payments = Payment.objects.filter(subject_ref=subject, status__in=LIVE_PAYMENTS, intent_id__isnull=False)
    for pk in payments.values_list("pk", flat=True):
        publish("payment.check", f"payment:{pk}:{turn}", {"payment_id": pk}, now=now)
    over = [SetupStatus.SUCCEEDED, SetupStatus.CANCELLED]
    setups = CardSetup.objects.filter(subject_ref=subject, setup_intent_id__isnull=False).exclude(status__in=over)
    for pk in setups.values_list("pk", flat=True):
        publish("payment.check", f"setup:{pk}:{turn}", {"setup_id": pk}, now=now)
