"""The page of a phone booking, whole or as the part that htmx replaces."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.enums import RecordKind
from accounts.models import Customer
from bookings.enums import BookingChannel, BookingStatus
from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.queries.bookings import held_page
from dashboard.door import Desk
from dashboard.permissions import Act, can
from dashboard.phone_booking import link_presenter, presenter, queries
from dashboard.phone_booking.callers import Found, found_callers
from dashboard.phone_booking.draft import (
    NEW,
    Draft,
    asked_payment,
    caller_form_of,
    demands_of,
    search_words,
    visit_form_of,
)
from dashboard.phone_booking.forms import CallerForm
from dashboard.phone_booking.times import free_times
from dashboard.views.pages import show
from notifications.delivery.fanout import channels_for
from notifications.enums import RecipientRole
from services.models import Location


def found_page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Return only the list of customers who match the typed text, for a page with JavaScript."""
    place = next(iter(queries.places(desk.rights)), None)
    if place is None:
        raise Http404
    typed = search_words(request.POST)
    found = found_callers(desk.rights, typed, desk.now)
    desk.note_search(RecordKind.CUSTOMERS, len(found.callers))
    return render(request, "dashboard/phone_booking/_found.html", _found_context(typed, found, place))


def _found_context(typed: str, found: Found, place: Location) -> dict[str, Any]:
    cards = [presenter.caller_card(each, place) for each in found.callers]
    all_url = f"{reverse('desk_customers')}?{urlencode({'q': typed})}"
    return {"typed": typed, "found": cards, "more": presenter.more_text(found), "all_url": all_url}


def booked_before(draft: Draft) -> Booking | None:
    """Return the booking that this form has made already: it was sent twice, or after going back."""
    booking = held_page(draft.token) if draft.token else None
    if booking is None or booking.channel != BookingChannel.DESK or booking.location_id != draft.choice.place.pk:
        return None
    return None if booking.status in {BookingStatus.HELD, BookingStatus.EXPIRED} else booking


def see_booked_before(draft: Draft, booking: Booking) -> HttpResponse:
    text = gettext("This is booked already, for %(name)s. Nothing was changed.") % {"name": booking.contact_name}
    messages.info(draft.request, text)
    return see_booking(draft, booking)


def see_booking(draft: Draft, booking: Booking) -> HttpResponse:
    return leave_for(draft, reverse("desk_booking", args=[booking.reference]))


def leave_for(draft: Draft, url: str) -> HttpResponse:
    """Lead away from the form. htmx would follow a plain redirect inside the page."""
    if draft.request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    response: HttpResponse = redirect(url)
    response.status_code = 303
    return response


def booking_page(draft: Draft) -> HttpResponse:
    request, desk, choice = draft.request, draft.desk, draft.choice
    typed = search_words(draft.data)
    found = found_callers(desk.rights, typed, desk.now) if typed and draft.caller is None else Found()
    if found.callers:
        desk.note_search(RecordKind.CUSTOMERS, len(found.callers))
    free = free_times(choice, held_booking_id=draft.held.pk if draft.held else None, now=desk.now)
    context: dict[str, Any] = {
        "key": draft.key,
        **_found_context(typed, found, choice.place),
        "caller_key": draft.caller_key,
        "caller": presenter.caller_card(draft.caller, choice.place) if draft.caller else None,
        "caller_form": draft.caller_form or caller_form_of(draft),
        "choice": choice,
        "wanted": presenter.wanted_text(choice, choice.wanted) if choice.wanted is not None else "",
        "services": presenter.services(draft.offered, choice),
        "variants": presenter.variants(choice, draft.business.currency),
        "extras": presenter.extras(choice, draft.business.currency),
        "people": presenter.people(choice),
        "days": presenter.days(choice, free),
        "parts": presenter.parts(choice),
        "times": presenter.times(choice, free, draft.held),
        "places": draft.places,
        "why_url": presenter.why_of(choice),
        "problem": draft.problem,
        "nearest": presenter.nearest(choice, draft.nearest),
        "exception": presenter.exception_words(choice, draft.exceptional) if draft.exceptional else None,
        "why": draft.data.get("why", ""),
        "why_error": draft.why_error,
        "other_on": draft.data.get("other_on", ""),
        "other_at": draft.data.get("other_at", ""),
        "token": draft.token,
        "focus": _focus(draft),
        "is_as_last_time": draft.last is not None and presenter.is_as_last_time(choice, draft.last),
        **(_held_context(draft, draft.held) if draft.held else {}),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "dashboard/phone_booking/_panel.html", context, status=draft.status)
    return show(
        request,
        desk,
        "dashboard/phone_booking/page.html",
        context,
        current="day",
        place=choice.place,
        places=draft.places,
        status=draft.status,
    )


def _focus(draft: Draft) -> str:
    """Return the field that gets the focus when the page opens: the first missing one."""
    do = draft.request.POST.get("do", "").partition(":")[0]
    is_step = draft.request.method != "POST" or do in {"caller", "slot", "anyway", "other"}
    if draft.problem or draft.exceptional or not is_step:
        return ""
    if draft.caller_key == NEW and (missing := _first_missing(draft.caller_form or caller_form_of(draft))):
        return missing
    if draft.caller is None and draft.caller_key != NEW:
        return "who"
    if draft.choice.variant is None:
        return "what"
    return "book" if draft.held else "when"


def _first_missing(form: CallerForm) -> str:
    """Return the name of the first empty field of a new customer, who needs a name, and a number or an address."""
    typed = {field.name: field.value() for field in form}
    if not typed["name"]:
        return "name"
    return "" if typed["phone"] or typed["email"] else "phone"


def _told(customer: Customer) -> str:
    channels = channels_for(
        MessageKind.CONFIRMED,
        RecipientRole.CUSTOMER,
        address=customer.email,
        phone=customer.phone,
        recipient_ref=f"customer:{customer.pk}",
    )
    return presenter.told_text(customer.name, channels)


def _held_context(draft: Draft, held: Booking) -> dict[str, Any]:
    demands = demands_of(draft, held)
    asks = asked_payment(draft.data, demands)
    return {
        "held": presenter.held_words(held, draft.token, demands[asks], now=draft.desk.now),
        "payments": presenter.payments(held, demands, asks, may_waive=can(draft.desk.rights, Act.WAIVE, held)),
        "shown": presenter.shown(held),
        "rules": presenter.rules_text(held, demands),
        "rules_mark": presenter.rules_mark(demands),
        "is_waived": presenter.is_waived(demands, asks),
        "waiver": draft.data.get("waiver", ""),
        "waiver_error": draft.waiver_error,
        "link_error": draft.link_error,
        "send_error": draft.send_error,
        "link": link_presenter.link_offer(
            held, draft.caller, minutes=draft.business.hold_link_minutes, now=draft.desk.now
        ),
        "told": _told(draft.caller.customer) if draft.caller else "",
        "visit_form": draft.visit_form or visit_form_of(draft, held),
        "tells": "tells" in draft.data or "was_held" not in draft.data,
    }
