"""The picker: it shows the free times of a service and holds one of them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.customer_session import customer_of
from bookings.availability.engine import day_marks, free_starts
from bookings.availability.facts import Facts
from bookings.availability.loading import availability_facts
from bookings.enums import ActorKind, BookingChannel
from bookings.errors import BookingPaused, ServiceNotOffered, SlotNotOffered, SlotTaken
from bookings.lifecycle import Actor
from bookings.models import BookingLine
from bookings.operations.hold import HeldSlot, hold_slot
from bookings.queries import bookings
from core import clock
from core.errors import DomainError
from core.formats import money_text
from core.minutes import minute_of
from core.visitors import address_hash, remember_visitor, visitor_hash, visitor_id
from services.enums import Delivery
from storefront.catalogue import Catalogue, Place, ServiceOffer, catalogue
from storefront.cookies import HOLD_COOKIE, remember_hold, visitor_zone
from storefront.presenters.choice import Choice, choice_query, parsed_id, parsed_slot, read_choice
from storefront.presenters.frame import Frame, frame_of
from storefront.presenters.picker import Held, picker_page
from storefront.presenters.sooner import lacks_times, other_people, other_places, sooner_links
from storefront.presenters.times import taken_words

_CUSTOMER = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)


@require_safe
@cache_control(private=True, no_cache=True)
def picker(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the free times of one service for the choice in the address."""
    offered, service = _offered(slug)
    closed = _closed(request, offered, service)
    return closed or _picker_page(request, offered, service, request.GET.dict(), now=clock.now())


