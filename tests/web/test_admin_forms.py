"""Setting up a business in the admin: human input is accepted, invalid input gets a sentence."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import QuietHours, User
from bookings.models import Booking
from bookings.queries.outside_hours import left_outside_hours
from core.references import spoken
from services.models import (
    AddOn,
    Business,
    CancellationTier,
    Closure,
    Location,
    OpeningHours,
    Resource,
    Service,
    ServiceVariant,
)
from staff.models import Qualification, StaffMember, TimeOff, WorkingHours
from tests import factories, journeys
from tests.factories import MONDAY, NOW, Studio
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed, with_row

TOMORROW = MONDAY + timedelta(days=1)


@pytest.fixture
def desk(db: None) -> Client:
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", name="Olivia"))
    return client


def page(model: str, row: Any = None) -> str:
    return reverse(f"admin:{model}_change", args=[row.pk]) if row else reverse(f"admin:{model}_add")


def form_of(desk: Client, url: str) -> dict[str, Any]:
    """The page's main form as it stands."""
    html = desk.get(url).content.decode()
    return typed(html, f"{url.split('/')[3]}_form")


def save(desk: Client, url: str, values: dict[str, Any]) -> str:
    """Post a form and return the page that follows; a saved one follows the redirect to the list."""
    response = desk.post(url, values, follow=True)
    assert response.status_code == 200
    return response.content.decode()


# --- catalogue -------------------------------------------------------------------------------------------------------


def test_a_service_with_lengths_extras_and_needs_is_made_on_one_page(desk: Client) -> None:
    factories.business()
    place, kind, group = factories.location(), factories.resource_type(), factories.category()
    url = page("services_service")
    values = form_of(desk, url) | {
        "name": "Hot stone massage",
        "slug": "hot-stone-massage",
        "category": group.pk,
        "locations": [place.pk],
        "tax_basis_points": "7,5 %",
        "buffer_after_minutes": "1 h 30 min",
    }
    values = with_row(values, "variants", work_minutes="75 min", processing_minutes="0", finish_minutes="10",
                      price_minor="98", position="0", is_active="on")  # fmt: skip
    values = with_row(
        values, "add_ons", name="Oil", price_minor="6.50", extra_minutes="5", position="0", is_active="on"
    )
    values = with_row(values, "requirements", resource_type=kind.pk, quantity="1")

    save(desk, url, values)

    service = Service.objects.get()
    assert (service.name, service.tax_basis_points, service.buffer_after_minutes) == ("Hot stone massage", 750, 90)
    variant = ServiceVariant.objects.get()
    assert (variant.work_minutes, variant.finish_minutes, variant.price_minor) == (75, 10, 9800)
    assert AddOn.objects.get().price_minor == 650
    assert service.requirements.get().resource_type == kind


def test_stored_values_show_as_they_may_be_typed_again(desk: Client) -> None:
    factories.business()
    variant = factories.service(factories.location(), minutes=90, price_minor=11050)
    url = page("services_service", variant.service)

    values = form_of(desk, url)
    save(desk, url, values)

    assert values["variants-0-work_minutes"] == "90 min"
    assert values["variants-0-price_minor"] == "110.50"
    assert values["tax_basis_points"] == "19"
    variant.refresh_from_db()
    assert (variant.work_minutes, variant.price_minor) == (90, 11050)


@pytest.mark.parametrize("price", ["-1", "ten", "1.005", "1e3", "€45"])
def test_a_price_that_is_none_is_refused_on_its_field(desk: Client, price: str) -> None:
    factories.business()
    variant = factories.service(factories.location())
    url = page("services_service", variant.service)

    html = save(desk, url, form_of(desk, url) | {"variants-0-price_minor": price})

    assert "Type an amount such as 45.00." in html
    variant.refresh_from_db()
    assert variant.price_minor == 8000


@pytest.mark.parametrize("field", ["variants-0-price_minor", "add_ons-0-price_minor", "deposit_value"])
def test_more_than_anybody_asks_is_refused_on_its_field(desk: Client, field: str) -> None:
    factories.business()
    variant = factories.service(factories.location())
    factories.add_on(variant.service)
    url = page("services_service", variant.service)
    values = form_of(desk, url) | {"payment_mode": "deposit", "deposit_kind": "fixed", "deposit_value": "20"}

    html = save(desk, url, values | {field: "10000000000"})
    save(desk, url, values | {field: "9999999999.99"})

    assert "That is too much: at most €9,999,999,999.99." in html
    stored = form_of(desk, url)[field]
    assert stored == "9999999999.99"


