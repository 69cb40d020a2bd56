"""A time that waits for its customer: the customer, the clock and the desk reach for it at the same moment."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from bookings.enums import BookingStatus
from bookings.links import hold_token
from bookings.models import Allocation, Booking, HoldLink
from bookings.operations.hold import expire_holds, hold_slot
from bookings.operations.hold_link import free_linked_time, send_hold_link
from bookings.operations.settle import settle_payment
from bookings.refs import subject_ref
from core import clock
from core.minutes import minute_of
from notifications.enums import Channel
from notifications.models import Notification
from payments.queries import balance
from staff.enums import Role
from tests.concurrency.racing import race, rounds, violations
from tests.concurrency.test_money_races import arrived_alone, no_violations, open_studio, starts
from tests.db.test_hold_links import SOFIA
from tests.desk import at_desk
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, confirm, hold
from tests.web.test_desk_book import NEW, URL, form_of, press, slot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

ENDS = NOW + timedelta(hours=2)


def linked(place: Studio, start: int) -> Booking:
    held = hold(place, start_minute=start, actor=DESK).booking
    return sent(held)


def sent(held: Booking) -> Booking:
    return send_hold_link(
        booking_id=held.pk,
        contact=SOFIA,
        channel=Channel.EMAIL,
        customer_id=None,
        language="en",
        actor=DESK,
        now=NOW,
    )


def kinds(booking: Booking) -> list[str]:
    rows = Notification.objects.filter(subject_ref=subject_ref(booking), recipient_role="customer")
    return [kind for kind in rows.order_by("pk").values_list("kind", flat=True) if kind != "reminder"]


def names(outcomes: list[Any]) -> tuple[str, ...]:
    return tuple(type(each).__name__ for each in outcomes)


def wide() -> Studio:
    place = studio(staff=1)
    place.business.booking_policy.horizon_days = 365
    place.business.booking_policy.save()
    return place


@rounds(short=10, full=100)
def test_a_customer_confirms_while_the_link_runs_out(rounds: int) -> None:
    """Confirmed and told so, or free again and told so. Never both."""
    place = wide()
    for start in starts(place, rounds):
        booking = linked(place, start)

        confirmed, _ = race(
            [
                partial(confirm, booking, contact=SOFIA, now=ENDS - timedelta(milliseconds=1)),
                partial(expire_holds, now=ENDS),
            ]
        )

        booking.refresh_from_db()
        claims, links = Allocation.objects.filter(booking=booking).count(), HoldLink.objects.filter(booking=booking)
        if isinstance(confirmed, Booking):
            assert (booking.status, claims, links.count()) == (BookingStatus.CONFIRMED, 1, 0)
            assert kinds(booking) == ["hold_link", "confirmed"]
        else:
            assert (type(confirmed).__name__, booking.status, claims) == ("HoldExpired", BookingStatus.EXPIRED, 0)
            assert kinds(booking) == ["hold_link", "hold_link_ended"]
            assert links.get().ended_at == ENDS
    assert violations() == {}


@rounds(short=10, full=100)
def test_the_desk_frees_the_time_while_the_customer_confirms(rounds: int) -> None:
    place = wide()
    for start in starts(place, rounds):
        booking = linked(place, start)

        outcomes = race(
            [
                partial(confirm, booking, contact=SOFIA),
                partial(free_linked_time, booking_id=booking.pk, tells_customer=True, actor=DESK, now=NOW),
            ]
        )

        booking.refresh_from_db()
        assert (*names(outcomes), booking.status) in {
            ("Booking", "HoldOver", BookingStatus.CONFIRMED),
            ("HoldExpired", "Booking", BookingStatus.EXPIRED),
        }
    assert violations() == {}


@rounds(short=10, full=100)
def test_what_a_customer_pays_while_the_desk_frees_the_time_is_never_lost(rounds: int) -> None:
    place = open_studio()
    with no_violations():
        for start in starts(place, rounds):
            booking = confirm(linked(place, start), contact=SOFIA)
            payment = arrived_alone(booking, 8000)

            outcomes = race(
                [
                    partial(settle_payment, payment_id=payment.pk, now=NOW),
                    partial(free_linked_time, booking_id=booking.pk, tells_customer=True, actor=DESK, now=NOW),
                ]
            )

            booking.refresh_from_db()
            assert names(outcomes)[1] == "HoldOver"
            assert (booking.status, balance(subject_ref(booking)).net_paid_minor) == (BookingStatus.CONFIRMED, 8000)


@rounds(short=10, full=100)
def test_the_desk_takes_the_time_back_while_the_customer_confirms(rounds: int) -> None:
    """One of them has it in the end, and the other one learns of it."""
    place = wide()
    for start in starts(place, rounds):
        booking = linked(place, start)
        take_back = partial(
            hold_slot,
            variant_id=place.variant.pk,
            location_id=place.location.pk,
            start_minute=minute_of(booking.starts_at),
            staff_member_id=None,
            actor=DESK,
            language="en",
            visitor_hash=f"form {start}",
            replacing_token=hold_token(booking),
            now=NOW,
        )

        outcomes = race([partial(confirm, booking, contact=SOFIA), take_back])

        assert names(outcomes) in {("Booking", "SlotTaken"), ("HoldExpired", "HeldSlot")}
        assert Allocation.objects.filter(busy__startswith=booking.starts_at).count() == 1
    assert violations() == {}


# Fewer rounds than links that may wait at once.
@rounds(short=10, full=18)
def test_two_calls_send_one_link(rounds: int) -> None:
    place = wide()
    for start in starts(place, rounds):
        held = hold(place, start_minute=start, actor=DESK).booking

        assert names(race([partial(sent, held)] * 2)) == ("Booking", "Booking")

        assert HoldLink.objects.filter(booking=held).count() == 1
        assert kinds(held) == ["hold_link"]


@rounds(short=5, full=18)
def test_two_presses_of_the_button_make_one_hold_and_one_message(
    client: Client, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    place = wide()
    place.location.slug, place.variant.service.slug = "kreuzberg", "massage"
    place.location.save()
    place.variant.service.save()
    desk = at_desk(client, Role.FRONT_DESK, place.location)
    twin = Client()
    twin.cookies = desk.client.cookies
    for hour in range(9, 9 + rounds):
        query = {"at": "kreuzberg", "service": "massage", "on": "2027-01-05"}
        held = press(desk, client.get(URL, query), slot(place, 9 + (hour - 9) % 8, days=1 + (hour - 9) // 8))
        form = {**form_of(held), **NEW, "do": "send:email"}

        answers = race([partial(each.post, URL, form) for each in (client, twin)])

        assert [answer.status_code for answer in answers] == [303, 303]
    assert Booking.objects.filter(status=BookingStatus.HELD).count() == rounds
    assert Notification.objects.count() == rounds
