"""Helpers of payment tests: a bill, a customer who pays at the stand-in for Stripe, Stripe events, and the outbox."""

import hashlib
import hmac
import json
import time
from datetime import datetime
from typing import Any

from accounts.operations import record_consent
from core import outbox
from devservers.stripe import Stripe
from payments.enums import Purpose
from payments.models import Bill, BillLine, Payment
from payments.operations import NewLine, StartedPayment, open_bill, start_payment
from payments.operations.cards import CARD_CONSENT
from payments.stripe import client, gateway
from tests.factories import NOW

SUBJECT = "booking:1"


def bill(amount_minor: int = 8000, *, currency: str = "EUR", subject_ref: str = SUBJECT) -> Bill:
    line = NewLine(BillLine.Kind.SERVICE, "Massage", amount_minor, 0)
    return open_bill(customer_id=None, currency=currency, lines=[line], subject_ref=subject_ref, now=NOW)


def start(of: Bill, amount_minor: int = 1600, **changes: Any) -> StartedPayment:
    values = {
        "subject_ref": SUBJECT,
        "purpose": Purpose.BOOKING,
        "amount_minor": amount_minor,
        "is_still_due": lambda: True,
        "now": NOW,
    }
    return start_payment(bill_id=of.pk, **{**values, **changes})


def paid(of: Bill, stripe: Stripe, amount_minor: int = 1600, **changes: Any) -> Payment:
    """A payment that the customer made online and that we know of."""
    payment = start(of, amount_minor, **changes).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))
    gateway_news(payment)
    payment.refresh_from_db()
    return payment


def gateway_news(payment: Payment, *, now: datetime = NOW) -> None:
    """Learn from Stripe what became of a payment."""
    from payments.operations import sync_payment

    sync_payment(payment_id=payment.pk, now=now)


def consent(subject_ref: str = SUBJECT) -> None:
    record_consent(customer_id=None, subject_ref=subject_ref, purpose=CARD_CONSENT, text="Up to €80.00.", now=NOW)


def deliver(*, now: datetime = NOW) -> int:
    """Run everything that waits in the outbox, and what follows from it."""
    done = 0
    while ran := outbox.drain(now=now):
        done += ran
    return done


def notice(kind: str, found: dict[str, Any], *, event_id: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """An event as Stripe would send it."""
    event = {
        "id": event_id,
        "object": "event",
        "type": kind,
        "livemode": False,
        "created": int(NOW.timestamp()),
        "data": {"object": found},
    }
    return {**event, **changes}


def signed(body: bytes, secret: str, *, at: float | None = None) -> str:
    """The header with which Stripe proves that a body is its own."""
    moment = int(time.time() if at is None else at)
    proof = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={proof}"


def sent(event: dict[str, Any], secret: str) -> dict[str, Any]:
    """Arguments for ``client.post`` that send ``event`` as Stripe does."""
    body = json.dumps(event).encode()
    return {"data": body, "content_type": "application/json", "headers": {"Stripe-Signature": signed(body, secret)}}


def forget_outage() -> None:
    client.breaker.reset()


def refunds_at_stripe(payment: Payment) -> list[int]:
    """The sums of what went back of a payment, as Stripe has them."""
    return sorted(each.amount_minor for each in gateway.refunds_of(str(payment.intent_id)))


def card_that_wants_its_owner(of: Bill) -> str:
    """A card of the bill's payer for which the bank wants to see the customer at every charge."""
    of.refresh_from_db()
    made = client.client().v1.payment_methods.attach(
        "pm_card_authenticationRequired", {"customer": of.stripe_customer_id}
    )
    return str(made.id)
