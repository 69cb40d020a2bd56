"""Late payments: the booking gets its time back if it is free, else the money is refunded; always exactly one."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Consent
from bookings.models import Booking
from bookings.operations import _bill, desk_payment
from bookings.operations._bill import CARD_LIFE
from bookings.operations.cancel import cancel_booking
from bookings.operations.expiry import expire_due
from bookings.operations.hold import expire_holds
from bookings.operations.pay import begin_payment
from bookings.operations.settle import settle_card, settle_payment
from bookings.refs import subject_ref
from core.models import OutboxMessage
from devservers.stripe import Stripe
from notifications.models import Notification
from payments.enums import Method
from payments.models import CardSetup, MoneyAlert, Payment, Refund
from payments.operations import sync_card_setup
from payments.queries import Balance, balance
from tests.factories import NOW, Studio
from tests.journeys import (
    CARD_WORDS,
    DESK,
    LINK,
    arrived,
    begin_and_pay,
    booked,
    card_kept,
    claims,
    paid_studio,
    waiting,
)
from tests.money import deliver, forget_outage, gateway_news

pytestmark = pytest.mark.django_db

EXPIRY = NOW + timedelta(minutes=10)
LATE = NOW + timedelta(minutes=25)
TAKEN = LATE - timedelta(minutes=5)


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def expired(place: Studio, **changes: Any) -> Booking:
    booking = waiting(place, **changes)
    expire_holds(now=EXPIRY)
    booking.refresh_from_db()
    assert booking.status == "expired"
    return booking


def late_money(booking: Booking, amount_minor: int = 1600, **values: Any) -> Payment:
    payment = arrived(booking, amount_minor, now=LATE, **values)
    settle_payment(payment_id=payment.pk, now=LATE)
    settle_payment(payment_id=payment.pk, now=LATE)
    booking.refresh_from_db()
    return payment


def told() -> set[str]:
    return set(Notification.objects.filter(recipient_role="customer").values_list("kind", flat=True))


def test_a_booking_not_paid_in_time_owes_nothing_and_its_payments_are_called_off(stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    begin_and_pay(booking, stripe, 1600)

    expire_holds(now=EXPIRY + timedelta(minutes=5))

    assert balance(subject_ref(booking)).owed_minor == 0
    assert claims() == []
    assert OutboxMessage.objects.filter(topic="payment.call_off").count() == 1


def test_late_money_takes_the_time_again_if_it_is_free() -> None:
    booking = expired(paid_studio())

    late_money(booking)

    assert (booking.status, booking.confirmed_at) == ("confirmed", LATE)
    assert len(claims()) == 1
    sums = balance(subject_ref(booking))
    assert (sums.owed_minor, sums.open_minor, sums.refunded_minor) == (8000, 6400, 0)
    assert told() >= {"confirmed", "payment_received"}
    assert not MoneyAlert.objects.exists()


def test_late_money_that_is_seated_keeps_the_card_that_came_with_it() -> None:
    booking = expired(paid_studio(saves_card=True))
    card = card_kept(booking, now=LATE)
    settle_card(saved_card_id=card.pk, now=LATE)

    late_money(booking)

    card.refresh_from_db()
    assert booking.status == "confirmed"
    assert card.detach_after == booking.ends_at + CARD_LIFE


def test_late_money_goes_back_in_full_when_somebody_has_the_time() -> None:
    place = paid_studio()
    booking = expired(place)
    other = waiting(place, now=TAKEN)

    payment = late_money(booking)

    assert booking.status == "expired"
    assert Refund.objects.values_list("payment", "amount_minor", "reason").get() == (payment.pk, 1600, "late")
    assert balance(subject_ref(booking)).net_paid_minor == 0
    assert MoneyAlert.objects.values_list("kind", "payment").get() == ("late_payment", payment.pk)
    assert "late_payment_refunded" in told()
    other.refresh_from_db()
    assert other.status == "pending_payment"


def test_late_money_of_anyone_goes_to_another_person_who_is_free() -> None:
    place = paid_studio(staff=2)
    booking = expired(place)
    first = booking.lines.get().staff_member_id
    booked(place, start_minute=place.minute(10, days=3), staff_member_id=first, now=TAKEN)

    late_money(booking)

    assert booking.status == "confirmed"
    assert booking.lines.get().staff_member_id == place.staff[1].pk


def test_late_money_of_a_certain_person_does_not_go_to_another() -> None:
    place = paid_studio(staff=2)
    booking = expired(place, staff_member_id=place.staff[0].pk)
    booked(place, start_minute=place.minute(10, days=3), staff_member_id=place.staff[0].pk, now=TAKEN)

    late_money(booking)

    assert booking.status == "expired"
    assert Refund.objects.count() == 1


def test_late_money_is_seated_though_the_notice_has_run_out_meanwhile() -> None:
    place = paid_studio()
    booking = expired(place)
    policy = place.business.booking_policy
    # So much notice that it was kept when the time was held, and no longer is when the money comes.
    policy.lead_minutes = int((booking.starts_at - NOW).total_seconds()) // 60 - 5
    policy.save()

    late_money(booking)

    assert booking.status == "confirmed"


def test_late_money_after_the_start_goes_back() -> None:
    booking = expired(paid_studio())
    moment = booking.starts_at
    payment = arrived(booking, 1600, now=moment)

    settle_payment(payment_id=payment.pk, now=moment)

    booking.refresh_from_db()
    assert (booking.status, Refund.objects.get().amount_minor) == ("expired", 1600)


def test_less_than_was_due_goes_back_when_it_comes_late() -> None:
    booking = expired(paid_studio())

    late_money(booking, 1000)

    assert (booking.status, Refund.objects.get().amount_minor) == ("expired", 1000)


def test_money_at_the_last_moment_before_the_sweep_counts() -> None:
    booking = waiting(paid_studio())

    late_money(booking)

    assert booking.status == "confirmed"


def test_money_of_an_unknown_booking_is_listed_and_kept_apart() -> None:
    booking = expired(paid_studio())
    payment = arrived(booking, 1600, now=LATE)
    Payment.objects.filter(pk=payment.pk).update(subject_ref="booking:987654")

    assert settle_payment(payment_id=payment.pk, now=LATE) is None

    assert MoneyAlert.objects.values_list("kind", "payment").get() == ("unknown_money", payment.pk)


def test_money_of_an_erased_customer_goes_back_and_is_listed() -> None:
    booking = expired(paid_studio())
    Booking.objects.filter(pk=booking.pk).update(contact_name="", contact_email="", starts_at=NOW, customer=None)

    late_money(booking)

    assert Refund.objects.get().amount_minor == 1600
    assert MoneyAlert.objects.get().kind == "late_payment"


def test_a_card_that_came_late_is_taken_if_the_time_is_free_and_forgotten_if_not() -> None:
    place = paid_studio("card")
    booking = expired(place)
    card = card_kept(booking, now=LATE)

    settle_card(saved_card_id=card.pk, now=LATE)

    booking.refresh_from_db()
    assert booking.status == "confirmed"

    other = waiting(place, hour=12)
    expire_holds(now=EXPIRY)
    waiting(place, hour=12, now=TAKEN)
    late_card = card_kept(other, now=LATE)
    settle_card(saved_card_id=late_card.pk, now=LATE)
    other.refresh_from_db()
    late_card.refresh_from_db()
    assert (other.status, late_card.detach_after) == ("expired", LATE)


def test_a_card_of_a_booking_cancelled_before_it_stood_is_forgotten() -> None:
    booking = waiting(paid_studio("card"))
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    card = card_kept(booking, now=LATE)

    settle_card(saved_card_id=card.pk, now=LATE)

    card.refresh_from_db()
    assert card.detach_after == LATE


def test_a_card_of_a_booking_cancelled_late_is_kept_for_its_fee() -> None:
    booking = waiting(paid_studio("card"))
    card = card_kept(booking)
    settle_card(saved_card_id=card.pk, now=NOW)
    late = booking.starts_at - timedelta(hours=1)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=8000, actor=LINK, now=late
    )

    settle_card(saved_card_id=card.pk, now=late)

    card.refresh_from_db()
    assert card.detach_after == booking.ends_at + CARD_LIFE


def test_money_that_comes_while_its_time_is_being_ended_is_late_money(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there when the sums are read, and was not when its booking was locked: whoever settles it decides."""
    booking = waiting(paid_studio())
    read = _bill.balance_of

    def after_the_money(of: Booking) -> Balance:
        monkeypatch.setattr(_bill, "balance_of", read)
        arrived(booking, 1600, now=EXPIRY)
        return read(of)

    monkeypatch.setattr(_bill, "balance_of", after_the_money)

    expire_holds(now=EXPIRY)
    deliver(now=EXPIRY)

    booking.refresh_from_db()
    assert booking.status == "confirmed"
    assert not Refund.objects.exists()


