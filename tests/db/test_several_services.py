"""A visit of two services by two people: everything takes both lines, and what knows one service so far says so."""

from datetime import datetime, timedelta

import pytest
from django.core import mail

from bookings.doctor.visits import CHECKS
from bookings.enums import BookingStatus
from bookings.errors import SeveralServices
from bookings.links import hold_token
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.extras import change_extras
from bookings.operations.hold import expire_holds, retake_hold
from bookings.operations.move import reschedule_booking
from bookings.operations.move_proposal import propose_move
from bookings.operations.no_show import mark_no_show, undo_no_show
from bookings.operations.settle import settle_payment
from bookings.queries.alternatives import is_free_again, nearest_again, nearest_moves
from bookings.queries.bookings import booking_page, held_page
from bookings.refs import subject_ref
from core.minutes import minute_of
from devservers.stripe import Stripe
from notifications.operations import send_due
from payments.queries import balance, payments_of
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, GUEST, LINK, arrived, claims, confirm, held_two, paid_studio

pytestmark = pytest.mark.django_db
PRICE = 16_000


@pytest.fixture
def place() -> Studio:
    return studio(staff=2)


def ills(now: datetime = NOW) -> list[str]:
    return [line for check in CHECKS for line in check.run(now)]


def test_it_is_booked_told_and_cancelled_as_one(place: Studio) -> None:
    booking = confirm(held_two(place))

    assert (booking.status, balance(subject_ref(booking)).owed_minor) == (BookingStatus.CONFIRMED, PRICE)
    send_due(now=NOW, limit=50)
    texts = {sent.to[0]: sent.body for sent in mail.outbox}
    assert len(texts) == 3
    assert texts["jana@example.com"].count("Deep tissue massage") == 2
    assert ills() == []

    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=booking.ical_sequence,
        expected_fee_minor=0,
        actor=LINK,
        now=NOW,
    )

    assert claims() == []
    assert balance(subject_ref(booking)).owed_minor == 0
    assert ills() == []


def test_the_deposit_and_a_missed_visit_count_both_services(stripe: Stripe) -> None:
    booking = confirm(held_two(paid_studio(staff=2, no_show_fee_kind="all")))
    assert (booking.status, booking.due_now_minor) == (BookingStatus.PENDING_PAYMENT, PRICE // 5)

    settle_payment(payment_id=arrived(booking, PRICE // 5).pk, now=NOW)
    booking.refresh_from_db()
    late = booking.starts_at + timedelta(hours=1)
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=late)

    assert balance(subject_ref(booking)).owed_minor == PRICE
    undo_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=late)
    assert balance(subject_ref(booking)).open_minor == PRICE - PRICE // 5
    assert ills(late) == []


def test_what_knows_one_service_so_far_refuses_it_and_changes_nothing(place: Studio) -> None:
    held = held_two(place)
    with pytest.raises(SeveralServices):
        change_extras(booking_id=held.pk, add_on_ids=(), party_size=1, actor=GUEST, now=NOW)
    booking = confirm(held)
    taken = claims()
    wish = {
        "booking_id": booking.pk,
        "start_minute": place.minute(14),
        "staff_member_id": None,
        "expected_sequence": booking.ical_sequence,
        "expected_fee_minor": 0,
        "now": NOW,
    }

    for actor in (LINK, DESK):
        with pytest.raises(SeveralServices):
            reschedule_booking(**wish, actor=actor)  # type: ignore[arg-type]
    with pytest.raises(SeveralServices):
        propose_move(**wish, actor=LINK)  # type: ignore[arg-type]

    assert claims() == taken
    minute = minute_of(booking.starts_at)
    assert nearest_moves(booking_id=booking.pk, start_minute=minute, staff_member_id=None, now=NOW) == []
    assert booking_page(booking.pk).ical_sequence == 0


def test_one_that_ran_out_is_not_taken_again(place: Studio) -> None:
    held = held_two(place)
    later = NOW + timedelta(hours=1)
    expire_holds(now=later)

    page = held_page_of(held)
    assert not is_free_again(page, later)
    assert nearest_again(page, now=later) == []
    with pytest.raises(SeveralServices):
        retake_hold(booking_id=held.pk, actor=GUEST, now=later)


def test_money_that_comes_too_late_goes_back(stripe: Stripe) -> None:
    booking = confirm(held_two(paid_studio(staff=2)))
    later = NOW + timedelta(hours=1)
    expire_holds(now=later)

    settle_payment(payment_id=arrived(booking, PRICE // 5, now=later).pk, now=later)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    [payment] = payments_of(subject_ref(booking))
    assert [refund.amount_minor for refund in payment.refunds.all()] == [PRICE // 5]


def held_page_of(held: Booking) -> Booking:
    page = held_page(hold_token(held))
    assert page is not None
    return page
