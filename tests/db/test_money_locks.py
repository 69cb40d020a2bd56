"""Which rows are locked in which order, read from the SQL: a race test finds a wrong order only sometimes."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.operations._lock import lock_limits
from devservers.stripe import Stripe
from payments.enums import Method, RefundReason, RefundStatus
from payments.errors import RefundTooLarge
from payments.models import Bill, Payment, Refund
from payments.operations import hand_back, refund_payment, request_refunds
from payments.operations.refunding import carry_out
from tests import money
from tests.factories import NOW, studio
from tests.journeys import hold
from tests.money import SUBJECT, refunds_at_stripe

pytestmark = pytest.mark.django_db


def locks(act: Callable[[], object]) -> list[str]:
    """The tables whose rows an act locks, in its order."""
    with CaptureQueriesContext(connection) as queries:
        act()
    texts = [each["sql"] for each in queries if "FOR NO KEY UPDATE" in each["sql"]]
    return [text.split("FROM ")[1].split()[0].strip('"') for text in texts]


@pytest.fixture
def bill() -> Bill:
    return money.bill()


@pytest.fixture
def paid(bill: Bill, stripe: Stripe, payments_alone: None) -> Payment:
    return money.paid(bill, stripe, 1600)


def by_hand(paid: Payment, amount_minor: int, *, method: Method = Method.CASH, key: str = "k") -> Refund:
    return refund_payment(
        payment_id=paid.pk,
        amount_minor=amount_minor,
        method=method,
        note="",
        actor_id=None,
        actor_name="Sam",
        request_key=key,
        now=NOW,
    )


def asked(bill: Bill, amount_minor: int) -> list[Refund]:
    return request_refunds(
        bill_id=bill.pk,
        subject_ref=SUBJECT,
        amount_minor=amount_minor,
        reason=RefundReason.POLICY,
        note="",
        actor_id=None,
        actor_name="",
        answer_by=None,
        now=NOW,
    )


def test_asking_for_refunds_locks_the_bill_before_its_payments(bill: Bill, paid: Payment) -> None:
    found = locks(lambda: asked(bill, 500))

    assert found[:2] == ["payments_bill", "payments_payment"]


def test_refunding_by_hand_locks_the_bill_before_the_payment(paid: Payment) -> None:
    assert locks(lambda: by_hand(paid, 500))[:2] == ["payments_bill", "payments_payment"]


def test_a_failed_refund_is_not_handed_back_beyond_what_is_left(bill: Bill, paid: Payment, stripe: Stripe) -> None:
    stripe.control.next_refunds("failed")
    [failed] = asked(bill, 1600)
    carry_out(refund_id=failed.pk, attempts=1, now=NOW)
    failed.refresh_from_db()
    assert failed.status == RefundStatus.FAILED
    by_hand(paid, 1000)

    with pytest.raises(RefundTooLarge):
        hand_back(refund_id=failed.pk, method=Method.CASH, note="", actor_id=None, actor_name="Sam", now=NOW)


def test_a_refund_that_is_tried_again_is_looked_up_first(bill: Bill, paid: Payment, stripe: Stripe) -> None:
    [refund] = asked(bill, 500)
    Refund.objects.filter(pk=refund.pk).update(key_serial=0)
    carry_out(refund_id=refund.pk, attempts=1, now=NOW)
    # As after a crash whose answer was lost, and a key that Stripe has forgotten since.
    Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.SUBMITTED, stripe_refund_id=None, key_serial=1)

    carry_out(refund_id=refund.pk, attempts=2, now=NOW)

    assert refunds_at_stripe(paid) == [500]


def test_the_sum_of_a_notice_is_read_again_and_not_taken_from_its_body(bill: Bill, stripe: Stripe) -> None:
    from payments.stripe_events import keep_notice

    payment = money.start(bill, 1600).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))
    told = {"id": payment.intent_id, "object": "payment_intent", "amount": 1, "amount_received": 1}
    keep_notice(money.notice("payment_intent.succeeded", told), now=NOW)
    money.deliver()

    payment.refresh_from_db()
    assert (payment.status, payment.amount_minor) == ("succeeded", 1600)


def test_resources_are_locked_by_id(settings: object) -> None:
    place = studio(staff=3)

    with CaptureQueriesContext(connection) as queries:
        hold(place)

    [text] = [each["sql"] for each in queries if "FOR NO KEY UPDATE OF r" in each["sql"]]
    assert "ORDER BY r.id\nFOR NO KEY UPDATE OF r" in text


def test_owners_of_daily_limits_are_locked_the_business_first() -> None:
    place = studio()

    found = locks(lambda: lock_limits(service_id=place.variant.service_id, has_business_limit=True))

    assert found == ["services_business", "services_service"]
