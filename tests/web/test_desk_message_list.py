"""The message log as a list: filters, order, pages, and a CSV without the texts."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.contact.same_phones import phone_hash
from bookings.models import Booking
from notifications.enums import Channel, NotificationStatus
from notifications.models import Notification
from staff.enums import Role
from staff.models import Access
from tests import factories
from tests.desk import at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked
from tests.web.conftest import StoppedClock

LOG = "/desk/messages/log/"
CSV = "/desk/messages/log/messages.csv"


def rows(client: Client, query: str | dict[str, str] = "") -> list[str]:
    """What the rows are about, in the order of the page."""
    response = client.get(LOG, query) if isinstance(query, dict) else client.get(f"{LOG}{query}")
    assert response.status_code == 200
    return re.findall(r'sent-words" role="cell">\s*<b>([^<]+)</b>', response.content.decode())


def table(client: Client, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"{CSV}{query}").getvalue().decode().removeprefix("\ufeff")
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture
def log(client: Client, studio: Studio, stopped: StoppedClock) -> Booking:
    """Messages of two bookings. Of Jana's one was sent, and one failed as a text to her phone."""
    booking = booked(studio, 10)
    booked(studio, 12, contact=replace(JANA, name="Ben Adler", email="ben@mail.example", phone=""))
    of_jana = Notification.objects.filter(subject_ref=f"booking:{booking.pk}")
    of_jana.filter(kind="confirmed", recipient_role="customer").update(
        status=NotificationStatus.SENT, sent_at=NOW, body="Your code is 1234"
    )
    reminder = of_jana.filter(kind="reminder", recipient_role="customer").earliest("pk")
    Notification.objects.filter(pk=reminder.pk).update(
        channel=Channel.SMS,
        address=phone_hash("+4915155501827"),
        phone="+4915155501827",
        status=NotificationStatus.PERMANENT_FAILURE,
        error="=unknown number",
        sent_at=NOW + timedelta(days=2),
    )
    at_desk(client, Role.MANAGER, studio.location)
    return booking


def test_filters_add_up_and_stay_in_the_address(client: Client, log: Booking) -> None:
    assert len(rows(client)) == Notification.objects.count() > 4
    assert rows(client, "?channel=sms") == rows(client, "?only=failed") == ["Reminder"]
    assert rows(client, "?kind=confirmed-customer") == ["Booked", "Booked"]
    assert rows(client, "?kind=confirmed-staff") == ["New booking", "New booking"]
    assert rows(client, "?kind=confirmed-customer&only=sent") == ["Booked"]
    assert rows(client, "?only=failed&channel=email") == []
    html = client.get(f"{LOG}?only=failed&channel=sms").content.decode()
    assert "Channel: SMS" in html
    assert f'href="{LOG}?channel=sms&amp;only=waiting"' in html
    assert log


@pytest.mark.parametrize("typed", ["ben@mail", "BEN@mail.example", "ben a"])
def test_a_search_finds_an_address_or_a_customer(client: Client, log: Booking, typed: str) -> None:
    ben = Booking.objects.exclude(pk=log.pk).get()
    about = Notification.objects.filter(subject_ref=f"booking:{ben.pk}")
    expected = about.count() if typed == "ben a" else about.filter(address="ben@mail.example").count()

    assert len(rows(client, {"q": typed})) == expected > 0


@pytest.mark.parametrize("typed", ["+4915155501827", "+49 (151) 5550-1827"])
def test_a_whole_phone_number_finds_its_texts(client: Client, log: Booking, typed: str) -> None:
    assert rows(client, {"q": typed}) == ["Reminder"]
    assert rows(client, {"q": "+49 151 5550 1828"}) == []
    assert len(rows(client, {"q": log.reference.lower()})) == len(
        Notification.objects.filter(subject_ref=f"booking:{log.pk}")
    )


@pytest.mark.parametrize("typed", ["%", "\\", "x" * 300, "<script>", "🙂"])
def test_a_search_survives_whatever_is_typed(client: Client, log: Booking, typed: str) -> None:
    html = client.get(LOG, {"q": typed}).content.decode()

    assert "No message found for" in html
    assert "<script>" not in html
    assert log


def test_days_are_those_that_the_rows_show(client: Client, log: Booking) -> None:
    assert rows(client, "?from=2027-01-06&until=2027-01-06") == ["Reminder"]
    assert "Booked" in rows(client, "?until=2027-01-04")
    assert rows(client, "?until=2027-01-03") == []
    assert log