def test_late_money_that_went_back_already_is_told_once() -> None:
    place = paid_studio()
    booking = expired(place)
    waiting(place, now=TAKEN)
    first, second = (arrived(booking, 1600, now=LATE) for _ in range(2))

    for payment in (first, second):
        settle_payment(payment_id=payment.pk, now=LATE)

    assert balance(subject_ref(booking)).net_paid_minor == 0
    assert Notification.objects.filter(kind="late_payment_refunded").count() == 1


# --- the sweep asks first --------------------------------------------------------------------------------------------


def test_sweep_learns_of_a_payment_that_nobody_told_about(stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    begin_and_pay(booking, stripe, 1600)

    assert expire_due(now=NOW + timedelta(minutes=15)) == 0
    deliver(now=NOW + timedelta(minutes=15))

    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_sweep_ends_a_time_whose_payment_was_never_made(stripe: Stripe) -> None:
    from bookings.operations.pay import begin_payment

    booking = waiting(paid_studio())
    begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text="", now=NOW)

    assert expire_due(now=NOW + timedelta(minutes=15)) == 1
    deliver(now=NOW + timedelta(minutes=15))

    booking.refresh_from_db()
    assert (booking.status, Payment.objects.get().status) == ("expired", "cancelled")


def test_sweep_keeps_a_time_whose_payment_the_bank_is_checking(stripe: Stripe) -> None:
    from bookings.operations.pay import begin_payment

    booking = waiting(paid_studio())
    begin_payment(booking_id=booking.pk, expected_minor=1600, consent_text="", now=NOW)
    stripe.control.pay(str(Payment.objects.get().intent_id), "processing")
    moment = NOW + timedelta(minutes=15)

    assert expire_due(now=moment) == 0

    booking.refresh_from_db()
    assert (booking.status, booking.hold_expires_at) == ("pending_payment", moment + timedelta(minutes=5))


