"""Each check of money finds exactly the violation planted for it, and nothing in healthy books."""

from datetime import timedelta

import pytest
from django.db import connection

from devservers.stripe import Stripe
from payments.doctor import CHECKS
from payments.enums import Method, Purpose, RefundReason
from payments.models import Bill, MoneyAlert
from payments.operations import record_payment, request_charge, request_refunds
from payments.stripe_events import keep_notice
from tests import money
from tests.db.test_charging import card_on_file
from tests.factories import NOW
from tests.money import SUBJECT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]

LATER = NOW + timedelta(hours=1)


def taken(bill: Bill, amount_minor: int, key: str) -> None:
    values = {"purpose": Purpose.BALANCE, "method": Method.CASH, "actor_id": None, "actor_name": "Sam", "note": ""}
    record_payment(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=amount_minor, request_key=key, now=NOW, **values)


@pytest.fixture
def healthy(stripe: Stripe) -> Bill:
    """A fee charged to a saved card, cash, a refund of each, and one that the bank could not return."""
    bill = card_on_file(stripe, owed_minor=8000, cap_minor=4000)
    request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)
    money.deliver()
    taken(bill, 3000, "form-1")
    stripe.control.next_refunds("succeeded", "failed")
    for amount_minor in (3500, 700):
        values = {"reason": RefundReason.POLICY, "now": NOW}
        request_refunds(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=amount_minor, **values)
        money.deliver()
    keep_notice(money.notice("customer.created", {"id": "cus_1"}), now=NOW)
    money.deliver()
    return bill


def violations() -> dict[str, int]:
    found = {check.title: len(list(check.run(LATER))) for check in CHECKS}
    return {title: count for title, count in found.items() if count}


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_healthy_books_have_no_violation(healthy: Bill) -> None:
    assert MoneyAlert.objects.count() == 1
    assert violations() == {}


PLANTED = {
    "Money that came in online has a source": "UPDATE payments_payment SET intent_id = NULL WHERE method = 'stripe'",
    "No more went back than came in": "UPDATE payments_refund SET amount_minor = 4001 WHERE stripe_refund_id = "
    "(SELECT min(stripe_refund_id) FROM payments_refund WHERE status = 'succeeded')",
    "Money is in the currency of its bill": "UPDATE payments_bill SET currency = 'USD'",
    "A failed refund is on the to-do list": "UPDATE payments_moneyalert SET refund_id = NULL",
    "No charge is above what the customer agreed to": "UPDATE payments_savedcard SET cap_minor = 3999",
    "Every refund was sent": "UPDATE payments_refund SET status = 'submitted', stripe_refund_id = NULL "
    "WHERE method = 'stripe' AND status = 'succeeded'",
    "Refunds that wait for approval are sent only once they are approved": "UPDATE payments_refund "
    "SET answer_by = created_at WHERE status = 'succeeded'",
    "A refund that waits too long is on the to-do list": "UPDATE payments_refund SET status = 'awaiting_approval', "
    "answer_by = created_at + interval '24 hours 30 minutes' WHERE status = 'succeeded'",
    "Cards are forgotten when their time is up": "UPDATE payments_savedcard SET detach_after = created_at - interval"
    " '1 day'",
    "No card numbers are kept": "UPDATE payments_payment SET note = 'card 4242424242424242'",
    "No receipt number is missing": "INSERT INTO payments_receiptseries (year, last_serial) VALUES (1999, 1)",
    "Every notice was worked on": "UPDATE payments_stripeevent SET handled_at = NULL",
}


@pytest.mark.parametrize("title", PLANTED)
def test_each_check_finds_what_was_planted(healthy: Bill, title: str) -> None:
    sql(PLANTED[title])

    assert set(violations()) == {title}


def test_fee_that_waits_for_ever_is_found(stripe: Stripe) -> None:
    bill = card_on_file(stripe)
    request_charge(bill_id=bill.pk, subject_ref=SUBJECT, amount_minor=4000, now=NOW)

    assert set(violations()) == {"Every fee was charged or refused"}


def test_payment_that_was_never_called_off_is_found(stripe: Stripe) -> None:
    money.start(money.bill())
    sql("UPDATE payments_payment SET called_off_at = created_at - interval '2 hours'")

    assert set(violations()) == {"What was called off can be paid no more"}


def test_what_was_paid_twice_and_kept_is_found(healthy: Bill) -> None:
    for key in ("form-2", "form-3"):
        taken(healthy, 6000, key)
    sql("UPDATE payments_payment SET purpose = 'move' WHERE request_key IN ('form-2', 'form-3')")

    assert set(violations()) == {"Nothing was paid twice and kept"}


def test_consent_given_only_after_the_charge_is_found(healthy: Bill) -> None:
    sql("UPDATE accounts_consent SET given_at = given_at + interval '1 minute'")

    assert set(violations()) == {"No charge is above what the customer agreed to"}


def test_a_second_card_with_a_consent_of_its_own_is_no_violation(healthy: Bill) -> None:
    money.consent()
    newest = "(SELECT max(id) FROM accounts_consent)"
    sql(f"UPDATE accounts_consent SET given_at = given_at + interval '1 hour' WHERE id = {newest}")
    sql(f"UPDATE payments_savedcard SET consent_id = {newest}")

    assert violations() == {}


def test_every_check_is_tried() -> None:
    tried = {
        *PLANTED,
        "Nothing was paid twice and kept",
        "Every fee was charged or refused",
        "What was called off can be paid no more",
    }

    assert {check.title for check in CHECKS} == tried
