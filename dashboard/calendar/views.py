"""The home of the desk: a day or a week as a calendar, or the bookings of a day as a list, with one booking in a panel.

The address holds everything that the page shows. A request by htmx gets only the part that it replaces: the panel of
one booking, or the grids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from bookings.queries.walk_ins import waiting_count
from dashboard import queries
from dashboard.calendar.address import EVERYWHERE, Address, View, flag, view_of
from dashboard.calendar.changes import State, changes_since, state_of_tag
from dashboard.calendar.facts import CalendarFacts, Sight
from dashboard.calendar.presenter import Page, Reader, day_page, head_of, week_page
from dashboard.calendar.queries import balances_of, calendar_facts, team_of
from dashboard.door import Desk
from dashboard.permissions import Act, Rights, location_ids_with, locations_visible_to, roles_with
from dashboard.phone_booking.link_views import panel_context
from dashboard.presenters import day as list_presenter
from dashboard.views.booking import booking_context
from dashboard.views.pages import day_of_text, desk_page, show
from services.models import Location

_BOOKS = roles_with(Act.BOOK)


@dataclass(frozen=True, slots=True)
class Opened:
    """The calendar as the address asks for it. ``places`` are the shown ones out of the ``visible`` ones."""

    request: HttpRequest
    desk: Desk
    address: Address
    places: Sequence[Location]
    visible: Sequence[Location]

    @property
    def sight(self) -> Sight:
        rights = self.desk.rights
        whole = {each.pk for each in self.visible if rights.location_ids is None or each.pk in rights.location_ids}
        return Sight(frozenset(whole), rights.staff_member_id or 0)

    @property
    def reader(self) -> Reader:
        rights = self.desk.rights
        books_at = [each for each in self.visible if rights.at_location(each.pk) & _BOOKS]
        return Reader(
            [each.slug for each in books_at],
            frozenset(each.pk for each in books_at),
            blocks_at=location_ids_with(rights, Act.BLOCK_TIME),
            answers_at=location_ids_with(rights, Act.ANSWER_TIME_OFF),
            is_only_own=_is_only_own(rights),
        )


@require_safe
@desk_page
def calendar(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the calendar or the list. A search leads to the list of all days."""
    if typed := request.GET.get("q", "").strip():
        return redirect(f"{reverse('desk_bookings')}?{urlencode({'q': typed})}")
    visible = list(locations_visible_to(desk.rights))
    opened = _opened(request, desk, visible)
    if _wants(request, "panel"):
        return render(request, "dashboard/calendar/_panel.html", _panel(opened))
    match opened.address.view:
        case View.LIST:
            return _list(opened)
        case View.WEEK:
            return _week(opened)
        case _:
            return _day(opened)