@require_POST
def hold(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold the pressed time for this visitor and release their earlier hold."""
    offered, service = _offered(slug)
    now = clock.now()
    query = dict(parse_qsl(request.POST.get("query", "").lstrip("?")))
    query.setdefault("variant", request.POST.get("variant", ""))
    visitor = visitor_id(request)
    try:
        held = _hold(request, service, visitor, now)
    except ValueError:
        raise Http404 from None
    except BookingPaused:
        response = _closed(request, offered, service)
        return response or _see(reverse("picker", args=[slug]))
    except DomainError as error:
        return _picker_page(request, offered, service, query, now=now, refused=error)
    response = _after_hold(request, offered, service, query, held, now)
    remember_visitor(response, visitor)
    remember_hold(response, held.token)
    return response


def _offered(slug: str) -> tuple[Catalogue, ServiceOffer]:
    offered = catalogue(slug=slug)
    if offered is None or not offered.services:
        raise Http404
    return offered, offered.services[0]


def _closed(request: HttpRequest, offered: Catalogue, service: ServiceOffer) -> HttpResponse | None:
    """Return the page of a service that customers cannot book at all now; None when they can."""
    if offered.business.is_booking_paused:
        title = gettext("Online booking is paused")
        text = offered.business.paused_message or gettext("Please call us, or look in again later.")
    elif not service.is_performed:
        title = gettext("This cannot be booked online at the moment")
        text = gettext("Please choose another service, or ask us about it.")
    else:
        return None
    frame = frame_of(offered.business, offered.places)
    context = {
        "service_name": service.name,
        "title": title,
        "text": text,
        "actions": _ways_out(frame),
        "frame": frame,
    }
    return render(request, "storefront/closed.html", context)


def _ways_out(frame: Frame) -> list[dict[str, str]]:
    ways = [{"label": gettext("All services"), "href": frame.home_url}]
    if frame.phone:
        ways.append({"label": gettext("Call %(phone)s") % {"phone": frame.phone}, "href": frame.phone_href})
    return ways


# --- the picker ----------------------------------------------------------------------------------------------------


def _picker_page(
    request: HttpRequest,
    offered: Catalogue,
    service: ServiceOffer,
    query: Mapping[str, str],
    *,
    now: datetime,
    fresh: HeldSlot | None = None,
    refused: DomainError | None = None,
) -> HttpResponse:
    """Render the picker, or only its part for htmx. ``status`` is that of a refusal."""
    choice = read_choice(service, offered.places, query, now)
    line, token = _held_line(request, fresh, now)
    facts = availability_facts(
        variant_ids=[choice.variant.id],
        from_on=choice.asked_from(now),
        until_on=choice.asked_until,
        now=now,
        location_ids=[place.id for place in choice.shown_places],
        ignore_booking_id=line.booking_id if line else None,
    )
    person_id = choice.person.id if choice.person else None
    starts = free_starts(facts, choice.variant.id, staff_member_id=person_id)
    url = reverse("picker", args=[service.slug])
    page = picker_page(
        choice,
        marks=day_marks(facts, choice.variant.id, staff_member_id=person_id),
        starts=starts,
        now=now,
        url=url,
        hold_url=reverse("hold", args=[service.slug]),
        staff_word=offered.business.staff_word,
        currency=offered.business.currency,
        held=_held(line, token) if line else None,
        visitor_zone=visitor_zone(request),
    )
    page["sooner"] = _sooner(choice, facts, starts, url, now)
    frame = frame_of(offered.business, offered.places)
    if not page["is_free_anywhere"]:
        page["empty"] = _empty(choice, now, url, frame, person_id)
        page["more_url"] = ""
    context = {
        "page": page,
        "frame": frame,
        "alert": _alert(choice, starts, request, refused),
        "said": page["hold"]["said"] if fresh else None,
    }
    is_part = getattr(request, "htmx", False) and request.headers.get("HX-Target") == "picker"
    template = "storefront/_picker.html" if is_part else "storefront/picker.html"
    response = render(request, template, context, status=refused.status if refused else 200)
    if fresh or refused:
        response["HX-Push-Url"] = url + choice_query(choice)
    if page["hold"]:
        # Otherwise going back in the browser would show the countdown as it was when the page was rendered.
        response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
    return response


def _empty(choice: Choice, now: datetime, url: str, frame: Frame, person_id: int | None) -> dict[str, Any]:
    """The shown weeks have no free time: say when the next one is, or where else to look."""
    until = choice.horizon_ends_on + timedelta(days=1)
    later = _first_day(choice, now, choice.window[1], until, person_id) if until > choice.window[1] else None
    actions = []
    if later:
        shown = url + choice_query(choice, day="", **{"from": later.isoformat()})
        actions.append({"label": gettext("Show the next free times"), "href": shown})
        return {"title": gettext("Nothing free in these weeks"), "text": "", "actions": actions}
    if choice.person:
        anyone = url + choice_query(choice, day="", **{"with": ""})
        actions.append({"label": gettext("Look with anyone"), "href": anyone})
    if choice.place and len(choice.places) > 1:
        actions.append({"label": gettext("Look at all places"), "href": url + choice_query(choice, day="", at="")})
    days = choice.service.horizon_days
    title = ngettext("No free time on the next day", "No free time in the next %(count)d days", days) % {"count": days}
    text = gettext("New times open every day. Please look in again, or ask us.")
    return {"title": title, "text": text, "actions": [*actions, *_ways_out(frame)]}


def _sooner(
    choice: Choice, facts: Facts, starts: Mapping[int, list[int]], url: str, now: datetime
) -> list[tuple[str, str, str]]:
    """Return links to other staff and places with an earlier time, if the coming week has none for this choice."""
    if not lacks_times(choice, starts):
        return []
    variant_id, person_id = choice.variant.id, choice.person.id if choice.person else None
    of_people = {person: free_starts(facts, variant_id, staff_member_id=person.id) for person in other_people(choice)}
    of_places: dict[Place, list[int]] = {}
    if others := other_places(choice):
        there = availability_facts(
            variant_ids=[variant_id],
            from_on=choice.asked_from(now),
            until_on=choice.asked_until,
            now=now,
            location_ids=[place.id for place in others],
        )
        found = free_starts(there, variant_id, staff_member_id=person_id)
        of_places = {place: found.get(place.id, []) for place in others}
    return sooner_links(choice, starts, of_people=of_people, of_places=of_places, url=url)


def _first_day(choice: Choice, now: datetime, from_on: date, until_on: date, person_id: int | None) -> date | None:
    facts = availability_facts(
        variant_ids=[choice.variant.id],
        from_on=from_on,
        until_on=until_on,
        now=now,
        location_ids=[place.id for place in choice.shown_places],
    )
    marks = day_marks(facts, choice.variant.id, staff_member_id=person_id).values()
    return min((mark.on for place_marks in marks for mark in place_marks if mark.free_count), default=None)


def _alert(
    choice: Choice, starts: Mapping[int, list[int]], request: HttpRequest, refused: DomainError | None
) -> dict[str, Any] | None:
    if refused is None:
        return None
    if isinstance(refused, (SlotTaken, SlotNotOffered)):
        was_taken = isinstance(refused, SlotTaken)
        return taken_words(choice, starts, request.POST.get("slot", ""), was_taken=was_taken)
    return {"title": "", "text": str(refused.sentence), "times": []}


# --- the held time ---------------------------------------------------------------------------------------------------


def _hold(request: HttpRequest, service: ServiceOffer, visitor: str, now: datetime) -> HeldSlot:
    """Hold what the form asks for.

    :raises ValueError: when a value of the form is malformed.
    :raises DomainError: as ``hold_slot`` does; also when the service has no such length (any more).
    """
    variant_id = parsed_id(request.POST.get("variant", ""))
    if variant_id not in {variant.id for variant in service.variants}:
        raise ServiceNotOffered
    location_id, start_minute = parsed_slot(request.POST.get("slot", ""))
    staff = request.POST.get("staff", "")
    return hold_slot(
        variant_id=variant_id,
        location_id=location_id,
        start_minute=start_minute,
        staff_member_id=parsed_id(staff) if staff else None,
        add_on_ids=[parsed_id(add_on) for add_on in request.POST.getlist("add_on")],
        actor=_CUSTOMER,
        language=get_language() or "en",
        visitor_hash=visitor_hash(visitor),
        address_hash=address_hash(request),
        replacing_token=request.COOKIES.get(HOLD_COOKIE),
        now=now,
    )


def _after_hold(
    request: HttpRequest,
    offered: Catalogue,
    service: ServiceOffer,
    query: Mapping[str, str],
    held: HeldSlot,
    now: datetime,
) -> HttpResponse:
    details = reverse("details", args=[held.token])
    if request.POST.get("next") != "picker":
        return _see(details)
    if customer_of(request) is not None:
        # A known customer has nothing to fill in, so one tap on a time leads to the button that books it.
        return HttpResponse(status=204, headers={"HX-Redirect": details}) if request.htmx else _see(details)  # type: ignore[attr-defined]
    if getattr(request, "htmx", False):
        return _picker_page(request, offered, service, query, now=now, fresh=held)
    choice = read_choice(service, offered.places, query, now)
    return _see(reverse("picker", args=[service.slug]) + choice_query(choice))


def _see(url: str) -> HttpResponse:
    """Redirect with 303, so that a reload does not repeat the POST."""
    return HttpResponseRedirect(url, status=303)


def _held_line(request: HttpRequest, fresh: HeldSlot | None, now: datetime) -> tuple[BookingLine | None, str]:
    """Return the visitor's live hold with its token: the new one, else the one in their cookie."""
    token = fresh.token if fresh else request.COOKIES.get(HOLD_COOKIE, "")
    return (bookings.held_line(token, now) if token else None), token


def _held(line: BookingLine, token: str) -> Held:
    booking = line.booking
    return Held(
        url=reverse("details", args=[token]),
        release_url=reverse("release", args=[token]),
        slot=f"{booking.location_id}.{minute_of(booking.starts_at)}",
        variant_id=line.variant_id,
        service_name=line.service_name,
        staff_name=line.staff_member.text("short_name") if line.staff_member else "",
        place_name=booking.location.text("name"),
        delivery=Delivery(booking.delivery),
        minutes=sum(int(length) for _, length in line.phases),
        price=money_text(booking.total_minor, booking.currency, short=True),
        zone=ZoneInfo(booking.location.time_zone),
        starts_at=booking.starts_at,
        expires_at=booking.hold_expires_at or booking.created_at,
        held_at=booking.created_at,
    )
