"""The page of the access log: who may read it, what it finds, its file; and that reading it is logged as well."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessLog, Customer, User
from bookings.models import Booking
from staff.enums import Role
from tests import factories
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock

pytestmark = pytest.mark.django_db

LOG = "/desk/access/"
CSV = "/desk/access/access-log.csv"


def rows(client: Client, query: str = "") -> list[tuple[str, str, str]]:
    """Who, record and act of the rows, in the order of the page."""
    response = client.get(f"{LOG}{query}")
    assert response.status_code == 200
    html = response.content.decode()
    who = re.findall(r'list-who" role="cell"><b><bdi>([^<]+)<', html)
    what = re.findall(r'list-by" role="cell">\s*(\S[^\n]*)\n', html)
    act = re.findall(r'<span class="badge[^>]*>.*?</svg>\s*(\w+)\s*</span>', html, re.DOTALL)
    return list(zip(who, what, act, strict=True))


def table(client: Client, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"{CSV}{query}").getvalue().decode().removeprefix("\ufeff")
    return list(csv.DictReader(StringIO(text)))


def reader(name: str, role: Role, studio: Studio, address: str = "203.0.113.1") -> Client:
    client = Client(REMOTE_ADDR=address)
    place = None if role in {Role.OWNER, Role.AUDITOR} else studio.location
    user = factories.desk_user(role, place, email=f"{name.lower()}@studio.example", name=name)
    sign_in_staff(client, user)
    return client


@pytest.fixture
def booking(studio: Studio, stopped: StoppedClock) -> Booking:
    """One that Mia of the front desk and the manager Max have opened; Max its customer as well."""
    booking = booked(studio, staff_member_id=studio.staff[0].pk)
    reader("Mia", Role.FRONT_DESK, studio).get(f"/desk/bookings/{booking.reference}/")
    stopped.at = NOW + timedelta(days=1)
    max_ = reader("Max", Role.MANAGER, studio, "203.0.113.2")
    max_.get(f"/desk/bookings/{booking.reference}/")
    max_.get(f"/desk/customers/{of(booking).reference}/")
    return booking


@pytest.fixture
def auditor(client: Client, booking: Booking) -> DeskClient:
    return at_desk(client, Role.AUDITOR, email="ada@studio.example", name="Ada")


def of(booking: Booking) -> Customer:
    assert booking.customer
    return booking.customer


def test_the_page_says_who_read_what(auditor: DeskClient, booking: Booking) -> None:
    assert rows(auditor.client) == [
        ("Max", "Customer", "Viewed"),
        ("Max", "Booking", "Viewed"),
        ("Mia", "Booking", "Viewed"),
    ]
    html = auditor.client.get(LOG).content.decode()
    assert f'href="/desk/customers/{of(booking).reference}/"' in html
    assert f'href="/desk/bookings/{booking.reference}/?back=%2Fdesk%2Faccess%2F"' in html
    assert "Jana Weber" in html


def test_filters_are_in_the_address(auditor: DeskClient, booking: Booking) -> None:
    mia = User.objects.get(name="Mia")
    factories.desk_user(Role.MANAGER, email="mo@studio.example", name="Mo")

    choices = auditor.client.get(LOG).content.decode().split('name="who"')[1].split("</select>")[0]
    assert re.findall(r">([^<\n]+)</option>", choices) == ["Any", "Max", "Mia"]
    assert rows(auditor.client, f"?who={mia.pk}") == [("Mia", "Booking", "Viewed")]
    assert rows(auditor.client, "?record=customer") == [("Max", "Customer", "Viewed")]
    assert rows(auditor.client, "?until=2027-01-04&act=viewed") == [("Mia", "Booking", "Viewed")]
    assert rows(auditor.client, "?from=2027-01-05&record=booking") == [("Max", "Booking", "Viewed")]
    assert rows(auditor.client, "?act=exported") == []
    assert rows(auditor.client, "?sort=who&record=booking") == [
        ("Max", "Booking", "Viewed"),
        ("Mia", "Booking", "Viewed"),
    ]


def test_a_customer_is_found_with_the_bookings_and_a_booking_alone(auditor: DeskClient, booking: Booking) -> None:
    assert len(rows(auditor.client, f"?q={of(booking).reference.lower()}")) == 3
    assert len(rows(auditor.client, f"?q={booking.reference[:3]}+{booking.reference[3:]}")) == 2
    assert rows(auditor.client, "?q=ZZZZZZ") == []


def test_an_address_is_found_by_its_code_and_a_new_one_is_marked(
    auditor: DeskClient, booking: Booking, studio: Studio, stopped: StoppedClock
) -> None:
    code = AccessLog.objects.filter(user_name="Max")[0].address_hash[:6]
    assert {who for who, _, _ in rows(auditor.client, f"?q={code}")} == {"Max"}
    assert "another than before" not in auditor.client.get(LOG).content.decode()

    stopped.pass_minutes(5)
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    sign_in_staff(elsewhere, User.objects.get(name="Mia"))
    elsewhere.get(f"/desk/bookings/{booking.reference}/")

    assert auditor.client.get(f"{LOG}?record=booking").content.decode().count("another than before") == 1


def test_reading_the_log_is_logged(auditor: DeskClient, booking: Booking) -> None:
    auditor.client.get(LOG)
    auditor.client.get(f"{LOG}?q={booking.reference}")
    table(auditor.client, "?record=booking")

    read = (
        AccessLog.objects.filter(record="access").order_by("pk").values_list("user_name", "act", "reference", "count")
    )
    assert list(read) == [("Ada", "viewed", "", None), ("Ada", "searched", "", 2), ("Ada", "exported", "", 2)]


def test_the_file_names_records_by_reference_only(auditor: DeskClient, booking: Booking) -> None:
    found = table(auditor.client)
    text = auditor.client.get(CSV).getvalue().decode()

    assert [row["user"] for row in found] == ["Max", "Max", "Mia"]
    assert found[-1] == found[-1] | {
        "date": "2027-01-04",
        "time zone": "Europe/Berlin",
        "roles": "front_desk",
        "record": "booking",
        "act": "viewed",
        "reference": booking.reference,
        "rows": "",
    }
    assert "Jana" not in text


@pytest.mark.parametrize("role", [Role.MANAGER, Role.FRONT_DESK, Role.THERAPIST])
def test_only_owners_and_auditors_of_everything_read_it(client: Client, booking: Booking, role: Role) -> None:
    desk = at_desk(client, role, of=booking if role is Role.THERAPIST else None)

    assert [desk.client.get(path).status_code for path in (LOG, CSV)] == [404, 404]
    assert LOG not in desk.client.get("/desk/bookings/").content.decode()


def test_an_auditor_of_one_location_reads_none(client: Client, studio: Studio) -> None:
    assert at_desk(client, Role.AUDITOR, studio.location).client.get(LOG).status_code == 404


def test_the_menu_leads_to_it(client: Client, studio: Studio) -> None:
    assert f'href="{LOG}"' in at_desk(client, Role.OWNER).client.get("/desk/bookings/").content.decode()


def test_pages_show_every_reading_once(auditor: DeskClient, booking: Booking) -> None:
    template = AccessLog.objects.filter(user_name="Mia").get()
    AccessLog.objects.bulk_create(
        AccessLog(**{**values(template), "at": NOW + timedelta(seconds=each // 2)}) for each in range(120)
    )
    seen, address = 0, f"{LOG}?record=booking"
    while address:
        html = auditor.client.get(address).content.decode()
        seen += html.count('class="list-row"')
        before, found, _ = html.partition('" rel="next"')
        address = before.rpartition('href="')[2].replace("&amp;", "&") if found else ""

    assert seen == 122


@pytest.mark.parametrize("query", ["", "?q={customer}", "?record=booking&sort=who"])
def test_one_and_fifty_rows_take_the_same_statements(
    auditor: DeskClient, booking: Booking, studio: Studio, query: str
) -> None:
    address = LOG + query.format(customer=of(booking).reference)
    template = AccessLog.objects.filter(user_name="Mia").get()
    counts = []
    for number in (0, 40):
        others = [
            booked(studio, start_minute=studio.minute(9 + each % 8, days=2 + each // 8)) for each in range(number)
        ]
        AccessLog.objects.bulk_create(AccessLog(**{**values(template), "reference": each.reference}) for each in others)
        with CaptureQueriesContext(connection) as queries:
            auditor.client.get(address)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16


@pytest.mark.parametrize("typed", ["%", "\\", "x" * 300, "<script>", "🙂", "abcdef0123", "=1+1"])
def test_a_search_survives_whatever_is_typed(auditor: DeskClient, booking: Booking, typed: str) -> None:
    html = auditor.client.get(LOG, {"q": typed}).content.decode()

    assert "Nothing found for" in html
    assert "<script>" not in html


def test_a_record_that_does_not_exist_is_shown_as_it_was_asked_for(auditor: DeskClient, studio: Studio) -> None:
    reader("Moe", Role.FRONT_DESK, studio).get("/desk/bookings/NOSUCH/")

    assert rows(auditor.client, "?q=nosuch") == [("Moe", "Booking", "Refused")]
    html = auditor.client.get(f"{LOG}?act=refused").content.decode()
    assert "NOSUCH" in html
    assert 'href="/desk/bookings/NOSUCH/' not in html


def values(row: AccessLog) -> dict[str, object]:
    names = [field.attname for field in AccessLog._meta.concrete_fields if not field.primary_key]
    return {name: getattr(row, name) for name in names}


def test_a_merged_customers_readings_are_found(auditor: DeskClient, booking: Booking, studio: Studio) -> None:
    other = booked(studio, 14, contact=replace(JANA, name="Jana W.", email="jw@example.com"))
    reader("Mo", Role.MANAGER, studio).get(f"/desk/customers/{of(other).reference}/")
    Customer.objects.filter(pk=of(other).pk).update(merged_into=of(booking))

    assert ("Mo", "Customer", "Viewed") in rows(auditor.client, f"?q={of(booking).reference}")


# --- on the page of a customer --------------------------------------------------------------------------------------


def test_a_customers_page_says_who_opened_it(auditor: DeskClient, booking: Booking) -> None:
    html = auditor.client.get(f"/desk/customers/{of(booking).reference}/").content.decode()

    opened = html.split("Who opened this")[1]
    assert re.findall(r"<bdi>([^<]+)</bdi>", opened) == ["Max, Manager", "Max, Manager", "Mia, Front desk"]
    assert "Viewed: Customer · Tue 5 Jan 2027, 07:00" in opened
    assert f'href="{LOG}?q={of(booking).reference}"' in opened


def test_it_lists_the_last_ten_and_takes_the_same_statements(auditor: DeskClient, booking: Booking) -> None:
    template = AccessLog.objects.filter(user_name="Mia").get()
    path, counts = f"/desk/customers/{of(booking).reference}/", []
    for number in (0, 30):
        AccessLog.objects.bulk_create(AccessLog(**values(template)) for _ in range(number))
        with CaptureQueriesContext(connection) as queries:
            html = auditor.client.get(path).content.decode()
        counts.append(len(queries))

    assert html.split("Who opened this")[1].count("<bdi>") == 10
    assert counts[0] == counts[1]


def test_a_manager_does_not_see_who_opened_it(client: Client, booking: Booking) -> None:
    manager = at_desk(client, Role.MANAGER).client
    with CaptureQueriesContext(connection) as queries:
        html = manager.get(f"/desk/customers/{of(booking).reference}/").content.decode()

    assert "Who opened this" not in html
    assert [query["sql"] for query in queries if 'FROM "accounts_accesslog"' in query["sql"]] == []


def test_a_refusal_is_not_an_opening(auditor: DeskClient, booking: Booking, studio: Studio) -> None:
    other = booked(studio, 14, staff_member_id=studio.staff[1].pk)
    reader("Thea", Role.THERAPIST, studio).get(f"/desk/customers/{of(booking).reference}/")

    html = auditor.client.get(f"/desk/customers/{of(booking).reference}/").content.decode()

    assert AccessLog.objects.filter(user_name="Thea", act="refused").exists()
    assert "Thea" not in html
    assert other
