"""Outbox handlers of payments: Stripe events, charges, refunds, cancelled payments, unwanted cards and receipts.

Each handler reads the row first, so a delivery may come twice, late or in any order.
"""

import logging
from datetime import datetime

from core.outbox import Delivery
from payments.errors import ProviderFailed
from payments.operations import cards, charging, paying, receipts, refunding
from payments.stripe_events import read_notice

logger = logging.getLogger(__name__)


def stripe_event(delivery: Delivery, *, now: datetime) -> None:
    read_notice(event_pk=delivery.payload["event"], now=now)


def charge(delivery: Delivery, *, now: datetime) -> None:
    charging.charge(payment_id=delivery.payload["payment_id"], now=now)


def submit_refund(delivery: Delivery, *, now: datetime) -> None:
    refunding.carry_out(refund_id=delivery.payload["refund_id"], attempts=delivery.attempts, now=now)


def call_off(delivery: Delivery, *, now: datetime) -> None:
    if "setup_id" in delivery.payload:
        cards.call_off_setup(setup_id=delivery.payload["setup_id"], now=now)
    else:
        paying.call_off(payment_id=delivery.payload["payment_id"], now=now)


def check(delivery: Delivery, *, now: datetime) -> None:
    """Fetch a payment or card setup from Stripe now, because its customer waits for the confirmation.

    If Stripe does not answer, the task ``look_after_payments`` tries again.
    """
    try:
        if "setup_id" in delivery.payload:
            cards.sync_card_setup(setup_id=delivery.payload["setup_id"], now=now)
        else:
            paying.sync_payment(payment_id=delivery.payload["payment_id"], now=now)
    except ProviderFailed:
        logger.warning("a payment could not be checked now")


def forget_card(delivery: Delivery, *, now: datetime) -> None:
    cards.forget_unwanted(payment_method_id=delivery.payload["payment_method_id"])


def refund_receipt(delivery: Delivery, *, now: datetime) -> None:
    receipts.issue_receipt(refund_id=delivery.payload["refund_id"], now=now)


def receipt_document(delivery: Delivery, *, now: datetime) -> None:
    receipts.draw_receipt(receipt_id=delivery.payload["receipt_id"], now=now)
