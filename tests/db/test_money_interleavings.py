"""One booking with payments, Stripe events, expiry, cancellation, refunds, crashes and faults in random order.

All parts are real except the clock and the browser: our operations on PostgreSQL, the stand-in for Stripe over HTTP and
the outbox. When all work is done, the books are right and equal Stripe's.
"""

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.db.models import Q
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bookings.booked import fee_facts
from bookings.doctor import visits as bookings_doctor
from bookings.enums import BookingStatus
from bookings.models import Booking, BookingEvent
from bookings.operations import desk_payment, desk_refund, pay
from bookings.operations.cancel import cancel_booking
from bookings.operations.expiry import expire_due
from bookings.operations.fees import charge_fee, waive_fee
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.refund_decision import decide_refund
from bookings.queries.payables import payable
from bookings.refs import subject_ref
from bookings.rules.fees import cancellation_fee
from core import crash, outbox
from core.doctor import Check
from core.errors import DomainError
from devservers.stripe import Stripe
from devservers.stripe_control import ControlFailed
from payments import doctor as payments_doctor
from payments import reconciling
from payments.enums import LIVE_PAYMENTS, Method, PaymentStatus, RefundStatus
from payments.errors import ProviderFailed
from payments.models import CardSetup, MoneyAlert, Payment, Refund
from payments.operations import detach_cards_due, list_waiting_refunds
from payments.queries import balance
from payments.stripe import client, gateway
from payments.stripe_events import keep_notice
from services.models import Business
from tests import journeys, money
from tests.factories import NOW, Studio

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

CHECKS: tuple[Check, ...] = (*payments_doctor.CHECKS, *bookings_doctor.CHECKS)
FAULTS = ("500", "500_after", "reset_before", "reset_after", "429", "lock_timeout")
PLACES = (
    "POST /v1/payment_intents",
    "POST /v1/payment_intents/*",
    "GET /v1/payment_intents/*",
    "POST /v1/refunds",
    "GET /v1/refunds*",
    "POST /v1/setup_intents",
    "GET /v1/setup_intents/*",
)
AWAY = (ProviderFailed, DomainError)


class Killed(BaseException):
    """The process is gone: nothing catches this, every open transaction is rolled back."""


