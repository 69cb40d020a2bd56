"""The calendar of the desk: who has a column, its items, why a time is not free, and the booking in the panel."""

import re
from dataclasses import replace
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking, BookingEvent
from services.models import Closure, Location, Service
from staff.enums import Role, TimeOffStatus
from staff.models import Access, StaffMember, TimeOff, WorkingHours, WorkingHoursException
from staff.operations import add_time_off, answer_time_off
from tests import factories, journeys
from tests.desk import at_desk
from tests.factories import NOW, Studio
from tests.signing_in import sign_in_staff
from tests.web.conftest import StoppedClock
from tests.web.page_forms import typed

TOMORROW = "/desk/?on=2027-01-05"
_PANEL = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "panel"}


def text(html: str) -> str:
    """What is read aloud, or printed."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def columns(html: str) -> dict[str, str]:
    """The columns by their titles, each as HTML."""
    parts = re.findall(r'<section\s+class="column.*?</section>', html, re.DOTALL)
    return {text(re.findall(r"<h3.*?</h3>", part, re.DOTALL)[0]): part for part in parts}


def items(html: str, title: str) -> list[str]:
    """What a screen reader says of each item in a column."""
    rows = re.findall(r"<li\s(.*?)>(.*?)</li>", columns(html)[title], re.DOTALL)
    spoken = (re.sub(r'<span class="when".*?</span></span>', "", row) for css, row in rows if "aria-hidden" not in css)
    return [text(row) for row in spoken]


def get(client: Client, path: str = TOMORROW, **headers: Any) -> str:
    response = client.get(path, **headers)
    assert response.status_code == 200
    return on_one_line(response.content.decode())


def on_one_line(html: str) -> str:
    """Each tag on one line, however its template breaks it."""
    return re.sub(r"<[^>]*>", lambda tag: " ".join(tag[0].split()).replace(" >", ">"), html)


def desk(client: Client, studio: Studio, role: Role = Role.FRONT_DESK, **values: Any) -> Client:
    return at_desk(client, role, studio.location, **values).client


def with_marek(studio: Studio, hour: int, minute: int = 0, **changes: Any) -> Booking:
    return journeys.booked(studio, hour, minute, staff_member_id=studio.staff[0].pk, **changes)


def test_a_day_has_a_column_for_each_person_with_bookings_and_free_time(client: Client, studio: Studio) -> None:
    Service.objects.update(buffer_after_minutes=15)
    with_marek(studio, 10)
    html = get(desk(client, studio))

    assert list(columns(html)) == ["Ana Silva", "Marek Nowak"]
    assert items(html, "Marek Nowak") == [
        "+ Free 1 h, 09:00–10:00 Book",
        "Jana Weber 10:00–11:00 Deep tissue massage Confirmed",
        "+ Free 5 h 45 min, 11:15–17:00 Book",
    ]
    assert '<div class="buffer"></div>' in columns(html)["Marek Nowak"]
    assert "1 of 8 h, 12 %" in text(columns(html)["Marek Nowak"])
    assert "Next free: 09:00 with Ana, 8 h" in text(html)


def test_blocks_and_columns_say_what_they_stand_for(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    marek = columns(get(desk(client, studio)))["Marek Nowak"]

    start = studio.minute(10)
    data = f'data-ref="{booking.reference}" data-start="{start}" data-minutes="60" data-staff="{studio.staff[0].slug}"'
    assert f'{data} data-sequence="0"' in marek
    marks = f'data-staff="{studio.staff[0].slug}" data-who="{studio.staff[0].pk}"'
    assert f'{marks} data-place="kreuzberg" data-on="2027-01-05"' in marek
    assert f'data-from="{studio.minute(9)}"' in get(client)


def test_a_gap_leads_to_a_booking_at_its_start(client: Client, studio: Studio) -> None:
    marek = columns(get(desk(client, studio)))["Marek Nowak"]

    slug, start = studio.staff[0].slug, studio.minute(9)
    assert f'href="/desk/book/?at=kreuzberg&amp;who={slug}&amp;on=2027-01-05&amp;start={start}"' in marek


def test_who_books_for_nobody_sees_free_time_without_links(client: Client, studio: Studio) -> None:
    html = get(desk(client, studio, Role.AUDITOR))

    assert "Free 8 h, 09:00–17:00" in items(html, "Marek Nowak")
    assert "/desk/book/" not in html


def test_only_who_may_move_bookings_can_drag_them(client: Client, studio: Studio) -> None:
    assert 'data-moves="/desk/bookings/REF/move"' in get(desk(client, studio))

    for role in (Role.AUDITOR, Role.THERAPIST):
        assert "data-moves" not in get(desk(client, studio, role), f"{TOMORROW}&view=day")


def test_time_that_is_over_is_not_free(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    stopped.at = studio.at(12, 3)
    html = get(desk(client, studio))

    assert items(html, "Marek Nowak") == ["+ Free 4 h 55 min, 12:05–17:00 Book"]
    assert "12:03" in text(html)


def test_why_a_time_is_not_free_stands_in_it(client: Client, studio: Studio) -> None:
    marek, ana = studio.staff
    WorkingHours.objects.filter(staff_member=marek).delete()
    for start, end in ((540, 720), (780, 960)):
        WorkingHours.objects.create(
            staff_member=marek, location=studio.location, weekday=1, start_minute=start, end_minute=end
        )
    factories.time_off(ana.resource, studio.at(14), studio.at(17), reason="Dentist")
    html = get(desk(client, studio))

    assert "Break, 12:00–13:00" in items(html, "Marek Nowak")
    assert "Time off: Dentist, 14:00–17:00" in items(html, "Ana Silva")


def ask_for(studio: Studio, number: int, starts_at: datetime, ends_at: datetime, reason: str = "") -> TimeOff:
    return add_time_off(
        resource_id=studio.staff[number].resource_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        status=TimeOffStatus.REQUESTED,
    )


def test_requested_time_off_stands_beside_what_can_still_be_booked(client: Client, studio: Studio) -> None:
    with_marek(studio, 10)
    request = ask_for(studio, 0, studio.at(10, 30), studio.at(14))
    html = get(at_desk(client, Role.MANAGER, studio.location).client)

    marek = columns(html)["Marek Nowak"]
    assert items(html, "Marek Nowak") == [
        "+ Free 1 h, 09:00–10:00 Book",
        "Jana Weber 10:00–11:00 Deep tissue massage Confirmed",
        "Time off requested, 10:30–14:00",
        "+ Free 6 h, 11:00–17:00 Book",
    ]
    assert f'href="/desk/time-off/#time-off-{request.pk}"' in marek
    # The booking and the gap leave room for it at the right; what does not touch it has the whole width.
    assert [row.split('"')[0] for row in marek.split('<li class="at ')[1:]] == [
        "h0 m0 d1 e0",
        "h1 m0 d1 e0 beside",
        "h1 m30 d3 e30 aside",
        "h2 m0 d6 e0 beside",
    ]
    assert f'id="time-off-{request.pk}"' in client.get("/desk/time-off/").content.decode()


def test_requested_time_off_says_its_reason_and_leads_only_who_answers(client: Client, studio: Studio) -> None:
    ask_for(studio, 0, studio.at(9), studio.at(12), reason="Dentist")
    elsewhere = factories.location(name="Alfama", slug="alfama", position=2)
    both = at_desk(client, Role.FRONT_DESK, studio.location)
    Access.objects.create(user=both.user, role=Role.MANAGER, location=elsewhere)
    html = get(client)

    assert "Time off requested: Dentist, 09:00–12:00" in items(html, "Marek Nowak")
    assert "#time-off-" not in html
    assert "#time-off-" in get(at_desk(client, Role.OWNER).client)


def test_an_answered_request_is_time_off_or_nothing(client: Client, studio: Studio) -> None:
    first = ask_for(studio, 0, studio.at(9), studio.at(12))
    second = ask_for(studio, 1, studio.at(9), studio.at(12))
    answer_time_off(time_off_id=first.pk, approve=True)
    answer_time_off(time_off_id=second.pk, approve=False)
    html = get(desk(client, studio))

    assert items(html, "Marek Nowak") == ["Time off, 09:00–12:00", "+ Free 5 h, 12:00–17:00 Book"]
    assert items(html, "Ana Silva") == ["+ Free 8 h, 09:00–17:00 Book"]


def test_a_closed_day_says_why(client: Client, studio: Studio) -> None:
    with_marek(studio, 10)
    Closure.objects.create(location=studio.location, on=studio.at(0).date(), reason="Public holiday")
    html = get(desk(client, studio))

    assert list(columns(html)) == ["Marek Nowak"]
    assert items(html, "Marek Nowak")[0].startswith("Closed: Public holiday")
    assert "2 not working" not in text(html)
    assert "1 not working" in text(html)


def test_a_day_on_which_nobody_works_says_so(client: Client, studio: Studio) -> None:
    WorkingHours.objects.all().delete()

    assert "Nobody works on this day" in get(desk(client, studio))


def test_who_is_off_is_shown_on_demand(client: Client, studio: Studio) -> None:
    WorkingHoursException.objects.create(staff_member=studio.staff[0], location=studio.location, on=studio.at(0).date())
    html = get(desk(client, studio))

    assert list(columns(html)) == ["Ana Silva"]
    shown = get(client, f"{TOMORROW}&others=1")
    assert items(shown, "Marek Nowak") == ["Not working, 09:00–17:00"]


def test_one_person_can_be_looked_at_alone(client: Client, studio: Studio) -> None:
    html = get(desk(client, studio), f"{TOMORROW}&who={studio.staff[0].slug}")

    assert list(columns(html)) == ["Marek Nowak"]


def test_work_at_another_place_is_told_without_names(client: Client, studio: Studio) -> None:
    marek = studio.staff[0]
    alfama = factories.location(name="Alfama", slug="alfama", time_zone="Europe/Lisbon", position=2)
    studio.variant.service.locations.add(alfama)
    WorkingHours.objects.filter(staff_member=marek).update(start_minute=540, end_minute=720)
    WorkingHours.objects.create(staff_member=marek, location=alfama, weekday=1, start_minute=780, end_minute=960)
    # Three in Lisbon is four in Berlin.
    journeys.booked(replace(studio, location=alfama), 15, staff_member_id=marek.pk)

    html = get(desk(client, studio))

    assert "At Alfama, 14:00–17:00" in items(html, "Marek Nowak")
    assert "Jana" not in html
    assert "Jana" not in get(client, f"{TOMORROW}&at=alfama")
    assert "Jana" not in get(client, f"{TOMORROW}&at=all")


def test_all_places_stand_below_each_other_on_their_own_clocks(client: Client, studio: Studio) -> None:
    alfama = factories.location(name="Alfama", slug="alfama", time_zone="Europe/Lisbon", position=2)
    factories.staff_member(studio.variant, at=alfama, name="Inês Carvalho")
    html = get(at_desk(client, Role.OWNER).client, f"{TOMORROW}&at=all")

    assert list(columns(html)) == ["Ana Silva", "Marek Nowak", "Inês Carvalho"]
    assert "+ Free 8 h, 09:00–17:00 Book" in items(html, "Inês Carvalho")
    first, second = re.findall(r'data-from="(\d+)"', html)
    assert int(second) - int(first) == 60
    assert list(columns(get(client, f"{TOMORROW}&at=alfama"))) == ["Inês Carvalho"]


def test_a_time_that_is_being_booked_online_is_shown_without_a_name(client: Client, studio: Studio) -> None:
    held = journeys.hold(studio, 10, staff_member_id=studio.staff[0].pk)
    html = get(desk(client, studio))

    assert "Someone 10:00–11:00 Deep tissue massage Being booked online" in items(html, "Marek Nowak")
    assert held.booking.reference not in html
    assert "0 bookings" in text(html)


def test_a_hold_that_ran_out_takes_no_time(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    journeys.hold(studio, 10, staff_member_id=studio.staff[0].pk)
    stopped.pass_minutes(60)

    assert items(get(desk(client, studio)), "Marek Nowak") == ["+ Free 8 h, 09:00–17:00 Book"]


def test_states_are_told_in_words(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    for hour in (9, 10, 11):
        with_marek(studio, hour)
    first, second, _ = Booking.objects.order_by("starts_at")
    stopped.at = studio.at(11, 30)
    journeys.completed(first)
    html = get(desk(client, studio), "/desk/")

    words = [item.rsplit("massage ", 1)[1] for item in items(html, "Marek Nowak") if "Jana" in item]
    assert words == ["Completed", "Past", "Confirmed"]
    assert second.status == "confirmed"


def test_rooms_are_shown_on_demand_and_those_booked_alone_always(client: Client, studio: Studio) -> None:
    kind = factories.resource_type()
    birch = factories.room(studio.location, kind, name="Birch")
    factories.requirement(studio.variant.service, kind)
    with_marek(studio, 10)
    sauna = factories.service(studio.location, name="Sauna", needs_staff=False)
    cabins = factories.resource_type("Cabin")
    factories.room(studio.location, cabins, name="Cabin 1")
    factories.requirement(sauna.service, cabins)
    journeys.booked(replace(studio, variant=sauna), 12)
    factories.time_off(birch, studio.at(15), studio.at(17), reason="Being painted")

    html = get(desk(client, studio))
    assert list(columns(html)) == ["Ana Silva", "Marek Nowak", "Cabin 1"]
    assert items(html, "Cabin 1") == ["Jana Weber 12:00–13:00 Sauna Confirmed"]

    html = get(client, f"{TOMORROW}&rooms=1")
    assert list(columns(html)) == ["Ana Silva", "Marek Nowak", "Birch", "Cabin 1"]
    assert items(html, "Birch") == [
        "Jana Weber 10:00–11:00 Deep tissue massage · Marek Confirmed",
        "Out of use: Being painted, 15:00–17:00",
    ]


def test_a_therapist_is_free_while_the_customer_waits(client: Client, studio: Studio) -> None:
    studio.variant.processing_minutes, studio.variant.finish_minutes = 30, 15
    studio.variant.save()
    with_marek(studio, 10)
    html = get(desk(client, studio))

    assert items(html, "Marek Nowak")[1:3] == [
        "Jana Weber 10:00–11:00 Deep tissue massage Confirmed",
        "+ Free 30 min, 11:00–11:30 Book",
    ]
    assert '<div class="wait"></div>' in html
    assert '<div class="more is-confirmed"></div>' in html


def test_a_visit_past_midnight_stands_at_the_end_of_its_shift(client: Client, studio: Studio) -> None:
    studio.location.opening_hours.filter(weekday=1).update(end_minute=1500)
    WorkingHours.objects.filter(weekday=1).update(end_minute=1500)
    with_marek(studio, 0, start_minute=studio.minute(23, 45))
    html = get(desk(client, studio))

    assert "Jana Weber 23:45–00:45 Deep tissue massage Confirmed" in items(html, "Marek Nowak")
    assert "00:00" in text(html)


def test_the_week_of_a_person_has_a_column_for_each_day(client: Client, studio: Studio) -> None:
    marek = studio.staff[0]
    with_marek(studio, 10)
    factories.time_off(marek.resource, studio.at(0, days=2), studio.at(0, days=3), reason="Training")
    html = get(desk(client, studio), f"/desk/?view=week&who={marek.slug}")

    assert list(columns(html))[:3] == ["Mon 4 Jan", "Tue 5 Jan", "Wed 6 Jan"]
    assert "Jana Weber 10:00–11:00 Deep tissue massage Confirmed" in items(html, "Tue 5 Jan")
    assert items(html, "Wed 6 Jan") == ["Time off: Training, 09:00–17:00"]
    assert "<b>1</b> booking" in html
    assert "4 Jan – 10 Jan" in text(html)
    assert "view=week" in re.findall(r'href="([^"]*)" data-key="ArrowRight"', html)[0]
    assert "on=2027-01-11" in re.findall(r'href="([^"]*)" data-key="ArrowRight"', html)[0]


def test_a_week_in_which_the_clocks_change_keeps_its_hours(client: Client, studio: Studio) -> None:
    html = get(desk(client, studio), f"/desk/?view=week&who={studio.staff[0].slug}&on=2027-03-28")

    assert all(items(html, day) == ["+ Free 8 h, 09:00–17:00 Book"] for day in columns(html))
    assert len(set(re.findall(r'<li class="at (h\d+ m\d+ d\d+ e\d+)">', html))) == 1


def test_a_therapist_sees_the_own_calendar_alone(client: Client, studio: Studio) -> None:
    _, ana = studio.staff
    own = with_marek(studio, 10)
    other = journeys.booked(
        studio, 12, staff_member_id=ana.pk, contact=replace(journeys.JANA, name="Ben Adler", email="ben@mail.example")
    )
    at_desk(client, Role.THERAPIST, of=own)

    for view in ("day", "week"):
        html = get(client, f"{TOMORROW}&view={view}&who={ana.slug}&at=kreuzberg&rooms=1")
        assert "Jana Weber" in html
        assert "Ben Adler" not in html
        assert "/desk/book/" not in html
        assert ana.name not in html
    assert client.get(f"{TOMORROW}&view=day&b={other.reference}").status_code == 404
    assert client.get(f"{TOMORROW}&view=day&b={own.reference}").status_code == 200


def test_at_a_place_where_one_only_performs_the_others_stay_unseen(client: Client, studio: Studio) -> None:
    own = with_marek(studio, 10)
    journeys.booked(
        studio,
        12,
        staff_member_id=studio.staff[1].pk,
        contact=replace(journeys.JANA, name="Ben", email="b@mail.example"),
    )
    user = at_desk(client, Role.THERAPIST, of=own).user
    Access.objects.create(user=user, role=Role.FRONT_DESK, location=factories.location(name="Alfama", position=1))

    for page in (f"{TOMORROW}&at=kreuzberg", f"{TOMORROW}&at=all&others=1&rooms=1"):
        html = get(client, page)
        assert "Marek Nowak" in columns(html)
        assert "Ana Silva" not in html
        assert "Ben" not in html
    week = get(client, f"{TOMORROW}&view=week&at=kreuzberg&who={studio.staff[1].slug}")
    assert "Ana" not in week
    assert "Jana" in week


def test_a_therapist_who_left_sees_nobodys_calendar(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    at_desk(client, Role.THERAPIST, of=booking)
    StaffMember.objects.update(is_active=False)

    for view in ("day", "week", "list"):
        assert "Jana" not in get(client, f"{TOMORROW}&view={view}")


def test_a_therapist_without_hours_and_bookings_has_an_empty_calendar(client: Client, studio: Studio) -> None:
    user = factories.desk_user(Role.THERAPIST)
    factories.staff_member(studio.variant, user=user)
    sign_in_staff(client, user)

    assert [client.get(f"{TOMORROW}&view={view}").status_code for view in ("day", "week", "list")] == [200] * 3


def test_a_booking_opens_beside_the_calendar(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    html = get(desk(client, studio), f"{TOMORROW}&b={booking.reference}")

    assert list(columns(html)) == ["Ana Silva", "Marek Nowak"]
    panel = html.split('id="panel"')[1]
    assert "First visit" in panel
    assert "€80.00 open" in text(panel)
    assert 'aria-current="true"' in columns(html)["Marek Nowak"]
    # Steps lead back to the calendar as it is.
    back = f"back=%2Fdesk%2F%3Fat%3Dkreuzberg%26on%3D2027-01-05%26b%3D{booking.reference}"
    assert f"/desk/bookings/{booking.reference}/cancel?{back}" in panel
    assert 'href="/desk/?at=kreuzberg&amp;on=2027-01-05" data-key="Escape"' in panel


def test_htmx_gets_the_panel_alone(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    html = get(desk(client, studio), f"{TOMORROW}&b={booking.reference}", **_PANEL)

    assert html.strip().startswith("<section")
    assert "First visit" in html
    assert "<html" not in html
    assert get(client, TOMORROW, **_PANEL).strip() == ""
    whole = get(client, f"{TOMORROW}&b={booking.reference}", **_PANEL, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<html" in whole


@pytest.mark.parametrize("reference", ["ZZZZZZ", "%00", "../../", "x" * 300])
def test_a_booking_that_may_not_be_seen_is_not_found(client: Client, studio: Studio, reference: str) -> None:
    desk(client, studio)

    assert client.get(f"{TOMORROW}&b={reference}").status_code in {400, 404}


def test_a_booking_of_another_place_is_not_found(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    at_desk(client, Role.FRONT_DESK, factories.location(name="Alfama"))

    assert client.get(f"{TOMORROW}&b={booking.reference}", **_PANEL).status_code == 404


def test_a_mark_in_the_panel_leads_back_to_it(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = with_marek(studio, 10)
    stopped.at = studio.at(9, 50)
    panel = get(desk(client, studio), f"/desk/?b={booking.reference}", **_PANEL)
    form = typed(panel.split(f'action="/desk/bookings/{booking.reference}/arrived">')[1].split("</form>")[0])

    response = client.post(f"/desk/bookings/{booking.reference}/arrived", form, follow=True, **_PANEL)

    assert response.redirect_chain == [(f"/desk/?at=kreuzberg&b={booking.reference}", 303)]
    html = response.content.decode()
    assert "Marked as arrived." in html
    assert "<html" not in html


def test_a_refusal_in_the_panel_takes_the_whole_page(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    booking = with_marek(studio, 10)
    stopped.at = studio.at(9, 50)
    panel = get(desk(client, studio), f"/desk/?b={booking.reference}", **_PANEL)
    form = typed(panel.split(f'action="/desk/bookings/{booking.reference}/arrived">')[1].split("</form>")[0])
    journeys.completed(booking)

    response = client.post(f"/desk/bookings/{booking.reference}/arrived", form, **_PANEL)

    assert response.status_code == 409
    assert response["HX-Retarget"] == "body"


def test_a_step_leads_back_to_the_calendar_and_nowhere_else(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    at = at_desk(client, place=studio.location)
    here = f"/desk/?at=kreuzberg&on=2027-01-05&b={booking.reference}"

    page = at.page(booking, "discount", back=here).content.decode()
    assert f'href="{here.replace("&", "&amp;")}"' in page
    done = at.do(booking, "discount", query={"back": here}, amount="5", reason="Late")
    assert (done.status_code, done["Location"]) == (303, here)
    for hostile in ("https://evil.example/", "//evil.example/desk/?b=1", "javascript:alert(1)", "/admin/?b=1"):
        page = at.page(booking, "discount", back=hostile).content.decode()
        assert "evil" not in page.replace("&quot;", "")
        assert f'href="/desk/bookings/{booking.reference}/"' in page


@pytest.mark.parametrize(
    "query",
    [
        "view=month",
        "at=nowhere",
        "who=nobody",
        "on=never",
        "rooms=yes",
        "view=week&who=nobody",
        "view=week&on=2100-12-31",
    ],
)
def test_what_makes_no_sense_is_the_usual(client: Client, studio: Studio, query: str) -> None:
    desk(client, studio)

    assert client.get(f"/desk/?{query}").status_code == 200


def test_names_are_text(client: Client, studio: Studio) -> None:
    name = "<script>alert(1)</script> O'Hara"
    with_marek(studio, 10, contact=replace(journeys.JANA, name=name))
    WorkingHours.objects.filter(weekday=1).update(end_minute=900)
    factories.time_off(studio.staff[0].resource, studio.at(13), studio.at(14), reason="<b>Dentist</b>")
    ask_for(studio, 1, studio.at(13), studio.at(14), reason="<b>Dentist</b>")
    html = get(desk(client, studio))

    assert "<script>alert" not in html
    assert "<b>Dentist" not in html
    assert any(name in item for item in items(html, "Marek Nowak"))


@pytest.mark.parametrize("view", ["day", "day&rooms=1&at=all", "week"])
def test_reading_costs_the_same_for_one_and_fifty_bookings(
    db: None,
    client: Client,
    view: str,
    stopped: StoppedClock,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    studio = journeys.studio(staff=2)
    Location.objects.update(slug="kreuzberg")
    studio.variant.work_minutes = 15
    studio.variant.save()
    page = f"{TOMORROW}&view={view}"
    at_desk(client, Role.OWNER)
    journeys.booked(studio, 9, staff_member_id=studio.staff[0].pk)
    with django_assert_max_num_queries(15) as one:
        get(client, page)
    for number in range(1, 50):
        ask_for(studio, number % 2, studio.at(9, number), studio.at(12, number))
        start = studio.minute(9) + number % 25 * 15
        journeys.booked(studio, start_minute=start, staff_member_id=studio.staff[number // 25].pk, now=NOW)

    with django_assert_num_queries(len(one)):
        html = get(client, page)

    assert html.count("Jana Weber") == (50 if view != "week" else 25)


def state(html: str) -> tuple[str, str]:
    """Where an open page asks for changes, and the tag that it knows."""
    url, tag = re.findall(r'data-changes="([^"]*)"\s+data-state="([^"]*)"', html)[0]
    return unescape(url), unescape(tag)


def look(client: Client, url: str, tag: str) -> tuple[int, str]:
    response = client.get(url, HTTP_IF_NONE_MATCH=tag)
    assert response.content == b""
    return response.status_code, response.headers.get("ETag", "")


def test_an_open_page_hears_of_what_has_changed_once(client: Client, studio: Studio) -> None:
    url, tag = state(get(desk(client, studio)))
    assert look(client, url, tag) == (304, tag)

    with_marek(studio, 10)
    status, new = look(client, url, tag)

    assert status == 200
    assert look(client, url, new) == (304, new)


def test_what_happens_at_another_place_does_not_disturb(client: Client, studio: Studio) -> None:
    alfama = factories.location(name="Alfama", slug="alfama", position=2)
    studio.variant.service.locations.add(alfama)
    factories.staff_member(studio.variant, at=alfama)
    url, tag = state(get(at_desk(client, Role.OWNER).client, f"{TOMORROW}&at=kreuzberg"))

    journeys.booked(replace(studio, location=alfama), 10)
    status, new = look(client, url, tag)

    assert status == 204
    assert look(client, url, new) == (304, new)


def test_a_hold_at_another_place_does_not_count(client: Client, studio: Studio) -> None:
    alfama = factories.location(name="Alfama", slug="alfama", position=2)
    studio.variant.service.locations.add(alfama)
    factories.staff_member(studio.variant, at=alfama)
    journeys.hold(replace(studio, location=alfama), 10)

    url, tag = state(get(at_desk(client, Role.OWNER).client, f"{TOMORROW}&at=kreuzberg"))

    assert look(client, url, tag) == (304, tag)


def test_a_hold_that_runs_out_is_a_change(client: Client, studio: Studio, stopped: StoppedClock) -> None:
    journeys.hold(studio, 10)
    url, tag = state(get(desk(client, studio)))
    assert look(client, url, tag)[0] == 304

    stopped.pass_minutes(30)

    assert look(client, url, tag)[0] == 200


def test_time_off_that_is_asked_for_answered_or_blocked_is_a_change(client: Client, studio: Studio) -> None:
    url, tag = state(get(desk(client, studio)))

    request = ask_for(studio, 0, studio.at(9), studio.at(12))
    status, asked = look(client, url, tag)
    assert status == 200
    assert look(client, url, asked) == (304, asked)
    answer_time_off(time_off_id=request.pk, approve=False)
    status, answered = look(client, url, asked)
    assert status == 200
    factories.time_off(studio.staff[1].resource, studio.at(9), studio.at(12))

    assert look(client, url, answered)[0] == 200


def test_a_row_of_history_that_is_committed_late_is_noticed(client: Client, studio: Studio) -> None:
    booking = with_marek(studio, 10)
    url, tag = state(get(desk(client, studio)))
    newest = BookingEvent.objects.latest("pk")
    # The row had its id before the newest one was committed.
    late = BookingEvent(
        pk=newest.pk + 1, booking=booking, to_status="confirmed", actor_kind="staff", channel="desk", at=NOW
    )
    newest.pk += 2
    newest.save(force_insert=True)
    _, tag = look(client, url, tag)
    late.save(force_insert=True)

    assert look(client, url, tag)[0] == 200


def test_a_therapist_hears_of_the_own_bookings(client: Client, studio: Studio) -> None:
    at_desk(client, Role.THERAPIST, of=with_marek(studio, 10))
    url, tag = state(get(client, f"{TOMORROW}&view=day"))

    journeys.booked(studio, 12, staff_member_id=studio.staff[1].pk)
    status, tag = look(client, url, tag)
    assert status == 204
    with_marek(studio, 14)

    assert look(client, url, tag)[0] == 200


@pytest.mark.parametrize(
    "tag", ["", '"x"', '"1-2"', '"1-2-3-4"', f'"{"9" * 40}-1-1-1-1"', '"-1--1--1"', '"²-1-1-1-1"', "*"]
)
def test_a_tag_that_is_none_means_read_again(client: Client, studio: Studio, tag: str) -> None:
    url, _ = state(get(desk(client, studio)))

    assert look(client, url, tag)[0] == 200
    assert look(client, f"{url},x,{'9' * 30}", tag)[0] == 200


def test_looking_for_changes_costs_four_statements(
    client: Client, studio: Studio, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The session, the user, the rights, and one about the state."""
    url, tag = state(get(desk(client, studio)))

    with django_assert_num_queries(4):
        assert look(client, url, tag)[0] == 304


def test_changed_columns_come_with_their_figures(client: Client, studio: Studio) -> None:
    with_marek(studio, 10)
    html = get(desk(client, studio), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="grids")

    assert "<html" not in html
    assert "Jana Weber 10:00–11:00 Deep tissue massage Confirmed" in items(html, "Marek Nowak")
    assert 'id="figures" hx-swap-oob="true"' in html
    assert 'id="panel"' not in html
