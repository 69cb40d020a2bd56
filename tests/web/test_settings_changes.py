"""Settings that decide how stored numbers are read: a change shows old and new values, asks, and is recorded."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from dashboard.presenters.day import day_of
from dashboard.queries import balances_of
from services.models import Business, CancellationPolicy, SettingsChange
from staff.enums import Role
from staff.models import Access, TimeOff
from tests import factories
from tests.factories import MONDAY, NOW, Studio
from tests.journeys import booked
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


def page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def change(owner: Client, row: Any, **values: str) -> str:
    form = typed(owner.get(page(row)).content.decode(), f"{row._meta.model_name}_form")
    return owner.post(page(row), form | values, follow=True).content.decode()


def history() -> list[tuple[str, str, str, str]]:
    return list(SettingsChange.objects.order_by("pk").values_list("field", "old", "new", "actor_name"))


def test_another_currency_shows_every_price_before_and_after_and_asks(owner: Client, studio: Studio) -> None:
    factories.add_on(studio.variant.service, name="Oil", price_minor=650)
    factories.cancellation_policy((1440, "fixed", 1000), name="Strict")

    html = change(owner, studio.business, currency="JPY")

    assert "Nothing is saved yet. No price is converted" in html
    for old, new in (("€80.00", "¥8,000"), ("€6.50", "¥650"), ("€10.00", "¥1,000")):
        assert f'<td class="pr-4">{old}</td><td>{new}</td>' in html
    assert Business.objects.get().currency == "EUR"
    assert history() == []


def test_an_agreed_currency_is_saved_and_written_down(owner: Client, studio: Studio) -> None:
    change(owner, studio.business, currency="JPY", _keep_bookings="on")

    assert Business.objects.get().currency == "JPY"
    studio.variant.refresh_from_db()
    assert studio.variant.price_minor == 8000
    assert history() == [("currency", "EUR", "JPY", "Olivia")]


def test_a_currency_without_prices_needs_no_question(owner: Client) -> None:
    firm = factories.business()

    change(owner, firm, currency="HUF")

    assert Business.objects.get().currency == "HUF"


def test_another_way_of_counting_tax_shows_what_customers_would_pay(owner: Client, studio: Studio) -> None:
    form = typed(owner.get(page(studio.business)).content.decode(), "business_form")
    form.pop("prices_include_tax")

    html = owner.post(page(studio.business), form, follow=True).content.decode()

    assert '<td class="pr-4">€80.00</td><td>€95.20</td>' in html
    assert Business.objects.get().prices_include_tax
    owner.post(page(studio.business), form | {"_keep_bookings": "on"})
    assert not Business.objects.get().prices_include_tax
    assert history() == [("prices_include_tax", "True", "False", "Olivia")]


def test_a_percentage_that_would_become_a_sum_is_shown_first(owner: Client) -> None:
    factories.business()
    policy = factories.cancellation_policy((1440, "percent", 5000), payment_mode="deposit", deposit_value=2000)

    html = change(owner, policy, deposit_kind="fixed")
    step = change(owner, policy, **{"tiers-0-fee_kind": "fixed"})

    assert '<td class="pr-4">20 %</td><td>20 EUR</td>' in html
    assert '<td class="pr-4">50 %</td><td>50 EUR</td>' in step
    assert CancellationPolicy.objects.get().deposit_kind == "percent"
    change(owner, policy, deposit_kind="fixed", deposit_value="25")
    assert CancellationPolicy.objects.get().deposit_value == 2500


def test_a_day_with_two_currencies_has_a_sum_of_each(studio: Studio) -> None:
    euro = booked(studio, 10)
    studio.business.currency = "JPY"
    studio.business.save()
    yen = booked(studio, 12)
    bookings = [euro, yen]

    shown = day_of(
        bookings, balances_of(bookings), on=euro.starts_at.date(), today=MONDAY, now=NOW, place=studio.location
    )

    assert [(each.number, each.words) for each in shown.figures[1:5]] == [
        ("€80", "expected"),
        ("€80", "open"),
        ("¥8,000", "expected"),
        ("¥8,000", "open"),
    ]


def test_time_off_can_be_added_after_a_conflict_was_kept(owner: Client, studio: Studio) -> None:
    booked(studio, staff_member_id=studio.staff[0].pk)
    url = reverse("admin:staff_timeoff_add")
    form = typed(owner.get(url).content.decode(), "timeoff_form") | {"resource": str(studio.staff[0].resource_id)}

    first = {"first_on": "2027-01-05", "last_on": "2027-01-05"}
    refused = owner.post(url, form | first, follow=True).content.decode()
    owner.post(url, form | first | {"_keep_bookings": "on"})
    later = owner.post(url, form | {"first_on": "2027-02-02", "last_on": "2027-02-02"}, follow=True).content.decode()

    assert "Nothing is saved yet" in refused
    assert "Nothing is saved yet" not in later
    assert TimeOff.objects.count() == 2


def test_money_of_a_place_where_one_only_performs_stays_closed(studio: Studio) -> None:
    booking = booked(studio, staff_member_id=studio.staff[0].pk)
    user = factories.desk_user(Role.FRONT_DESK, factories.location(name="Elsewhere"))
    Access.objects.create(user=user, role=Role.THERAPIST)
    studio.staff[0].user = user
    studio.staff[0].save()
    client = Client()
    sign_in_staff(client, user)

    log = client.get(reverse("desk_message_log")).content.decode()

    assert client.get(reverse("desk_booking", args=[booking.reference])).status_code == 200
    assert "Jana" not in log
    assert client.get(reverse("desk_booking_messages", args=[booking.reference])).status_code == 404