def test_prices_of_a_currency_without_cents_have_none(desk: Client) -> None:
    factories.business(currency="JPY")
    variant = factories.service(factories.location(), price_minor=8000)
    url = page("services_service", variant.service)

    values = form_of(desk, url)
    html = save(desk, url, values | {"variants-0-price_minor": "80.50"})

    assert values["variants-0-price_minor"] == "8000"
    assert "Type an amount such as 45." in html


def test_steps_of_a_cancellation_policy_are_percentages_or_amounts(desk: Client) -> None:
    factories.business()
    policy = factories.cancellation_policy((4320, "none", 0), (1440, "percent", 5000), (0, "fixed", 2500))
    url = page("services_cancellationpolicy", policy)
    values = form_of(desk, url)

    save(desk, url, values | {"tiers-1-fee_value": "62.5", "tiers-2-fee_value": "19.99"})

    assert [values[f"tiers-{row}-until_minutes_before"] for row in range(3)] == ["3 d", "24 h", "0 min"]
    assert [values[f"tiers-{row}-fee_value"] for row in range(3)] == ["", "50", "25.00"]
    assert list(CancellationTier.objects.values_list("fee_value", flat=True)) == [0, 6250, 1999]


# --- rules of money ---------------------------------------------------------------------------------------------------


def test_a_policy_says_what_is_asked_and_shows_what_customers_read(desk: Client, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_nobody"
    factories.business()
    policy = factories.cancellation_policy((1440, "none", 0), (0, "all", 0))
    url = page("services_cancellationpolicy", policy)

    save(
        desk,
        url,
        form_of(desk, url)
        | {
            "payment_mode": "deposit",
            "deposit_kind": "percent",
            "deposit_value": "20 %",
            "no_show_fee_kind": "fixed",
            "no_show_fee_value": "12.50",
            "no_show_grace_minutes": "20 min",
        },
    )

    policy.refresh_from_db()
    assert (policy.payment_mode, policy.deposit_value) == ("deposit", 2000)
    assert (policy.no_show_fee_value, policy.no_show_grace_minutes) == (1250, 20)
    shown = form_of(desk, url)
    assert (shown["deposit_value"], shown["no_show_fee_value"]) == ("20", "12.50")
    html = desk.get(url).content.decode()
    assert "Deposit now €16.00, rest at the visit €64.00." in html
    assert "If you do not come, €12.50 is kept." in html


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"payment_mode": "deposit", "deposit_value": ""}, "Say how much the deposit is"),
        ({"payment_mode": "deposit", "deposit_value": "0"}, "Say how much the deposit is"),
        ({"deposit_kind": "percent", "deposit_value": "101"}, "A percentage cannot be more than 100."),
        ({"deposit_kind": "fixed", "deposit_value": "ten"}, "Type an amount such as 45.00."),
        ({"deposit_kind": "fixed", "deposit_value": "10000000000"}, "That is too much: at most €9,999,999,999.99."),
        ({"change_fee_minor": "10000000000"}, "That is too much: at most €9,999,999,999.99."),
        ({"deposit_kind": "percent", "deposit_value": "999999999999"}, "A percentage cannot be more than 100."),
        ({"no_show_fee_kind": "percent", "no_show_fee_value": ""}, "Say how much not coming costs"),
        ({"payment_mode": "card"}, "A card is kept only for fees, and there are none"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(desk: Client, values: dict[str, str], sentence: str) -> None:
    factories.business()
    policy = factories.cancellation_policy()
    url = page("services_cancellationpolicy", policy)

    html = save(desk, url, form_of(desk, url) | values)

    assert sentence in html
    policy.refresh_from_db()
    assert (policy.payment_mode, policy.deposit_value, policy.no_show_fee_kind) == ("venue", 0, "none")


def test_a_card_on_file_with_a_fee_is_accepted(desk: Client) -> None:
    factories.business()
    policy = factories.cancellation_policy()
    url = page("services_cancellationpolicy", policy)

    save(desk, url, form_of(desk, url) | {"payment_mode": "card", "no_show_fee_kind": "all"})

    policy.refresh_from_db()
    assert (policy.payment_mode, policy.no_show_fee_kind) == ("card", "all")


def test_a_service_may_ask_something_else_than_its_policy(desk: Client) -> None:
    factories.business(currency="JPY")
    variant = factories.service(factories.location())
    url = page("services_service", variant.service)
    asked = {"payment_mode": "deposit", "deposit_kind": "fixed", "deposit_value": "2000", "needs_answer": "on"}

    save(desk, url, form_of(desk, url) | asked)

    service = Service.objects.get()
    assert (service.payment_mode, service.deposit_kind, service.deposit_value) == ("deposit", "fixed", 2000)
    assert service.needs_answer
    assert form_of(desk, url)["deposit_value"] == "2000"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"payment_mode": "deposit"}, "The cancellation rules name no deposit"),
        ({"deposit_kind": "percent"}, "Say how much the deposit is"),
        ({"deposit_value": "20"}, "Say whether the deposit is a percentage or an amount."),
        ({"deposit_kind": "percent", "deposit_value": "100.5"}, "A percentage cannot be more than 100."),
    ],
)
def test_an_own_deposit_is_whole_or_refused(desk: Client, values: dict[str, str], sentence: str) -> None:
    factories.business(cancellation_policy=factories.cancellation_policy())
    variant = factories.service(factories.location())
    url = page("services_service", variant.service)

    assert sentence in save(desk, url, form_of(desk, url) | values)
    assert (Service.objects.get().payment_mode, Service.objects.get().deposit_value) == ("", None)


