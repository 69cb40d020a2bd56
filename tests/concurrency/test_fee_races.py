"""Staff, customers and workers change the same fee at the same time, with the stand-in for Stripe.

Real transactions; PostgreSQL decides the order. After the outbox has run, each fee is paid once or not at all.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from bookings.doctor.visits import CHECKS
from bookings.models import Booking
from bookings.operations import desk_payment
from bookings.operations.fees import charge_fee, waive_fee
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.pay import begin_payment
from bookings.operations.settle import settle_card
from bookings.refs import subject_ref
from core.models import OutboxMessage
from devservers.stripe import Stripe
from payments.doctor import CHECKS as PAYMENT_CHECKS
from payments.enums import LIVE_PAYMENTS, Method
from payments.models import CardSetup, Payment, SavedCard
from payments.operations import cards, start_card_setup, sync_card_setup
from payments.operations.charging import charge
from payments.queries import balance
from payments.stripe import gateway
from tests import money
from tests.concurrency.racing import deadlock_count, race, rounds, tally
from tests.factories import NOW, Studio
from tests.journeys import CARD_WORDS, DESK, booked, paid_studio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

FEE = 8000


@pytest.fixture
def place() -> Studio:
    place = paid_studio("card", no_show_fee_kind="all", charges_fees_automatically=False)
    place.business.booking_policy.horizon_days = 730
    place.business.booking_policy.save()
    return place


@pytest.fixture(autouse=True)
def nobody_waits_for_ever() -> Iterator[None]:
    before = deadlock_count()
    yield
    assert deadlock_count() == before


def missed(place: Studio, stripe: Stripe, round_number: int) -> tuple[Booking, datetime]:
    """A visit that nobody came to, whose fee staff may charge to the card that was left, and when they may."""
    booking = booked(place, start_minute=place.minute(9 + round_number % 8, days=7 + round_number // 8))
    begin_payment(booking_id=booking.pk, expected_minor=0, consent_text=CARD_WORDS, now=NOW)
    setup = CardSetup.objects.get(subject_ref=subject_ref(booking))
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW)
    settle_card(saved_card_id=SavedCard.objects.get(subject_ref=subject_ref(booking)).pk, now=NOW)
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at)
    moment = booking.ends_at + timedelta(days=1)
    settle_due_fees(now=moment)
    booking.refresh_from_db()
    return booking, moment


def kept(booking: Booking) -> int:
    return balance(subject_ref(booking)).net_paid_minor


def settled(booking: Booking, now: datetime) -> dict[str, list[str]]:
    """Let the worker work until all is quiet, and say what is wrong then."""
    money.deliver(now=now)
    live = Payment.objects.filter(subject_ref=subject_ref(booking), status__in=LIVE_PAYMENTS)
    assert not live.filter(is_off_session=True).exists()
    found = {check.title: list(check.run(now + timedelta(hours=1))) for check in [*CHECKS, *PAYMENT_CHECKS]}
    return {title: lines for title, lines in found.items() if lines}


@rounds(short=5, full=50)
def test_staff_charge_a_fee_while_the_customer_begins_to_pay_it(rounds: int, place: Studio, stripe: Stripe) -> None:
    table = {("Payment", "AlreadyPaid"), ("Payment", "NothingToPay"), ("FeeBeingPaid", "PayStart")}
    # Called off before its secret was given out, and begun anew.
    table |= {("FeeBeingPaid", "AlreadyPaid"), ("FeeBeingPaid", "PaymentUnavailable")}
    seen = set()
    for number in range(rounds):
        booking, moment = missed(place, stripe, number)
        by_staff = partial(charge_fee, booking_id=booking.pk, actor=DESK, now=moment)
        by_customer = partial(begin_payment, booking_id=booking.pk, expected_minor=FEE, consent_text="", now=moment)
        seen.add(tuple(type(each).__name__ for each in race([by_staff, by_customer])))
        assert settled(booking, moment) == {}
        assert kept(booking) in {0, FEE}

    assert seen <= table


@rounds(short=5, full=50)
def test_staff_take_a_fee_back_while_the_worker_charges_it(rounds: int, place: Studio, stripe: Stripe) -> None:
    for number in range(rounds):
        booking, moment = missed(place, stripe, number)
        payment = charge_fee(booking_id=booking.pk, actor=DESK, now=moment)
        undo = partial(
            undo_no_show, booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=moment
        )
        assert set(tally(race([undo, partial(charge, payment_id=payment.pk, now=moment)]))) <= {
            "Booking",
            "PaymentStatus",
            "ProviderFailed",
        }
        assert settled(booking, moment) == {}
        assert (kept(booking), balance(subject_ref(booking)).open_minor) == (0, FEE)


@rounds(short=5, full=50)
def test_staff_waive_a_fee_or_take_it_in_cash_while_the_worker_charges_it(
    rounds: int, place: Studio, stripe: Stripe
) -> None:
    for number in range(rounds):
        booking, moment = missed(place, stripe, number)
        payment = charge_fee(booking_id=booking.pk, actor=DESK, now=moment)
        values: dict[str, Any] = {"booking_id": booking.pk, "actor": DESK, "now": moment}
        waive = partial(waive_fee, amount_minor=None, reason="", **values)
        cash = partial(
            desk_payment.record_payment,
            method=Method.CASH,
            amount_minor=FEE,
            note="",
            request_key=f"cash-{number}",
            **values,
        )
        act, expected = (cash, FEE) if number % 2 else (waive, 0)
        outcomes = race([act, partial(charge, payment_id=payment.pk, now=moment)])
        assert set(tally(outcomes)) <= {"Booking", "Payment", "AmountTooLarge", "PaymentStatus", "ProviderFailed"}
        assert settled(booking, moment) == {}
        assert kept(booking) == expected


@rounds(short=10, full=100)
def test_cash_is_taken_while_the_customer_begins_to_pay_online(rounds: int, place: Studio, stripe: Stripe) -> None:
    """Whatever comes first: nothing that could still be paid is left once the worker has called it off."""
    place.variant.service.payment_mode = "full"
    place.variant.service.save()
    for number in range(rounds):
        booking = booked(place, start_minute=place.minute(9 + number % 8, days=7 + number // 8))
        cash = partial(
            desk_payment.record_payment,
            booking_id=booking.pk,
            method=Method.CASH,
            amount_minor=FEE,
            note="",
            request_key=f"cash-{number}",
            actor=DESK,
            now=NOW,
        )
        begin = partial(begin_payment, booking_id=booking.pk, expected_minor=FEE, consent_text=CARD_WORDS, now=NOW)
        outcomes = race([cash, begin])
        assert set(tally(outcomes)) <= {"Payment", "PayStart", "AlreadyPaid", "NothingToPay", "PaymentUnavailable"}
        assert settled(booking, NOW) == {}
        assert not Payment.objects.filter(subject_ref=subject_ref(booking), status__in=LIVE_PAYMENTS).exists()


@rounds(short=5, full=50)
@pytest.mark.usefixtures("payments_alone")
def test_two_cards_that_come_at_once_are_one_card(rounds: int, stripe: Stripe) -> None:
    for number in range(1, rounds + 1):
        subject = f"booking:{number}"
        bill = money.bill(subject_ref=subject)
        money.consent(subject)
        keep = partial(cards.keep_card, bill.pk, subject, cap_minor=FEE, now=NOW)
        race([partial(_in_transaction, keep, gateway.Means(id=f"pm_{number}_{each}")) for each in "ab"])
        card = SavedCard.objects.get(subject_ref=subject)
        unwanted = {f"card:pm_{number}_a", f"card:pm_{number}_b"} - {f"card:{card.payment_method_id}"}
        assert _unwanted_of(number) == unwanted


@rounds(short=5, full=50)
@pytest.mark.usefixtures("payments_alone")
def test_a_tab_asks_for_a_card_while_that_of_another_tab_comes(rounds: int, stripe: Stripe) -> None:
    for number in range(1, rounds + 1):
        subject = f"booking:{number}"
        bill = money.bill(subject_ref=subject)
        money.consent(subject)
        start = partial(start_card_setup, bill_id=bill.pk, subject_ref=subject, cap_minor=FEE, now=NOW)
        first = start().setup
        first.refresh_from_db()
        stripe.control.set_up(str(first.setup_intent_id))
        race([start, partial(sync_card_setup, setup_id=first.pk, now=NOW)])
        assert list(CardSetup.objects.filter(subject_ref=subject).values_list("status", flat=True)) == ["succeeded"]


def _in_transaction(act: Any, means: gateway.Means) -> None:
    with transaction.atomic():
        act(means)


def _unwanted_of(number: int) -> set[str]:
    published = OutboxMessage.objects.filter(topic="card.unwanted", key__startswith=f"card:pm_{number}_")
    return set(published.values_list("key", flat=True))
