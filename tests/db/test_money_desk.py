"""The front desk: money taken and returned by hand, payments waived, links sent, requests and questions answered."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from bookings.doctor.money import confirmed_without_card
from bookings.errors import (
    AmountTooLarge,
    NoSuchPayment,
    NotBooked,
    NothingToAnswer,
    NothingToPay,
    NotWaitingForPayment,
    TooManyMessages,
)
from bookings.models import Booking, HelpMessage
from bookings.operations import desk_payment, desk_refund, request_answer
from bookings.operations.cancel import cancel_booking
from bookings.operations.help import answer_help, mark_help_read, send_help
from bookings.operations.hold import expire_holds
from bookings.operations.no_show import mark_no_show
from bookings.operations.settle import settle_payment
from bookings.queries.bookings import open_requests
from bookings.queries.help_messages import help_thread, unread_help
from bookings.refs import subject_ref
from notifications.models import Notification
from notifications.operations import send_due
from payments.enums import Method
from payments.errors import RefundTooLarge
from payments.models import Payment, Refund
from payments.queries import balance
from tests.factories import NOW
from tests.journeys import DESK, arrived, booked, claims, confirm, hold, paid_studio, waiting
from tests.money import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def take(booking: Booking, amount_minor: int, key: str = "form-1", **changes: Any) -> Payment:
    values = {"method": Method.CASH, "note": "", "actor": DESK, "now": NOW, **changes}
    return desk_payment.record_payment(booking_id=booking.pk, amount_minor=amount_minor, request_key=key, **values)


def give(booking: Booking, payment: Payment, amount_minor: int, key: str = "form-2", **changes: Any) -> Refund:
    values = {"method": payment.method, "reason": "Sorry", "actor": DESK, "now": NOW, **changes}
    return desk_refund.refund(
        booking_id=booking.pk, payment_id=payment.pk, amount_minor=amount_minor, request_key=key, **values
    )


# --- money by hand ---------------------------------------------------------------------------------------------------


def test_cash_lets_a_waiting_booking_stand_once() -> None:
    booking = waiting(paid_studio())

    first, second = take(booking, 1600), take(booking, 1600)
    deliver()

    booking.refresh_from_db()
    assert first == second
    assert booking.status == "confirmed"
    assert balance(subject_ref(booking)).paid_minor == 1600
    event = booking.events.get(details__what="paid")
    assert (event.actor_name, event.details["method"]) == ("Sam", "cash")


def test_the_rest_at_the_visit_settles_the_bill() -> None:
    booking = booked(paid_studio("venue"))

    take(booking, 8000, method=Method.TERMINAL)

    assert balance(subject_ref(booking)).open_minor == 0


@pytest.mark.parametrize("amount", [0, -1, 8001])
def test_more_than_is_open_is_not_taken(amount: int) -> None:
    booking = booked(paid_studio("venue"))

    with pytest.raises(AmountTooLarge) as refused:
        take(booking, amount)

    assert refused.value.data["open_minor"] == 8000
    assert not Payment.objects.exists()


def test_nothing_is_taken_for_a_time_that_ran_out() -> None:
    booking = waiting(paid_studio())
    expire_holds(now=NOW + timedelta(minutes=10))

    with pytest.raises(NotBooked):
        take(booking, 1600)


def test_a_refund_by_hand_counts_once_and_never_exceeds_what_came_in() -> None:
    booking = booked(paid_studio("venue"))
    payment = take(booking, 8000)

    first, second = give(booking, payment, 5000), give(booking, payment, 5000)
    with pytest.raises(RefundTooLarge):
        give(booking, payment, 3001, "form-3")

    assert first == second
    assert balance(subject_ref(booking)).refunded_minor == 5000
    assert booking.events.filter(details__what="refund").count() == 1


def test_a_payment_of_another_booking_is_not_refunded_here() -> None:
    place = paid_studio("venue")
    booking, other = booked(place, 10), booked(place, 12)
    payment = take(other, 8000)

    with pytest.raises(NoSuchPayment):
        give(booking, payment, 100)

    assert not Refund.objects.exists()


def test_cash_that_goes_back_by_the_rules_waits_for_the_desk() -> None:
    booking = booked(paid_studio("venue"))
    take(booking, 8000)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )
    refund = Refund.objects.get()
    assert (refund.status, refund.amount_minor) == ("queued", 8000)

    desk_refund.hand_back(booking_id=booking.pk, refund_id=refund.pk, method=Method.CASH, note="", actor=DESK, now=NOW)
    deliver()
    deliver()

    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert Notification.objects.filter(kind="refund_done").count() == 1


def test_waiving_the_payment_lets_the_booking_stand_and_the_price_be_due() -> None:
    booking = waiting(paid_studio())

    desk_payment.waive_payment(booking_id=booking.pk, reason="Regular", actor=DESK, now=NOW)
    desk_payment.waive_payment(booking_id=booking.pk, reason="Regular", actor=DESK, now=NOW)

    booking.refresh_from_db()
    assert (booking.status, booking.is_payment_waived) == ("confirmed", True)
    assert balance(subject_ref(booking)).open_minor == 8000
    assert booking.events.filter(details__what="payment_waived").count() == 1


def test_waiving_where_nothing_waits_is_refused() -> None:
    booking = booked(paid_studio("venue"))

    with pytest.raises(NotWaitingForPayment):
        desk_payment.waive_payment(booking_id=booking.pk, reason="", actor=DESK, now=NOW)


def test_a_pay_link_keeps_the_time_for_a_day_and_is_mailed_now() -> None:
    booking = waiting(paid_studio())

    desk_payment.send_pay_link(booking_id=booking.pk, actor=DESK, now=NOW)

    booking.refresh_from_db()
    assert booking.hold_expires_at == NOW + timedelta(hours=24)
    assert Notification.objects.filter(kind="payment_required", not_before=NOW).count() == 1
    assert booking.events.get(details__what="link").details["amount_minor"] == 1600


def test_a_pay_link_asked_for_twice_within_a_minute_is_mailed_once() -> None:
    booking = waiting(paid_studio())

    for seconds in (0.9, 1.1, 59, 61):
        desk_payment.send_pay_link(booking_id=booking.pk, actor=DESK, now=NOW + timedelta(seconds=seconds))

    assert booking.events.filter(details__what="link").count() == 2
    assert Notification.objects.filter(kind="payment_required", key__contains=":link-").count() == 2


def test_a_pay_link_without_anything_to_pay_is_refused() -> None:
    booking = booked(paid_studio("venue"))
    take(booking, 8000)

    with pytest.raises(NothingToPay):
        desk_payment.send_pay_link(booking_id=booking.pk, actor=DESK, now=NOW)


# --- requests --------------------------------------------------------------------------------------------------------


def requested(mode: str = "venue") -> Booking:
    booking = waiting(paid_studio(mode, service={"needs_answer": True}))
    assert booking.status == "requested"
    return booking


def answer(booking: Booking, accept: bool, now: Any = NOW, reason: str = "") -> Booking:
    return request_answer.answer_request(booking_id=booking.pk, accept=accept, reason=reason, actor=DESK, now=now)


def test_a_request_keeps_its_time_for_a_day_and_owes_nothing() -> None:
    booking = requested()

    assert (booking.hold_expires_at, booking.bill_id) == (NOW + timedelta(hours=24), None)
    assert len(claims()) == 1
    told = set(Notification.objects.values_list("kind", "recipient_role"))
    assert told == {("requested", "customer"), ("requested", "staff")}
    assert list(open_requests(NOW)) == [booking]


def test_the_desk_books_a_service_with_requests_at_once() -> None:
    place = paid_studio("venue", service={"needs_answer": True})

    assert confirm(hold(place).booking, actor=DESK).status == "confirmed"


@pytest.mark.parametrize(("mode", "status"), [("venue", "confirmed"), ("deposit", "pending_payment")])
def test_an_accepted_request_stands_or_waits_for_its_payment_by_a_link(mode: str, status: str) -> None:
    booking = requested(mode)

    answer(booking, accept=True)
    answer(booking, accept=True)

    booking.refresh_from_db()
    assert booking.status == status
    assert balance(subject_ref(booking)).owed_minor == 8000
    assert booking.events.count() == 3
    if status == "pending_payment":
        assert (booking.due_now_minor, booking.hold_expires_at) == (1600, NOW + timedelta(hours=24))
        assert Notification.objects.get(kind="payment_required").not_before == NOW


def test_a_declined_request_frees_the_time_and_says_why() -> None:
    booking = requested()

    answer(booking, accept=False, reason="We are on holiday.")
    answer(booking, accept=False)

    booking.refresh_from_db()
    assert (booking.status, claims()) == ("declined", [])
    assert Notification.objects.filter(kind="declined").count() == 1
    with pytest.raises(NothingToAnswer):
        answer(booking, accept=True)


def test_a_request_that_nobody_answered_runs_out_and_the_customer_is_told() -> None:
    booking = requested()
    late = NOW + timedelta(hours=24)

    with pytest.raises(NothingToAnswer):
        answer(booking, accept=True, now=late)
    expire_holds(now=late)

    booking.refresh_from_db()
    assert (booking.status, claims()) == ("expired", [])
    assert Notification.objects.filter(kind="declined", recipient_role="customer").count() == 1


def test_a_request_is_kept_no_longer_than_the_notice_allows() -> None:
    place = paid_studio("venue", service={"needs_answer": True})
    place.business.booking_policy.lead_minutes = 240
    place.business.booking_policy.save()

    booking = booked(place, start_minute=place.minute(16, days=0))

    assert booking.hold_expires_at == booking.starts_at - timedelta(hours=4)


# --- questions -------------------------------------------------------------------------------------------------------


def test_a_question_while_paying_is_read_and_answered() -> None:
    booking = waiting(paid_studio())
    send_help(booking_id=booking.pk, text="My card does not work.", now=NOW)
    send_help(booking_id=booking.pk, text="My card does not work.", now=NOW)
    assert unread_help().count() == 1

    answer_help(booking_id=booking.pk, text="You may pay here.", actor=DESK, now=NOW)

    thread = [(each.is_from_customer, each.text, each.author_name) for each in help_thread(booking)]
    assert thread == [(True, "My card does not work.", ""), (False, "You may pay here.", "Sam")]
    assert not unread_help().exists()
    mail.outbox.clear()
    send_due(now=NOW, limit=20)
    [sent] = [each for each in mail.outbox if "answered you" in each.subject]
    assert "You may pay here." in sent.body


def test_too_many_questions_without_an_answer_are_refused() -> None:
    booking = waiting(paid_studio())
    for number in range(5):
        send_help(booking_id=booking.pk, text=f"Hello {number}", now=NOW)

    with pytest.raises(TooManyMessages):
        send_help(booking_id=booking.pk, text="Hello?", now=NOW)

    assert mark_help_read(booking_id=booking.pk, now=NOW) == 5
    assert HelpMessage.objects.count() == 5


def test_a_hold_has_nobody_to_ask_yet() -> None:
    held = hold(paid_studio()).booking

    with pytest.raises(NotBooked):
        send_help(booking_id=held.pk, text="Hello", now=NOW)


def test_who_pays_everything_at_the_desk_needs_no_card() -> None:
    booking = waiting(paid_studio("card", no_show_fee_kind="all"))

    take(booking, 5000)
    booking.refresh_from_db()
    assert booking.status == "pending_payment"
    take(booking, 3000, "form-2")

    booking.refresh_from_db()
    assert booking.status == "confirmed"
    assert confirmed_without_card(NOW) == []


# --- the mails -------------------------------------------------------------------------------------------------------


def unpaid() -> Booking:
    return waiting(paid_studio())


def paid() -> Booking:
    booking = unpaid()
    arrived(booking, 1600)
    deliver()
    return booking


def came_late() -> Booking:
    place = paid_studio()
    booking = waiting(place)
    expire_holds(now=NOW + timedelta(minutes=10))
    waiting(place, now=NOW + timedelta(minutes=10))
    settle_payment(payment_id=arrived(booking, 1600).pk, now=NOW + timedelta(minutes=11))
    return booking


def overpaid() -> Booking:
    booking = paid()
    arrived(booking, 7000)
    deliver()
    return booking


def handed_back() -> Booking:
    booking = paid()
    give(booking, take(booking, 6400), 600)
    deliver()
    return booking


def noted_as_missed() -> Booking:
    booking = waiting(paid_studio("deposit", no_show_fee_kind="all"))
    arrived(booking, 1600)
    deliver()
    mark_no_show(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        actor=DESK,
        now=booking.ends_at,
        reason="We waited.",
    )
    return booking


def declined() -> Booking:
    booking = requested()
    answer(booking, accept=False, reason="We are on holiday.")
    return booking


MAILS: list[tuple[str, Callable[[], Booking], timedelta, str, list[str]]] = [
    (
        "payment_required",
        unpaid,
        timedelta(minutes=9, seconds=59),
        "€16.00 to pay",
        ["€16.00 is due now", "We keep the time for you until", "/pay"],
    ),
    ("payment_received", paid, timedelta(), "Paid: €16.00", ["Visa ending 4242", "€64.00 is still to be paid."]),
    (
        "late_payment_refunded",
        came_late,
        timedelta(minutes=11),
        "€16.00 goes back to you",
        ["someone else has booked it since", "€16.00 goes back to your Visa ending 4242", "nearest free times"],
    ),
    ("refund_approved", overpaid, timedelta(), "You get €6.00 back", ["€6.00 goes back to your Visa ending 4242"]),
    ("refund_done", handed_back, timedelta(), "Refunded: €6.00", ["You got €6.00 back (cash)."]),
    (
        "missed",
        noted_as_missed,
        timedelta(days=4),
        "We missed you",
        ["€80.00 is due", "You have paid €16.00 already", "We waited.", "Pay €64.00"],
    ),
    ("requested", requested, timedelta(), "We have your request", ["answer by", "Nothing is booked yet"]),
    ("declined", declined, timedelta(), "Not possible", ["We are on holiday.", "nearest free times"]),
]


@pytest.mark.parametrize(("kind", "made", "after", "subject", "words"), MAILS, ids=[each[0] for each in MAILS])
def test_the_mail_says_what_happened_and_what_to_do(
    kind: str, made: Callable[[], Booking], after: timedelta, subject: str, words: list[str]
) -> None:
    made()
    Notification.objects.exclude(kind=kind).delete()
    Notification.objects.update(not_before=NOW, next_try_at=NOW)
    mail.outbox.clear()

    send_due(now=NOW + after, limit=20)

    [sent] = [each for each in mail.outbox if each.to == ["jana@example.com"]]
    assert sent.subject.startswith(subject)
    html = str(sent.alternatives[0][0])
    for text in words:
        assert text in sent.body
        assert text in html or text == "/pay"


def test_the_mail_about_paying_is_dropped_once_it_is_paid() -> None:
    paid()
    mail.outbox.clear()

    send_due(now=NOW + timedelta(minutes=10), limit=20)

    assert not [each for each in mail.outbox if "to pay" in each.subject]
    assert Notification.objects.get(kind="payment_required").status == "cancelled"


def test_staff_read_of_a_request_without_the_surname() -> None:
    requested()
    mail.outbox.clear()

    send_due(now=NOW, limit=20)

    [sent] = [each for each in mail.outbox if each.to != ["jana@example.com"]]
    assert sent.subject.startswith("A request waits")
    assert "Weber" not in sent.body