def test_columns_sort(client: Client, log: Booking) -> None:
    assert rows(client)[0] == "Reminder"
    assert rows(client, "?order=asc")[-1] == "Reminder"
    assert rows(client, "?sort=kind")[:4] == ["Booked", "Booked", "New booking", "New booking"]
    html = client.get(f"{LOG}?sort=status").content.decode()
    assert html.count("aria-sort") == 1
    assert 'aria-sort="ascending"' in html
    assert log


@pytest.mark.parametrize("query", ["?only=nonsense", "?channel=fax", "?kind=x", "?from=1.1.", "?until=%20x"])
def test_a_filter_that_is_not_known_is_left_out_and_said(client: Client, log: Booking, query: str) -> None:
    html = client.get(f"{LOG}{query}").content.decode()

    assert "is left out, because the list does not know" in html
    assert len(rows(client, query)) == Notification.objects.count()
    assert log


def test_pages_show_every_message_once(client: Client, studio: Studio) -> None:
    for number in range(30):
        booked(studio, 9 + number % 8, start_minute=studio.minute(9 + number % 8, days=1 + number // 8))
    at_desk(client, Role.MANAGER, studio.location)
    total = Notification.objects.count()
    seen, address = 0, LOG

    while address:
        html = client.get(address).content.decode()
        seen += html.count('class="list-row"')
        before, found, _ = html.partition('" rel="next"')
        address = before.rpartition('href="')[2].replace("&amp;", "&") if found else ""

    assert seen == total > 50
    assert f"{total} messages" in html
    assert len(table(client)) == total


def test_the_file_has_no_texts_and_no_formulas(client: Client, log: Booking) -> None:
    response = client.get(CSV)
    text = response.getvalue().decode()
    [row] = table(client, "?only=failed")

    assert response.streaming
    assert "1234" not in text
    assert "body" not in text.splitlines()[0]
    assert (row["phone"], row["error"]) == ("'+4915155501827", "'=unknown number")
    assert (row["message"], row["to"], row["channel"]) == ("Reminder", "customer", "sms")
    assert (row["date"], row["time"], row["time zone"]) == ("2027-01-06", "07:00", "Europe/Berlin")
    assert (row["booking"], row["name"]) == (log.reference, "Jana Weber")


@pytest.mark.parametrize(
    ("role", "may_export"),
    [(Role.OWNER, True), (Role.MANAGER, True), (Role.FRONT_DESK, False), (Role.AUDITOR, False)],
)
def test_only_managers_and_owners_download_it(client: Client, studio: Studio, role: Role, may_export: bool) -> None:
    booked(studio, 10)
    at_desk(client, role, studio.location)

    assert rows(client)
    assert (CSV in client.get(LOG).content.decode()) == may_export
    assert client.get(CSV).status_code == (200 if may_export else 404)


def test_a_file_has_only_the_places_where_one_may_download(client: Client, studio: Studio, log: Booking) -> None:
    here = len(rows(client))
    place = factories.location(name="Alfama", slug="alfama", position=2)
    offered = factories.service(place, slug="far")
    there = Studio(studio.business, place, offered, [factories.staff_member(offered, at=place)])
    booked(there, 10, contact=replace(JANA, name="Audited"))
    desk = at_desk(client, Role.MANAGER, studio.location)
    Access.objects.create(user=desk.user, role=Role.AUDITOR, location=place)

    assert len(rows(client)) > here
    assert len(rows(client, "?at=alfama")) == len(rows(client)) - here
    assert len(table(client)) == here
    assert log


@pytest.mark.parametrize("query", ["", "?q=jana", "?q=%2B4915155501827", "?only=waiting&sort=kind"])
def test_one_and_fifty_rows_take_the_same_statements(client: Client, studio: Studio, query: str) -> None:
    at_desk(client, Role.MANAGER, studio.location)
    booked(studio, 9)
    counts = []
    for number in (0, 25):
        for each in range(number):
            booked(studio, start_minute=studio.minute(9 + each % 8, days=2 + each // 8))
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{LOG}{query}")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 14


def test_an_empty_log_says_what_will_be_here(client: Client, studio: Studio) -> None:
    at_desk(client, Role.MANAGER, studio.location)

    assert "No messages yet" in client.get(LOG).content.decode()
    assert "No message is like that" in client.get(f"{LOG}?only=failed").content.decode()
