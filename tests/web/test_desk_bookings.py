"""The list of bookings: what is found, in which order, on how many pages, for whom, and as a CSV."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.contact.contact import Contact
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.refs import ref_column, subject_ref
from payments.queries import balances, open_column
from services.models import Service
from staff.enums import Role
from staff.models import Access, StaffMember
from tests import factories
from tests.desk import at_desk, cash
from tests.factories import NOW, Studio
from tests.journeys import DESK, JANA, booked, completed, hold
from tests.web.conftest import StoppedClock

LIST = "/desk/bookings/"
CSV = "/desk/bookings/bookings.csv"


def somebody(name: str) -> Contact:
    return Contact(name=name, email=f"{name.split(maxsplit=1)[0].lower()}@mail.example", phone="", note="")


def names(client: Client, query: str | dict[str, str] = "") -> list[str]:
    """The names in the order of the page."""
    response = client.get(LIST, query) if isinstance(query, dict) else client.get(f"{LIST}{query}")
    html = response.content.decode()
    return [part.split("</bdi>")[0] for part in html.split("<bdi>")[1:]]


def table(client: Client, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"{CSV}{query}").getvalue().decode().removeprefix("\ufeff")
    return list(csv.DictReader(StringIO(text)))


def link(html: str, rel: str) -> str:
    before, _, _ = html.partition(f'" rel="{rel}"')
    return before.rpartition('href="')[2].replace("&amp;", "&") if f'rel="{rel}"' in html else ""


def several(studio: Studio, count: int, *, day: int = 1) -> None:
    """Bookings of one customer each, the first two at the same time."""
    for number in range(count):
        at, who = divmod(number, 2)
        booked(
            studio,
            staff_member_id=studio.staff[who].pk,
            start_minute=studio.minute(9 + at % 8, days=day + at // 8),
            contact=somebody(f"Customer{number:02d}"),
        )


@pytest.fixture
def three(client: Client, studio: Studio) -> list[Booking]:
    """A completed visit of yesterday, one of tomorrow with another therapist, and one that is cancelled."""
    at_desk(client, Role.MANAGER, studio.location)
    past = completed(booked(studio, 9, contact=somebody("Émile Zola")))
    ahead = booked(studio, 11, staff_member_id=studio.staff[1].pk, contact=somebody("Zoe Adams"))
    gone = booked(studio, 14, contact=somebody("anton Bruckner"))
    cancel_booking(booking_id=gone.pk, expected_fee_minor=0, expected_sequence=gone.ical_sequence, actor=DESK, now=NOW)
    return [past, ahead, gone]


# --- search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["jana", "WEBER", "jana@ex", "  Jana  ", "weber jana", "wéber, j", "jana 1827"])
def test_search_finds_by_part_of_name_or_mail(client: Client, studio: Studio, typed: str) -> None:
    booked(studio, 10)
    booked(studio, 12, contact=somebody("Ben Adler"))
    at_desk(client, place=studio.location)

    assert names(client, {"q": typed}) == ["Jana Weber"]


@pytest.mark.parametrize(
    "typed",
    [
        "+4915155501827",
        "+49 151 5550 1827",
        "0151 55501827",
        "1515 5501827",
        "49 1515 5501827",
        "0049 1515 5501827",
        "(01515) 550-1827",
        "5501827",
    ],
)
def test_search_finds_by_the_whole_phone_number(client: Client, studio: Studio, typed: str) -> None:
    studio.location.phone = "+4930901820"
    studio.location.save()
    booked(studio, 10)
    at_desk(client, place=studio.location)

    assert names(client, {"q": typed}) == ["Jana Weber"]
    assert names(client, {"q": "+49 151 5550 1828"}) == []


@pytest.mark.parametrize("typed", ["1827", " …1827", "*1827", "18 27"])
def test_search_finds_by_the_last_four_digits_of_the_phone(client: Client, studio: Studio, typed: str) -> None:
    booked(studio, 10)
    booked(studio, 12, contact=replace(somebody("Ben Adler"), phone="+4915155518270"))
    at_desk(client, place=studio.location)

    assert names(client, {"q": typed}) == ["Jana Weber"]


@pytest.mark.parametrize("typed", ["1515 5501827", "01515 5501827", "49 1515 5501827"])
def test_search_finds_a_number_of_another_country_without_its_code(client: Client, studio: Studio, typed: str) -> None:
    studio.location.phone = "+351213456789"
    studio.location.save()
    booked(studio, 10)
    at_desk(client, place=studio.location)

    assert names(client, {"q": typed}) == ["Jana Weber"]


def test_found_bookings_begin_with_the_next_visit(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    hours = {9: "Jana Nine", 11: "Jana Eleven", 13: "Jana Thirteen", 15: "Jana Fifteen"}
    of = {hour: booked(studio, hour, contact=replace(JANA, name=name)) for hour, name in hours.items()}
    gone = of[15]
    cancel_booking(booking_id=gone.pk, expected_fee_minor=0, expected_sequence=gone.ical_sequence, actor=DESK, now=NOW)
    at_desk(client, place=studio.location)

    stopped.at = of[11].ends_at + timedelta(minutes=30)
    assert names(client, {"q": "jana"}) == ["Jana Thirteen", "Jana Fifteen", "Jana Eleven", "Jana Nine"]
    stopped.at = NOW
    assert names(client, {"q": "jana"}) == ["Jana Nine", "Jana Eleven", "Jana Thirteen", "Jana Fifteen"]
    assert names(client, {"q": "jana", "sort": "visit"})[0] == "Jana Fifteen"


def test_pages_of_found_bookings_continue_in_their_order(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    """Two visits are past, three come: the page after the last one that comes has the two, the latest first."""
    several(studio, 5)
    at_desk(client, place=studio.location)
    coming = Booking.objects.order_by("starts_at", "pk").last()
    assert coming
    stopped.at = coming.starts_at - timedelta(hours=1)

    shown = names(client, {"q": "customer"})
    after = names(client, {"q": "customer", "after": Booking.objects.get(contact_name=shown[1]).reference})
    before = names(client, {"q": "customer", "before": Booking.objects.get(contact_name=shown[3]).reference})

    assert set(shown[:3]) == {"Customer02", "Customer03", "Customer04"}
    assert after == shown[2:]
    assert before == shown[:3]


def test_a_whole_reference_leads_to_the_booking(client: Client, studio: Studio) -> None:
    booking = booked(studio, 10)
    at_desk(client, place=studio.location)
    spoken = f"{booking.reference[:3].lower()} {booking.reference[3:].lower()}"

    assert client.get(LIST, {"q": spoken})["Location"] == f"/desk/bookings/{booking.reference}/"
    # While staff type, the list stays.
    part = client.get(LIST, {"q": spoken}, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "Jana Weber" in part.content.decode()


def test_the_address_of_the_old_search_leads_to_the_list(client: Client, studio: Studio) -> None:
    booked(studio, 10)
    at_desk(client, place=studio.location)

    response = client.get("/desk/", {"q": "jana w"}, follow=True)

    assert response.redirect_chain == [("/desk/bookings/?q=jana+w", 302)]
    assert "Jana Weber" in response.content.decode()


@pytest.mark.parametrize("typed", ["%", "_", "\\", "x" * 300, "<script>", "🙂", "'; drop table"])
def test_search_survives_whatever_is_typed(client: Client, studio: Studio, typed: str) -> None:
    booked(studio, 10)
    at_desk(client, place=studio.location)

    response = client.get(LIST, {"q": typed})

    assert response.status_code == 200
    assert "<script>" not in response.content.decode()
    assert "Nothing found for" in response.content.decode()


# --- filters and order ----------------------------------------------------------------------------


def test_filters_add_up_and_stay_in_the_address(client: Client, studio: Studio, three: list[Booking]) -> None:
    past, ahead, gone = three

    assert names(client) == ["anton Bruckner", "Zoe Adams", "Émile Zola"]
    assert names(client, "?status=completed") == ["Émile Zola"]
    assert names(client, "?status=cancelled") == ["anton Bruckner"]
    assert names(client, f"?who={studio.staff[1].slug}") == ["Zoe Adams"]
    assert names(client, "?service=massage&q=mail&status=confirmed") == ["Zoe Adams"]
    assert names(client, "?status=confirmed&who=" + studio.staff[0].slug) == []
    html = client.get(f"{LIST}?status=confirmed&q=mail").content.decode()
    assert "Status: Confirmed" in html
    assert f'href="{LIST}?q=mail"' in html
    assert f'href="{LIST}?q=mail&amp;status=confirmed&amp;sort=customer"' in html
    assert past.location == ahead.location == gone.location


def test_days_are_those_of_the_visits_place(client: Client, studio: Studio) -> None:
    place = factories.location(name="Pacific", slug="pacific", position=2, time_zone="Pacific/Auckland")
    offered = factories.service(place, slug="far")
    far = Studio(studio.business, place, offered, [factories.staff_member(offered, at=place, name="Moana")])
    booked(studio, 10, contact=somebody("Berlin"))
    booked(far, 10, contact=somebody("Auckland"))
    at_desk(client, Role.OWNER)
    days = {each.contact_name: each.starts_at for each in Booking.objects.all()}

    assert days["Auckland"].date() != days["Berlin"].date()
    assert set(names(client, "?from=2027-01-05&until=2027-01-05")) == {"Berlin", "Auckland"}
    assert names(client, "?from=2027-01-06") == []
    assert names(client, "?until=2027-01-04") == []
    assert len(names(client, "?from=2027-01-08&until=2027-01-01")) == 2
    assert names(client, "?at=pacific") == ["Auckland"]
    assert table(client, "?at=pacific")[0]["start"] == "10:00"


def test_money_open_is_what_the_balances_say(client: Client, studio: Studio, three: list[Booking]) -> None:
    past, ahead, _gone = three
    cash(past, 8000)

    assert names(client, "?money=open") == ["Zoe Adams"]
    cash(ahead, 2000)
    assert names(client, "?money=open") == ["Zoe Adams"]
    assert "€60.00 open" in client.get(f"{LIST}?money=open").content.decode()
    computed = Booking.objects.annotate(ref=ref_column()).annotate(open=open_column("ref"))
    found = balances([subject_ref(each) for each in three])
    assert {subject_ref(each): max(0, each.open) for each in computed} == {  # type: ignore[attr-defined]
        ref: balance.open_minor for ref, balance in found.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["anton Bruckner", "Zoe Adams", "Émile Zola"]),
        ("?order=asc", ["Émile Zola", "Zoe Adams", "anton Bruckner"]),
        ("?sort=customer", ["anton Bruckner", "Émile Zola", "Zoe Adams"]),
        ("?sort=customer&order=desc", ["Zoe Adams", "Émile Zola", "anton Bruckner"]),
        ("?sort=booked", ["anton Bruckner", "Zoe Adams", "Émile Zola"]),
        ("?sort=price&order=asc", ["Émile Zola", "Zoe Adams", "anton Bruckner"]),
    ],
)
def test_columns_sort(client: Client, three: list[Booking], query: str, expected: list[str]) -> None:
    for number, booking in enumerate(three):
        Booking.objects.filter(pk=booking.pk).update(total_minor=1000 * number)

    assert names(client, query) == expected


def test_the_header_says_how_the_list_is_sorted(client: Client, three: list[Booking]) -> None:
    html = client.get(f"{LIST}?sort=customer&order=desc").content.decode()

    head = html.split("<thead")[1].split("</thead>")[0]
    assert head.count("aria-sort") == 1
    cell = next(part for part in head.split("<th")[1:] if "aria-sort" in part)
    assert 'aria-sort="descending"' in cell
    assert f'href="{LIST}?sort=customer"' in cell
    assert three


@pytest.mark.parametrize(
    "query",
    [
        "?status=nonsense",
        "?who=nobody",
        "?service=none",
        "?at=elsewhere",
        "?from=31.12.2026",
        "?until=2027-13-01",
        "?money=much",
    ],
)
def test_a_filter_that_is_not_known_is_left_out_and_said(client: Client, three: list[Booking], query: str) -> None:
    factories.location(name="Alfama", slug="alfama", position=2)
    at_desk(client, Role.OWNER)

    response = client.get(f"{LIST}{query}")

    assert response.status_code == 200
    assert "is left out, because the list does not know" in response.content.decode()
    assert len(names(client, query)) == len(three)
    # A file with more than was asked for would be a surprise.
    assert client.get(f"{CSV}{query}")["Location"] == f"{LIST}{query}"


@pytest.mark.parametrize("query", ["?sort=x&order=y&after=z", "?after=%01", "?before=" + "9" * 99, "?page=7&foo="])
def test_nonsense_in_the_address_is_the_first_page(client: Client, three: list[Booking], query: str) -> None:
    assert len(names(client, query)) == len(three)


def test_holds_that_nobody_filled_in_are_not_listed(client: Client, studio: Studio) -> None:
    held = hold(studio, 10).booking
    at_desk(client, place=studio.location)
    assert names(client) == []

    Booking.objects.filter(pk=held.pk).update(status=BookingStatus.EXPIRED)
    assert names(client) == []


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?sort=customer", "?sort=price&order=asc", "?sort=booked&q=mail"])
def test_pages_show_everything_once_forwards_and_back(client: Client, studio: Studio, query: str) -> None:
    at_desk(client, Role.MANAGER, studio.location)
    several(studio, 60)
    seen = []
    address = f"{LIST}{query}"

    while address:
        html = client.get(address).content.decode()
        seen.append(re.findall(r"/desk/bookings/([0-9A-Z]{6})/", html))
        address = link(html, "next")

    assert [len(rows) for rows in seen] == [50, 10]
    assert len({row for rows in seen for row in rows}) == 60
    back = client.get(link(html, "prev")).content.decode()
    assert re.findall(r"/desk/bookings/([0-9A-Z]{6})/", back) == seen[0]
    assert "60 bookings" in back
    assert [row["reference"] for row in table(client, query)] == [row for rows in seen for row in rows]


def test_a_booking_leads_back_to_its_page_of_the_list(client: Client, three: list[Booking]) -> None:
    html = client.get(f"{LIST}?q=zoe&sort=price").content.decode()

    [address] = re.findall(rf'href="(/desk/bookings/{three[1].reference}/[^"]*)"', html)
    page = client.get(address.replace("&amp;", "&")).content.decode()

    assert f'<p class="desk-back"><a href="{LIST}?q=zoe&amp;sort=price">' in page
    elsewhere = client.get(f"/desk/bookings/{three[1].reference}/?back=https://evil.example/").content.decode()
    assert "evil" not in elsewhere


def test_htmx_gets_the_part_below_the_filters_and_a_tidy_address(client: Client, three: list[Booking]) -> None:
    response = client.get(f"{LIST}?q=zoe&status=&at=&from=&until=", headers={"HX-Request": "true"})

    assert response.content.decode().lstrip().startswith('<div id="list">')
    assert response["HX-Replace-Url"] == f"{LIST}?q=zoe"
    history = client.get(LIST, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert history.content.decode().startswith("<!doctype html>")
    assert three


@pytest.mark.parametrize("query", ["", "?q=customer", "?q=1827&sort=customer", "?money=open&from=2027-01-01"])
def test_one_and_fifty_rows_take_the_same_statements(client: Client, studio: Studio, query: str) -> None:
    at_desk(client, Role.MANAGER, studio.location)
    counts = []
    several(studio, 1)
    for number in (0, 50):
        several(studio, number, day=2)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{LIST}{query}")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 21


# --- the CSV --------------------------------------------------------------------------------------


def test_the_file_has_what_the_list_shows_and_no_formulas(client: Client, three: list[Booking]) -> None:
    _past, ahead, _gone = three
    Booking.objects.filter(pk=ahead.pk).update(
        contact_name="=cmd|' /C calc'!A0", contact_email="@x@mail.example", contact_phone="+4915155501827"
    )
    Service.objects.update(name="-1+1")
    cash(ahead, 2000)

    response = client.get(f"{CSV}?status=confirmed")
    rows = table(client, "?status=confirmed")

    assert response.streaming
    assert response["Content-Disposition"] == 'attachment; filename="bookings.csv"'
    [row] = rows
    assert (row["name"], row["email"], row["phone"]) == (
        "'=cmd|' /C calc'!A0",
        "'@x@mail.example",
        "'+4915155501827",
    )
    assert (row["reference"], row["date"], row["start"], row["end"]) == (
        ahead.reference,
        "2027-01-05",
        "11:00",
        "12:00",
    )
    assert (row["price"], row["open"], row["currency"], row["status"]) == ("80.00", "60.00", "EUR", "confirmed")
    assert (row["therapist"], row["location"], row["booked"]) == ("Ana Silva", "Kreuzberg", "2027-01-04 07:00")
    assert len(table(client)) == 3


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
def test_only_managers_and_owners_download_it(client: Client, studio: Studio, role: Role, may_export: bool) -> None:
    booking = booked(studio, 10)
    at_desk(client, role, studio.location, of=booking)

    assert names(client) == ["Jana Weber"]
    assert (CSV in client.get(LIST).content.decode()) == may_export
    assert client.get(CSV).status_code == (200 if may_export else 404)


# --- whose bookings -------------------------------------------------------------------------------


def test_bookings_of_another_place_are_not_listed(client: Client, studio: Studio) -> None:
    booked(studio, 10)
    at_desk(client, Role.MANAGER, factories.location(name="Alfama", slug="alfama"))

    assert names(client) == names(client, "?q=jana") == names(client, "?at=kreuzberg") == []
    assert table(client) == []
    assert "Marek Nowak" not in client.get(LIST).content.decode()


def test_a_therapist_lists_the_own_bookings_alone(client: Client, studio: Studio) -> None:
    marek, ana = studio.staff
    own = booked(studio, 10, staff_member_id=marek.pk, contact=somebody("Amara Okafor"))
    booked(studio, 10, staff_member_id=ana.pk, contact=somebody("Ben Adler"))
    at_desk(client, Role.THERAPIST, of=own)

    assert names(client) == ["Amara Okafor"]
    assert names(client, "?q=Ben") == []
    assert "Ana Silva" not in client.get(LIST).content.decode()


def test_a_file_has_only_the_places_where_one_may_download(client: Client, studio: Studio) -> None:
    """A manager of one place who audits another sees both lists, and performs a visit at a third."""
    places = [factories.location(name=name, slug=name.lower(), position=2) for name in ("Alfama", "Belem")]
    studios = []
    for place in places:
        offered = factories.service(place, slug=f"at-{place.slug}")
        studios.append(Studio(studio.business, place, offered, [factories.staff_member(offered, at=place)]))
    booked(studio, 10, contact=somebody("Managed"))
    booked(studios[0], 10, contact=somebody("Audited"))
    own = booked(studios[1], 10, contact=somebody("Performed"))
    desk = at_desk(client, Role.MANAGER, studio.location)
    Access.objects.create(user=desk.user, role=Role.AUDITOR, location=places[0])
    Access.objects.create(user=desk.user, role=Role.THERAPIST, location=None)
    StaffMember.objects.filter(booking_lines__booking=own).update(user=desk.user)

    assert set(names(client)) == {"Managed", "Audited", "Performed"}
    assert [row["name"] for row in table(client)] == ["Managed"]
    assert table(client, "?at=alfama") == []


def test_an_empty_list_says_what_to_do(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    at_desk(client, place=studio.location)

    assert "No bookings yet" in client.get(LIST).content.decode()
    narrowed = client.get(f"{LIST}?status=no_show").content.decode()
    assert "No booking is like that" in narrowed
    assert "Clear all filters" in narrowed
    assert "Nothing found for “Jana”" in client.get(f"{LIST}?q=Jana").content.decode()
    assert stopped.at == NOW
    assert JANA