def test_sweep_does_not_keep_a_time_for_ever_for_a_card_that_may_not_be_kept(stripe: Stripe) -> None:
    booking = waiting(paid_studio("card"))
    begin_payment(booking_id=booking.pk, expected_minor=0, consent_text=CARD_WORDS, now=NOW)
    Consent.objects.filter(purpose="card_on_file").update(withdrawn_at=NOW)
    setup = CardSetup.objects.get()
    stripe.control.set_up(str(setup.setup_intent_id))
    sync_card_setup(setup_id=setup.pk, now=NOW + timedelta(minutes=14))
    deliver(now=NOW + timedelta(minutes=14))

    ended = [expire_due(now=NOW + timedelta(minutes=minutes)) for minutes in (16, 22)]

    assert ended == [0, 1]


@pytest.mark.parametrize(("minutes", "status"), [(16, "pending_payment"), (24, "expired")])
def test_sweep_keeps_a_time_a_little_longer_when_the_provider_is_away(
    stripe: Stripe, minutes: int, status: str
) -> None:
    booking = waiting(paid_studio())
    begin_and_pay(booking, stripe, 1600, now=NOW + timedelta(minutes=8))
    stripe.control.fail("GET /v1/payment_intents/*", "429", times=9)

    expire_due(now=NOW + timedelta(minutes=minutes))

    booking.refresh_from_db()
    assert booking.status == status


def test_money_that_came_while_the_provider_was_away_is_settled_once_it_is_back(stripe: Stripe) -> None:
    booking = waiting(paid_studio())
    payment = begin_and_pay(booking, stripe, 1600, now=NOW + timedelta(minutes=8))
    stripe.control.fail("GET /v1/payment_intents/*", "429", times=1)
    expire_due(now=NOW + timedelta(minutes=24))
    forget_outage()

    gateway_news(payment, now=NOW + timedelta(minutes=30))
    deliver(now=NOW + timedelta(minutes=30))

    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_part_that_was_paid_at_the_desk_goes_back_when_the_time_runs_out() -> None:
    booking = waiting(paid_studio("full"))
    desk_payment.record_payment(
        booking_id=booking.pk,
        method=Method.CASH,
        amount_minor=1600,
        note="",
        request_key="part",
        actor=DESK,
        now=NOW,
    )

    expire_holds(now=NOW + timedelta(minutes=30))

    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.status, refund.reason) == (1600, "queued", "late")
    assert balance(subject_ref(booking)).net_paid_minor == 0
