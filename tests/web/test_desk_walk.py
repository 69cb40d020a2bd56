"""Every list and every act of the desk, with two places: no role at one of them reaches a booking of the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from bookings.models import Booking
from bookings.operations.help import send_help
from dashboard.presenters.progress import Mark
from dashboard.urls import urlpatterns
from notifications.models import Notification
from payments.enums import AlertKind, RefundReason
from payments.models import MoneyAlert
from payments.operations import raise_alert, request_refunds
from staff.enums import Role
from staff.models import Access, StaffMember
from tests import factories
from tests.desk import DeskClient, at_desk, cash
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked
from tests.web.conftest import StoppedClock

DAY = "2027-01-05"
LISTS = {
    "day": f"/desk/?on={DAY}&at=alfama",
    "bookings": "/desk/bookings/",
    "bookings as CSV": "/desk/bookings/bookings.csv",
    "search": "/desk/bookings/?q=Foreign",
    "to-do": "/desk/hands/",
    "payments": f"/desk/payments/?from=2027-01-01&until={DAY}",
    "payments as CSV": f"/desk/payments/payments.csv?from=2027-01-01&until={DAY}",
    "message log": "/desk/messages/log/",
    "failed messages": "/desk/messages/log/?only=failed",
    "searched messages": "/desk/messages/log/?q=Foreign",
    "messages as CSV": "/desk/messages/log/messages.csv",
    "messages": "/desk/messages/",
    "sample of a message": "/desk/messages/confirmed/customer/email/preview",
}
"""The address of each page that lists bookings or shows one as a sample."""
LINK = re.compile(r'(?:href|action)="(/desk/[^"#]*)"')


@dataclass
class Foreign:
    """What the other place has: a booking that each list of the desk names, all of them over."""

    studio: Studio
    to_hand_back: Booking
    unpaid: Booking
    alarming: Booking
    asking: Booking
    alert: MoneyAlert

    @property
    def bookings(self) -> list[Booking]:
        return [self.to_hand_back, self.unpaid, self.alarming, self.asking]

    def named_in(self, html: str) -> set[str]:
        """What the text tells of these bookings: references, names and addresses."""
        told = {word for each in self.bookings for word in (each.reference, each.contact_name, each.contact_email)}
        return {word for word in told if word in html}

    def acts(self, booking: Booking) -> Iterator[str]:
        """The address of every page and act about a booking, and about what hangs on it."""
        for pattern in urlpatterns:
            given = {}
            for name in pattern.pattern.converters:
                match name:
                    case "reference":
                        given[name] = booking.reference
                    case "alert_id":
                        given[name] = self.alert.pk
                    case "message_id" if pattern.name == "desk_message_again":
                        given[name] = Notification.objects.filter(subject_ref=f"booking:{booking.pk}").earliest("pk").pk
                    case "number":
                        given[name] = "2027-000001"
            if {"reference", "alert_id"} & set(given) or pattern.name == "desk_message_again":
                yield reverse(str(pattern.name), kwargs=given)


@pytest.fixture
def foreign(studio: Studio, stopped: StoppedClock) -> Foreign:
    place = factories.location(name="Alfama", slug="alfama", position=2)
    variant = factories.service(place, slug="alfama-massage")
    there = Studio(studio.business, place, variant, [factories.staff_member(variant, at=place, name="Ines Costa")])
    back, unpaid, alarming, asking = (
        booked(there, hour, contact=replace(JANA, name=f"Foreign {word}", email=f"{word}@example.com".lower()))
        for hour, word in ((9, "Return"), (11, "Unpaid"), (13, "Alarm"), (15, "Question"))
    )
    booked(studio, 10)
    for each in (back, alarming, asking):
        cash(each, 8000)
    request_refunds(
        bill_id=back.bill_id or 0,
        subject_ref=f"booking:{back.pk}",
        amount_minor=3000,
        reason=RefundReason.POLICY,
        now=NOW,
    )
    raise_alert(kind=AlertKind.STUCK, key="1", subject_ref=f"booking:{alarming.pk}", now=NOW)
    send_help(booking_id=asking.pk, text="Hello?", now=NOW)
    stopped.at = there.at(18)
    return Foreign(there, back, unpaid, alarming, asking, MoneyAlert.objects.get())


@pytest.fixture(params=[Role.FRONT_DESK, Role.MANAGER, Role.AUDITOR, Role.THERAPIST], ids=str)
def desk(request: pytest.FixtureRequest, client: Client, studio: Studio, foreign: Foreign) -> DeskClient:
    """Somebody with a role at the first place alone."""
    here = Booking.objects.get(location=studio.location)
    return at_desk(client, request.param, studio.location, of=here)


@pytest.fixture
def owner(client: Client, foreign: Foreign) -> DeskClient:
    return at_desk(client, Role.OWNER)


def text_of(desk: DeskClient, address: str) -> str:
    return re.sub(r'value="Foreign"', "", body_of(desk.client.get(address)))


def body_of(response: HttpResponse) -> str:
    """The text of an answer, also of one that is streamed."""
    return response.getvalue().decode()


def test_the_owner_finds_each_booking_on_its_list(owner: DeskClient, foreign: Foreign) -> None:
    """Or the walk of the others would prove nothing."""
    everybody = {each.contact_name for each in foreign.bookings}
    named = {name: foreign.named_in(text_of(owner, address)) for name, address in LISTS.items()}

    for name in ("day", "bookings", "bookings as CSV", "search", "to-do", "message log", "messages as CSV"):
        assert everybody <= named[name], name
    assert everybody - {"Foreign Unpaid"} <= named["payments"] & named["payments as CSV"]
    assert {owner.page(each).status_code for each in foreign.bookings} == {200}


@pytest.mark.parametrize("name", LISTS)
def test_no_list_names_a_booking_of_another_place(desk: DeskClient, foreign: Foreign, name: str) -> None:
    assert foreign.named_in(text_of(desk, LISTS[name])) == set()


def test_no_page_leads_to_one_that_is_closed(desk: DeskClient, foreign: Foreign) -> None:
    """What presenters show by a right and what the table asks for are the same right."""
    here = Booking.objects.exclude(pk__in=[each.pk for each in foreign.bookings]).get()
    pages = [desk.page(here), *map(desk.client.get, LISTS.values())]
    shown = {unescape(link) for page in pages if page.status_code == 200 for link in LINK.findall(body_of(page))}
    closed = {link for link in shown if desk.client.get(link).status_code in {403, 404}}

    assert len(shown) > 3
    assert closed == set()


def test_no_act_reaches_a_booking_of_another_place(desk: DeskClient, foreign: Foreign) -> None:
    assert_nothing_can_be_done(desk, foreign, foreign.alarming)


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_a_role_at_one_place_counts_for_no_act_at_another(
    client: Client, studio: Studio, foreign: Foreign, role: Role
) -> None:
    """Somebody audits the other place, and so sees its bookings."""
    desk = at_desk(client, role, studio.location)
    Access.objects.create(user=desk.user, role=Role.AUDITOR, location=foreign.studio.location)

    assert desk.page(foreign.alarming).status_code == 200
    assert_nothing_can_be_done(desk, foreign, foreign.alarming, reads=("messages", "receipts", ""))


def test_who_performs_a_visit_elsewhere_marks_it_and_does_nothing_more(
    client: Client, studio: Studio, foreign: Foreign
) -> None:
    desk = at_desk(client, Role.MANAGER, studio.location)
    Access.objects.create(user=desk.user, role=Role.THERAPIST, location=None)
    StaffMember.objects.filter(booking_lines__booking=foreign.alarming).update(user=desk.user)

    assert desk.page(foreign.alarming).status_code == 200
    notes = ("visit", "note", "follow-up", "follow-up-done")
    marks = (str(mark).replace("_", "-") for mark in Mark)
    assert_nothing_can_be_done(desk, foreign, foreign.alarming, reads=("no-show", "came", "", *notes, *marks))


def test_a_therapist_finds_the_own_visits_alone(client: Client, studio: Studio, foreign: Foreign) -> None:
    desk = at_desk(client, Role.THERAPIST, of=foreign.unpaid)
    StaffMember.objects.filter(name="Ines Costa").update(user=None)
    StaffMember.objects.filter(name="Marek Nowak").update(user=desk.user)

    for name in ("day", "search"):
        assert foreign.named_in(text_of(desk, LISTS[name])) == set(), name


def assert_nothing_can_be_done(
    desk: DeskClient, foreign: Foreign, booking: Booking, *, reads: tuple[str, ...] = ()
) -> None:
    """Every page answers 404 to GET and POST (405 where it knows one of them only); ``reads`` are not walked."""
    walked = 0
    for address in foreign.acts(booking):
        if address.removeprefix(f"/desk/bookings/{booking.reference}/").split("/")[0] in reads:
            continue
        got, posted = (ask(address).status_code for ask in (desk.client.get, desk.client.post))
        assert {got, posted} in ({404}, {404, 405}), (address, got, posted)
        walked += 1
    assert walked > 15
