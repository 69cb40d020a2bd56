"""Two records of one person become one at the desk: choosing, comparing, merging, and the old addresses after it."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.customer_record import By, tag_customer, write_note
from accounts.models import AccessLog, Customer
from bookings.models import Booking
from bookings.operations.proven_customer import link_proven_customer
from staff.enums import Role
from tests.desk import DeskClient, at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db

WORK = replace(JANA, name="Jana Weber-Klein", email="jana@work.example", phone="+4930901820")
MIA = By(None, "Mia")


@pytest.fixture
def desk(client: Client, studio: Studio) -> DeskClient:
    return at_desk(client, Role.MANAGER, studio.location, name="Mia Berg")


@pytest.fixture
def jana(studio: Studio) -> Customer:
    return of(booked(studio, 10))


@pytest.fixture
def klein(studio: Studio) -> Customer:
    return of(booked(studio, 12, contact=WORK))


def of(booking: Booking) -> Customer:
    assert booking.customer
    return booking.customer


def merge_url(customer: Customer, other: Customer | None = None) -> str:
    address = f"/desk/customers/{customer.reference}/merge"
    return f"{address}?with={other.reference}" if other else address


def form(desk: DeskClient, customer: Customer, other: Customer) -> dict[str, Any]:
    html = desk.client.get(merge_url(customer, other)).content.decode()
    return typed(html.split('<form method="post" novalidate>')[1].split("</form>")[0])


def send(desk: DeskClient, customer: Customer, other: Customer, **changes: Any) -> HttpResponse:
    values = {**form(desk, customer, other), "reason": "She told me", **changes}
    return desk.client.post(merge_url(customer), {name: value for name, value in values.items() if value is not None})


def page(desk: DeskClient, path: str) -> str:
    return desk.client.get(path, follow=True).content.decode()


def test_records_with_the_same_phone_are_proposed_and_others_are_found(
    desk: DeskClient, studio: Studio, jana: Customer, klein: Customer
) -> None:
    same = of(booked(studio, 14, contact=replace(JANA, name="J. Weber", email="j@example.com")))

    proposed = page(desk, merge_url(jana))
    found = page(desk, f"{merge_url(jana)}?q=klein")

    assert f"with={same.reference}" in proposed
    assert f"with={klein.reference}" not in proposed
    assert f"with={klein.reference}" in found
    assert f"with={jana.reference}" not in page(desk, f"{merge_url(jana)}?q=weber")
    assert "No other customer found" in page(desk, f"{merge_url(jana)}?q=nobody")


def test_both_records_are_compared(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    write_note(customer_id=klein.pk, text="Likes the room warm", by=MIA, now=NOW)
    tag_customer(customer_id=jana.pk, tag="VIP")

    html = page(desk, merge_url(jana, klein))

    for words in (JANA.email, WORK.email, "Likes the room warm", "VIP", "A merge cannot be undone."):
        assert words in html
    assert html.count('name="keep"') == 2


def test_one_record_remains_and_the_other_leads_to_it(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    answer = send(desk, jana, klein, keep=klein.reference)

    assert (answer.status_code, answer["Location"]) == (303, f"/desk/customers/{klein.reference}/")
    html = page(desk, f"/desk/customers/{klein.reference}/")
    assert "Merged. This is now the only record of Jana Weber-Klein." in html
    assert "Merged records" in html
    assert JANA.email in html
    old = desk.client.get(f"/desk/customers/{jana.reference}/")
    assert (old.status_code, old["Location"]) == (302, f"/desk/customers/{klein.reference}/")
    assert "was merged into this one" in page(desk, f"/desk/customers/{jana.reference}/edit")
    assert jana.reference not in page(desk, "/desk/customers/")
    assert JANA.email not in page(desk, "/desk/customers/?q=jana")
    assert "Jana Weber-Klein" in page(desk, f"/desk/book/?customer={jana.reference}")


def test_a_form_of_the_merged_record_that_was_open_changes_nothing(
    desk: DeskClient, jana: Customer, klein: Customer
) -> None:
    send(desk, jana, klein)

    answer = desk.client.post(f"/desk/customers/{klein.reference}/tags", {"tag": "VIP"}, follow=True)

    assert answer.redirect_chain == [(f"/desk/customers/{jana.reference}/", 303)]
    assert "What you sent is not saved." in answer.content.decode()
    jana.refresh_from_db()
    assert jana.tags == []


def test_a_form_that_is_sent_twice_merges_once(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    values = {**form(desk, jana, klein), "reason": "She told me"}

    first, second = (desk.client.post(merge_url(jana), values) for _ in range(2))

    assert [first["Location"], second["Location"]] == [f"/desk/customers/{jana.reference}/"] * 2
    assert jana.events.filter(kind="merged").count() == 1


def test_without_a_reason_nothing_happens(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    answer = send(desk, jana, klein, reason=" ")

    assert answer.status_code == 422
    assert "Say how you know." in answer.content.decode()
    klein.refresh_from_db()
    assert klein.merged_into is None


def test_a_change_meanwhile_is_said_and_the_next_try_works(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    values = {**form(desk, jana, klein), "reason": "She told me"}
    tag_customer(customer_id=klein.pk, tag="VIP")

    answer = desk.client.post(merge_url(jana), values)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Someone else changed one of the two meanwhile." in html
    assert "She told me" in html
    again = typed(html.split('<form method="post" novalidate>')[1].split("</form>")[0])
    assert desk.client.post(merge_url(jana), again).status_code == 303


def test_two_confirmed_addresses_need_a_word(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    for customer in (jana, klein):
        link_proven_customer(booking_id=Booking.objects.get(customer=customer).pk, now=NOW)

    assert send(desk, jana, klein).status_code == 422
    assert send(desk, jana, klein, gives_up_mailbox="on").status_code == 303


def test_a_blocked_record_keeps_the_customer_blocked_unless_that_is_cleared(
    desk: DeskClient, studio: Studio, jana: Customer, klein: Customer
) -> None:
    Customer.objects.filter(pk=klein.pk).update(is_blocked=True)
    assert form(desk, jana, klein)["is_blocked"] == "on"

    send(desk, jana, klein)
    jana.refresh_from_db()
    assert jana.is_blocked

    third = of(booked(studio, 14, contact=replace(JANA, name="J. Weber", email="j@example.com", phone="")))
    send(desk, third, jana, is_blocked=None)
    third.refresh_from_db()
    assert not third.is_blocked


def test_both_readings_are_in_the_access_log(desk: DeskClient, jana: Customer, klein: Customer) -> None:
    desk.client.get(merge_url(jana, klein))

    read = AccessLog.objects.values_list("act", "reference")
    assert set(read) == {("viewed", jana.reference), ("viewed", klein.reference)}


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.THERAPIST, Role.AUDITOR])
def test_only_managers_and_owners_merge(
    client: Client, studio: Studio, jana: Customer, klein: Customer, role: Role
) -> None:
    desk = at_desk(client, role, studio.location, of=Booking.objects.get(customer=jana))

    assert desk.client.get(merge_url(jana, klein)).status_code == 404
    assert desk.client.post(merge_url(jana), {"with": klein.reference}).status_code == 404
    assert "/merge" not in page(desk, f"/desk/customers/{jana.reference}/")


def test_strange_addresses(desk: DeskClient, jana: Customer) -> None:
    for reference in ("NOSUCHONE", "%00", "'", "x" * 400):
        assert desk.client.get(f"{merge_url(jana)}?with={reference}").status_code in {400, 404}
    assert desk.client.get(merge_url(jana, jana))["Location"] == f"/desk/customers/{jana.reference}/"


@pytest.mark.parametrize("visits", [1, 4])
def test_the_comparison_takes_the_same_queries_for_any_number_of_visits(
    desk: DeskClient, studio: Studio, jana: Customer, klein: Customer, visits: int
) -> None:
    for day in range(visits):
        booked(studio, 10, start_minute=studio.minute(10, days=3 + day))
        booked(studio, 12, contact=WORK, start_minute=studio.minute(12, days=3 + day))
    desk.client.get(merge_url(jana, klein))

    with CaptureQueriesContext(connection) as queries:
        desk.client.get(merge_url(jana, klein))

    assert len(queries) <= 36