@require_safe
@desk_page
def changes(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Say whether the calendar has changed since the tag of the page: 304 when nothing has happened, 204 with a new tag
    when it happened elsewhere, 200 when the page has to reload.
    """
    known = state_of_tag(request.headers.get("If-None-Match", ""))
    found = changes_since(known, _places_asked(request, desk), desk.rights.staff_member_id or 0, now=desk.now)
    status = 200 if found.is_changed else 304 if found.state == known else 204
    return HttpResponse(status=status, headers={"ETag": found.state.tag})


def _places_asked(request: HttpRequest, desk: Desk) -> list[int]:
    """Return the ids in the address that the reader may see in full."""
    typed = request.GET.get("at", "")[:200].split(",")
    asked = [int(each) for each in typed if each.isascii() and each.isdecimal() and len(each) < 18]
    seen = desk.rights.location_ids
    return asked if seen is None else [each for each in asked if each in seen]


def _wants(request: HttpRequest, part: str) -> bool:
    """Return whether htmx asks for a part of the page. Going back in the browser asks for the whole page."""
    headers = request.headers
    return headers.get("HX-Target") == part and "HX-History-Restore-Request" not in headers


def _opened(request: HttpRequest, desk: Desk, visible: Sequence[Location]) -> Opened:
    """Read the address. Invalid parts of it become the default."""
    query = request.GET
    is_only_own = _is_only_own(desk.rights)
    asked = EVERYWHERE if is_only_own else query.get("at", "")
    places = [each for each in visible if asked in {EVERYWHERE, each.slug}] or visible[:1]
    at = EVERYWHERE if asked == EVERYWHERE and len(visible) > 1 else "".join(each.slug for each in places[:1])
    today = desk.now.astimezone(ZoneInfo(places[0].time_zone if places else "UTC")).date()
    usual = View.LIST if is_only_own else View.DAY
    address = Address(
        view=view_of(query.get("view", ""), usual),
        on=day_of_text(query.get("on", ""), today),
        today=today,
        at="" if is_only_own else at,
        who="" if is_only_own else query.get("who", "")[:50],
        booking=query.get("b", "")[:10],
        has_rooms=flag(query, "rooms"),
        has_others=flag(query, "others"),
        usual=usual,
    )
    return Opened(request, desk, address, places, visible)


def _is_only_own(rights: Rights) -> bool:
    return not rights.sees_money


def _day(opened: Opened) -> HttpResponse:
    on, state = opened.address.on, _state(opened)
    facts = _facts(opened, on, on + timedelta(days=1))
    page = day_page(facts, balances_of(facts), opened.address, opened.reader, opened.desk.now)
    return _shown(opened, page, state)


def _week(opened: Opened) -> HttpResponse:
    """Show the week of the staff member in the address, else of the first one of the team."""
    state = _state(opened)
    team = team_of(opened.places, opened.sight)
    chosen = next((each for each in team if each.slug == opened.address.who), next(iter(team), None))
    if chosen is None or not opened.places:
        return _day(opened)
    address = opened.address if _is_only_own(opened.desk.rights) else opened.address.but(who=chosen.slug)
    facts = _facts(opened, address.monday, address.monday + timedelta(days=7), chosen.pk)
    [person] = [each for each in facts.people if each.id == chosen.pk]
    page = week_page(facts, balances_of(facts), address, person, team, opened.reader, opened.desk.now)
    return _shown(opened, page, state)


def _facts(opened: Opened, from_on: date, until_on: date, staff_member_id: int | None = None) -> CalendarFacts:
    return calendar_facts(
        opened.places,
        opened.sight,
        from_on=from_on,
        until_on=until_on,
        now=opened.desk.now,
        staff_member_id=staff_member_id,
    )


def _shown(opened: Opened, page: Page, state: State) -> HttpResponse:
    if _wants(opened.request, "grids"):
        return render(opened.request, "dashboard/calendar/_changed.html", {"page": page})
    context = {
        "page": page,
        "changes_url": _changes_url(opened),
        **_change_urls(opened),
        **_walk_ins(opened),
        "state": state.tag,
        **_panel(opened),
    }
    return _page(opened, "dashboard/calendar/calendar.html", context)


def _state(opened: Opened) -> State:
    """Return the state that an open page compares with. Read it before all other facts, so that no change is missed."""
    sight = opened.sight
    # The same places as in the address of ``_changes_url``, whose live holds are counted later.
    places = sight.whole_place_ids & {each.pk for each in opened.places}
    return changes_since(None, places, sight.own_id, now=opened.desk.now).state


def _changes_url(opened: Opened) -> str:
    ids = ",".join(str(each.pk) for each in opened.places)
    return f"{reverse('desk_changes')}?{urlencode({'at': ids})}"


def _change_urls(opened: Opened) -> dict[str, str]:
    """Return the addresses of the pages that move a booking and change its length, with "REF" for its reference; empty
    without the right.
    """
    places = location_ids_with(opened.desk.rights, Act.MOVE)
    is_allowed = places is None or not places.isdisjoint(each.pk for each in opened.places)
    names = {"moves_url": "desk_booking_move", "lengths_url": "desk_booking_length"}
    return {key: reverse(name, args=["REF"]) if is_allowed else "" for key, name in names.items()}


def _walk_ins(opened: Opened) -> dict[str, object]:
    """Return the address of the walk-in queue, and how many wait at the shown places where the user may book; no
    address without that right. One query.
    """
    ids = opened.reader.books_at_ids
    places = [each for each in opened.places if each.pk in ids]
    if not places:
        return {"walk_ins_url": ""}
    count = waiting_count(places, opened.desk.now)
    return {"walk_ins_url": f"{reverse('desk_queue')}?{urlencode({'at': places[0].slug})}", "walk_ins": count}


def _list(opened: Opened) -> HttpResponse:
    """Show the bookings of a day in the order of time, with cancelled ones at the end."""
    desk, address = opened.desk, opened.address
    only_own = _is_only_own(desk.rights)
    place = opened.places[0] if len(opened.places) == 1 and not only_own else None
    bookings = queries.day_bookings(desk.rights, opened.places, address.on)
    balances = queries.balances_of(bookings)
    day = list_presenter.day_of(
        bookings, balances, on=address.on, today=address.today, now=desk.now, place=place, only_own=only_own
    )
    head = head_of(address, opened.reader, day.title)
    context = {"day": day, "head": head, "only_own": only_own, **_walk_ins(opened)}
    return _page(opened, "dashboard/day.html", context)


def _panel(opened: Opened) -> dict[str, object]:
    """Return the context of the panel for the booking in the address; without one only the closed panel."""
    address = opened.address
    shut = {"close_url": address.but(booking="").url, "is_panel": True}
    if not address.booking:
        return shut
    opened.desk.note_reading(RecordKind.BOOKING, address.booking)
    booking = queries.booking_by_reference(opened.desk.rights, address.booking)
    if booking is not None:
        return {**shut, **booking_context(opened.desk, booking, back=address.url)}
    linked = queries.linked_hold(opened.desk.rights, address.booking)
    if linked is None:
        raise Http404
    return {**shut, **panel_context(opened.desk, linked, back=address.url)}


def _page(opened: Opened, template: str, context: dict[str, object]) -> HttpResponse:
    address = opened.address
    here = opened.places[0] if len(opened.places) == 1 else None
    return show(
        opened.request,
        opened.desk,
        template,
        context,
        current="day",
        place=here,
        places=opened.visible,
        place_url=lambda at: address.but(at=at, who="", booking="").url,
    )
