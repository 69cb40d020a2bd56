"""The to-do list: each kind is listed with its sum and what to do, for users who may see it, at a fixed cost."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from bookings.operations.help import send_help
from bookings.operations.move import reschedule_booking
from notifications.addresses import address_hash
from notifications.enums import Channel
from notifications.models import InboundMessage, Suppression
from notifications.reports.inbound import store_text
from payments.enums import AlertKind, RefundReason
from payments.models import MoneyAlert, Refund
from payments.operations import raise_alert, request_refunds, resolve_alert
from services.models import CancellationPolicy, Location, Resource, Service
from staff.enums import Role
from staff.models import StaffMember
from tests import factories, journeys
from tests.desk import DeskClient, at_desk, by_card, cash
from tests.factories import NOW, Studio
from tests.pages import squeezed
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock

HANDS = "/desk/hands/"


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.FRONT_DESK, studio.location)


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return journeys.booked(studio, 10)


def listed(desk: DeskClient) -> list[str]:
    html = desk.client.get(HANDS).content.decode()
    return [part.split("</b>")[0] for part in squeezed(html).split('<p class="hand-title"><b>')[1:]]


def count(desk: DeskClient) -> int:
    html = desk.client.get("/desk/").content.decode()
    return int(html.split('class="desk-count">')[1].split("<")[0]) if "desk-count" in html else 0


def alert(booking: Booking, kind: AlertKind = AlertKind.STUCK, key: str = "1", **values: object) -> MoneyAlert:
    raise_alert(kind=kind, key=key, subject_ref=f"booking:{booking.pk}", now=NOW, **values)  # type: ignore[arg-type]
    return MoneyAlert.objects.latest("pk")


def test_nothing_to_do_is_said_calmly(desk: DeskClient, booking: Booking) -> None:
    assert "Nothing needs hands" in desk.client.get(HANDS).content.decode()
    assert count(desk) == 0


@pytest.mark.parametrize("kind", sorted(set(AlertKind) - {AlertKind.REFUND_WAITS}))
def test_every_kind_of_alert_says_what_to_do(desk: DeskClient, booking: Booking, kind: AlertKind) -> None:
    payment = by_card(booking, 8000)
    refund = Refund.objects.create(
        payment=payment, status="failed", reason="staff", currency="EUR", amount_minor=2000, created_at=NOW
    )
    alert(booking, kind, payment=payment, refund=refund if kind == AlertKind.REFUND_FAILED else None)

    html = desk.client.get(HANDS).content.decode().split('<ul class="hands">')[1].split("</ul>")[0]

    assert str(kind.label) in html
    assert "Jana Weber" in html
    assert "since Mon 4 Jan, 07:00" in html
    assert ("€20.00" if kind == AlertKind.REFUND_FAILED else "€80.00") in html
    assert "Settled" in html
    assert count(desk) == 1


def test_what_ends_by_itself_comes_first(desk: DeskClient, studio: Studio, stopped: StoppedClock) -> None:
    """A no-show in its time for waiving, a request, a question, money to hand back, and an alert."""
    CancellationPolicy.objects.update(no_show_fee_kind="percent", no_show_fee_value=5000)
    missed = journeys.booked(studio, 9)
    by_card(missed, 8000)
    asking = journeys.booked(studio, 11)
    cash(asking, 8000)
    request_refunds(
        bill_id=asking.bill_id or 0,
        subject_ref=f"booking:{asking.pk}",
        amount_minor=3000,
        reason=RefundReason.POLICY,
        now=NOW + timedelta(minutes=2),
    )
    send_help(booking_id=asking.pk, text="Hello?", now=NOW + timedelta(minutes=1))
    alert(asking)
    stopped.at = studio.at(9, 20)
    desk.do(missed, "no-show")
    Service.objects.update(needs_answer=True)
    journeys.booked(studio, 10, start_minute=studio.minute(16, days=5), now=stopped.at)

    assert sorted(listed(desk)[:2]) == ["Booking request", "No-show"]
    assert listed(desk)[2:] == [str(AlertKind.STUCK.label), "Message from the customer", "Money to hand back"]
    assert count(desk) == 5


def test_a_missed_visit_shows_its_fee_and_the_time_left(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    CancellationPolicy.objects.update(no_show_fee_kind="percent", no_show_fee_value=5000)
    booking = journeys.booked(studio, 12)
    by_card(booking, 8000)
    stopped.at = studio.at(12, 20)
    desk.do(booking, "no-show")

    html = desk.client.get(HANDS).content.decode()

    assert "€40.00" in html
    assert "ends in 24 hours, Wed 6 Jan, 12:20" in html
    assert f"/desk/bookings/{booking.reference}/waive?back=hands" in html
    assert desk.do(booking, "waive", query={"back": "hands"}, reason="Ill")["Location"] == HANDS


def test_an_alert_is_settled_with_a_sentence(desk: DeskClient, booking: Booking) -> None:
    found = alert(booking)

    empty = desk.client.post(f"/desk/hands/{found.pk}/", {"resolution": " "})
    done = desk.client.post(f"/desk/hands/{found.pk}/", {"resolution": "Called the bank."})

    found.refresh_from_db()
    assert (empty.status_code, done.status_code) == (422, 302)
    assert (found.resolution, found.resolved_by, found.resolved_at) == ("Called the bank.", str(desk.user), NOW)
    assert listed(desk) == []


def test_a_settled_alert_keeps_its_first_sentence(desk: DeskClient, booking: Booking) -> None:
    found = alert(booking)
    resolve_alert(alert_id=found.pk, resolution="Called the bank.", actor_name="Olivia", now=NOW)

    assert desk.client.post(f"/desk/hands/{found.pk}/", {"resolution": "Mine"}).status_code == 404


def test_only_what_may_be_seen_is_listed(client: Client, booking: Booking, studio: Studio) -> None:
    found = alert(booking)
    send_help(booking_id=booking.pk, text="Hello?", now=NOW)
    raise_alert(kind=AlertKind.UNKNOWN_MONEY, key="2", now=NOW)
    elsewhere = at_desk(client, Role.MANAGER, factories.location(name="Alfama"))

    assert listed(elsewhere) == []
    assert count(elsewhere) == 0
    assert elsewhere.client.get(f"/desk/hands/{found.pk}/").status_code == 404
    assert len(listed(at_desk(client, Role.FRONT_DESK, studio.location))) == 2
    assert len(listed(at_desk(client, Role.OWNER))) == 3


def test_an_auditor_reads_the_list_and_settles_nothing(client: Client, booking: Booking) -> None:
    found = alert(booking)
    desk = at_desk(client, Role.AUDITOR)

    html = desk.client.get(HANDS).content.decode()

    assert str(AlertKind.STUCK.label) in html
    assert f"/desk/hands/{found.pk}/" not in html
    assert desk.client.post(f"/desk/hands/{found.pk}/", {"resolution": "Mine"}).status_code == 404


def test_a_therapist_has_no_such_list(client: Client, booking: Booking) -> None:
    desk = at_desk(client, Role.THERAPIST, of=booking)

    assert desk.client.get(HANDS).status_code == 404
    assert HANDS not in desk.client.get("/desk/").content.decode()


@pytest.mark.parametrize(
    ("paid", "back", "is_listed"), [(0, 0, True), (7999, 0, True), (8000, 0, False), (8000, 100, True)]
)
def test_past_visits_of_which_something_is_open_stand_below(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock, paid: int, back: int, is_listed: bool
) -> None:
    if paid:
        payment = cash(booking, paid)
        if back:
            Refund.objects.create(
                payment=payment, status="succeeded", reason="staff", currency="EUR", amount_minor=back, created_at=NOW
            )
    stopped.at = studio.at(11)

    html = desk.client.get(HANDS).content.decode()

    assert ("Open balances of past visits" in html) is is_listed
    assert count(desk) == 0


def test_visits_ahead_and_long_ago_are_not_open_balances(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    assert "Open balances" not in desk.client.get(HANDS).content.decode()

    stopped.at = booking.ends_at + timedelta(days=60)
    assert "Open balances" not in desk.client.get(HANDS).content.decode()

    stopped.at -= timedelta(minutes=1)
    assert "Open balances" in desk.client.get(HANDS).content.decode()


def test_a_visit_cancelled_for_a_fee_is_listed_once_its_time_is_over(
    desk: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    stopped.at = studio.at(9)
    desk.do(booking, "cancel", who="customer")
    booking.refresh_from_db()
    assert booking.cancellation_fee_minor == 4000
    assert "Open balances" not in desk.client.get(HANDS).content.decode()

    stopped.at = booking.ends_at
    assert "Open balances" in desk.client.get(HANDS).content.decode()


def test_reading_costs_the_same_for_one_and_three_of_each(
    desk: DeskClient,
    studio: Studio,
    stopped: StoppedClock,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def one_of_each(hour: int) -> None:
        booking = journeys.booked(studio, hour)
        cash(booking, 8000, key=f"cash-{hour}")
        request_refunds(
            bill_id=booking.bill_id or 0,
            subject_ref=f"booking:{booking.pk}",
            amount_minor=3000,
            reason=RefundReason.POLICY,
            now=NOW,
        )
        send_help(booking_id=booking.pk, text="Hello?", now=NOW)
        alert(booking, key=str(hour))

    one_of_each(9)
    stopped.at = studio.at(16)
    sign_in_staff(desk.client, desk.user)
    with django_assert_max_num_queries(24) as one:
        desk.client.get(HANDS)
    one_of_each(11)
    one_of_each(13)

    with django_assert_num_queries(len(one)):
        desk.client.get(HANDS)

    assert len(listed(desk)) == 12


@pytest.mark.parametrize(("number", "is_said"), [(99, False), (101, True)])
def test_a_list_that_is_cut_says_that_more_waits(
    desk: DeskClient, booking: Booking, number: int, is_said: bool
) -> None:
    for key in range(number):
        alert(booking, key=str(key))

    html = desk.client.get(HANDS).content.decode()

    assert ("These are the 100 oldest of each kind." in html) is is_said
    assert len(listed(desk)) == min(number, 100)
    assert count(desk) == number


def test_who_settles_an_alert_sees_whose_booking_it_is_about(desk: DeskClient, booking: Booking) -> None:
    found = alert(booking)

    html = desk.client.get(f"{HANDS}{found.pk}/").content.decode()

    assert f'<a href="/desk/bookings/{booking.reference}/">Jana Weber</a> · Tue 5 Jan, 10:00' in html


# --- past visits that nobody marked -----------------------------------------------------------------------------------


def test_a_past_visit_that_nobody_marked_is_asked_about_and_never_marked_by_itself(
    desk: DeskClient, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.at = booking.ends_at + timedelta(hours=2) - timedelta(seconds=1)
    assert (listed(desk), count(desk)) == ([], 0)

    stopped.at += timedelta(seconds=1)
    html = desk.client.get(HANDS).content.decode()
    assert (listed(desk), count(desk)) == (["Completed or no-show?"], 1)
    assert f"/desk/bookings/{booking.reference}/complete?back=hands" in html
    assert f"/desk/bookings/{booking.reference}/no-show?back=hands" in html
    booking.refresh_from_db()
    assert booking.status == "confirmed"

    assert desk.do(booking, "complete", query={"back": "hands"})["Location"] == HANDS
    assert (listed(desk), count(desk)) == ([], 0)


def test_visits_are_asked_about_as_long_as_a_no_show_can_be_marked(
    desk: DeskClient, booking: Booking, stopped: StoppedClock
) -> None:
    stopped.at = booking.starts_at + timedelta(days=14)
    assert listed(desk) == ["Completed or no-show?"]

    stopped.at += timedelta(seconds=1)
    assert listed(desk) == []


@pytest.mark.parametrize("step", ["start", "no-show"])
def test_a_visit_that_was_marked_is_not_asked_about(
    desk: DeskClient, booking: Booking, stopped: StoppedClock, step: str
) -> None:
    stopped.at = booking.starts_at + timedelta(minutes=20)
    desk.do(booking, step)
    stopped.at = booking.ends_at + timedelta(hours=3)

    assert listed(desk) == []


# --- visits whose person, room or place is gone -------------------------------------------------------------------


def test_visits_ahead_with_somebody_who_left_are_listed_until_somebody_else_has_them(
    desk: DeskClient, studio: Studio, booking: Booking
) -> None:
    leaver = booking.lines.get().staff_member
    assert leaver is not None
    StaffMember.objects.filter(pk=leaver.pk).update(is_active=False)

    html = desk.client.get(HANDS).content.decode()
    assert "Cannot take place as booked" in html
    assert f"{leaver.name} takes no bookings any more." in html
    assert count(desk) == 1

    [other] = [person for person in studio.staff if person != leaver]
    reschedule_booking(
        booking_id=booking.pk, start_minute=studio.minute(10), staff_member_id=other.pk,
        expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=journeys.DESK, now=NOW,
    )  # fmt: skip
    assert listed(desk) == []
    assert count(desk) == 0


def test_visits_ahead_in_a_room_or_at_a_place_that_is_gone_are_listed(desk: DeskClient, studio: Studio) -> None:
    kind = factories.resource_type()
    room = factories.room(studio.location, kind)
    factories.requirement(studio.variant.service, kind)
    journeys.booked(studio, 12)
    assert listed(desk) == []

    Resource.objects.filter(pk=room.pk).update(is_active=False)
    assert "A room or device of this visit is switched off." in desk.client.get(HANDS).content.decode()

    Location.objects.update(is_active=False)
    assert "Kreuzberg is switched off." in desk.client.get(HANDS).content.decode()


# --- texts of customers -----------------------------------------------------------------------


def texted(booking: Booking, words: str = "I can't come today", ref: str = "SM1") -> InboundMessage:
    store_text(
        provider_ref=ref,
        channel=Channel.SMS,
        sender=booking.contact_phone or "+4915112340000",
        text=words,
        opt_out="",
        now=NOW,
    )
    return InboundMessage.objects.get(provider_ref=ref)


def page(desk: DeskClient) -> str:
    return unescape(desk.client.get(HANDS).content.decode())


def test_a_text_is_listed_with_the_booking_of_its_number_until_it_is_dealt_with(
    desk: DeskClient, booking: Booking
) -> None:
    text = texted(booking)

    html = page(desk)
    assert listed(desk) == ["Text message"]
    assert "“I can't come today”" in html
    assert f"/desk/bookings/{booking.reference}/" in html
    assert count(desk) == 1

    desk.client.post(f"/desk/hands/texts/{text.pk}/done")

    text.refresh_from_db()
    assert (text.handled_by, text.outcome) == (str(desk.user), "ignored")
    assert listed(desk) == []
    assert count(desk) == 0
    assert not Suppression.objects.exists()


def test_one_press_ends_texts_to_the_number(desk: DeskClient, booking: Booking) -> None:
    text = texted(booking, "I really do not want these any longer")

    for _ in range(2):
        desk.client.post(f"/desk/hands/texts/{text.pk}/stop")

    pseudonym = address_hash("sms", booking.contact_phone)
    assert set(Suppression.objects.values_list("channel", "address_hash", "reason")) == {
        ("sms", pseudonym, "stop"),
        ("whatsapp", pseudonym, "stop"),
    }
    assert listed(desk) == []


def test_cancel_is_listed_and_the_booking_stands(desk: DeskClient, booking: Booking) -> None:
    texted(booking, "CANCEL")

    html = page(desk)
    assert "This number gets no more texts. If the visit is meant, cancel it on the page of the booking." in html
    assert "Send no more texts" not in html
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_texts_of_other_places_and_of_unknown_numbers_are_not_for_everybody(
    client: Client, booking: Booking, studio: Studio
) -> None:
    known, unknown = texted(booking), texted(Booking(), "Who is this?", "SM2")
    other = factories.location(name="Mitte", slug="mitte")
    elsewhere = at_desk(Client(), Role.FRONT_DESK, other)
    here = at_desk(Client(), Role.FRONT_DESK, studio.location)
    owner = at_desk(client, Role.OWNER)

    assert [listed(each) for each in (elsewhere, here, owner)] == [[], ["Text message"], ["Text message"] * 2]
    assert "No booking has this number: +49 1511 2340000." in page(owner)
    assert [
        elsewhere.client.post(f"/desk/hands/texts/{known.pk}/stop").status_code,
        here.client.post(f"/desk/hands/texts/{unknown.pk}/stop").status_code,
        owner.client.post(f"/desk/hands/texts/{unknown.pk}/stop").status_code,
    ] == [404, 404, 302]
    assert Suppression.objects.count() == 2


def test_an_online_visit_of_the_next_day_without_a_link_is_listed_until_there_is_one(
    desk: DeskClient, studio: Studio, stopped: StoppedClock
) -> None:
    Service.objects.update(delivery="online")
    tomorrow = journeys.booked(studio, 10, staff_member_id=studio.staff[1].pk)
    assert tomorrow.starts_at - stopped.at > timedelta(hours=24)
    assert (listed(desk), count(desk)) == ([], 0)

    stopped.at = tomorrow.starts_at - timedelta(hours=24)
    page = unescape(desk.client.get(HANDS).content.decode())
    assert (listed(desk), count(desk)) == (["Online visit without a link"], 1)
    assert f"/desk/bookings/{tomorrow.reference}/reply?back=hands" in page

    StaffMember.objects.filter(pk=studio.staff[1].pk).update(meeting_url="https://meet.example/ana")
    assert (listed(desk), count(desk)) == ([], 0)
