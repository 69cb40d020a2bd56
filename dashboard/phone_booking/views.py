"""Booking for a customer who calls or stands at the desk: one page, one form, usable without JavaScript.

Every button sends the whole form, and the page comes back with everything that was chosen and typed. A pressed time is
held at once, so that no other visitor can book it while staff type.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.contact import phones
from accounts.contact.contact import Contact
from accounts.models import Customer
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.booked import first_line
from bookings.enums import BookingChannel, BookingStatus
from bookings.errors import HoldExpired, HoldOver, SlotNotOffered, SlotTaken
from bookings.messages.kinds import MessageKind
from bookings.models import Booking
from bookings.operations.confirm import Asks, ByStaff, Seen, confirm_booking, demands_at_desk
from bookings.operations.hold import extend_hold, hold_slot, release_hold
from bookings.queries.bookings import held_page
from bookings.rules.prepayment import Demand
from core.errors import DomainError
from core.references import new_token, token_hash
from dashboard.door import Desk
from dashboard.forms import SeenForm
from dashboard.permissions import Act, can, roles_with
from dashboard.phone_booking import presenter, queries
from dashboard.phone_booking.callers import Caller, LastVisit, caller_by_reference, found_callers, last_visit
from dashboard.phone_booking.choice import Choice, Slot, parsed_slot, read_choice
from dashboard.phone_booking.exceptions import Exceptional, OtherTimeForm, exceptional, typed_slot
from dashboard.phone_booking.forms import CallerForm, VisitForm, contact_of
from dashboard.phone_booking.times import free_times
from dashboard.views.pages import desk_page, show
from notifications.delivery.fanout import channels_for, configured_text_channels
from notifications.enums import RecipientRole
from services.enums import Delivery
from services.models import Business, Location
from services.queries import the_business

NEW = "new"
_SEARCH_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking in the making: the choices and typed fields so far, and the held time.

    ``key`` identifies the form, so that two forms of one user (two callers at once) have two holds.
    """

    request: HttpRequest
    desk: Desk
    business: Business
    places: list[Location]
    offered: list[queries.Offered]
    choice: Choice
    caller_key: str
    caller: Caller | None
    last: LastVisit | None
    key: str
    token: str = ""
    held: Booking | None = None
    caller_form: CallerForm | None = None
    visit_form: VisitForm | None = None
    problem: object = ""
    nearest: tuple[Slot, ...] = field(default=())
    exceptional: Exceptional | None = None
    why_error: str = ""
    waiver_error: str = ""
    link_error: str = ""
    status: int = 200

    @property
    def data(self) -> QueryDict:
        return self.request.POST if self.request.method == "POST" else self.request.GET


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def book(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the choices so far. POST chooses, holds, and books."""
    if request.method == "POST" and request.headers.get("HX-Target") == "found":
        return _found(request, desk)
    draft = _draft(request, desk)
    if request.method != "POST":
        return _page(draft)
    do, _, value = request.POST.get("do", "").partition(":")
    if draft.held is None and (over := _booked_before(draft)):
        return over
    match do:
        case "slot":
            return _page(_hold(draft, parsed_slot(value)))
        case "other":
            return _page(_other_time(draft))
        case "anyway":
            return _page(_hold_anyway(draft, parsed_slot(value)))
        case "release":
            return _page(_release(draft))
        case "caller":
            return _page(_with_caller(draft, value))
        case "book":
            return _book(draft)
        case _:
            return _page(_held_anew(draft))


# --- reading --------------------------------------------------------------------------------------------------------


def _draft(request: HttpRequest, desk: Desk) -> Draft:
    """Read the form or the address.

    :raises Http404: when the user may not book at any place, or not at the place asked for.
    """
    data = request.POST if request.method == "POST" else request.GET
    places, business = queries.places(desk.rights), the_business()
    place = next((each for each in places if each.slug == data.get("at", each.slug)), None)
    if place is None or business is None:
        raise Http404
    offered = queries.services_at(place)
    caller_key = data.get("customer", "")
    caller = None if caller_key in {"", NEW} else caller_by_reference(desk.rights, caller_key, desk.now)
    last = last_visit(caller.customer) if caller else None
    choice = _as_last_time(read_choice(place, offered, data, desk.now), offered, last, data, desk.now)
    token = request.POST.get("held", "")
    return Draft(
        request=request,
        desk=desk,
        business=business,
        places=places,
        offered=offered,
        choice=choice,
        caller_key=caller_key if caller or caller_key == NEW else "",
        caller=caller,
        last=last,
        key=_form_key(request),
        token=token,
        held=_held(token, place) if token else None,
    )


def _form_key(request: HttpRequest) -> str:
    form = SeenForm({**request.POST.dict(), "seen": "-"})
    return form.cleaned_data["request_key"] if form.is_valid() else new_token()


def _held(token: str, place: Location) -> Booking | None:
    """Return the form's hold while the booking is still held, else None."""
    booking = held_page(token)
    if booking is None or booking.channel != BookingChannel.DESK or booking.location_id != place.pk:
        return None
    return booking if booking.status == BookingStatus.HELD else None


def _booked_before(draft: Draft) -> HttpResponse | None:
    """Return a redirect to the booking if this form has made one already: it was sent twice, or after going back."""
    booking = held_page(draft.token) if draft.token else None
    if booking is None or booking.channel != BookingChannel.DESK or booking.location_id != draft.choice.place.pk:
        return None
    if booking.status in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return None
    text = gettext("This is booked already, for %(name)s. Nothing was changed.") % {"name": booking.contact_name}
    messages.info(draft.request, text)
    return _see(draft, booking)


def _as_last_time(
    choice: Choice, offered: list[queries.Offered], last: LastVisit | None, data: QueryDict, now: datetime
) -> Choice:
    """Start from the customer's last booking while no service is chosen."""
    if choice.service is not None or last is None or not any(each.slug == last.service_slug for each in offered):
        return choice
    begun = data.copy()
    begun["service"], begun["variant"] = last.service_slug, str(last.variant_id)
    begun.setlist("extra", [str(extra) for extra in last.extra_ids])
    if not begun.get("who"):
        begun["who"] = last.staff_slug
    return read_choice(choice.place, offered, begun, now)


# --- choosing and holding -------------------------------------------------------------------------------------------


def _with_caller(draft: Draft, key: str) -> Draft:
    """Take a found customer, a new one (``NEW``), or none (an empty ``key``)."""
    caller = None if key in {"", NEW} else caller_by_reference(draft.desk.rights, key, draft.desk.now)
    last = last_visit(caller.customer) if caller else None
    choice = _as_last_time(draft.choice, draft.offered, last, draft.data, draft.desk.now)
    known = key if caller or key == NEW else ""
    return _held_anew(replace(draft, caller_key=known, caller=caller, last=last, choice=choice))


def _held_anew(draft: Draft) -> Draft:
    """Hold the same time again if the choices have changed, or hold the time that a link names."""
    choice, held = draft.choice, draft.held
    if held is not None and not _is_for(held, choice):
        return _hold(draft, presenter.slot_of(held))
    if held is None and choice.wanted is not None and not draft.token:
        return _hold(draft, Slot(choice.wanted, choice.person.id if choice.person else None))
    return draft


def _is_for(held: Booking, choice: Choice) -> bool:
    line = first_line(held)
    extra_ids = {extra["id"] for extra in line.add_ons}
    chosen = choice.variant and (choice.variant.id, set(choice.extra_ids), choice.party_size)
    return chosen == (line.variant_id, extra_ids, held.party_size)


def _hold(draft: Draft, slot: Slot | None, *, overrides: Overrides = NO_OVERRIDES, reason: str = "") -> Draft:
    """Hold a time and release the earlier hold. The draft keeps the typed fields, also after a refusal."""
    choice = draft.choice
    if slot is None or choice.variant is None:
        return draft
    try:
        held = hold_slot(
            variant_id=choice.variant.id,
            location_id=choice.place.pk,
            start_minute=slot.start_minute,
            staff_member_id=choice.person.id if choice.person else None,
            preferred_staff_id=slot.staff_member_id,
            actor=draft.desk.actor,
            language=_language(draft),
            visitor_hash=token_hash(f"desk:{draft.key}"),
            add_on_ids=choice.extra_ids,
            party_size=choice.party_size,
            replacing_token=draft.token or None,
            overrides=overrides,
            reason=reason,
            now=draft.desk.now,
        )
    except (SlotTaken, SlotNotOffered) as refusal:
        return _refused(replace(draft, held=None), slot, refusal)
    except DomainError as refusal:
        return replace(draft, held=None, problem=refusal.sentence, status=refusal.status)
    draft = replace(draft, token=held.token, held=held_page(held.token))
    wished = queries.by_id(choice.people).get(slot.staff_member_id or 0)
    if draft.held and wished and first_line(draft.held).staff_member_id != wished.id:
        return replace(draft, problem=presenter.other_person_text(draft.held, wished.name))
    return draft


def _refused(draft: Draft, slot: Slot, refusal: SlotTaken | SlotNotOffered) -> Draft:
    """Name the broken rules if the user may override them, else offer the nearest free times."""
    found = exceptional(draft.choice, slot, held_booking_id=None, now=draft.desk.now)
    rights, place = draft.desk.rights, draft.choice.place
    if found and found.overrides and rights.at_location(place.pk) & roles_with(Act.OVERRIDE):
        return replace(draft, exceptional=found, status=refusal.status)
    nearest = tuple(Slot(minute, None) for _, minute in refusal.data.get("alternatives", ()))
    if isinstance(refusal, SlotTaken):
        words = gettext("That time was just taken. Nothing is booked yet.")
    else:
        words = gettext("That time cannot be booked. Nothing is booked yet.")
    return replace(draft, problem=words, nearest=nearest, status=refusal.status)


def _other_time(draft: Draft) -> Draft:
    """Hold a time that was typed by hand."""
    form = OtherTimeForm(draft.data)
    if not form.is_valid():
        return replace(draft, problem=gettext("Type a day and a time, such as 14:30."), status=422)
    return _hold(draft, typed_slot(draft.choice, form))


def _hold_anyway(draft: Draft, slot: Slot | None) -> Draft:
    """Hold a time against the rules that the page has named, with a reason for the history."""
    if slot is None or not draft.desk.rights.at_location(draft.choice.place.pk) & roles_with(Act.OVERRIDE):
        raise Http404
    held_booking_id = draft.held.pk if draft.held else None
    found = exceptional(draft.choice, slot, held_booking_id=held_booking_id, now=draft.desk.now)
    why = draft.data.get("why", "").strip()[:300]
    if found is None or not found.overrides:
        return _hold(draft, slot)
    if found.named != draft.data.get("broken"):
        return replace(draft, exceptional=found, status=409)
    if not why:
        return replace(draft, exceptional=found, why_error=gettext("Say why, for the history."), status=422)
    return _hold(draft, found.slot, overrides=found.overrides, reason=why)


def _release(draft: Draft) -> Draft:
    if draft.held is not None:
        try:
            release_hold(booking_id=draft.held.pk, actor=draft.desk.actor, now=draft.desk.now)
        except HoldOver as over:
            return replace(draft, held=None, problem=over.sentence, status=over.status)
    return replace(draft, held=None, token="")


def _language(draft: Draft) -> str:
    return draft.caller.customer.language if draft.caller else draft.business.language


# --- booking --------------------------------------------------------------------------------------------------------


def _book(draft: Draft) -> HttpResponse:
    """Book the held time. An expired hold is taken again first, if the time is still free."""
    draft = _held_anew(draft)
    if draft.problem or draft.exceptional:
        return _page(draft)
    over = draft.held or (held_page(draft.token) if draft.token else None)
    if over is not None and _is_over(over, draft.desk.now):
        draft = _hold(draft, presenter.slot_of(over))
    held = draft.held
    if held is None:
        return _page(
            draft
            if draft.problem or draft.exceptional
            else replace(draft, problem=gettext("Choose a time first."), status=422)
        )
    draft, contact = _typed(draft, held)
    if contact is None:
        # The hold must not expire while staff correct a field.
        try:
            extend_hold(booking_id=held.pk, actor=draft.desk.actor, now=draft.desk.now)
        except (HoldExpired, HoldOver) as over:
            return _page(replace(draft, held=None, problem=over.sentence, status=over.status))
        return _page(replace(draft, status=422))
    if draft.data.get("shown") != presenter.shown(held):
        return _page(replace(draft, problem=presenter.changed_text(held), status=409))
    return _confirm(draft, held, contact)


def _confirm(draft: Draft, held: Booking, contact: Contact) -> HttpResponse:
    desk, demands = draft.desk, _demands(draft, held)
    if draft.data.get("rules") != presenter.rules_mark(demands):
        return _page(replace(draft, problem=presenter.other_rules_text(held, demands), status=409))
    asks = _asked(draft.data, demands)
    waiver = draft.data.get("waiver", "").strip()[:300]
    if presenter.is_waived(demands, asks):
        if not can(desk.rights, Act.WAIVE, held):
            raise Http404
        if not waiver:
            error = gettext("Say why, for the history.")
            return _page(replace(draft, waiver_error=error, status=422))
    if asks is not Asks.NOTHING and not contact.email and not (contact.phone and configured_text_channels()):
        error = gettext("A link needs an e-mail address: no texts are sent from here.")
        return _page(replace(draft, link_error=error, status=422))
    policy = presenter.held_words(held, draft.token, demands[asks], now=desk.now).policy
    try:
        booked = confirm_booking(
            booking_id=held.pk,
            contact=contact,
            consent_text=presenter.consent_text(policy),
            actor=desk.actor,
            now=desk.now,
            seen=Seen.of(held, held.lines.all()),
            by_staff=ByStaff(
                customer_id=draft.caller.customer.pk if draft.caller else None,
                language=_language(draft),
                asks=asks,
                waiver=waiver,
                tells_customer="tells" in draft.data,
            ),
        )
    except (HoldExpired, HoldOver):
        return _book(replace(draft, held=held_page(draft.token)))
    except DomainError as error:
        return _page(replace(draft, problem=error.sentence, status=error.status))
    messages.success(draft.request, presenter.booked_text(booked))
    return _see(draft, booked)


def _typed(draft: Draft, held: Booking) -> tuple[Draft, Contact | None]:
    """Read the customer and the visit. The contact is None if a field is invalid."""
    visit_form = _visit_form(draft, held, draft.data)
    is_valid = visit_form.is_valid()
    if draft.caller is not None:
        customer = draft.caller.customer
        known = {"name": customer.name, "email": customer.email, "phone": customer.phone}
        contact = contact_of(known, visit_form.cleaned_data) if is_valid else None
        return replace(draft, visit_form=visit_form), contact
    form = _caller_form(draft, draft.data)
    is_valid = form.is_valid() and is_valid
    contact = contact_of(form.cleaned_data, visit_form.cleaned_data) if is_valid else None
    return replace(draft, caller_key=NEW, caller_form=form, visit_form=visit_form), contact


def _asked(data: QueryDict, demands: dict[Asks, Demand]) -> Asks:
    """Return the chosen way to pay, or the one of the rules if none was chosen while these rules were shown."""
    typed = data.get("pay", "")
    is_chosen = typed in set(Asks) and data.get("rules") == presenter.rules_mark(demands)
    return Asks(typed) if is_chosen else presenter.first_choice(demands)


def _demands(draft: Draft, held: Booking) -> dict[Asks, Demand]:
    """Return what each way to pay asks of the chosen customer, else of the one whose contact is typed."""
    customer = draft.caller.customer if draft.caller else None
    email, phone = (customer.email, customer.phone) if customer else _typed_contact(draft)
    return demands_at_desk(
        held,
        customer_id=customer.pk if customer else None,
        email=email,
        phone=phone,
        actor=draft.desk.actor,
        now=draft.desk.now,
    )


def _typed_contact(draft: Draft) -> tuple[str, str]:
    """Return the typed e-mail address and phone number, empty where they are missing or invalid."""
    form = draft.caller_form or _caller_form(draft, draft.data)
    form.is_valid()
    return form.cleaned_data.get("email") or "", form.cleaned_data.get("phone") or ""


def _is_over(held: Booking, now: datetime) -> bool:
    is_held = held.status == BookingStatus.HELD and held.hold_expires_at is not None
    return not is_held or held.hold_expires_at <= now  # type: ignore[operator] # is_held has looked


def _see(draft: Draft, booking: Booking) -> HttpResponse:
    response: HttpResponse = redirect("desk_booking", booking.reference)
    if draft.request.htmx:  # type: ignore[attr-defined]
        # htmx would follow a plain redirect inside the page.
        response["HX-Redirect"] = response["Location"]
        response.status_code = 204
        return response
    response.status_code = 303
    return response


# --- showing --------------------------------------------------------------------------------------------------------


def _caller_form(draft: Draft, data: QueryDict | None = None) -> CallerForm:
    place = draft.choice.place
    region = phones.phone_region(place.phone, draft.business.phone, time_zone=place.time_zone)
    return CallerForm(data, region=region, initial=draft.data.dict())


def _visit_form(draft: Draft, held: Booking, data: QueryDict | None = None) -> VisitForm:
    names = presenter.staff_name(held)
    return VisitForm(
        data, staff_name=names, needs_address=held.delivery == Delivery.CUSTOMER, initial=draft.data.dict()
    )


def _found(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Return only the list of customers who match the typed text, for a page with JavaScript."""
    place = next(iter(queries.places(desk.rights)), None)
    if place is None:
        raise Http404
    typed = _search_words(request.POST)
    found = [presenter.caller_card(each, place) for each in found_callers(desk.rights, typed, desk.now)]
    return render(request, "dashboard/phone_booking/_found.html", {"typed": typed, "found": found})


def _search_words(data: QueryDict) -> str:
    return data.get("q", "").replace("\0", "").strip()[:_SEARCH_LIMIT]


def _page(draft: Draft) -> HttpResponse:
    request, desk, choice = draft.request, draft.desk, draft.choice
    typed = _search_words(draft.data)
    found = found_callers(desk.rights, typed, desk.now) if typed and draft.caller is None else []
    free = free_times(choice, held_booking_id=draft.held.pk if draft.held else None, now=desk.now)
    context: dict[str, Any] = {
        "key": draft.key,
        "typed": typed,
        "found": [presenter.caller_card(each, choice.place) for each in found],
        "caller_key": draft.caller_key,
        "caller": presenter.caller_card(draft.caller, choice.place) if draft.caller else None,
        "caller_form": draft.caller_form or _caller_form(draft),
        "choice": choice,
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
    if draft.caller is None:
        return "who"
    if draft.choice.variant is None:
        return "what"
    return "book" if draft.held else "when"


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
    demands = _demands(draft, held)
    asks = _asked(draft.data, demands)
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
        "told": _told(draft.caller.customer) if draft.caller else "",
        "visit_form": draft.visit_form or _visit_form(draft, held),
        "tells": "tells" in draft.data or "was_held" not in draft.data,
    }
