"""Ends holds whose time is over. If money may be on its way, Stripe is asked first.

No customer depends on this sweep: another booking can take an expired time at once. Money that arrives after that is
late money.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bookings.operations.hold import expire_holds
from bookings.operations.pay import keep_time
from bookings.queries import bookings
from payments.enums import PaymentStatus, SetupStatus
from payments.errors import ProviderFailed
from payments.models import CardSetup, Payment
from payments.operations import sync_card_setup, sync_payment

logger = logging.getLogger(__name__)

# While Stripe checks a payment, its time is kept a few minutes more in each run.
KEPT_WHILE_CHECKED = timedelta(minutes=5)
# If Stripe does not answer, a time is kept this long after the payment was begun.
KEPT_WITHOUT_WORD = timedelta(minutes=15)
_ARRIVING = {PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, SetupStatus.PROCESSING, SetupStatus.SUCCEEDED}
_ARRIVED = {PaymentStatus.SUCCEEDED, SetupStatus.SUCCEEDED}
# Stripe is asked about this many bookings in one run; the others keep their time until the next run.
ASKED_AT_ONCE = 20


def expire_due(*, now: datetime) -> int:
    """End holds whose time is up and return how many.

    Asks Stripe about pending payments. Runs outside any transaction.
    """
    waiting = bookings.payments_in_overdue_bookings(now)
    asked = list(waiting)[:ASKED_AT_ONCE]
    kept = {booking_id for booking_id in asked if _is_kept(booking_id, waiting[booking_id], now)}
    return expire_holds(now=now, spared_ids=kept | (waiting.keys() - set(asked)))


def _is_kept(booking_id: int, rows: Sequence[Payment | CardSetup], now: datetime) -> bool:
    """Ask Stripe about the payments of one booking, and keep its time if money may still arrive."""
    try:
        is_arriving = any(_status(row, now) in _ARRIVING for row in rows)
    except ProviderFailed:
        logger.warning("the payment provider does not answer; times that wait for a payment are kept a little longer")
        return any(now < row.created_at + KEPT_WITHOUT_WORD for row in rows)
    return is_arriving and keep_time(booking_id=booking_id, until=now + KEPT_WHILE_CHECKED, now=now)


def _status(row: Payment | CardSetup, now: datetime) -> str:
    if row.status in _ARRIVED:
        return row.status
    if isinstance(row, Payment):
        return sync_payment(payment_id=row.pk, now=now)
    return sync_card_setup(setup_id=row.pk, now=now)
