"""Bookings with a payment: amount due, payment, saved card, confirmation, the prepayment rule and blocked customers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.models import Consent, Customer
from bookings.enums import BookingStatus
from bookings.errors import CannotBookOnline, HoldExpired, NothingToPay, StalePage
from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations import desk_payment, pay
from bookings.operations.expiry import expire_due
from bookings.operations.hold import expire_holds
from bookings.operations.pay import begin_payment, payable
from bookings.refs import subject_ref
from devservers.stripe import Stripe
from notifications.models import Notification
from notifications.operations import send_due
from notifications.rules import current_rules, forget_rules
from payments.errors import AlreadyPaid
from payments.models import Bill, CardSetup, Payment, SavedCard
from payments.operations import sync_card_setup, sync_payment
from payments.queries import balance
from tests.factories import NOW, add_on, studio
from tests.journeys import (
    CARD_WORDS,
    DESK,
    JANA,
    arrived,
    begin_and_pay,
    booked,
    card_kept,
    completed,
    confirm,
    hold,
    paid_studio,
    waiting,
)
from tests.money import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def online(settings: pytest.FixtureRequest) -> None:
    """Payments can be made online; tests that ask the provider bring the stand-in."""
    settings.STRIPE_SECRET_KEY = "sk_test_x"  # type: ignore[attr-defined]
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"  # type: ignore[attr-defined]


def kinds() -> list[str]:
    told = Notification.objects.filter(recipient_role="customer").exclude(kind="reminder")
    return list(told.order_by("id").values_list("kind", flat=True))


def test_booking_with_a_deposit_waits_for_it_and_stands_once_it_is_paid(stripe: Stripe) -> None:
    booking = waiting(paid_studio())

    assert (booking.status, booking.payment_mode, booking.due_now_minor) == ("pending_payment", "deposit", 1600)
    assert (booking.confirmed_at, booking.hold_expires_at) == (None, NOW + timedelta(minutes=10))
    assert balance(subject_ref(booking)).owed_minor == 8000
    due = payable(booking, NOW)
    assert due
    assert (due.kind, due.purpose, due.why, due.amount_minor, due.saves_card) == (
        "payment",
        "booking",
        "deposit",
        1600,
        False,
    )

    payment = begin_and_pay(booking, stripe, 1600)
    sync_payment(payment_id=payment.pk, now=NOW)
    deliver()
    deliver()

    booking.refresh_from_db()
    assert (booking.status, booking.hold_expires_at) == ("confirmed", None)
    assert booking.confirmed_at
    assert balance(subject_ref(booking)).open_minor == 6400
    money = [event.details["what"] for event in booking.events.filter(kind="money")]
    assert money == ["paid"]
    assert kinds() == ["payment_required", "payment_received", "confirmed"]


@pytest.mark.parametrize("is_settled", [False, True], ids=["money is there", "booking stands"])
def test_tab_overtaken_by_the_payment_of_another_pays_nothing(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch, is_settled: bool
) -> None:
    booking = waiting(paid_studio())
    start = pay.start_payment

    def overtaken(**values: Any) -> Any:
        """What is due was decided; now the other tab pays, before anything is written."""
        monkeypatch.setattr(pay, "start_payment", start)
        sync_payment(payment_id=begin_and_pay(booking, stripe, 1600).pk, now=NOW)
        if is_settled:
            deliver()
        return start(**values)

    monkeypatch.setattr(pay, "start_payment", overtaken)

    with pytest.raises(AlreadyPaid):
        begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text="", now=NOW)

    assert list(Payment.objects.values_list("status", "amount_minor")) == [("succeeded", 1600)]


def test_nothing_more_is_asked_for_until_the_booking_knows_of_what_came(stripe: Stripe) -> None:
    booking = waiting(paid_studio("full"))
    towel = 800
    payment = begin_and_pay(booking, stripe, 8000)
    Booking.objects.filter(pk=booking.pk).update(due_now_minor=8000 + towel)
    sync_payment(payment_id=payment.pk, now=NOW)
    booking.refresh_from_db()

    before = payable(booking, NOW)
    deliver()
    after = payable(booking, NOW)

    assert before is None
    assert after
    assert after.amount_minor == towel


def test_booking_without_money_in_its_terms_stands_at_once() -> None:
    booking = booked(paid_studio("venue"))

    assert (booking.status, booking.payment_mode, booking.due_now_minor) == ("confirmed", "venue", 0)


def test_booking_without_a_provider_is_paid_at_the_visit(settings: pytest.FixtureRequest) -> None:
    settings.STRIPE_SECRET_KEY = ""  # type: ignore[attr-defined]

    booking = booked(paid_studio("full"))

    assert (booking.status, booking.payment_mode, booking.due_now_minor) == ("confirmed", "venue", 0)
    assert payable(booking, NOW) is None


def test_full_price_leaves_extras_paid_at_the_visit_open() -> None:
    place = paid_studio("full")
    towel = add_on(place.variant.service)

    booking = waiting(place, add_on_ids=[towel.pk])

    assert (booking.due_now_minor, booking.total_minor) == (8000, 8800)


def test_card_on_file_lets_the_booking_stand_without_money() -> None:
    from bookings.operations.settle import settle_card

    booking = waiting(paid_studio("card"))
    due = payable(booking, NOW)
    assert due
    assert (due.kind, due.amount_minor, due.saves_card, due.cap_minor) == ("card", 0, True, 8000)

    card = card_kept(booking)
    settle_card(saved_card_id=card.pk, now=NOW)
    settle_card(saved_card_id=card.pk, now=NOW)

    booking.refresh_from_db()
    card.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    assert card.detach_after == booking.ends_at + timedelta(days=30)
    assert kinds() == ["payment_required", "confirmed"]


def test_card_on_file_is_kept_at_the_provider_with_the_words_agreed_to(stripe: Stripe) -> None:
    booking = waiting(paid_studio("card"))

    begin_payment(booking_id=booking.pk, expected_minor=0, consent_text=CARD_WORDS, now=NOW)
    setup = CardSetup.objects.get()
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW)
    deliver()

    booking.refresh_from_db()
    card = SavedCard.objects.get()
    assert (booking.status, card.consent.text, card.cap_minor) == ("confirmed", CARD_WORDS, 8000)


def test_a_second_confirmation_of_a_booking_that_waits_changes_nothing() -> None:
    held = hold(paid_studio()).booking

    first, second = confirm(held), confirm(held)

    assert first == second
    assert [Bill.objects.count(), Notification.objects.count(), held.events.count()] == [1, 1, 2]


def test_a_payment_in_parts_counts_once_it_is_enough() -> None:
    booking = waiting(paid_studio())

    arrived(booking, 600)
    deliver()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.PENDING_PAYMENT
    due = payable(booking, NOW)
    assert due
    assert due.amount_minor == 1000

    arrived(booking, 1000)
    deliver()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_more_than_is_owed_goes_back() -> None:
    booking = waiting(paid_studio())
    arrived(booking, 1600)
    arrived(booking, 8000)

    deliver()

    sums = balance(subject_ref(booking))
    assert (sums.paid_minor, sums.refunded_minor, sums.excess_minor) == (9600, 1600, 0)
    assert "refund_approved" in kinds()


# --- starting a payment ----------------------------------------------------------------------------------------------


def test_start_keeps_the_time_five_minutes_more_once_and_is_one_payment(stripe: Stripe) -> None:
    booking = waiting(paid_studio(saves_card=True, no_show_fee_kind="all"))

    first = begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=NOW)
    second = begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text=CARD_WORDS, now=NOW)

    assert first == second
    assert Payment.objects.count() == 1
    assert Consent.objects.filter(purpose="card_on_file", text=CARD_WORDS).count() == 1
    booking.refresh_from_db()
    assert booking.hold_expires_at == NOW + timedelta(minutes=15)


def test_start_over_another_sum_than_was_shown_is_refused() -> None:
    booking = waiting(paid_studio())

    with pytest.raises(StalePage) as stale:
        begin_payment(booking_id=booking.pk, expected_minor=1500, consent_text="", now=NOW)

    assert stale.value.data["amount_minor"] == 1600
    assert not Payment.objects.exists()


@pytest.mark.parametrize("is_swept", [True, False])
def test_start_after_the_time_ran_out_is_refused(is_swept: bool) -> None:
    booking = waiting(paid_studio())
    late = NOW + timedelta(minutes=10)
    if is_swept:
        expire_holds(now=late)

    with pytest.raises(HoldExpired):
        begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text="", now=late)

    assert not Payment.objects.exists()


def test_start_without_anything_to_pay_is_refused() -> None:
    booking = booked(studio(price_minor=0))

    with pytest.raises(NothingToPay):
        begin_payment(booking_id=booking.pk, expected_minor=0, consent_text="", now=NOW)


def test_rest_of_the_price_can_be_paid_online_later(stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    arrived(booking, 1600)
    deliver()
    booking.refresh_from_db()

    payment = begin_and_pay(booking, stripe, 6400)
    sync_payment(payment_id=payment.pk, now=NOW)
    deliver()

    assert balance(subject_ref(booking)).open_minor == 0
    assert payable(booking, NOW) is None


# --- who books -------------------------------------------------------------------------------------------------------


def missed_before(place: object, *, email: str = "jana@example.com", days_ago: int = 30) -> None:
    """A visit some days ago to which nobody with this address came."""
    old = confirm(hold(place, 15).booking, contact=replace(JANA, email=email), has_proven_email=True)  # type: ignore[arg-type]
    Booking.objects.filter(pk=old.pk).update(
        status="no_show", starts_at=NOW - timedelta(days=days_ago), ends_at=NOW - timedelta(days=days_ago - 1)
    )


@pytest.mark.parametrize(
    ("email", "days_ago", "mode"),
    [("JANA@Example.com", 30, "full"), ("other@example.com", 30, "venue"), ("jana@example.com", 400, "venue")],
)
def test_who_missed_visits_lately_pays_everything_first(email: str, days_ago: int, mode: str) -> None:
    place = paid_studio("venue")
    place.business.prepay_after_no_shows = 1
    place.business.save()
    missed_before(place, email=email, days_ago=days_ago)

    assert confirm(hold(place, 10).booking, has_proven_email=True).payment_mode == mode


def test_nobody_learns_by_typing_an_address_who_missed_visits() -> None:
    place = paid_studio("venue", staff=3)
    place.business.prepay_after_no_shows = 1
    place.business.save()
    missed_before(place)

    missed = confirm(hold(place, 10).booking)
    never = confirm(hold(place, 11).booking, contact=replace(JANA, email="new@example.com"))

    assert [(each.status, each.payment_mode) for each in (missed, never)] == [("held", "")] * 2
    assert kinds()[-2:] == ["confirm_by_mail"] * 2
    assert confirm(hold(place, 12, actor=DESK).booking, actor=DESK).status == BookingStatus.CONFIRMED


def test_mailbox_is_not_asked_for_where_missed_visits_change_nothing() -> None:
    place = paid_studio("full")
    place.business.prepay_after_no_shows = 1
    place.business.save()

    assert confirm(hold(place, 10).booking).status == BookingStatus.PENDING_PAYMENT


def test_exemption_counts_for_the_proven_customer_and_for_the_desk_not_for_a_typed_address() -> None:
    place = paid_studio(staff=3)
    known = Customer.objects.create(
        name="Jana", email=JANA.email, email_normalised=JANA.email, is_prepayment_exempt=True, email_proven_at=NOW
    )

    assert booked(place, 10).status == BookingStatus.PENDING_PAYMENT
    linked = hold(place, 10).booking
    Booking.objects.filter(pk=linked.pk).update(customer=known)
    assert confirm(linked).status == BookingStatus.CONFIRMED
    by_desk = hold(place, 10, actor=DESK).booking
    assert confirm(by_desk, actor=DESK, asks_payment=True).status == BookingStatus.CONFIRMED


def test_who_came_often_enough_is_trusted() -> None:
    place = paid_studio(staff=2)
    place.business.trusted_after_visits = 1
    place.business.save()
    known = Customer.objects.create(name="Jana", email=JANA.email, email_normalised=JANA.email, email_proven_at=NOW)
    before, after = hold(place, 10).booking, hold(place, 10).booking
    Booking.objects.update(customer=known)

    assert confirm(before).status == BookingStatus.PENDING_PAYMENT
    desk_payment.waive_payment(booking_id=before.pk, reason="", actor=DESK, now=NOW)
    completed(before)
    assert confirm(after).status == BookingStatus.CONFIRMED


@pytest.mark.parametrize(("email", "phone"), [("Jana@Example.com", ""), ("else@example.com", "+49 151 555 018 27")])
def test_blocked_customers_learn_by_their_own_mailbox_alone_that_they_are_refused(email: str, phone: str) -> None:
    Customer.objects.create(name="J", email=email, email_normalised=email.lower(), phone=phone, is_blocked=True)
    place = paid_studio("venue")
    held = hold(place).booking

    asked = confirm(held)
    with pytest.raises(CannotBookOnline):
        confirm(held, has_proven_email=True)

    assert (asked.status, kinds()) == ("held", ["confirm_by_mail"])
    assert confirm(held, actor=DESK).status == BookingStatus.CONFIRMED


def test_the_desk_books_without_money_unless_it_asks_for_it_by_a_link_for_a_day() -> None:
    place = paid_studio(staff=2)
    start = place.minute(10, days=3)

    assert confirm(hold(place, start_minute=start).booking, actor=DESK).status == BookingStatus.CONFIRMED
    asked = confirm(hold(place, start_minute=start).booking, actor=DESK, asks_payment=True)

    assert (asked.status, asked.hold_expires_at) == ("pending_payment", NOW + timedelta(hours=24))
    told = Notification.objects.get(kind="payment_required")
    assert told.not_before == NOW


def test_confirming_costs_three_statements_for_counting_what_is_unproven_and_no_more(
    settings: pytest.FixtureRequest, request: pytest.FixtureRequest, django_assert_num_queries: object
) -> None:
    held = hold(studio()).booking
    # As on a running site, which keeps the rules of messages for some seconds.
    settings.MESSAGE_RULES_KEPT_SECONDS = 60  # type: ignore[attr-defined]
    request.addfinalizer(forget_rules)
    current_rules()

    # Two of them are the savepoint that stands for the transaction; three lock what is counted, count, and remember;
    # one writes the customer who was not known before.
    with django_assert_num_queries(13):  # type: ignore[operator]
        confirm(held)


def test_with_the_standard_hold_an_unpaid_booking_is_reminded_and_its_end_is_told() -> None:
    booking = waiting(paid_studio())
    half = NOW + timedelta(minutes=5)
    assert booking.hold_expires_at == NOW + timedelta(minutes=10)

    send_due(now=half - timedelta(seconds=1), limit=50)
    assert mail.outbox == []
    send_due(now=half, limit=50)
    assert [sent.subject for sent in mail.outbox] == ["€16.00 to pay: Thu 7 Jan, 10:00"]

    expire_due(now=NOW + timedelta(minutes=10))
    send_due(now=NOW + timedelta(minutes=10), limit=50)

    told = mail.outbox[-1]
    assert told.subject == "Not booked yet: Thu 7 Jan, 10:00"
    assert f"/b/{manage_token(booking, LinkRole.CUSTOMER)}/pay" in told.body


def test_who_has_booked_the_time_meanwhile_is_not_told_that_it_ran_out() -> None:
    place = paid_studio()
    booking = waiting(place)
    later = NOW + timedelta(minutes=10)
    expire_due(now=later)
    again = hold(place, start_minute=int(booking.starts_at.timestamp()) // 60, now=later).booking
    confirm(again, now=later)

    send_due(now=later, limit=50)

    assert [sent.subject for sent in mail.outbox if sent.subject.startswith("Not booked")] == []


def test_who_is_never_asked_in_advance_is_not_asked_once_the_mailbox_is_proven() -> None:
    place = paid_studio(staff=2)
    Customer.objects.create(
        name="Jana", email="jana@example.com", email_normalised="jana@example.com", is_prepayment_exempt=True
    )
    start = place.minute(10, days=3)

    guessed = confirm(hold(place, start_minute=start).booking)
    proven = confirm(hold(place, start_minute=start).booking, has_proven_email=True)

    assert (guessed.status, proven.status) == ("pending_payment", "confirmed")
