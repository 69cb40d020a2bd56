"""The visit at the desk: no-shows, cancelling for either side, requests, messages, trust; and who may do what."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Customer
from bookings.enums import ActorKind, BookingStatus
from bookings.models import Booking, BookingEvent, HelpMessage
from bookings.operations.help import send_help
from notifications.operations import send_due
from payments.models import BillLine, Refund
from payments.queries import balance
from services.models import Service
from staff.enums import Role
from tests import factories, journeys
from tests.desk import DeskClient, at_desk, by_card
from tests.factories import NOW, Studio
from tests.web.conftest import StoppedClock

MONEY = ("take", "refund", "hand-back", "waive", "charge", "stand", "link", "cancel", "answer", "reply")


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def booking(studio: Studio) -> Booking:
    """Tomorrow at ten; free to cancel until today at ten, then half of €80."""
    return journeys.booked(studio, 10)


def status(booking: Booking) -> str:
    booking.refresh_from_db()
    return booking.status


# --- no-shows ---------------------------------------------------------------------------------------------------------


def test_a_no_show_says_from_when_it_can_be_marked(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(10, 14)

    html = desk.page(booking).content.decode()

    assert "from 10:15" in html
    assert "That can be marked from Tue 5 Jan, 10:15 on" in desk.page(booking, "no-show").content.decode()


@pytest.mark.parametrize(("minutes", "is_possible"), [(14, False), (15, True), (20160, True), (20161, False)])
def test_a_no_show_can_be_marked_from_a_quarter_past_for_two_weeks(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, minutes: int, is_possible: bool
) -> None:
    stopped.at = booking.starts_at + timedelta(minutes=minutes)

    assert ("Mark as no-show" in desk.page(booking, "no-show").content.decode()) is is_possible


def test_a_double_click_marks_once(desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock) -> None:
    stopped.at = studio.at(10, 20)
    form = desk.form(booking, "no-show")

    answers = [desk.send(booking, "no-show", form, reason="Nobody rang") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert BookingEvent.objects.filter(booking=booking, to_status="no_show").count() == 1
    assert status(booking) == BookingStatus.NO_SHOW


def test_a_therapist_marks_the_own_ones_alone(
    client: Client, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    other = journeys.booked(studio, 12, staff_member_id=studio.staff[1].pk)
    Booking.objects.get(pk=booking.pk).lines.update(staff_member=studio.staff[0])
    stopped.at = studio.at(14)
    desk = at_desk(client, Role.THERAPIST, of=booking)

    assert desk.do(booking, "no-show").status_code == 303
    assert status(booking) == BookingStatus.NO_SHOW
    assert desk.page(other, "no-show").status_code == 404
    assert [desk.page(booking, step).status_code for step in MONEY] == [404] * len(MONEY)


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_when_the_business_cancels_everything_goes_back(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, studio: Studio
) -> None:
    by_card(booking, 8000)
    stopped.at = studio.at(9)

    response = desk.do(booking, "cancel", who="business", reason="Ana is ill")

    assert response.status_code == 303
    assert status(booking) == BookingStatus.CANCELLED
    assert (booking.cancelled_by, booking.cancellation_fee_minor) == (ActorKind.STAFF, 0)
    assert [refund.amount_minor for refund in Refund.objects.all()] == [8000]


def test_on_behalf_of_the_customer_the_rules_of_the_moment_count(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, studio: Studio
) -> None:
    by_card(booking, 8000)
    stopped.at = studio.at(9)
    form = desk.form(booking, "cancel")

    asked = desk.send(booking, "cancel", form, who="customer")
    response = desk.do(booking, "cancel", who="customer")

    assert ">Cancel for a fee of €40.00, €40.00 goes back</button>" in asked.content.decode()
    assert response.status_code == 303
    assert status(booking) == BookingStatus.CANCELLED
    assert (booking.cancelled_by, booking.cancellation_fee_minor) == (ActorKind.CUSTOMER, 4000)
    assert [refund.amount_minor for refund in Refund.objects.all()] == [4000]


@pytest.mark.parametrize(
    ("who", "words", "refunds"),
    [("business", "Cancel, €10.00 goes back", [1000]), ("customer", "Cancel free of charge", [])],
)
def test_a_fee_for_moving_goes_back_where_the_business_cancels_and_the_button_says_so(
    desk: DeskClient, booking: Booking, who: str, words: str, refunds: list[int]
) -> None:
    Booking.objects.filter(pk=booking.pk).update(customer_move_count=1)
    BillLine.objects.create(
        bill_id=booking.bill_id,
        subject_ref=f"booking:{booking.pk}",
        kind=BillLine.Kind.CHANGE_FEE,
        text="Fee for moving the booking",
        net_minor=1000,
        tax_minor=0,
        gross_minor=1000,
        created_at=NOW,
    )
    by_card(booking, 1000)
    form = desk.form(booking, "cancel")

    shown = json.loads(
        unescape(re.findall(r'data-choices="([^"]+)"', desk.page(booking, "cancel").content.decode())[0])
    )
    desk.send(booking, "cancel", form, who=who, named=f"{who}:0")

    assert shown["business" if who == "business" else "free"] == [f"{who}:0", words]
    assert status(booking) == BookingStatus.CANCELLED
    assert [refund.amount_minor for refund in Refund.objects.all()] == refunds


def test_the_moment_of_the_call_decides(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, studio: Studio
) -> None:
    stopped.at = studio.at(9)

    # Nine the day before, in Berlin: more than a day ahead.
    desk.do(booking, "cancel", who="customer", called_at="2027-01-04T09:00")

    assert status(booking) == BookingStatus.CANCELLED
    assert booking.cancellation_fee_minor == 0


def test_a_fee_can_be_left_out(desk: DeskClient, booking: Booking, stopped: StoppedClock, studio: Studio) -> None:
    stopped.at = studio.at(9)
    form = {name: value for name, value in desk.form(booking, "cancel").items() if name != "takes_fee"}

    response = desk.send(booking, "cancel", form, who="customer", named="customer:0")

    assert response.status_code == 303
    assert status(booking) == BookingStatus.CANCELLED
    assert balance(f"booking:{booking.pk}").owed_minor == 0


def test_a_call_that_is_still_to_come_is_refused(desk: DeskClient, booking: Booking) -> None:
    form = desk.form(booking, "cancel")

    response = desk.send(booking, "cancel", form, who="customer", called_at="2027-01-05T09:00")

    assert response.status_code == 422
    assert status(booking) == BookingStatus.CONFIRMED


def test_a_cancelled_one_cannot_be_cancelled_again(desk: DeskClient, booking: Booking) -> None:
    form = desk.form(booking, "cancel")
    desk.do(booking, "cancel", who="business")

    assert desk.send(booking, "cancel", {**form, "request_key": "another-key-of-mine"}).status_code == 409
    assert BookingEvent.objects.filter(booking=booking, to_status="cancelled").count() == 1


# --- requests and messages --------------------------------------------------------------------------------------------


@pytest.fixture
def request_for_ten(studio: Studio) -> Booking:
    Service.objects.update(needs_answer=True)
    booking = journeys.booked(studio, 10)
    assert booking.status == BookingStatus.REQUESTED
    return booking


@pytest.mark.parametrize(("answer", "after"), [("accept", "confirmed"), ("decline", "declined")])
def test_a_request_is_answered(desk: DeskClient, request_for_ten: Booking, answer: str, after: str) -> None:
    response = desk.do(request_for_ten, "answer", answer=answer, reason="Holidays")

    assert response.status_code == 303
    assert status(request_for_ten) == after


def test_an_answered_request_is_no_longer_asked_about(desk: DeskClient, request_for_ten: Booking) -> None:
    form = desk.form(request_for_ten, "answer")
    desk.do(request_for_ten, "answer", answer="decline")

    late = desk.send(request_for_ten, "answer", {**form, "request_key": "another-key-of-mine"}, answer="accept")

    assert late.status_code == 409
    assert status(request_for_ten) == BookingStatus.DECLINED


def test_a_message_is_answered_and_leaves_the_list(desk: DeskClient, booking: Booking) -> None:
    send_help(booking_id=booking.pk, text="My bank says no <b>", now=NOW)
    assert "My bank says no &lt;b&gt;" in desk.client.get("/desk/hands/").content.decode()

    response = desk.do(booking, "reply", answer="send", text="You can pay here.")

    said = list(HelpMessage.objects.values_list("is_from_customer", "text", "author_name"))
    assert response.status_code == 303
    assert said[1] == (False, "You can pay here.", str(desk.user))
    assert "My bank says no" not in desk.client.get("/desk/hands/").content.decode()
    assert "You can pay here." in desk.page(booking).content.decode()


def test_nobody_is_chosen_before_a_booking_is_cancelled(desk: DeskClient, booking: Booking) -> None:
    response = desk.do(booking, "cancel")

    assert response.status_code == 422
    assert "Say who calls it off." in response.content.decode()
    assert status(booking) == BookingStatus.CONFIRMED


def test_a_first_message_is_no_answer(desk: DeskClient, booking: Booking) -> None:
    page = desk.page(booking, "reply").content.decode()
    desk.do(booking, "reply", answer="send", text="Please come ten minutes early.")
    send_due(now=NOW, limit=50)

    assert "Message to Jana Weber" in page
    assert "optional" not in page
    assert mail.outbox[-1].subject == "Linden Studio wrote to you"
    assert "A message for you, Jana." in mail.outbox[-1].body


def test_what_was_typed_is_not_lost_where_no_answer_is_needed(desk: DeskClient, booking: Booking) -> None:
    send_help(booking_id=booking.pk, text="Found it.", now=NOW)

    response = desk.do(booking, "reply", answer="read", text="Glad to hear")

    assert response.status_code == 422
    assert "Glad to hear" in response.content.decode()
    assert HelpMessage.objects.get().read_at is None


def test_a_message_can_be_put_aside_without_an_answer(desk: DeskClient, booking: Booking) -> None:
    send_help(booking_id=booking.pk, text="Found it.", now=NOW)

    desk.do(booking, "reply", answer="read")

    assert HelpMessage.objects.get().read_at == NOW


def test_an_empty_answer_is_refused(desk: DeskClient, booking: Booking) -> None:
    send_help(booking_id=booking.pk, text="Hello?", now=NOW)

    assert desk.do(booking, "reply", answer="send", text="  ").status_code == 422
    assert HelpMessage.objects.count() == 1


# --- trust ------------------------------------------------------------------------------------------------------------


def test_a_manager_blocks_a_customer(client: Client, booking: Booking, studio: Studio) -> None:
    desk = at_desk(client, Role.MANAGER, studio.location)

    response = desk.do(booking, "trust", is_blocked="on", reason="Three no-shows")

    assert response.status_code == 303
    assert Customer.objects.get().is_blocked
    html = desk.page(booking).content.decode()
    assert "May not book online" in html
    assert "Customer settings changed: Three no-shows" in html


def test_front_desk_does_not_decide_about_trust(desk: DeskClient, booking: Booking) -> None:
    assert desk.page(booking, "trust").status_code == 404
    assert desk.client.post(f"/desk/bookings/{booking.reference}/trust", {"is_blocked": "on"}).status_code == 404
    assert not Customer.objects.get().is_blocked


# --- who may ----------------------------------------------------------------------------------------------------------


def test_an_auditor_sees_and_does_nothing(client: Client, booking: Booking, studio: Studio) -> None:
    desk = at_desk(client, Role.AUDITOR, studio.location)

    html = desk.page(booking).content.decode()

    assert "€80.00 open" in html
    assert 'class="desk-acts"' not in html
    assert 'class="desk-buttons"' not in html
    assert {desk.page(booking, step).status_code for step in (*MONEY, "no-show", "came", "trust")} == {404}


def test_nothing_can_be_done_at_another_place(client: Client, booking: Booking) -> None:
    desk = at_desk(client, Role.MANAGER, factories.location(name="Alfama"))

    assert {desk.page(booking, step).status_code for step in (*MONEY, "no-show", "came", "trust", "")} == {404}


@pytest.mark.parametrize("reference", ["%F0%90%80%80", "x" * 300, "%27%20OR%201=1--", "{lower}"])
def test_an_address_that_names_no_booking_is_not_found(desk: DeskClient, booking: Booking, reference: str) -> None:
    named = reference.format(lower=booking.reference.lower())

    for page in ("", "take", "messages"):
        assert desk.client.get(f"/desk/bookings/{named}/{page}").status_code == 404


def test_looking_at_every_step_changes_nothing(desk: DeskClient, booking: Booking) -> None:
    before = Booking.objects.values().get(), BookingEvent.objects.count()

    for step in (*MONEY, "no-show", "came"):
        assert desk.page(booking, step).status_code == 200

    assert (Booking.objects.values().get(), BookingEvent.objects.count()) == before


def test_roles_add_up_but_a_therapists_counts_for_the_own_ones(
    client: Client, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    """Who audits everything and treats some must not mark the no-shows of colleagues."""
    Booking.objects.get(pk=booking.pk).lines.update(staff_member=studio.staff[0])
    other = journeys.booked(studio, 12, staff_member_id=studio.staff[1].pk)
    desk = at_desk(client, Role.THERAPIST, of=booking)
    desk.user.accesses.create(role=Role.AUDITOR)
    stopped.at = studio.at(14)

    assert desk.page(other).status_code == 200
    assert desk.page(other, "no-show").status_code == 404
    assert desk.page(booking, "no-show").status_code == 200