# --- hours -----------------------------------------------------------------------------------------------------------


def add_hours(desk: Client, place: Location, start: str, end: str, weekday: int = 4) -> str:
    url = page("services_location", place)
    values = with_row(form_of(desk, url), "opening_hours", weekday=str(weekday), start_minute=start, end_minute=end)
    return save(desk, url, values)


def test_hours_past_midnight_go_on_counting(desk: Client) -> None:
    place = factories.location(opening=None)

    add_hours(desk, place, "18:00", "26:00")

    hours = OpeningHours.objects.get()
    assert (hours.start_minute, hours.end_minute) == (1080, 1560)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("18:00", "02:00", "For past midnight type 26:00."),
        ("18:00", "18:00", "The end must come after the start."),
        ("25:00", "26:00", "Start before 24:00."),
        ("18:00", "49:00", "Type a time such as 09:30."),
        ("six", "20:00", "Type a time such as 09:30."),
        ("", "20:00", "Please fill this in."),
    ],
)
def test_hours_that_make_no_sense_are_refused(desk: Client, start: str, end: str, sentence: str) -> None:
    place = factories.location(opening=None)

    html = add_hours(desk, place, start, end)

    assert sentence in html
    assert OpeningHours.objects.count() == 0


@pytest.mark.parametrize(
    ("weekday", "start", "end", "is_saved"),
    [
        (4, "16:59", "18:00", False),
        (4, "17:00", "18:00", True),
        (5, "00:00", "01:00", True),
        (3, "20:00", "33:01", False),  # Thursday night into Friday morning
        (3, "20:00", "33:00", True),
    ],
)
def test_overlapping_hours_of_a_place_are_refused(
    desk: Client, weekday: int, start: str, end: str, is_saved: bool
) -> None:
    place = factories.location(opening=None)
    OpeningHours.objects.create(location=place, weekday=4, start_minute=540, end_minute=1020)

    html = add_hours(desk, place, start, end, weekday)

    assert OpeningHours.objects.count() == 1 + is_saved
    assert ("This overlaps 09:00–17:00" in html) is not is_saved


def test_sunday_night_runs_into_monday(desk: Client) -> None:
    place = factories.location(opening=None)
    OpeningHours.objects.create(location=place, weekday=0, start_minute=60, end_minute=600)

    html = add_hours(desk, place, "20:00", "26:00", weekday=6)

    assert "This overlaps 01:00–10:00" in html
    assert OpeningHours.objects.count() == 1


def test_alternating_weeks_may_overlap_each_other(desk: Client) -> None:
    studio = factories.studio()
    person = studio.staff[0]
    person.working_hours.all().delete()
    url = page("staff_staffmember", person)
    values = form_of(desk, url)
    for week in ("0", "1"):
        values = with_row(values, "working_hours", location=studio.location.pk, weekday="0", start_minute="09:00",
                          end_minute="12:00", cycle_weeks="2", cycle_week=week)  # fmt: skip

    save(desk, url, values)

    assert WorkingHours.objects.count() == 2


