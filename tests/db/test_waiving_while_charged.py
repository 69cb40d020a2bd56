"""Staff waive a part of a fee while a worker charges the saved card: the rest is charged once, and no more is kept.

This holds wherever the worker stops in between. With the stand-in for Stripe.
"""

from datetime import datetime, timedelta

import pytest

from bookings import handlers
from bookings.errors import FeeBeingPaid
from bookings.models import Booking
from bookings.operations.fees import waive_fee
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.pay import begin_payment
from bookings.queries.payables import payable
from bookings.refs import subject_ref
from core.models import OutboxMessage
from core.outbox import Delivery
from devservers.stripe import Stripe
from notifications.models import Notification
from payments.models import CardSetup, Payment, Refund
from payments.operations import charging, sync_card_setup, sync_payment
from payments.operations.paying import call_off
from payments.queries import balance
from payments.stripe import gateway
from tests.factories import NOW
from tests.journeys import CARD_WORDS, DESK, paid_studio, waiting
from tests.money import card_that_wants_its_owner, deliver

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def moment() -> datetime:
    """When the visit was missed for a day, and its fee of 80.00 is asked for."""
    return NOW + timedelta(days=4, hours=4)


@pytest.fixture
def booking(stripe: Stripe, moment: datetime) -> Booking:
    """A missed visit whose fee has just been asked for from the card on file; the worker has not come yet."""
    found = waiting(paid_studio("card", no_show_fee_kind="all"))
    begin_payment(booking_id=found.pk, expected_minor=0, consent_text=CARD_WORDS, now=NOW)
    setup = CardSetup.objects.get()
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW)
    deliver()
    mark_no_show(
        booking_id=found.pk,
        expected_sequence=found.ical_sequence,
        actor=DESK,
        now=found.starts_at + timedelta(minutes=15),
    )
    settle_due_fees(now=moment)
    found.refresh_from_db()
    assert Payment.objects.values_list("amount_minor", "status").get() == (8000, "created")
    return found


def waive(booking: Booking, now: datetime, amount_minor: int | None = 3000) -> None:
    waive_fee(booking_id=booking.pk, amount_minor=amount_minor, reason="Ill", actor=DESK, now=now)


def waived(booking: Booking, now: datetime) -> None:
    """The worker comes to what waiving asked for, before anything else. At any time, as often as it likes."""
    payload = OutboxMessage.objects.get(topic="fee.waived").payload
    handlers.fee_waived(Delivery(1, "fee.waived", "k", payload, 1), now=now)


def moved(booking: Booking) -> tuple[int, int]:
    """What Stripe took and returned in the end, which is what our books say."""
    taken = sum(each.received_minor for each in gateway.intents_since(NOW - timedelta(days=9000)))
    back = sum(each.amount_minor for each in gateway.refunds_since(NOW - timedelta(days=9000)))
    sums = balance(subject_ref(booking))
    assert (sums.paid_minor, sums.refunded_minor) == (taken, back)
    return taken, back


def test_the_rest_is_charged_once_where_the_charge_could_be_called_off(booking: Booking, moment: datetime) -> None:
    waive(booking, moment)
    waived(booking, moment)
    waived(booking, moment)

    deliver(now=moment)
    waived(booking, moment)
    deliver(now=moment)

    assert moved(booking) == (5000, 0)
    assert balance(subject_ref(booking)).open_minor == 0
    statuses = Payment.objects.order_by("pk").values_list("amount_minor", "status")
    assert list(statuses) == [(8000, "cancelled"), (5000, "succeeded")]
    asked = booking.events.filter(details__what="fee").order_by("pk").values_list("details__amount_minor", flat=True)
    assert list(asked) == [8000, 5000]


def test_the_waived_part_goes_back_once_where_the_charge_was_faster(booking: Booking, moment: datetime) -> None:
    charging.charge(payment_id=Payment.objects.get().pk, now=moment)

    waive(booking, moment)
    deliver(now=moment)

    assert moved(booking) == (8000, 3000)
    assert Payment.objects.count() == 1


