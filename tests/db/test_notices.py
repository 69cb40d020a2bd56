"""Stripe events: stored first, their object read from Stripe again, safe in any order and number."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from devservers.stripe import Stripe
from payments import reconciling
from payments.enums import AlertKind, PaymentStatus, Purpose
from payments.models import MoneyAlert, Payment, Refund, SavedCard, StripeEvent
from payments.queries import balance
from payments.stripe import gateway
from payments.stripe_events import keep_notice
from tests import money
from tests.factories import NOW
from tests.money import SUBJECT, notice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("payments_alone")]


@pytest.fixture
def made(stripe: Stripe) -> Payment:
    """A payment that the customer made and that we have not heard of."""
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id))
    return payment


def about(payment: Payment, kind: str, event_id: str, **changes: Any) -> dict[str, Any]:
    return notice(kind, {"id": payment.intent_id, "object": "payment_intent"}, event_id=event_id, **changes)


KINDS = ("payment_intent.created", "payment_intent.processing", "payment_intent.succeeded", "charge.refunded")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_every_order_of_notices_ends_the_same(stripe: Stripe, made: Payment, order: tuple[int, ...]) -> None:
    stripe.control.refund_outside(str(made.intent_id), 600)

    for number in order:
        found = {"id": made.intent_id, "payment_intent": made.intent_id}
        keep_notice(notice(KINDS[number], found, event_id=f"evt_{number}"), now=NOW)
        money.deliver()

    made.refresh_from_db()
    assert made.status == PaymentStatus.SUCCEEDED
    assert list(Refund.objects.values_list("amount_minor", "status", "reason")) == [(600, "succeeded", "external")]
    assert balance(SUBJECT).net_paid_minor == 1000


def test_the_same_notice_ten_times_counts_once(made: Payment) -> None:
    event = about(made, "payment_intent.succeeded", "evt_1")

    kept = [keep_notice(event, now=NOW) for _ in range(10)]
    money.deliver()

    assert kept == [True] + [False] * 9
    assert balance(SUBJECT).paid_minor == 1600
    assert StripeEvent.objects.get().handled_at is not None


def test_two_notices_of_one_change_count_once(made: Payment) -> None:
    for event_id in ("evt_1", "evt_2"):
        keep_notice(about(made, "payment_intent.succeeded", event_id), now=NOW)
    money.deliver()

    assert balance(SUBJECT).paid_minor == 1600


def test_notice_before_our_own_commit_finds_the_row_by_its_key(stripe: Stripe, made: Payment) -> None:
    Payment.objects.filter(pk=made.pk).update(status=PaymentStatus.CREATED, intent_id=None)
    found = {"id": made.intent_id, "metadata": {"payment": str(made.key)}}

    keep_notice(notice("payment_intent.succeeded", found), now=NOW)
    money.deliver()

    after = Payment.objects.get()
    assert (after.status, after.intent_id) == (PaymentStatus.SUCCEEDED, made.intent_id)


def test_notice_lies_and_the_source_is_believed(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()

    keep_notice(about(payment, "payment_intent.succeeded", "evt_1"), now=NOW)
    money.deliver()

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.OPEN


def test_lost_notice_is_made_good_by_looking_after(made: Payment) -> None:
    assert reconciling.look_after(now=NOW + timedelta(minutes=3)) == 1

    made.refresh_from_db()
    assert made.status == PaymentStatus.SUCCEEDED


def test_comparison_with_the_provider_repairs_and_reports(made: Payment) -> None:
    run = reconciling.reconcile(now=NOW + timedelta(minutes=5), window=timedelta(days=3650))

    made.refresh_from_db()
    assert made.status == PaymentStatus.SUCCEEDED
    assert (run.checked_count, run.repaired_count, run.report) == (1, 1, [f"repaired: payment {made.pk}"])
    again = reconciling.reconcile(now=NOW + timedelta(minutes=6), window=timedelta(days=3650))
    assert (again.repaired_count, again.listed_count) == (0, 0)


def test_money_of_nobody_is_listed(stripe: Stripe) -> None:
    intent = gateway.create_intent(key="not-ours", serial=0, amount_minor=500, currency="EUR")
    stripe.control.pay(intent.id)

    keep_notice(notice("payment_intent.succeeded", {"id": intent.id, "metadata": {"payment": "not-ours"}}), now=NOW)
    money.deliver()

    assert MoneyAlert.objects.get().kind == AlertKind.UNKNOWN_MONEY
    assert StripeEvent.objects.get().outcome == "no such payment here"


@pytest.mark.parametrize("changes", [{"livemode": True}, {"account": "acct_other"}], ids=["live", "other account"])
def test_notice_of_another_account_or_mode_has_no_effect_and_is_listed(made: Payment, changes: dict[str, Any]) -> None:
    keep_notice(about(made, "payment_intent.succeeded", "evt_1", **changes), now=NOW)
    money.deliver()

    made.refresh_from_db()
    assert made.status == PaymentStatus.OPEN
    assert MoneyAlert.objects.get().kind == AlertKind.WRONG_ACCOUNT


@pytest.mark.parametrize("kind", ["customer.created", "payout.paid", "something.new"])
def test_unknown_notice_is_kept_and_has_no_effect(stripe: Stripe, kind: str) -> None:
    keep_notice(notice(kind, {"id": "obj_1"}), now=NOW)
    money.deliver()

    assert StripeEvent.objects.get().outcome == "not used"


def kept_card(stripe: Stripe) -> Payment:
    """A payment whose card is kept for fees."""
    money.consent()
    return money.paid(money.bill(), stripe, saves_card=True, cap_minor=8000)


def told(payment: Payment, dispute: dict[str, Any], *kinds: str) -> None:
    """Stripe tells of a dispute, in this order, each thing twice."""
    found = {"id": dispute["id"], "payment_intent": payment.intent_id, "status": "needs_response"}
    for number, kind in enumerate(kinds * 2):
        keep_notice(notice(f"charge.dispute.{kind}", found, event_id=f"{dispute['id']}_{kind}_{number}"), now=NOW)
        money.deliver()
    payment.refresh_from_db()


def alerts() -> list[tuple[str, bool]]:
    rows = MoneyAlert.objects.order_by("pk").values_list("kind", "resolved_at")
    return [(kind, resolved_at is not None) for kind, resolved_at in rows]


def test_dispute_freezes_the_card_and_is_listed_once(stripe: Stripe) -> None:
    payment = kept_card(stripe)

    told(payment, stripe.control.open_dispute(str(payment.intent_id)), "created", "funds_withdrawn", "updated")

    assert payment.is_disputed
    assert SavedCard.objects.get().is_frozen
    assert alerts() == [("dispute", False)]
    assert balance(SUBJECT).refunded_minor == 0


@pytest.mark.parametrize("kinds", [("created", "closed"), ("closed", "created"), ("closed",)])
def test_dispute_that_is_won_leaves_card_and_payment_as_they_were(stripe: Stripe, kinds: tuple[str, ...]) -> None:
    payment = kept_card(stripe)
    dispute = stripe.control.open_dispute(str(payment.intent_id))
    told(payment, dispute, "created")

    stripe.control.close_dispute(dispute["id"], won=True)
    told(payment, dispute, *kinds)

    assert not payment.is_disputed
    assert not SavedCard.objects.get().is_frozen
    assert alerts() == [("dispute", True)]
    assert MoneyAlert.objects.get().resolution == "won"
    assert balance(SUBJECT).net_paid_minor == 1600


def test_card_stays_frozen_while_another_payment_of_the_bill_is_disputed(stripe: Stripe) -> None:
    first = kept_card(stripe)
    second = money.paid(first.bill, stripe, 2000, purpose=Purpose.BALANCE)
    won, waiting = (stripe.control.open_dispute(str(each.intent_id)) for each in (first, second))
    told(first, won, "created")
    told(second, waiting, "created")

    stripe.control.close_dispute(won["id"], won=True)
    told(first, won, "closed")
    second.refresh_from_db()

    assert (first.is_disputed, second.is_disputed) == (False, True)
    assert SavedCard.objects.get().is_frozen


def test_payment_stays_disputed_while_another_dispute_of_it_is_open(stripe: Stripe) -> None:
    payment = kept_card(stripe)
    won, _ = (stripe.control.open_dispute(str(payment.intent_id)) for _ in range(2))

    stripe.control.close_dispute(won["id"], won=True)
    told(payment, won, "closed")

    assert payment.is_disputed
    assert SavedCard.objects.get().is_frozen


def test_dispute_that_is_lost_counts_as_money_that_went_back_once_and_is_listed(stripe: Stripe) -> None:
    payment = kept_card(stripe)
    dispute = stripe.control.open_dispute(str(payment.intent_id))
    told(payment, dispute, "created")

    stripe.control.close_dispute(dispute["id"], won=False)
    told(payment, dispute, "closed", "created")

    assert payment.is_disputed
    assert SavedCard.objects.get().is_frozen
    assert alerts() == [("dispute", True), ("dispute_lost", False)]
    assert list(Refund.objects.values_list("amount_minor", "status", "reason")) == [(1600, "succeeded", "dispute")]
    assert (balance(SUBJECT).net_paid_minor, balance(SUBJECT).open_minor) == (0, 8000)


def test_dispute_of_which_a_part_had_gone_back_takes_no_more_than_the_rest(stripe: Stripe) -> None:
    payment = kept_card(stripe)
    stripe.control.refund_outside(str(payment.intent_id), 600)
    dispute = stripe.control.open_dispute(str(payment.intent_id))
    stripe.control.close_dispute(dispute["id"], won=False)
    keep_notice(notice("charge.refunded", {"id": "ch_1", "payment_intent": payment.intent_id}), now=NOW)

    told(payment, dispute, "closed")

    assert balance(SUBJECT).net_paid_minor == 0
    assert sorted(Refund.objects.values_list("amount_minor", flat=True)) == [600, 1000]


def test_dispute_whose_end_nobody_told_is_found_at_night(stripe: Stripe) -> None:
    payment = kept_card(stripe)
    dispute = stripe.control.open_dispute(str(payment.intent_id))
    told(payment, dispute, "created")
    stripe.control.close_dispute(dispute["id"], won=True)

    reconciling.reconcile(now=NOW)

    payment.refresh_from_db()
    assert not payment.is_disputed
    assert not SavedCard.objects.get().is_frozen


def test_provider_away_while_a_notice_is_read_is_tried_again(stripe: Stripe, made: Payment) -> None:
    stripe.control.fail("GET /v1/payment_intents/*", "500")
    keep_notice(about(made, "payment_intent.succeeded", "evt_1"), now=NOW)
    money.deliver()
    made.refresh_from_db()
    assert made.status == PaymentStatus.OPEN

    money.deliver(now=NOW + timedelta(minutes=1))

    made.refresh_from_db()
    assert made.status == PaymentStatus.SUCCEEDED


def test_nothing_of_a_person_is_kept_of_a_notice(stripe: Stripe) -> None:
    found = {
        "id": "pi_1",
        "receipt_email": "jana@example.com",
        "shipping": {"name": "Jana Weber"},
        "status": "succeeded",
    }

    keep_notice(notice("payment_intent.succeeded", found), now=NOW)

    kept = str(StripeEvent.objects.get().payload)
    assert "jana" not in kept.lower()
    assert "succeeded" in kept


def test_metadata_of_others_is_not_kept(stripe: Stripe) -> None:
    found = {"id": "pi_1", "metadata": {"payment": "17", "customer_name": "Jana Weber", "number": "4242424242424242"}}

    keep_notice(notice("payment_intent.created", found), now=NOW)

    assert StripeEvent.objects.get().payload["data"]["object"]["metadata"] == {"payment": "17"}


def test_notices_of_a_copy_do_not_touch_the_payment(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    payment.refresh_from_db()
    copy = gateway.create_intent(key=str(payment.key), serial=7, amount_minor=1600, currency="EUR")
    gateway.cancel_intent(copy.id)

    found = {"id": copy.id, "metadata": {"payment": str(payment.key)}}
    keep_notice(notice("payment_intent.canceled", found), now=NOW)
    money.deliver()

    after = Payment.objects.get()
    assert (after.status, after.intent_id) == (PaymentStatus.OPEN, payment.intent_id)


def test_money_of_a_copy_beside_a_payment_that_was_made_is_listed(stripe: Stripe) -> None:
    payment = money.paid(money.bill(), stripe)
    copy = gateway.create_intent(key=str(payment.key), serial=7, amount_minor=1600, currency="EUR")
    stripe.control.pay(copy.id)

    found = {"id": copy.id, "metadata": {"payment": str(payment.key)}}
    keep_notice(notice("payment_intent.succeeded", found), now=NOW)
    money.deliver()

    assert MoneyAlert.objects.get().kind == AlertKind.UNKNOWN_MONEY
    assert Payment.objects.get().intent_id == payment.intent_id


def test_money_of_a_copy_of_a_payment_that_waits_is_its_own(stripe: Stripe) -> None:
    payment = money.start(money.bill()).payment
    copy = gateway.create_intent(key=str(payment.key), serial=7, amount_minor=1600, currency="EUR")
    stripe.control.pay(copy.id)

    found = {"id": copy.id, "metadata": {"payment": str(payment.key)}}
    keep_notice(notice("payment_intent.succeeded", found), now=NOW)
    money.deliver()

    after = Payment.objects.get()
    assert (after.status, after.intent_id) == (PaymentStatus.SUCCEEDED, copy.id)
    assert not MoneyAlert.objects.exists()


def test_card_saved_after_a_dispute_stays_frozen(stripe: Stripe) -> None:
    money.consent()
    bill = money.bill()
    payment = money.paid(bill, stripe)
    told(payment, stripe.control.open_dispute(str(payment.intent_id)), "created")

    money.paid(bill, stripe, saves_card=True, cap_minor=8000)

    assert SavedCard.objects.get().is_frozen


def test_notices_of_another_mode_are_listed_once_a_day(stripe: Stripe) -> None:
    for number in range(5):
        keep_notice(notice("payment_intent.created", {"id": "pi_1"}, event_id=f"evt_{number}", livemode=True), now=NOW)
    money.deliver()

    assert MoneyAlert.objects.get().kind == AlertKind.WRONG_ACCOUNT
