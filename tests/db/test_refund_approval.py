"""Refunds of cancellations that wait for approval: no money moves before a staff member decides, and then once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bookings.booked import fee_facts
from bookings.doctor.visits import CHECKS
from bookings.models import Booking
from bookings.operations import desk_refund
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import waive_fee
from bookings.operations.refund_decision import decide_refund
from bookings.operations.settle import settle_payment
from bookings.queries.payables import payable
from bookings.refs import subject_ref
from bookings.rules.fees import cancellation_fee
from core.models import OutboxMessage
from devservers.stripe import Stripe
from notifications.models import Notification
from payments import reconciling
from payments.doctor import CHECKS as PAYMENT_CHECKS
from payments.enums import AlertKind, Method, RefundReason, RefundStatus
from payments.errors import RefundDecided, RefundNotPossible, RefundTooLarge
from payments.models import BillLine, MoneyAlert, Refund
from payments.operations import list_waiting_refunds
from payments.operations.refunding import sync_refunds
from payments.queries import balance
from services.models import Business
from tests import money
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK, arrived, begin_and_pay, booked, paid_studio

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(settings: Any) -> Studio:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"
    place = paid_studio("full")
    Business.objects.update(refunds_need_approval=True)
    return place


def paid(place: Studio, *, days: int = 4, amount_minor: int = 8000, **values: Any) -> Booking:
    booking = booked(place, start_minute=place.minute(10, days=days))
    settle_payment(payment_id=arrived(booking, amount_minor, **values).pk, now=NOW)
    booking.refresh_from_db()
    return booking


def cancelled(booking: Booking, *, actor: Any = LINK, **values: Any) -> Refund:
    """The one refund of a cancellation."""
    fee = cancellation_fee(fee_facts(booking), NOW) if actor is LINK or values.get("on_behalf") else 0
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=fee,
        actor=actor,
        now=NOW,
        **values,
    )
    booking.refresh_from_db()
    return Refund.objects.get(payment__subject_ref=subject_ref(booking))


def decide(refund: Refund, amount_minor: int, reason: str = "", **values: Any) -> Refund:
    booking_id = int(refund.payment.subject_ref.partition(":")[2])
    arguments = {"expected_minor": refund.amount_minor, "actor": DESK, "now": NOW + timedelta(hours=1)}
    return decide_refund(
        booking_id=booking_id, refund_id=refund.pk, amount_minor=amount_minor, reason=reason, **{**arguments, **values}
    )


def submits() -> int:
    return OutboxMessage.objects.filter(topic="refund.submit").count()


def sums(booking: Booking) -> tuple[int, int, int]:
    """Owed, on its way back or there, and what is neither."""
    of = balance(subject_ref(booking))
    return of.owed_minor, of.refunded_minor, of.open_minor - of.excess_minor


def violations(hours: int = 2) -> list[str]:
    at = NOW + timedelta(hours=hours)
    return [
        line for check in (*CHECKS, *PAYMENT_CHECKS) if check.title != "Every refund was sent" for line in check.run(at)
    ]


def kinds() -> list[str]:
    rows = Notification.objects.filter(recipient_role="customer", kind__startswith="refund")
    return list(rows.order_by("pk").values_list("kind", flat=True))


def test_a_customers_refund_waits_and_counts_as_going_back(place: Studio) -> None:
    booking = paid(place)

    refund = cancelled(booking)

    assert (refund.status, refund.amount_minor, refund.answer_by) == (
        RefundStatus.AWAITING_APPROVAL,
        8000,
        NOW + timedelta(hours=48),
    )
    assert sums(booking) == (0, 8000, 0)
    assert (submits(), kinds(), payable(booking, NOW)) == (0, [], None)
    event = booking.events.get(details__what="refund_waits")
    assert event.details["amount_minor"] == 8000
    assert violations() == []


def test_it_is_not_asked_of_the_provider_by_any_task(place: Studio, stripe: Stripe) -> None:
    booking = booked(place, start_minute=place.minute(10, days=4))
    begin_and_pay(booking, stripe, 8000)
    reconciling.look_after(now=NOW + timedelta(minutes=3))
    money.deliver(now=NOW)
    refund = cancelled(booking)

    for hours in (1, 20, 200):
        reconciling.look_after(now=NOW + timedelta(hours=hours))
        money.deliver(now=NOW + timedelta(hours=hours))
    refund.refresh_from_db()
    assert refund.status == RefundStatus.AWAITING_APPROVAL
    assert stripe.control.requests("POST", "/v1/refunds") == []

    decide(refund, 8000, now=NOW + timedelta(hours=200))
    # Nobody else sends what the outbox is about to send.
    reconciling.look_after(now=NOW + timedelta(hours=200, minutes=1))
    assert stripe.control.requests("POST", "/v1/refunds") == []
    money.deliver(now=NOW + timedelta(hours=200, minutes=1))

    refund.refresh_from_db()
    assert (refund.status, len(stripe.control.requests("POST", "/v1/refunds"))) == (RefundStatus.SUCCEEDED, 1)
    assert money.refunds_at_stripe(refund.payment) == [8000]
    assert kinds() == ["refund_approved", "refund_done"]
    assert violations(201) == []


def test_approved_in_full_it_goes_as_any_other(place: Studio) -> None:
    booking = paid(place)

    refund = decide(cancelled(booking), 8000)

    assert (refund.status, refund.decided_by, refund.decision) == (RefundStatus.QUEUED, "Sam", "")
    assert (submits(), sums(booking), kinds()) == (1, (0, 8000, 0), ["refund_approved"])
    assert booking.events.get(details__what="refund").actor_name == "Sam"
    assert violations() == []


def test_what_is_kept_of_it_is_a_fee_with_its_reason(place: Studio) -> None:
    booking = paid(place)

    refund = decide(cancelled(booking), 5000, " The room was prepared. ")

    booking.refresh_from_db()
    [fee] = BillLine.objects.filter(kind=BillLine.Kind.CANCELLATION_FEE)
    assert (fee.text, fee.gross_minor, booking.cancellation_fee_minor) == (
        "Kept of the refund: The room was prepared.",
        3000,
        3000,
    )
    assert (refund.status, refund.amount_minor, refund.asked_minor) == (RefundStatus.QUEUED, 5000, 8000)
    assert (submits(), sums(booking), kinds()) == (1, (3000, 5000, 0), ["refund_lowered"])
    event = booking.events.get(details__what="refund_lowered")
    assert (event.reason, event.actor_name, event.details["kept_minor"]) == ("The room was prepared.", "Sam", 3000)
    assert violations() == []


def test_declined_all_of_it_is_a_fee_and_nothing_is_sent(place: Studio) -> None:
    booking = paid(place)

    refund = decide(cancelled(booking), 0, "Third time this month.")

    booking.refresh_from_db()
    assert (refund.status, refund.done_at) == (RefundStatus.DECLINED, NOW + timedelta(hours=1))
    assert (submits(), sums(booking), kinds()) == (0, (8000, 0, 0), ["refund_lowered"])
    assert booking.cancellation_fee_minor == 8000
    assert booking.events.get(details__what="refund_declined").reason == "Third time this month."
    assert payable(booking, NOW) is None
    assert violations() == []


def test_what_was_kept_can_be_waived_like_any_fee(place: Studio) -> None:
    booking = paid(place)
    decide(cancelled(booking), 0, "Third time this month.")

    waive_fee(booking_id=booking.pk, amount_minor=None, reason="They were ill", actor=DESK, now=NOW)

    again = Refund.objects.latest("pk")
    assert (again.status, again.reason, again.amount_minor) == (RefundStatus.QUEUED, RefundReason.STAFF, 8000)
    assert sums(booking) == (0, 8000, 0)
    assert violations() == []


def test_a_fee_by_the_rules_and_what_is_kept_stand_beside_each_other(place: Studio) -> None:
    booking = paid(place, days=2)
    cancel = cancelled(booking)
    asked, fee = cancel.amount_minor, booking.cancellation_fee_minor or 0

    decide(cancel, asked - 1000, "Cleaning")

    booking.refresh_from_db()
    assert asked + fee == 8000
    assert (booking.cancellation_fee_minor, sums(booking)) == (fee + 1000, (fee + 1000, asked - 1000, 0))
    assert violations() == []


@pytest.mark.parametrize("reason", ["", "   "])
def test_nothing_is_kept_without_a_reason(place: Studio, reason: str) -> None:
    refund = cancelled(paid(place))

    with pytest.raises(ValueError, match="says why"), transaction.atomic():
        decide(refund, 5000, reason)
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.DECLINED, decided_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(asked_minor=9000)

    assert submits() == 0


def test_a_decision_is_made_once_and_for_the_sum_that_was_seen(place: Studio) -> None:
    booking = paid(place)
    refund = cancelled(booking)

    with pytest.raises(RefundDecided):
        decide(refund, 5000, "Cleaning", expected_minor=7000)
    with pytest.raises(RefundTooLarge):
        decide(refund, 8001, "Kind")
    decide(refund, 8000)
    for amount, reason in ((8000, ""), (0, "No"), (5000, "Less")):
        with pytest.raises(RefundDecided):
            decide(refund, amount, reason)

    assert (submits(), sums(booking), kinds()) == (1, (0, 8000, 0), ["refund_approved"])


@pytest.mark.parametrize(
    ("actor", "values"),
    [(DESK, {}), (DESK, {"on_behalf": True}), (DESK, {"on_behalf": True, "waive": True})],
    ids=["the business", "for the customer", "without the fee"],
)
def test_what_staff_do_themselves_never_waits(place: Studio, actor: Any, values: dict[str, Any]) -> None:
    booking = paid(place)

    assert cancelled(booking, actor=actor, **values).status == RefundStatus.QUEUED


def test_without_the_switch_nothing_waits(place: Studio) -> None:
    Business.objects.update(refunds_need_approval=False)

    assert cancelled(paid(place)).status == RefundStatus.QUEUED


def test_what_was_paid_beyond_the_price_never_waits(place: Studio) -> None:
    """A second payment that nobody has settled when the customer cancels."""
    booking = paid(place)
    arrived(booking, 8000)

    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )

    made = Refund.objects.order_by("pk").values_list("reason", "status", "amount_minor")
    assert list(made) == [("excess", "queued", 8000), ("policy", "awaiting_approval", 8000)]


def test_money_that_comes_late_goes_back_at_once(place: Studio) -> None:
    booking = paid(place)
    cancelled(booking)
    late = arrived(booking, 8000)

    settle_payment(payment_id=late.pk, now=NOW)

    back = Refund.objects.latest("pk")
    assert (back.reason, back.status, back.amount_minor) == ("excess", "queued", 8000)


def test_nobody_can_give_it_back_another_way_meanwhile(place: Studio) -> None:
    booking = paid(place)
    refund = cancelled(booking)

    with pytest.raises(RefundTooLarge):
        desk_refund.refund(
            booking_id=booking.pk,
            payment_id=refund.payment_id,
            amount_minor=1,
            method=Method.STRIPE,
            reason="Kind",
            request_key="form-1",
            actor=DESK,
            now=NOW,
        )
    with pytest.raises(RefundNotPossible):
        desk_refund.hand_back(
            booking_id=booking.pk, refund_id=refund.pk, method=Method.CASH, note="", actor=DESK, now=NOW
        )


def test_cash_waits_for_approval_and_then_for_hands(place: Studio) -> None:
    booking = paid(place, method=Method.CASH, intent_id=None)
    refund = cancelled(booking)

    refund = decide(refund, 6000, "Cleaning")
    done = desk_refund.hand_back(
        booking_id=booking.pk, refund_id=refund.pk, method=Method.CASH, note="", actor=DESK, now=NOW
    )

    assert (done.status, done.amount_minor, submits()) == (RefundStatus.SUCCEEDED, 6000, 0)
    done.refresh_from_db()
    assert done.decision == "Cleaning"
    assert violations() == []


def test_somebody_is_told_once_when_a_day_is_left(place: Studio) -> None:
    refund = cancelled(paid(place))

    early = list_waiting_refunds(now=NOW + timedelta(hours=24) - timedelta(minutes=1))
    at_last = list_waiting_refunds(now=NOW + timedelta(hours=24))
    again = list_waiting_refunds(now=NOW + timedelta(days=8))

    alert = MoneyAlert.objects.get()
    assert (early, at_last, again) == (0, 1, 0)
    assert (alert.kind, alert.refund_id, alert.resolved_at) == (AlertKind.REFUND_WAITS, refund.pk, None)
    assert violations(24 * 8) == []

    decide(refund, 8000, now=NOW + timedelta(days=8))
    alert.refresh_from_db()
    assert (alert.resolved_by, alert.resolution) == ("Sam", "approved")
    assert list_waiting_refunds(now=NOW + timedelta(days=9)) == 0


def test_waiting_for_a_week_without_an_alert_is_a_violation(place: Studio) -> None:
    refund = cancelled(paid(place))

    assert violations(24 * 7) == [
        f"refund {refund.pk} waits for approval until {refund.answer_by:%Y-%m-%d %H:%M:%S}+00, and nobody was told"
    ]


def test_what_went_back_at_the_provider_is_not_approved_again(place: Studio, stripe: Stripe) -> None:
    booking = booked(place, start_minute=place.minute(10, days=4))
    payment = begin_and_pay(booking, stripe, 8000)
    money.gateway_news(payment)
    money.deliver()
    refund = cancelled(booking)
    stripe.control.refund_outside(str(payment.intent_id), 3000)
    sync_refunds(payment_id=payment.pk, now=NOW)

    refund.refresh_from_db()
    assert (refund.status, refund.amount_minor) == (RefundStatus.AWAITING_APPROVAL, 5000)
    assert sums(booking) == (0, 8000, 0)
    decide(refund, 0, "Given back already")
    assert sums(booking) == (5000, 3000, 0)
    assert violations() == []


def test_what_the_fee_of_the_rules_lacks_already_is_not_kept_once_more(place: Studio, stripe: Stripe) -> None:
    """80.00 paid, 40.00 by the rules, 40.00 wait; somebody gave 30.00 back at Stripe. Declined, nothing is owed."""
    booking = booked(place, start_minute=place.minute(10, days=2))
    payment = begin_and_pay(booking, stripe, 8000)
    money.gateway_news(payment)
    money.deliver()
    booking.refresh_from_db()
    at = booking.starts_at - timedelta(hours=30)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=4000, actor=LINK, now=at
    )
    refund = Refund.objects.get()
    stripe.control.refund_outside(str(payment.intent_id), 3000)
    sync_refunds(payment_id=payment.pk, now=at)

    decide(refund, 0, "Given back already", now=at)

    booking.refresh_from_db()
    assert (sums(booking), booking.cancellation_fee_minor) == ((5000, 3000, 0), 5000)
    assert violations(48) == []


def test_all_of_it_went_back_at_the_provider(place: Studio, stripe: Stripe) -> None:
    booking = booked(place, start_minute=place.minute(10, days=4))
    payment = begin_and_pay(booking, stripe, 8000)
    money.gateway_news(payment)
    money.deliver()
    refund = cancelled(booking)
    list_waiting_refunds(now=NOW + timedelta(hours=30))
    stripe.control.refund_outside(str(payment.intent_id), 8000)
    sync_refunds(payment_id=payment.pk, now=NOW)

    refund.refresh_from_db()
    assert refund.status == RefundStatus.CANCELLED
    assert not MoneyAlert.objects.filter(kind=AlertKind.REFUND_WAITS, resolved_at=None).exists()
    with pytest.raises(RefundDecided):
        decide(refund, 8000)