def test_a_day_off_stands_alone_on_its_date(desk: Client) -> None:
    place = factories.location()
    Closure.objects.create(location=place, on=TOMORROW, start_minute=600, end_minute=700)
    url = page("services_location", place)

    html = save(desk, url, with_row(form_of(desk, url), "closures", on=str(TOMORROW), start_minute="", end_minute=""))

    assert "must be its only one" in html
    assert Closure.objects.count() == 1


# --- the team --------------------------------------------------------------------------------------------------------


def new_person(desk: Client, studio: Studio) -> dict[str, Any]:
    values = form_of(desk, page("staff_staffmember")) | {
        "name": "김서연",
        "short_name": "김서연",
        "slug": "seoyeon",
        "email": "seoyeon@studio.example",
    }
    values = with_row(values, "qualifications", variant=studio.variant.pk, price_minor="85", work_minutes="")
    return with_row(values, "working_hours", location=studio.location.pk, weekday="1", start_minute="9",
                    end_minute="17:30", cycle_weeks="1", cycle_week="0")  # fmt: skip


def test_a_person_is_made_with_resource_services_hours_and_absence(desk: Client) -> None:
    studio = factories.studio(staff=0)
    values = with_row(new_person(desk, studio), "time_off", first_on="2027-02-01", last_on="2027-02-03",
                      start_minute="", end_minute="", status="approved", reason="Holiday")  # fmt: skip

    save(desk, page("staff_staffmember"), values)

    person = StaffMember.objects.get()
    assert (person.resource.kind, person.resource.name) == ("person", "김서연")
    qualification = Qualification.objects.get()
    assert (qualification.price_minor, qualification.work_minutes) == (8500, None)
    assert (WorkingHours.objects.get().start_minute, WorkingHours.objects.get().end_minute) == (540, 1050)
    away, berlin = TimeOff.objects.get(), ZoneInfo("Europe/Berlin")
    assert away.resource == person.resource
    assert away.during.lower.astimezone(berlin).isoformat() == "2027-02-01T00:00:00+01:00"
    assert away.during.upper.astimezone(berlin).isoformat() == "2027-02-04T00:00:00+01:00"


def test_a_renamed_person_has_a_renamed_resource(desk: Client) -> None:
    person = factories.studio().staff[0]
    url = page("staff_staffmember", person)

    save(desk, url, form_of(desk, url) | {"name": "Ana Silva"})

    assert Resource.objects.get(pk=person.resource_id).name == "Ana Silva"


def test_time_off_is_typed_in_the_zone_of_the_place(desk: Client) -> None:
    factories.location(name="Berlin", position=0)
    lisbon = factories.location(name="Alfama", time_zone="Europe/Lisbon", position=1)
    room = factories.room(lisbon, factories.resource_type())
    url = page("staff_timeoff")
    values = form_of(desk, url) | {"resource": room.pk, "first_on": "2027-02-01", "start_minute": "14:00",
                                   "last_on": "2027-02-01", "end_minute": "26:00", "reason": "Painted"}  # fmt: skip

    save(desk, url, values)

    away = TimeOff.objects.get()
    shown = form_of(desk, page("staff_timeoff", away))
    assert away.during.lower.isoformat() == "2027-02-01T14:00:00+00:00"
    assert (shown["first_on"], shown["start_minute"], shown["last_on"], shown["end_minute"]) == (
        "2027-02-01",
        "14:00",
        "2027-02-02",
        "02:00",
    )


def test_time_off_that_ends_before_it_starts_is_refused(desk: Client) -> None:
    place = factories.location()
    room = factories.room(place, factories.resource_type())
    url = page("staff_timeoff")

    html = save(
        desk, url, form_of(desk, url) | {"resource": room.pk, "first_on": "2027-02-02", "last_on": "2027-02-01"}
    )

    assert "The end must come after the start." in html
    assert TimeOff.objects.count() == 0


# --- changes that bookings ahead would feel -----------------------------------------------------------------


@pytest.fixture
def booked(desk: Client) -> tuple[Studio, Booking]:
    """A studio with one booking tomorrow at ten with its only therapist."""
    studio = factories.studio()
    return studio, journeys.booked(studio)


def moments(booking: Booking) -> tuple[Any, Any]:
    booking.refresh_from_db()
    return booking.starts_at, booking.status


