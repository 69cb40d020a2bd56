"""Customers at the desk: the list with its search, filters and pages, one customer, and who sees what of them."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from bookings.models import Booking
from bookings.operations.no_show import mark_no_show
from bookings.operations.proven_customer import link_proven_customer
from staff.enums import Role
from tests import factories
from tests.desk import at_desk, cash
from tests.factories import NOW, Studio
from tests.journeys import DESK, JANA, booked, completed
from tests.signing_in import sign_in_staff

pytestmark = pytest.mark.django_db


def customer(name: str, email: str = "", phone: str = "", **values: Any) -> Customer:
    return Customer.objects.create(
        name=name, email=email, email_normalised=email or None, phone=phone, created_at=NOW, **values
    )


def listed(client: Client, query: str = "") -> list[str]:
    """The names in the order of the page."""
    html = client.get(f"/desk/customers/{query}").content.decode()
    return [part.split("</bdi>")[0] for part in html.split("<bdi>")[1:]]


def page(client: Client, of: Customer | Booking | None, query: str = "") -> str:
    reference = of.reference if isinstance(of, Customer) else of.customer.reference if of and of.customer else ""
    response = client.get(f"/desk/customers/{reference}/{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_list_is_in_the_order_of_names_and_says_when_someone_was_here(client: Client, studio: Studio) -> None:
    at_desk(client)
    last = completed(booked(studio, 10, contact=replace(JANA, name="Sofia Kaya")))
    coming = booked(studio, contact=replace(JANA, name="Sofia Kaya"), start_minute=studio.minute(11, days=3))
    customer("émile Zola")
    customer("Anton", tags=["Regular"])

    html = " ".join(client.get("/desk/customers/").content.decode().split())

    assert listed(client) == ["Anton", "émile Zola", "Sofia Kaya"]
    assert last.customer == coming.customer
    assert "3 customers" in html
    assert "1 visit" in html
    assert '<span class="tag">Regular</span>' in html
    assert "+49 1515 5501827" in html


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("kaya sof", ["Sofía Kayà"]),
        ("sofia@mail", ["Sofía Kayà"]),
        ("1827", ["Sofía Kayà"]),
        ("kaya 1827", ["Sofía Kayà"]),
        ("kaya 1828", []),
        ("+49 1515 5501827", ["Sofía Kayà"]),
        ("01515 5501827", ["Sofía Kayà"]),
        ("vip", ["Ben"]),
        ("%", []),
        ("\x00", None),
        ("_", []),
        ("\\", []),
        ("🙂", []),
        ("עדי", ["עדי כהן"]),
        ("x" * 10_000, []),
    ],
)
def test_a_search_finds_by_name_mail_number_and_tag(client: Client, typed: str, names: list[str] | None) -> None:
    factories.studio()
    at_desk(client)
    customer("Sofía Kayà", "sofia@mail.example", "+4915155501827")
    customer("Ben", "ben@mail.example", "+4915155501111", tags=["VIP"])
    customer("עדי כהן")

    response = client.get("/desk/customers/", {"q": typed})

    if names is None:
        assert response.status_code == 400
        return
    html = response.content.decode()
    assert [part.split("</bdi>")[0] for part in html.split("<bdi>")[1:]] == names
    assert ("No customer found for" in html) == (not names)


def test_a_search_as_one_types_gets_the_list_alone(client: Client) -> None:
    at_desk(client)
    customer("Sofia")

    html = client.get("/desk/customers/?q=sof", headers={"HX-Request": "true"}).content.decode()

    assert html.lstrip().startswith('<div id="list">')
    assert "Sofia" in html


def test_filters_stay_in_the_address_and_add_up(client: Client, studio: Studio) -> None:
    at_desk(client)
    ahead = booked(studio, 10, contact=replace(JANA, name="Ahead"))
    missed = booked(studio, 11, contact=replace(JANA, name="Missed"))
    mark_no_show(
        booking_id=missed.pk,
        expected_sequence=missed.ical_sequence,
        actor=DESK,
        now=missed.starts_at + timedelta(minutes=20),
    )
    customer("Blocked", is_blocked=True, tags=["VIP"])
    Customer.objects.filter(name="Ahead").update(tags=["VIP"])

    assert ahead.customer
    assert listed(client, "?show=ahead") == ["Ahead"]
    assert listed(client, "?show=missed") == ["Missed"]
    assert listed(client, "?show=blocked") == ["Blocked"]
    assert listed(client, "?tag=VIP") == ["Ahead", "Blocked"]
    assert listed(client, "?tag=VIP&show=ahead&q=ahe") == ["Ahead"]
    assert len(listed(client, "?show=nonsense&sort=nonsense&after=nonsense")) == 3
    html = client.get("/desk/customers/?tag=VIP&show=ahead").content.decode()
    assert "tag=VIP&amp;show=blocked" in html


def test_other_orders(client: Client, studio: Studio) -> None:
    at_desk(client)
    late = completed(booked(studio, 12, contact=replace(JANA, name="Late visit")))
    completed(booked(studio, 9, contact=replace(JANA, name="Early visit")))
    customer("Never here")
    Customer.objects.filter(name="Never here").update(created_at=NOW + timedelta(days=1))
    assert late.customer

    assert listed(client, "?sort=added")[0] == "Never here"
    assert set(listed(client, "?sort=visit")) == {"Late visit", "Early visit", "Never here"}


@pytest.mark.parametrize("sort", ["", "visit", "added"])
def test_pages_show_everybody_once_forwards_and_back(client: Client, sort: str) -> None:
    at_desk(client)
    for number in range(120):
        customer(f"Customer {number % 40:03d}")
    seen: list[list[str]] = []
    address = f"/desk/customers/?sort={sort}"

    while address:
        html = client.get(address).content.decode()
        seen.append(_references(html))
        address = _link(html, "next")
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert len({row for rows in seen for row in rows}) == 120

    assert _references(client.get(_link(html, "prev")).content.decode()) == seen[1]


def _references(html: str) -> list[str]:
    return re.findall(r'href="/desk/customers/([0-9A-Z]{10,12})/"', html)


def _link(html: str, rel: str) -> str:
    before, _, _ = html.partition(f'" rel="{rel}"')
    return before.rpartition('href="')[2].replace("&amp;", "&") if f'rel="{rel}"' in html else ""


def test_the_file_has_what_the_list_shows_and_no_formulas(client: Client, studio: Studio) -> None:
    at_desk(client, Role.MANAGER)
    completed(booked(studio, 10))
    customer("=cmd|' /C calc'!A0", tags=["+Tag"])
    for number in range(600):
        customer(f"Other {number:03d}", is_blocked=True)

    response = client.get("/desk/customers/customers.csv")
    rows = list(csv.DictReader(StringIO(response.getvalue().decode().removeprefix("\ufeff"))))

    assert response.streaming
    assert len(rows) == 602
    assert [row["name"] for row in rows[:2]] == ["'=cmd|' /C calc'!A0", "Jana Weber"]
    assert (rows[0]["tags"], rows[1]["phone"], rows[1]["visits"]) == ("'+Tag", "'+4915155501827", "1")
    of_filter = client.get("/desk/customers/customers.csv?q=jana").getvalue().decode()
    assert of_filter.count("\r\n") == 2


@pytest.mark.parametrize(
    ("role", "may_export"),
    [
        (Role.OWNER, True),
        (Role.MANAGER, True),
        (Role.FRONT_DESK, False),
        (Role.AUDITOR, False),
        (Role.THERAPIST, False),
    ],
)
def test_only_managers_and_owners_download_contact_details(
    client: Client, studio: Studio, role: Role, may_export: bool
) -> None:
    booking = booked(studio, 10)
    sign_in_staff(client, factories.desk_user(role, studio.location, of=booking))

    html = client.get("/desk/customers/").content.decode()

    assert listed(client) == ["Jana Weber"]
    assert ("/desk/customers/customers.csv" in html) == may_export
    assert client.get("/desk/customers/customers.csv").status_code == (200 if may_export else 404)


def test_an_empty_business_says_what_comes(client: Client) -> None:
    at_desk(client)

    assert "No customers yet" in client.get("/desk/customers/").content.decode()
    assert "No customer is like that" in client.get("/desk/customers/?show=blocked").content.decode()


@pytest.mark.parametrize("query", ["", "?q=cust", "?show=ahead&sort=visit"])
def test_one_and_fifty_rows_take_the_same_statements(client: Client, studio: Studio, query: str) -> None:
    at_desk(client)
    booked(studio, 10, contact=replace(JANA, name="Customer"))
    counts = []
    for number in (0, 49):
        for each in range(number):
            customer(f"Customer {each}", f"c{each}@example.com", "+4915155501827")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"/desk/customers/{query}")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 22


def test_a_therapist_sees_own_clients_alone_and_no_money(client: Client) -> None:
    studio = factories.studio(staff=2)
    mine = booked(studio, 10, staff_member_id=studio.staff[0].pk, contact=replace(JANA, name="Mine"))
    other = booked(studio, 11, staff_member_id=studio.staff[1].pk, contact=replace(JANA, name="Other"))
    theirs = booked(studio, 12, staff_member_id=studio.staff[1].pk, contact=replace(JANA, name="Mine"))
    cash(mine, 1000)
    sign_in_staff(client, factories.desk_user(Role.THERAPIST, None, of=mine))

    assert listed(client) == ["Mine"]
    assert other.customer
    assert client.get(f"/desk/customers/{other.customer.reference}/").status_code == 404
    html = page(client, mine)
    assert mine.reference in html
    assert theirs.reference not in html
    assert "€" not in html
    assert "Balance due" not in html
    assert "Messages</h2>" not in html


def test_a_manager_of_another_place_sees_the_customer_and_none_of_the_bookings(client: Client, studio: Studio) -> None:
    booking = booked(studio, 10)
    sign_in_staff(client, factories.desk_user(Role.MANAGER, factories.location(name="Alfama")))

    html = page(client, booking)

    assert "Jana Weber" in html
    assert booking.reference not in html
    assert "Nothing was sent yet" in html
    assert listed(client, "?show=ahead") == []


def test_the_page_of_a_customer(client: Client, studio: Studio) -> None:
    at_desk(client)
    done = completed(booked(studio, 9))
    cash(done, 8000)
    ahead = booked(studio, 12)
    link_proven_customer(booking_id=ahead.pk, now=NOW)
    Customer.objects.update(tags=["Prefers Ana"], language="de")
    customer("Robin Weber", phone="+4915155501827")

    html = page(client, ahead)

    assert "<bdi>Jana Weber</bdi>" in html
    assert "1 visit since January 2027, never missed" in html
    assert '<span class="tag">Prefers Ana</span>' in html
    assert done.reference in html
    assert ahead.reference in html
    assert studio.staff[0].name in html
    assert "€80.00 paid" in html
    assert '<span class="money-open">€80.00</span>' in html
    assert "E-mail confirmed" in html
    assert "Terms of the booking" in html
    assert "I agree." in html
    assert "Robin Weber" in html
    assert "same phone" in html
    assert "jana@example.com" in html
    assert ahead.customer
    assert f"/desk/book/?customer={ahead.customer.reference}" in html
    assert "German" in html or "Deutsch" in html or ">de<" in html


def test_a_customer_without_anything_reads_what_will_be_here(client: Client) -> None:
    at_desk(client)

    html = page(client, customer(""))

    for words in ("No name given", "No visit yet", "Nothing is due", "Nothing was sent yet", "None yet"):
        assert words in html


@pytest.mark.parametrize("reference", ["AAAAAAAAAA", "%00", "%F0%9F%99%82", "x" * 500, "%25", "1"])
def test_no_customer_of_that_reference(client: Client, reference: str) -> None:
    at_desk(client)
    customer("Sofia")

    assert client.get(f"/desk/customers/{reference}/").status_code in {400, 404}


def test_one_and_fifty_visits_take_the_same_statements(client: Client) -> None:
    at_desk(client)
    studio = factories.studio(staff=9)
    first = booked(studio, 9)
    counts = []
    page(client, first)
    for number in (0, 49):
        for each in range(number):
            booked(studio, 9 + each % 8, start_minute=studio.minute(9 + each % 8, days=1 + each // 8))
        with CaptureQueriesContext(connection) as queries:
            page(client, first, "?visits=all")
        counts.append(len(queries))

    assert Booking.objects.filter(customer=first.customer).count() == 50
    assert counts[0] == counts[1]
    assert counts[0] <= 24


def test_names_that_turn_the_direction_of_text_stay_in_their_place(client: Client) -> None:
    at_desk(client)
    made = customer("<b>" + "עדי" * 20)

    assert f"<bdi>&lt;b&gt;{'עדי' * 20}</bdi>" in page(client, made)


def test_visits_are_counted_alike_on_every_page_of_a_reader_who_sees_one_of_two_locations(
    client: Client, studio: Studio
) -> None:
    here, other = completed(booked(studio, 9)), completed(booked(studio, 11))
    coming = booked(studio, 14)
    Booking.objects.filter(pk=other.pk).update(location=factories.location(name="Alfama", slug="alfama", position=2))
    at_desk(client, place=studio.location)

    listed_page = " ".join(client.get("/desk/customers/").content.decode().split())
    found = client.post("/desk/book/", {"q": "jana"}, headers={"HX-Request": "true", "HX-Target": "found"})

    assert "1 visit<" in listed_page.replace(" <", "<")
    assert "Visits are those at your locations." in listed_page
    assert "1 visit since" in page(client, here)
    assert "never missed (at your locations)" in page(client, here)
    assert "1 visit · never missed" in found.content.decode()
    assert "(at your locations)" in found.content.decode()
    panel = client.get(f"/desk/bookings/{coming.reference}/").content.decode()
    assert "Visit 2" in panel
    assert "(at your locations)" in panel


def test_a_reader_of_the_only_location_is_told_of_no_others(client: Client, studio: Studio) -> None:
    here = completed(booked(studio, 9))
    at_desk(client, place=studio.location)

    assert "at your locations" not in client.get("/desk/customers/").content.decode()
    assert "at your locations" not in page(client, here)


def test_a_therapist_counts_the_visits_with_themselves(client: Client, studio: Studio) -> None:
    own = completed(booked(studio, 9, staff_member_id=studio.staff[0].pk))
    completed(booked(studio, 11, staff_member_id=studio.staff[1].pk))
    at_desk(client, Role.THERAPIST, of=own)

    assert "1 visit since" in page(client, own)
    assert "never missed (with you)" in page(client, own)
    assert "Visits are those with you." in client.get("/desk/customers/").content.decode()
