"""Steps that a process of its own takes, so that it can be killed in the middle. Each prints what the next one needs.

The database is real and committed, the provider is the stand-in of the stack.
"""

from datetime import timedelta

from core import clock, outbox
from payments import reconciling
from payments.enums import Purpose, RefundReason
from payments.models import Bill, CardSetup, Payment, Refund
from payments.operations import request_charge, request_refunds, start_card_setup, start_payment
from payments.stripe import gateway
from tests import money

SUBJECT = money.SUBJECT


def open_bill() -> None:
    bill = money.bill(4000)
    money.consent()
    print(bill.pk)


def start() -> None:
    start_payment(
        bill_id=Bill.objects.get().pk,
        subject_ref=SUBJECT,
        purpose=Purpose.BOOKING,
        amount_minor=1600,
        is_still_due=lambda: True,
        now=clock.now(),
    )


def set_up() -> None:
    start_card_setup(bill_id=Bill.objects.get().pk, subject_ref=SUBJECT, cap_minor=4000, now=clock.now())


def ask_for_fee() -> None:
    request_charge(bill_id=Bill.objects.get().pk, subject_ref=SUBJECT, amount_minor=4000, now=clock.now())


def ask_for_refund() -> None:
    request_refunds(
        bill_id=Bill.objects.get().pk,
        subject_ref=SUBJECT,
        amount_minor=1000,
        reason=RefundReason.POLICY,
        now=clock.now(),
    )


def work(hours: int) -> None:
    """What a worker does ``hours`` from now, when every claim has run out and everything waiting is due."""
    later = clock.now() + timedelta(hours=hours)
    reconciling.look_after(now=later)
    while outbox.drain(now=later):
        pass


def outcome() -> None:
    """Sums of what the provider took and returned, and of what our books say, as minor units."""
    received = sum(each.received_minor for each in gateway.intents_since(clock.now() - timedelta(days=1)))
    returned = sum(each.amount_minor for each in gateway.refunds_since(clock.now() - timedelta(days=1)))
    paid = sum(Payment.objects.filter(status="succeeded").values_list("amount_minor", flat=True))
    refunded = sum(Refund.objects.filter(status="succeeded").values_list("amount_minor", flat=True))
    print(received, paid, returned, refunded)


def waiting_intent() -> None:
    print(Payment.objects.get(status="open").intent_id)


def waiting_setup() -> None:
    print(CardSetup.objects.get().setup_intent_id)
