"""Refunds that await approval at the desk: listed with their deadline, decided once, only by users with the right."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.settle import settle_payment
from core.models import OutboxMessage
from payments.enums import RefundStatus
from payments.models import MoneyAlert, Refund
from payments.operations import list_waiting_refunds
from payments.queries import balance
from services.models import Business
from staff.enums import Role
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import LINK, arrived, booked, paid_studio
from tests.pages import squeezed
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db
HANDS = "/desk/hands/"


@pytest.fixture
def place(settings: Any, stopped: StoppedClock) -> Studio:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_page", "pk_test_page"
    place = paid_studio("full")
    Business.objects.update(refunds_need_approval=True)
    return place


@pytest.fixture
def desk(client: Client, place: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, place.location)


@pytest.fixture
def booking(place: Studio) -> Booking:
    return waiting(place, 10)


@pytest.fixture
def refund(booking: Booking) -> Refund:
    return Refund.objects.get(payment__subject_ref=f"booking:{booking.pk}")


def waiting(place: Studio, hour: int) -> Booking:
    """Paid with 80.00, and cancelled by the customer while that is free."""
    booking = booked(place, start_minute=place.minute(hour, days=4))
    settle_payment(payment_id=arrived(booking, 8000).pk, now=NOW)
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
    )
    booking.refresh_from_db()
    return booking


def sums(booking: Booking) -> tuple[int, int, int]:
    found = balance(f"booking:{booking.pk}")
    return found.owed_minor, found.paid_minor, found.refunded_minor


def do(desk: DeskClient, booking: Booking, step: str, refund: Refund, **values: str) -> Any:
    return desk.do(booking, step, query={"refund": refund.pk}, refund=str(refund.pk), **values)


def sent() -> int:
    return OutboxMessage.objects.filter(topic="refund.submit").count()


def text(html: bytes) -> str:
    return " ".join(html.decode().split())


def waiting_count(html: str) -> str:
    return squeezed(html).split('class="desk-count">')[1].split("<")[0]


def test_the_booking_shows_what_waits_and_the_three_answers(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    html = text(desk.page(booking).content)

    assert "waits for approval, the customer hears by Wed 6 Jan, 07:00" in html
    assert f'class="button button-main" href="/desk/bookings/{booking.reference}/approve?refund={refund.pk}"' in html
    for step in ("lower", "decline"):
        assert f"/desk/bookings/{booking.reference}/{step}?refund={refund.pk}" in html
    assert "€80.00 waits for approval" in html


def test_approved_it_is_on_its_way(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    response = do(desk, booking, "approve", refund)

    refund.refresh_from_db()
    assert response.status_code == 303
    assert (refund.status, refund.actor, refund.decided_by) == (RefundStatus.QUEUED, desk.user, str(desk.user))
    assert (sent(), sums(booking)) == (1, (0, 8000, 8000))
    assert "€80.00 is approved." in desk.client.get(response["Location"]).content.decode()


def test_less_is_named_first_and_given_with_a_reason(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    form = desk.form(booking, "lower", refund=refund.pk)
    asked = desk.send(booking, "lower", form, amount="50", reason="The room was prepared")

    assert asked.status_code == 200
    assert "Refund €50.00 of €80.00" in asked.content.decode()
    assert sent() == 0

    done = do(desk, booking, "lower", refund, amount="50", reason="The room was prepared")
    refund.refresh_from_db()
    assert done.status_code == 303
    assert (refund.amount_minor, refund.asked_minor, refund.decision) == (5000, 8000, "The room was prepared")
    assert sums(booking) == (3000, 8000, 5000)
    html = text(desk.page(booking).content)
    assert "lowered from €80.00 · The room was prepared" in html
    assert "Kept of the refund: The room was prepared" in html


@pytest.mark.parametrize("amount", ["80", "0", "-1", "80.01", "1e3", ""])
def test_less_is_more_than_nothing_and_not_all(desk: DeskClient, booking: Booking, refund: Refund, amount: str) -> None:
    response = do(desk, booking, "lower", refund, amount=amount, reason="Cleaning")

    assert response.status_code == 422
    assert Refund.objects.get().status == RefundStatus.AWAITING_APPROVAL


def test_declined_it_is_kept_as_a_fee(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    response = do(desk, booking, "decline", refund, reason="Third time this month")

    refund.refresh_from_db()
    assert (response.status_code, refund.status) == (303, RefundStatus.DECLINED)
    assert (sent(), sums(booking)) == (0, (8000, 8000, 0))
    assert "Refund of €80.00 declined: Third time this month" in text(desk.page(booking).content)


@pytest.mark.parametrize("step", ["lower", "decline"])
def test_without_a_reason_nothing_is_kept(desk: DeskClient, booking: Booking, refund: Refund, step: str) -> None:
    response = do(desk, booking, step, refund, amount="50", reason=" ")

    assert response.status_code == 422
    assert Refund.objects.get().status == RefundStatus.AWAITING_APPROVAL
    assert "English" in response.content.decode()


def test_a_double_click_decides_once_and_says_so_twice(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    form = desk.form(booking, "approve", refund=refund.pk)

    answers = [desk.send(booking, "approve", form).status_code for _ in range(2)]

    assert (answers, sent()) == ([303, 303], 1)


def test_an_old_page_decides_nothing(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    old = desk.form(booking, "decline", refund=refund.pk)
    do(desk, booking, "approve", refund)

    response = desk.send(booking, "decline", old, reason="No")

    assert response.status_code == 409
    assert "no longer waiting for approval" in response.content.decode()
    assert (sent(), sums(booking)) == (1, (0, 8000, 8000))


def test_a_page_with_another_sum_is_asked_again(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    old = desk.form(booking, "approve", refund=refund.pk)
    # Somebody gives 30.00 back at the payment provider.
    Refund.objects.filter(pk=refund.pk).update(amount_minor=5000)
    refund.payment.refunds.create(
        reason="external", status="submitted", currency="EUR", amount_minor=3000, created_at=NOW
    )

    response = desk.send(booking, "approve", old)

    assert response.status_code == 409
    assert "Approve €50.00" in response.content.decode()
    assert sent() == 0


def test_the_refund_of_somebody_else_is_not_decided_here(desk: DeskClient, place: Studio, booking: Booking) -> None:
    other = waiting(place, 12)
    foreign = Refund.objects.get(payment__subject_ref=f"booking:{other.pk}")

    response = desk.page(booking, "approve", refund=foreign.pk)

    assert response.status_code == 200
    assert "no longer waiting for approval" in response.content.decode()


@pytest.mark.parametrize("step", ["approve", "lower", "decline"])
@pytest.mark.parametrize("role", [Role.THERAPIST, Role.AUDITOR])
def test_only_who_may_refund_decides(
    client: Client, place: Studio, booking: Booking, refund: Refund, role: Role, step: str
) -> None:
    sign_in_staff(client, factories.desk_user(role, place.location, of=booking))
    url = f"/desk/bookings/{booking.reference}/{step}"

    assert client.get(url, {"refund": refund.pk}).status_code == 404
    assert client.post(url, {"refund": refund.pk, "reason": "No"}).status_code == 404
    html = client.get(f"/desk/bookings/{booking.reference}/").content.decode()
    assert "waits for approval" in html
    assert f"/{step}?" not in html


def test_what_waits_is_listed_with_its_moment_the_first_promised_first(
    desk: DeskClient, place: Studio, booking: Booking, stopped: StoppedClock
) -> None:
    html = text(desk.client.get(HANDS).content)
    assert "Refund to approve" in html
    assert "answer in 2 days, Wed 6 Jan, 07:00" in html
    assert f"/desk/bookings/{booking.reference}/approve?refund={Refund.objects.get().pk}&amp;back=hands" in html
    assert waiting_count(html) == "1"

    later = waiting(place, 12)
    Refund.objects.filter(payment__subject_ref=f"booking:{later.pk}").update(answer_by=NOW + timedelta(hours=47))
    stopped.at = NOW + timedelta(hours=47, minutes=30)
    list_waiting_refunds(now=stopped.at)

    html = text(desk.client.get(HANDS).content)
    assert html.index(later.reference) < html.index(booking.reference)
    assert "late, promised for Wed 6 Jan, 06:00" in html
    assert html.count("hand-late") == 1
    # Each is there once, although it has an alert as well.
    assert (MoneyAlert.objects.count(), html.count("hand-title")) == (2, 2)
    assert waiting_count(html) == "2"


def test_from_the_list_one_comes_back_to_it(desk: DeskClient, booking: Booking, refund: Refund) -> None:
    response = desk.do(booking, "approve", query={"refund": refund.pk, "back": "hands"}, refund=str(refund.pk))

    assert response["Location"] == HANDS
    assert "Nothing needs hands" in desk.client.get(HANDS).content.decode()


def test_reading_the_list_costs_the_same_for_one_and_three(
    desk: DeskClient,
    place: Studio,
    booking: Booking,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(24) as one:
        desk.client.get(HANDS)
    waiting(place, 12)
    waiting(place, 14)

    with django_assert_num_queries(len(one)):
        desk.client.get(HANDS)


def test_elsewhere_nobody_sees_it(client: Client, place: Studio, booking: Booking, refund: Refund) -> None:
    sign_in_staff(client, factories.desk_user(Role.MANAGER, factories.location(name="Alfama")))

    assert "Refund to approve" not in client.get(HANDS).content.decode()
    assert client.get(f"/desk/bookings/{booking.reference}/approve", {"refund": refund.pk}).status_code == 404