class Life(RuleBasedStateMachine):
    """One booking, from the moment it waits for its payment."""

    stripe: ClassVar[Stripe]
    place: ClassVar[Studio]

    def __init__(self) -> None:
        super().__init__()
        self.stripe.control.reset()
        self.stripe.control.set_webhook("")
        crash_at(None)
        self.now = NOW
        self.events = itertools.count()
        forget_everything()
        self.booking_id = journeys.waiting(self.place, now=self.now).pk

    @property
    def booking(self) -> Booking:
        return Booking.objects.get(pk=self.booking_id)

    @property
    def subject(self) -> str:
        return subject_ref(self.booking)

    def _payments(self) -> list[Payment]:
        return list(Payment.objects.filter(subject_ref=self.subject).order_by("pk"))

    @staticmethod
    def _one_of(things: list[Any], which: int) -> list[Any]:
        """One of several, or none where there are none: rules have no conditions, so that every life can be relived."""
        return [things[which % len(things)]] if things else []

    def _intents(self) -> list[str]:
        return [each.intent_id for each in self._payments() if each.intent_id]

    @initialize(steps=st.integers(0, 7), needs_approval=st.booleans())
    def gets_so_far(self, steps: int, needs_approval: bool) -> None:
        """Most people pay at once; what is interesting comes before, between and after. From 3 on it stands."""
        Business.objects.update(refunds_need_approval=needs_approval)
        if steps > 0:
            self.opens_the_paying_page_and_presses_pay()
        if steps > 1:
            self._pays()
        if steps > 2:
            run(self.now)

    def _pays(self) -> None:
        for intent_id in self._intents():
            with suppress(ControlFailed):
                self.stripe.control.pay(intent_id)
        self.leaves_a_card()

    # --- the customer ------------------------------------------------------------------------------------------------

    @rule()
    def opens_the_paying_page_and_presses_pay(self) -> None:
        due = payable(self.booking, self.now)
        with suppress(*AWAY):
            pay.begin_payment(
                booking_id=self.booking_id,
                expected_minor=due.amount_minor if due else 1600,
                consent_text="Up to €80.00 may be charged to this card.",
                now=self.now,
            )

    @rule()
    def presses_pay_and_pays(self) -> None:
        self.opens_the_paying_page_and_presses_pay()
        self._pays()

    @rule(which=st.integers(0, 9), outcome=st.sampled_from(["succeeded", "succeeded", "card_declined", "processing"]))
    def pays_at_stripe(self, which: int, outcome: str) -> None:
        """Any intent whose secret a page ever had: an old tab may pay what we have long given up."""
        for intent_id in self._one_of(self._intents(), which):
            with suppress(ControlFailed):
                self.stripe.control.pay(intent_id, outcome)

    @rule()
    def leaves_a_card(self) -> None:
        for setup in CardSetup.objects.filter(subject_ref=self.subject, setup_intent_id__isnull=False):
            with suppress(ControlFailed):
                self.stripe.control.set_up(str(setup.setup_intent_id))

    @rule(by_business=st.booleans())
    def cancels(self, by_business: bool) -> None:
        actor = journeys.DESK if by_business else journeys.LINK
        with suppress(DomainError):
            fee = 0 if by_business else cancellation_fee(fee_facts(self.booking), self.now)
            cancel_booking(
                booking_id=self.booking_id,
                expected_sequence=self.booking.ical_sequence,
                expected_fee_minor=fee,
                actor=actor,
                now=self.now,
            )

    # --- Stripe ------------------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 9), kind=st.sampled_from(["succeeded", "processing", "canceled", "created"]))
    def a_notice_arrives(self, which: int, kind: str) -> None:
        """Late, early, twice, or a lie: it only says what to ask about."""
        for intent_id in self._one_of(self._intents(), which):
            event_id = f"evt_{self.booking_id}_{next(self.events)}"
            keep_notice(money.notice(f"payment_intent.{kind}", {"id": intent_id}, event_id=event_id), now=self.now)

    @rule(place=st.sampled_from(PLACES), kind=st.sampled_from(FAULTS))
    def a_request_will_fail(self, place: str, kind: Any) -> None:
        self.stripe.control.fail(place, kind)

    @rule(outcome=st.sampled_from(["pending", "failed"]))
    def the_next_refund_will_be(self, outcome: Any) -> None:
        self.stripe.control.next_refunds(outcome)

    @rule(amount=st.sampled_from([100, 700]))
    def somebody_refunds_at_stripe(self, amount: int) -> None:
        for intent_id in self._one_of(self._intents(), 0):
            with suppress(ControlFailed):
                self.stripe.control.refund_outside(intent_id, amount)

    # --- the desk ----------------------------------------------------------------------------------------------------

    @rule(amount=st.sampled_from([1, 500, 1600]), key=st.sampled_from(["a", "b"]))
    def refunds_by_hand(self, amount: int, key: str) -> None:
        paid = [each for each in self._payments() if each.status == PaymentStatus.SUCCEEDED]
        for payment in self._one_of(paid, 0):
            with suppress(DomainError):
                desk_refund.refund(
                    booking_id=self.booking_id,
                    payment_id=payment.pk,
                    amount_minor=amount,
                    method=Method.STRIPE if payment.method == Method.STRIPE else Method.CASH,
                    reason="goodwill",
                    request_key=f"{self.booking_id}-{key}",
                    actor=journeys.DESK,
                    now=self.now,
                )

    @rule(which=st.integers(0, 9), kept=st.sampled_from([0, 0, 500, 100_000]))
    def decides_about_a_refund(self, which: int, kept: int) -> None:
        """Approved, lowered or declined; also one that is decided or on its way already."""
        refunds = list(Refund.objects.filter(payment__subject_ref=self.subject).order_by("pk"))
        for refund in self._one_of(refunds, which):
            with suppress(DomainError):
                decide_refund(
                    booking_id=self.booking_id,
                    refund_id=refund.pk,
                    expected_minor=refund.amount_minor,
                    amount_minor=max(0, refund.amount_minor - kept),
                    reason="The room was prepared" if kept else "",
                    actor=journeys.DESK,
                    now=self.now,
                )

    @rule(amount=st.sampled_from([1600, 6400]), key=st.sampled_from(["c", "d"]))
    def takes_cash(self, amount: int, key: str) -> None:
        with suppress(DomainError):
            desk_payment.record_payment(
                booking_id=self.booking_id,
                method=Method.CASH,
                amount_minor=amount,
                note="",
                request_key=f"{self.booking_id}-{key}",
                actor=journeys.DESK,
                now=self.now,
            )

    @rule(amount=st.sampled_from([None, 700]))
    def lets_off_a_fee(self, amount: int | None) -> None:
        with suppress(DomainError):
            waive_fee(booking_id=self.booking_id, amount_minor=amount, reason="ill", actor=journeys.DESK, now=self.now)

    @rule(amount=st.sampled_from([700, 6400]))
    def lowers_the_price(self, amount: int) -> None:
        with suppress(DomainError):
            desk_payment.lower_price(
                booking_id=self.booking_id, amount_minor=amount, reason="sorry", actor=journeys.DESK, now=self.now
            )

    @rule()
    def charges_the_fee(self) -> None:
        with suppress(DomainError):
            charge_fee(booking_id=self.booking_id, actor=journeys.DESK, now=self.now)

    @rule()
    def lets_it_stand_unpaid(self) -> None:
        with suppress(DomainError):
            desk_payment.waive_payment(booking_id=self.booking_id, reason="", actor=journeys.DESK, now=self.now)

    @rule()
    def notes_that_nobody_came(self) -> None:
        with suppress(DomainError):
            mark_no_show(
                booking_id=self.booking_id,
                expected_sequence=self.booking.ical_sequence,
                actor=journeys.DESK,
                now=self.now,
            )

    @rule()
    def takes_it_back(self) -> None:
        with suppress(DomainError):
            undo_no_show(
                booking_id=self.booking_id,
                expected_sequence=self.booking.ical_sequence,
                actor=journeys.DESK,
                now=self.now,
            )

    # --- time and the machines ---------------------------------------------------------------------------------------

    @rule()
    def cards_are_forgotten(self) -> None:
        with suppress(*AWAY):
            detach_cards_due(now=self.now)

    @rule(minutes=st.sampled_from([1, 6, 11, 16, 61, 24 * 60, 3 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_worker_works(self) -> None:
        outbox.drain(now=self.now)

    @rule(number=st.integers(1, 6))
    def the_worker_is_killed(self, number: int) -> None:
        crash_at(number)
        with suppress(Killed):
            outbox.drain(now=self.now)
        crash_at(None)

    @rule()
    def the_schedule_runs(self) -> None:
        run(self.now)

    @rule()
    def somebody_else_takes_the_time(self) -> None:
        minute = int(self.booking.starts_at.timestamp()) // 60
        with suppress(DomainError):
            held = journeys.hold(self.place, start_minute=minute, now=self.now)
            journeys.confirm(held.booking, actor=journeys.DESK, now=self.now)

    # --- always ------------------------------------------------------------------------------------------------------

    @invariant()
    def no_more_goes_back_than_came(self) -> None:
        sums = balance(self.subject)
        assert 0 <= sums.refunded_minor <= sums.paid_minor

    @invariant()
    def nothing_is_sent_that_waits_for_approval(self) -> None:
        undecided = Refund.objects.filter(answer_by__isnull=False, decided_at=None)
        assert not undecided.filter(Q(submitted_at__isnull=False) | Q(stripe_refund_id__isnull=False)).exists()

    @invariant()
    def nobody_is_confirmed_unpaid(self) -> None:
        booking = self.booking
        if booking.status == BookingStatus.CONFIRMED and not BookingEvent.objects.filter(
            booking=booking, details__what="refund_asked"
        ):
            paid = sum(each.amount_minor for each in self._payments() if each.status == PaymentStatus.SUCCEEDED)
            assert paid >= booking.due_now_minor or booking.is_payment_waived

    def teardown(self) -> None:
        """All is quiet: faults are over, Stripe settles what waits, every machine runs, days pass."""
        self.stripe.control.calm()
        for _ in range(6):
            self._stripe_settles()
            run(self.now)
            self.now += timedelta(hours=7)
        reconciling.reconcile(now=self.now, window=timedelta(days=3650))
        money.deliver(now=self.now)
        self._books_are_right()

    def _stripe_settles(self) -> None:
        for payment in self._payments():
            if payment.status == PaymentStatus.PROCESSING:
                with suppress(ControlFailed):
                    self.stripe.control.pay(str(payment.intent_id), "succeeded")
        waiting = Refund.objects.filter(status=RefundStatus.PENDING, stripe_refund_id__isnull=False)
        for refund in waiting:
            with suppress(ControlFailed):
                self.stripe.control.settle_refund(str(refund.stripe_refund_id), "succeeded")

    def _books_are_right(self) -> None:
        booking, sums = self.booking, balance(self.subject)
        assert [line for check in CHECKS for line in check.run(self.now)] == []
        # The ledger equals Stripe's objects.
        at_stripe = {each.id: each for each in gateway.intents_since(NOW - timedelta(days=3650))}
        received = sum(each.received_minor for each in at_stripe.values())
        online = [each for each in self._payments() if each.method == Method.STRIPE]
        assert received == sum(each.amount_minor for each in online if each.status == PaymentStatus.SUCCEEDED)
        returned = sum(
            each.amount_minor
            for each in gateway.refunds_since(NOW - timedelta(days=3650))
            if each.status == RefundStatus.SUCCEEDED
        )
        ours = Refund.objects.filter(payment__in=online, method=Method.STRIPE, status=RefundStatus.SUCCEEDED)
        assert returned == sum(ours.values_list("amount_minor", flat=True))
        # Money has something live to belong to, or it went back, or a person sees it.
        is_seen = MoneyAlert.objects.filter(subject_ref=self.subject, resolved_at=None).exists()
        if booking.status in {BookingStatus.EXPIRED, BookingStatus.DECLINED}:
            assert sums.net_paid_minor == 0 or is_seen
        if booking.status in {BookingStatus.CANCELLED, BookingStatus.NO_SHOW}:
            assert sums.excess_minor == 0 or is_seen
        # Nothing that could still take money waits where nothing is due.
        if payable(booking, self.now) is None and booking.status != BookingStatus.CONFIRMED:
            assert not [each for each in online if each.status in LIVE_PAYMENTS]


# Children first.
TABLES = (
    "notifications_notification",
    "core_outboxmessage",
    "payments_receiptdocument",
    "payments_receipt",
    "payments_receiptseries",
    "payments_moneyalert",
    "payments_refund",
    "bookings_allocation",
    "bookings_moveproposal",
    "bookings_bookingevent",
    "bookings_bookingline",
    "bookings_unprovenbooking",
    "payments_savedcard",
    "payments_cardsetup",
    "payments_decline",
    "payments_payment",
    "bookings_booking",
    "payments_billline",
    "payments_bill",
    "payments_stripeevent",
    "payments_reconciliation",
    "accounts_consent",
    "accounts_customer",
)


def forget_everything() -> None:
    """Each life begins in the same world, so that one that fails can be lived again."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


def run(now: datetime) -> None:
    """What the worker and the schedule do."""
    with suppress(ProviderFailed):
        reconciling.look_after(now=now)
    list_waiting_refunds(now=now)
    money.deliver(now=now)
    expire_due(now=now)
    settle_due_fees(now=now)
    money.deliver(now=now)
    with suppress(ProviderFailed):
        detach_cards_due(now=now)


_points: dict[str, int | None] = {"left": None}


def crash_at(number: int | None) -> None:
    """Kill at the next but so many crash points; None lets everything pass."""
    _points["left"] = number


def _maybe_killed(name: str) -> None:
    left = _points["left"]
    if left is None:
        return
    _points["left"] = left - 1
    if left <= 1:
        raise Killed(name)


@pytest.fixture
def killable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash points raise what nothing catches, so that transactions end as they do when a process is killed."""
    from payments.operations import cards, charging, paying, refunding

    # How long an outage is remembered is real time, which differs from life to life.
    monkeypatch.setattr(client.breaker, "trip", lambda: None)
    for module in (outbox, cards, charging, paying, refunding, crash):
        monkeypatch.setattr(module, "crash_point", _maybe_killed)


def live(stripe: Stripe, place: Studio, count: int, steps: int) -> None:
    class This(Life):
        pass

    This.stripe, This.place = stripe, place
    run_state_machine_as_test(
        This,
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            # Shrinking takes minutes; what failed is short enough to read.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


MODES: dict[str, Callable[[], Studio]] = {
    "deposit": lambda: journeys.paid_studio("deposit"),
    "full": lambda: journeys.paid_studio("full", no_show_fee_kind="percent", no_show_fee_value=5000),
    "card": lambda: journeys.paid_studio("card", no_show_fee_kind="all"),
}


@pytest.mark.parametrize("mode", MODES)
def test_books_are_right_after_any_life(stripe: Stripe, killable: None, mode: str) -> None:
    live(stripe, MODES[mode](), 12, 25)


@pytest.mark.load
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_books_are_right_after_many_lives(stripe: Stripe, killable: None, mode: str) -> None:
    live(stripe, MODES[mode](), 300, 50)