def test_the_waived_part_goes_back_where_nobody_knew_yet_that_the_charge_had_succeeded(
    booking: Booking, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    charging_dies_at("charge-confirmed", monkeypatch, moment)

    waive(booking, moment)
    waived(booking, moment)
    deliver(now=moment)

    assert moved(booking) == (8000, 3000)


@pytest.mark.parametrize("point", ["charge-row-written", "charge-prepared", "charge-recorded"])
def test_the_rest_is_charged_where_the_worker_died_before_it_took_money(
    booking: Booking, moment: datetime, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    charging_dies_at(point, monkeypatch, moment)

    waive(booking, moment)
    waived(booking, moment)
    deliver(now=moment + timedelta(hours=1))

    assert moved(booking) == (5000, 0)


def test_the_rest_is_charged_where_the_worker_died_after_calling_off(booking: Booking, moment: datetime) -> None:
    waive(booking, moment)
    call_off(payment_id=Payment.objects.get().pk, now=moment)

    deliver(now=moment)

    assert moved(booking) == (5000, 0)


def test_a_second_waiver_meanwhile_counts_as_well(booking: Booking, moment: datetime) -> None:
    waive(booking, moment)
    waive(booking, moment + timedelta(seconds=1), 1000)

    waived_first = OutboxMessage.objects.filter(topic="fee.waived").order_by("pk")[0].payload
    handlers.fee_waived(Delivery(1, "fee.waived", "k", waived_first, 1), now=moment)
    deliver(now=moment + timedelta(seconds=2))

    assert moved(booking) == (4000, 0)


def test_a_waiver_while_the_rest_is_being_charged_counts_as_well(booking: Booking, moment: datetime) -> None:
    waive(booking, moment)
    waived(booking, moment)
    waive(booking, moment + timedelta(seconds=1), 1000)

    deliver(now=moment + timedelta(seconds=2))

    taken, back = moved(booking)
    assert taken - back == 4000


def test_a_fee_that_is_waived_whole_is_not_charged(booking: Booking, moment: datetime) -> None:
    waive(booking, moment, None)
    waived(booking, moment)

    deliver(now=moment)

    assert moved(booking) == (0, 0)
    assert Payment.objects.count() == 1


def test_a_visit_that_took_place_after_all_is_not_charged(booking: Booking, moment: datetime) -> None:
    waive(booking, moment)
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment)

    deliver(now=moment)

    taken, back = moved(booking)
    assert taken == back


def test_a_charge_that_the_bank_is_checking_is_waited_for(
    booking: Booking, moment: datetime, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real one calls off hardly anything that a bank is looking at; the stand-in calls off everything.
    monkeypatch.setattr(gateway, "cancel_intent", gateway.retrieve_intent)
    payment = Payment.objects.get()
    charging_is_prepared(moment)
    payment.refresh_from_db()
    stripe.control.pay(str(payment.intent_id), "processing")
    sync_payment(payment_id=payment.pk, now=moment)
    waive(booking, moment)

    with pytest.raises(FeeBeingPaid):
        waived(booking, moment)
    stripe.control.pay(str(payment.intent_id))
    sync_payment(payment_id=payment.pk, now=moment)
    waived(booking, moment)
    deliver(now=moment)

    assert moved(booking) == (8000, 3000)


def test_after_the_bank_refused_the_customer_is_asked_for_the_rest_and_the_card_is_left_alone(
    booking: Booking, moment: datetime
) -> None:
    card = card_that_wants_its_owner(booking.bill) if booking.bill else ""
    booking.bill.saved_cards.update(payment_method_id=card)  # type: ignore[union-attr]
    deliver(now=moment)
    assert Payment.objects.get().failure_code == "authentication_required"

    waive(booking, moment)
    deliver(now=moment)

    due = payable(booking, moment)
    assert due
    assert due.amount_minor == 5000
    assert Payment.objects.count() == 1
    mails = Notification.objects.filter(kind="fee_due").values_list("status", flat=True)
    assert list(mails) == ["queued"] * 3
    assert Refund.objects.count() == 0


def charging_is_prepared(moment: datetime) -> None:
    payment = Payment.objects.get()
    card = payment.bill.saved_cards.get()
    charging._prepared(payment, card, moment)


def charging_dies_at(point: str, monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """The worker that charges the fee is killed there; its message waits for the next one."""

    def die(name: str) -> None:
        if name == point:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(charging, "crash_point", die)
        with pytest.raises(Killed):
            charging.charge(payment_id=Payment.objects.get().pk, now=moment)
