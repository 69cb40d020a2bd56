"""Another request has locked a booking: every button says so and changes nothing, and the same form works later."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from bookings.errors import Busy, StalePage
from bookings.models import Booking, BookingEvent
from bookings.operations._transaction import booking_transaction
from bookings.operations.cancel import cancel_booking
from bookings.operations.hours_change import note_effect
from bookings.operations.move import reschedule_booking
from bookings.operations.no_show import mark_no_show
from bookings.operations.visit_progress import complete_visit, mark_arrived, start_visit
from bookings.rules.hours import HoursEffect
from core import clock
from dashboard.urls import urlpatterns
from payments.enums import RefundReason
from payments.models import Payment, Refund
from payments.operations import request_refunds
from staff.enums import Role
from tests import factories, journeys
from tests.concurrency.racing import race, rounds, violations
from tests.desk import DeskClient, at_desk, by_card, cash
from tests.factories import NOW, Studio
from tests.journeys import DESK, LINK
from tests.web.conftest import agreed, link, slot

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "Someone is working on this booking."


@contextmanager
def locked(booking: Booking) -> Iterator[None]:
    """Another transaction has the booking's row; we wait a moment for it, not three seconds."""
    has_it, is_over = threading.Event(), threading.Event()

    def hold_on() -> None:
        try:
            with transaction.atomic():
                Booking.objects.select_for_update().get(pk=booking.pk)
                has_it.set()
                is_over.wait(60)
        finally:
            connection.close()

    other = threading.Thread(target=hold_on)
    other.start()
    assert has_it.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '150ms'")
    try:
        yield
    finally:
        is_over.set()
        other.join(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")


@pytest.fixture
def place() -> Studio:
    terms = factories.cancellation_policy(grace_minutes=0, no_show_fee_kind="percent", no_show_fee_value=5000)
    studio = factories.studio()
    studio.business.cancellation_policy = terms
    studio.business.save()
    return studio


def confirmed(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    return journeys.booked(place, 10)


def moved(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = confirmed(place, monkeypatch)
    return reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14),
        staff_member_id=None,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=DESK,
        now=clock.now(),
    )


def begun(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = confirmed(place, monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: booking.starts_at + timedelta(minutes=20))
    return booking


def missed(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = begun(place, monkeypatch)
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=clock.now())
    return booking


def paid(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = confirmed(place, monkeypatch)
    by_card(booking, 8000)
    return booking


def requested(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    service = place.variant.service
    service.needs_answer = True
    service.save()
    return journeys.booked(place, 10)


def unpaid(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    monkeypatch.setattr(settings, "STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setattr(settings, "STRIPE_PUBLISHABLE_KEY", "pk_test_x")
    terms = place.business.cancellation_policy
    terms.payment_mode, terms.deposit_value = "deposit", 2000
    terms.save()
    booking = journeys.booked(place, 10)
    assert booking.status == "pending_payment"
    return booking


def awaiting_approval(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    place.business.refunds_need_approval = True
    place.business.save()
    booking = paid(place, monkeypatch)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    return booking


def to_hand_back(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = confirmed(place, monkeypatch)
    cash(booking, 8000)
    request_refunds(
        bill_id=booking.bill_id or 0,
        subject_ref=f"booking:{booking.pk}",
        amount_minor=3000,
        reason=RefundReason.POLICY,
        now=NOW,
    )
    return booking


def chargeable(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    monkeypatch.setattr(settings, "STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setattr(settings, "STRIPE_PUBLISHABLE_KEY", "pk_test_x")
    booking = begun(place, monkeypatch)
    journeys.card_kept(booking)
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=clock.now())
    monkeypatch.setattr(clock, "now", lambda: booking.starts_at + timedelta(days=2))
    return booking


def outside_hours(place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = confirmed(place, monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    note_effect(HoursEffect(frozenset({booking.pk}), frozenset()), now=NOW)
    return booking


def marked(mark: Callable[..., Booking], place: Studio, monkeypatch: pytest.MonkeyPatch) -> Booking:
    booking = begun(place, monkeypatch)
    return mark(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=clock.now())


STEPS: dict[str, tuple[Any, dict[str, str]]] = {
    "take": (confirmed, {"amount": "1.00", "named": "100"}),
    "refund": (paid, {"amount": "1.00", "reason": "x"}),
    "no-show": (begun, {}),
    "came": (missed, {"reason": "x"}),
    "waive": (missed, {"amount": "1.00", "named": "100", "reason": "x"}),
    "undo-move": (moved, {}),
    "cancel": (confirmed, {"who": "business", "named": "business:0"}),
    "keep": (outside_hours, {"reason": "x"}),
    "answer": (requested, {"answer": "accept"}),
    "stand": (unpaid, {"reason": "x"}),
    "trust": (confirmed, {"reason": "x"}),
    "reply": (confirmed, {"text": "Hello", "answer": "send"}),
    "discount": (confirmed, {"amount": "1.00", "named": "100", "reason": "x"}),
    "approve": (awaiting_approval, {}),
    "lower": (awaiting_approval, {"amount": "50.00", "named": "5000", "reason": "x"}),
    "decline": (awaiting_approval, {"reason": "x"}),
    "hand-back": (to_hand_back, {"note": "x"}),
    "charge": (chargeable, {}),
    "link": (unpaid, {}),
    "arrived": (begun, {}),
    "start": (begun, {}),
    "complete": (begun, {}),
    "not-arrived": (partial(marked, mark_arrived), {}),
    "not-started": (partial(marked, start_visit), {}),
    "not-completed": (partial(marked, complete_visit), {}),
}
# It asks Stripe and writes to no booking, so it waits for nobody.
_WITHOUT_LOCK = {"check"}
# Their form comes after a choice, or stands on a page without a step; the operations below them take the same lock.
_OTHER_FORMS = {"move", "length", "visit", "note", "follow-up", "follow-up-done"}


def test_every_step_of_the_desk_is_tried() -> None:
    paths = (str(each.pattern) for each in urlpatterns)
    steps = {path.rpartition("/")[2] for path in paths if path.startswith("bookings/<str:reference>/")}

    assert (
        steps - {"", "messages"} - {path for path in steps if "<" in path}
        == STEPS.keys() | _WITHOUT_LOCK | _OTHER_FORMS
    )


def sent(desk: DeskClient, booking: Booking, step: str, form: dict[str, Any]) -> Any:
    """Send a form; where the page wants its sum confirmed, send that once more with the same key."""
    response = desk.send(booking, step, form)
    if response.status_code == 200:
        html = response.content.decode()
        named = html.split('name="named" value="')[1].split('"')[0]
        response = desk.send(booking, step, {**form, "named": named})
    return response


@pytest.mark.parametrize("step", STEPS)
def test_a_button_behind_a_lock_says_so_and_works_afterwards(
    client: Client, place: Studio, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    state, changes = STEPS[step]
    booking = state(place, monkeypatch)
    desk = at_desk(client, Role.OWNER)
    refund = Refund.objects.first()
    query = {"refund": refund.pk} if refund else {}
    form = {**desk.form(booking, step, **query), **changes}
    before = (BookingEvent.objects.count(), Payment.objects.count())

    with locked(booking):
        refused = sent(desk, booking, step, form)
    html = refused.content.decode()

    assert refused.status_code == 503
    assert WORDS in html
    assert f'value="{form["request_key"]}"' in html
    assert (BookingEvent.objects.count(), Payment.objects.count()) == before
    assert sent(desk, booking, step, form).status_code == 303


def test_asking_stripe_waits_for_nobody(client: Client, place: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = confirmed(place, monkeypatch)
    desk = at_desk(client, Role.OWNER)

    with locked(booking):
        assert desk.send(booking, "check", {}).status_code == 303


def test_a_view_that_shows_refusals_itself_answers_alike(
    client: Client, place: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = confirmed(place, monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    sent_to = {
        "coming": agreed(booking),
        "cancel": agreed(booking),
        "move": {**agreed(booking), "slot": slot(place, 14)},
    }

    with locked(booking):
        found = {page: client.post(link(booking, page), values).status_code for page, values in sent_to.items()}

    assert found == dict.fromkeys(sent_to, 503)


def test_money_taken_after_the_lock_is_written_down(
    client: Client, place: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = confirmed(place, monkeypatch)
    desk = at_desk(client, Role.OWNER)
    form = {**desk.form(booking, "take"), "amount": "1.00", "named": "100"}
    with locked(booking):
        desk.send(booking, "take", form)

    answers = [desk.send(booking, "take", form).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert [payment.amount_minor for payment in Payment.objects.all()] == [100]


def test_a_view_that_knows_nothing_of_locks_answers_alike(
    client: Client, place: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = confirmed(place, monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: NOW)

    with locked(booking):
        response = client.post(link(booking, "stay"))

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert WORDS in response.content.decode()


def test_an_operation_inside_another_is_tried_again_by_the_outer_one_alone(db: None) -> None:
    tries: list[int] = []

    @booking_transaction
    def inner() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'met' USING ERRCODE = 'deadlock_detected'; END $$")

    @booking_transaction
    def outer() -> None:
        inner()

    with pytest.raises(Busy, match="Please try again"):
        outer()
    assert len(tries) == 3


# --- a page that is older than the booking ----------------------------------------------------------------------------


@rounds(short=4, full=40)
def test_a_booking_that_moves_meanwhile_is_not_cancelled_by_an_old_page(place: Studio, rounds: int) -> None:
    for number in range(rounds):
        booking = journeys.booked(place, 10, start_minute=place.minute(10, days=2 + number))
        seen = booking.ical_sequence
        cancel = partial(
            cancel_booking,
            booking_id=booking.pk,
            expected_fee_minor=0,
            expected_sequence=seen,
            actor=LINK,
            now=NOW,
        )
        move = partial(
            reschedule_booking,
            booking_id=booking.pk,
            start_minute=place.minute(14, days=2 + number),
            staff_member_id=None,
            expected_sequence=seen,
            expected_fee_minor=0,
            actor=LINK,
            now=NOW,
        )

        outcomes = race([cancel, move])

        booking.refresh_from_db()
        is_moved = booking.starts_at == place.at(14, days=2 + number)
        assert (booking.status == "cancelled") != is_moved, outcomes
    assert violations() == {}


def test_cancelling_from_a_page_older_than_a_move_is_refused_under_the_lock(place: Studio) -> None:
    booking = journeys.booked(place, 10)
    seen = booking.ical_sequence
    reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14),
        staff_member_id=None,
        expected_sequence=seen,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
    )

    with pytest.raises(StalePage):
        cancel_booking(booking_id=booking.pk, expected_fee_minor=0, expected_sequence=seen, actor=LINK, now=NOW)
    booking.refresh_from_db()
    assert booking.status == "confirmed"