def test_hours_that_strand_a_booking_show_it_and_save_nothing(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("staff_staffmember", studio.staff[0])
    values = form_of(desk, url) | {f"working_hours-{row}-start_minute": "12:00" for row in range(7)}

    html = save(desk, url, values)

    assert "Nothing is saved yet" in html
    assert spoken(booking.reference) in html
    assert "Tue 5 Jan 2027, 10:00" in html
    assert set(WorkingHours.objects.values_list("start_minute", flat=True)) == {540}


def test_once_insisted_hours_are_saved_and_the_booking_stays(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    before = moments(booking)
    url = page("staff_staffmember", studio.staff[0])
    values = form_of(desk, url) | {f"working_hours-{row}-start_minute": "12:00" for row in range(7)}

    html = save(desk, url, values | {"_keep_bookings": "on"})

    assert set(WorkingHours.objects.values_list("start_minute", flat=True)) == {720}
    assert "They were not moved" in html
    assert 'href="/desk/outside-hours/"' in html
    assert list(left_outside_hours(NOW)) == [booking]
    assert spoken(booking.reference) in html
    assert moments(booking) == before


def test_a_booking_that_lay_outside_before_is_not_shown_again(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, _ = booked
    studio.staff[0].working_hours.update(start_minute=720)
    url = page("staff_staffmember", studio.staff[0])

    html = save(desk, url, form_of(desk, url) | {"bio": "New words"})

    assert "Nothing is saved yet" not in html
    assert StaffMember.objects.get().bio == "New words"


def test_a_closure_over_a_booking_shows_it(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("services_location", studio.location)
    values = with_row(form_of(desk, url), "closures", on=str(TOMORROW), start_minute="", end_minute="", reason="Flood")

    html = save(desk, url, values)

    assert spoken(booking.reference) in html
    assert Closure.objects.count() == 0


def test_once_insisted_a_closure_leaves_its_bookings_to_the_desk(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("services_location", studio.location)
    values = with_row(form_of(desk, url), "closures", on=str(TOMORROW), start_minute="", end_minute="", reason="Flood")

    html = save(desk, url, values | {"_keep_bookings": "on"})

    assert 'href="/desk/outside-hours/"' in html
    assert list(left_outside_hours(NOW)) == [booking]


def test_opening_a_closed_day_again_takes_its_bookings_off_the_list(
    desk: Client, booked: tuple[Studio, Booking]
) -> None:
    studio, _ = booked
    url = page("services_location", studio.location)
    values = with_row(form_of(desk, url), "closures", on=str(TOMORROW), start_minute="", end_minute="", reason="")
    save(desk, url, values | {"_keep_bookings": "on"})

    save(desk, url, form_of(desk, url) | {"closures-0-DELETE": "on"})

    assert not Closure.objects.exists()
    assert not left_outside_hours(NOW).exists()


def test_time_off_over_a_booking_leads_to_the_page_of_time_off(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, _ = booked
    url = page("staff_timeoff")
    values = form_of(desk, url) | {
        "resource": str(studio.staff[0].resource_id),
        "first_on": str(TOMORROW),
        "last_on": str(TOMORROW),
    }

    html = save(desk, url, values | {"_keep_bookings": "on"})

    assert 'href="/desk/time-off/"' in html
    assert not left_outside_hours(NOW).exists()


def test_time_off_over_a_booking_shows_it(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("staff_timeoff")
    values = form_of(desk, url) | {"resource": studio.staff[0].resource_id, "first_on": str(TOMORROW)}

    html = save(desk, url, values | {"last_on": str(TOMORROW)})
    elsewhere = save(desk, url, values | {"first_on": str(date(2027, 3, 1)), "last_on": str(date(2027, 3, 1))})

    assert spoken(booking.reference) in html
    assert "Nothing is saved yet" not in elsewhere
    assert TimeOff.objects.count() == 1


def test_another_time_zone_shows_what_it_strands(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("services_location", studio.location)

    html = save(desk, url, form_of(desk, url) | {"time_zone": "America/New_York"})

    assert spoken(booking.reference) in html
    assert Location.objects.get().time_zone == "Europe/Berlin"


def test_what_bookings_need_cannot_be_deleted(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    service = studio.variant.service
    room = factories.room(studio.location, factories.resource_type())
    booking.allocations.create(resource=room, busy=booking.allocations.get().busy)
    things = {
        "services_service": service,
        "services_servicevariant": studio.variant,
        "services_category": service.category,
        "services_location": studio.location,
        "services_resource": room,
        "staff_staffmember": studio.staff[0],
    }

    for model, thing in things.items():
        one = desk.post(reverse(f"admin:{model}_delete", args=[thing.pk]), {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [thing.pk], "post": "yes"}
        many = desk.post(reverse(f"admin:{model}_changelist"), chosen)
        for response in (one, many):
            html = response.content.decode()
            assert response.status_code == 200, model
            assert f"{spoken(booking.reference)} · Tue 5 Jan 2027, 10:00" in html, model
        assert type(thing).objects.filter(pk=thing.pk).exists(), model


def test_a_length_with_bookings_cannot_be_taken_off_its_service(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, booking = booked
    url = page("services_service", studio.variant.service)

    html = save(desk, url, form_of(desk, url) | {"variants-0-DELETE": "on"})

    assert "This cannot be removed" in html
    assert spoken(booking.reference) in html
    assert ServiceVariant.objects.count() == 1


def test_what_only_the_past_needs_says_so(desk: Client, booked: tuple[Studio, Booking]) -> None:
    studio, _ = booked
    Booking.objects.update(starts_at="2020-01-01T10:00Z", ends_at="2020-01-01T11:00Z")

    response = desk.post(reverse("admin:services_service_delete", args=[studio.variant.service.pk]), {"post": "yes"})

    assert "Switch it off instead" in response.content.decode()
    assert Service.objects.count() == 1


def test_what_nobody_needs_is_deleted(desk: Client) -> None:
    variant = factories.service(factories.location())

    desk.post(reverse("admin:services_service_delete", args=[variant.service.pk]), {"post": "yes"})

    assert Service.objects.count() == 0


def test_changed_hours_wait_for_bookings_in_progress(desk: Client, booked: tuple[Studio, Booking]) -> None:
    person = booked[0].staff[0]
    url = page("staff_staffmember", person)
    values = form_of(desk, url) | {"working_hours-0-end_minute": "18:00"}

    with CaptureQueriesContext(connection) as queries:
        save(desk, url, values)

    sql = [query["sql"] for query in queries]
    lock = next(n for n, text in enumerate(sql) if "services_resource" in text and "FOR NO KEY UPDATE" in text)
    change = next(n for n, text in enumerate(sql) if text.startswith('UPDATE "staff_workinghours"'))
    assert lock < change
    assert f"IN ({person.resource_id})" in sql[lock]


def test_a_business_is_set_up_once(desk: Client) -> None:
    policy = factories.booking_policy()
    url = page("services_business")

    save(desk, url, form_of(desk, url) | {"name": "Linden Studio", "booking_policy": policy.pk})

    assert list(Business.objects.values_list("pk", "name", "currency")) == [(1, "Linden Studio", "EUR")]
    assert desk.get(url).status_code == 403
    assert desk.get(reverse("admin:services_business_changelist"))["Location"] == "/admin/services/business/1/change/"


# --- quiet hours of staff --------------------------------------------------------------------------------------------


def test_quiet_hours_of_a_person_are_kept_shown_and_ended(desk: Client) -> None:
    person = factories.studio().staff[0]
    url = page("staff_staffmember", person)

    save(desk, url, form_of(desk, url) | {"quiet_from": "21:30", "quiet_until": "7"})

    kept = QuietHours.objects.get(person_ref=f"staff:{person.pk}")
    assert (kept.start_minute, kept.end_minute, kept.time_zone) == (1290, 420, "Europe/Berlin")
    assert form_of(desk, url)["quiet_from"] == "21:30"
    save(desk, url, form_of(desk, url) | {"quiet_from": "", "quiet_until": ""})
    assert not QuietHours.objects.exists()


def test_quiet_hours_need_both_ends(desk: Client) -> None:
    url = page("staff_staffmember", factories.studio().staff[0])

    shown = save(desk, url, form_of(desk, url) | {"quiet_from": "21:30", "quiet_until": ""})

    assert "Fill in both times, or neither for no quiet hours." in shown
    assert not QuietHours.objects.exists()


# --- the business ----------------------------------------------------------------------------------------------------


def test_who_owns_the_business_lets_refunds_wait_for_approval(desk: Client) -> None:
    business = factories.business()
    url = page("services_business", business)

    save(desk, url, form_of(desk, url) | {"refunds_need_approval": "on"})

    business.refresh_from_db()
    assert business.refunds_need_approval
    # Whoever only enters the admin does not see the page.
    sign_in_staff(desk, User.objects.create_user("sam@studio.example", is_staff=True))
    assert desk.get(url).status_code == 403
    assert desk.post(url, {}).status_code == 403
