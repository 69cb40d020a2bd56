"""An impatient double click at the desk, as two requests at the same moment: each form counts once."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from bookings.models import Booking, BookingEvent
from bookings.operations.no_show import mark_no_show
from core import clock
from payments.models import Refund
from payments.queries import balance
from services.models import CancellationPolicy
from staff.enums import Role
from tests import factories, journeys
from tests.concurrency.racing import race, rounds
from tests.desk import DeskClient, at_desk, by_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def booking(monkeypatch: pytest.MonkeyPatch) -> Booking:
    """Nobody came to a visit that was paid by card; half of €80 is the fee."""
    terms = factories.cancellation_policy(grace_minutes=0)
    CancellationPolicy.objects.update(no_show_fee_kind="percent", no_show_fee_value=5000)
    terms.refresh_from_db()
    studio = factories.studio()
    studio.business.cancellation_policy = terms
    studio.business.save()
    booking = journeys.booked(studio, 10)
    monkeypatch.setattr(clock, "now", lambda: booking.starts_at + timedelta(minutes=20))
    by_card(booking, 8000)
    return booking


def twice(desk: DeskClient, booking: Booking, step: str, **changes: str) -> list[int]:
    """Press the button of one page two times at once, by browsers that share their cookies."""
    form = {**desk.form(booking, step), **changes}
    twin = Client()
    twin.cookies = desk.client.cookies
    clients = (desk, DeskClient(twin, desk.user))
    answers = race([lambda client=client: client.send(booking, step, form) for client in clients])
    return [answer.status_code for answer in answers]


@rounds(short=5, full=50)
def test_a_fee_is_waived_once(client: Client, booking: Booking, rounds: int) -> None:
    desk = at_desk(client, Role.OWNER)
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=journeys.DESK, now=clock.now())
    booking.refresh_from_db()

    for number in range(1, rounds + 1):
        assert twice(desk, booking, "waive", amount="0.50", named="50", reason="x") == [303, 303]
        assert balance(f"booking:{booking.pk}").owed_minor == 4000 - 50 * number


@rounds(short=5, full=50)
def test_of_two_people_who_see_the_same_sums_one_waives_and_the_other_is_told(
    client: Client, booking: Booking, rounds: int
) -> None:
    people = (at_desk(client, Role.OWNER), at_desk(Client(), Role.OWNER))
    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=journeys.DESK, now=clock.now())
    booking.refresh_from_db()

    for number in range(1, rounds + 1):
        forms = [desk.form(booking, "waive") for desk in people]
        changes = {"amount": "0.50", "named": "50", "reason": "x"}
        answers = race(
            [partial(desk.send, booking, "waive", form, **changes) for desk, form in zip(people, forms, strict=True)]
        )
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        assert balance(f"booking:{booking.pk}").owed_minor == 4000 - 50 * number


@rounds(short=5, full=50)
def test_money_is_returned_once(client: Client, booking: Booking, rounds: int) -> None:
    desk = at_desk(client, Role.OWNER)

    for number in range(1, rounds + 1):
        form = desk.form(booking, "refund")
        named = f"{form['payment']}:50"
        assert twice(desk, booking, "refund", amount="0.50", named=named, reason="x") == [303, 303]
        assert Refund.objects.count() == number


def test_a_no_show_is_marked_once(client: Client, booking: Booking) -> None:
    desk = at_desk(client, Role.OWNER)

    assert twice(desk, booking, "no-show") == [303, 303]
    assert BookingEvent.objects.filter(booking=booking, to_status="no_show").count() == 1
