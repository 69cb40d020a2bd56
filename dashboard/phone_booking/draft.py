"""A phone booking in the making: what its form and address say, and what the rules ask for it."""

from dataclasses import dataclass, field
from datetime import datetime

from django.http import Http404, HttpRequest, QueryDict

from accounts.contact import phones
from bookings.enums import BookingChannel, BookingStatus
from bookings.models import Booking
from bookings.operations.confirm import Asks, demands_at_desk
from bookings.queries.bookings import held_page
from bookings.rules.prepayment import Demand
from core.references import new_token
from dashboard.door import Desk
from dashboard.forms import SeenForm
from dashboard.phone_booking import presenter, queries
from dashboard.phone_booking.callers import Caller, LastVisit, caller_by_reference, last_visit
from dashboard.phone_booking.choice import Choice, Slot, read_choice
from dashboard.phone_booking.exceptions import Exceptional
from dashboard.phone_booking.forms import CallerForm, VisitForm
from services.enums import Delivery
from services.models import Business, Location
from services.queries import the_business

NEW = "new"
# The button that takes a time back from the customer who got a link to it.
FINISH = "finish"
_SEARCH_LIMIT = 80
# Fewer digits are the end of a known number.
_SHORTEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking in the making: the choices and typed fields so far, and the held time.

    ``key`` identifies the form, so that two forms of one user (two callers at once) have two holds. ``linked`` is the
    hold of this form after its link was sent to the customer: the form begins anew, without touching it.
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
    linked: Booking | None = None
    caller_form: CallerForm | None = None
    visit_form: VisitForm | None = None
    problem: object = ""
    nearest: tuple[Slot, ...] = field(default=())
    exceptional: Exceptional | None = None
    why_error: str = ""
    waiver_error: str = ""
    link_error: str = ""
    send_error: str = ""
    status: int = 200

    @property
    def data(self) -> QueryDict:
        return self.request.POST if self.request.method == "POST" else self.request.GET


def read_draft(request: HttpRequest, desk: Desk) -> Draft:
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
    caller = None if caller_key in {"", NEW} else caller_by_reference(desk.rights, caller_key)
    last = last_visit(caller.customer) if caller else None
    choice = start_from_last_visit(read_choice(place, offered, data, desk.now), offered, last, data, desk.now)
    token = request.POST.get("held", "")
    held = _held(token, place) if token else None
    linked = held if held is not None and getattr(held, "hold_link", None) and data.get("do") != FINISH else None
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
        token="" if linked else token,
        held=None if linked else held,
        linked=linked,
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


def start_from_last_visit(
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


def search_words(data: QueryDict) -> str:
    return data.get("q", "").replace("\0", "").strip()[:_SEARCH_LIMIT]


def language_of(draft: Draft) -> str:
    return draft.caller.customer.language if draft.caller else draft.business.language


def demands_of(draft: Draft, held: Booking) -> dict[Asks, Demand]:
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
    form = draft.caller_form or caller_form_of(draft, draft.data)
    form.is_valid()
    return form.cleaned_data.get("email") or "", form.cleaned_data.get("phone") or ""


def asked_payment(data: QueryDict, demands: dict[Asks, Demand]) -> Asks:
    """Return the chosen way to pay, or the one of the rules if none was chosen while these rules were shown."""
    typed = data.get("pay", "")
    is_chosen = typed in set(Asks) and data.get("rules") == presenter.rules_mark(demands)
    return Asks(typed) if is_chosen else presenter.first_choice(demands)


def caller_form_of(draft: Draft, data: QueryDict | None = None) -> CallerForm:
    place = draft.choice.place
    region = phones.phone_region(place.phone, draft.business.phone, time_zone=place.time_zone)
    return CallerForm(data, region=region, initial={**_searched_for(draft.data), **draft.data.dict()})


def _searched_for(data: QueryDict) -> dict[str, str]:
    """Return what was searched for as the field of a new customer: a name, an e-mail address or a phone number."""
    words = search_words(data)
    if "@" in words:
        return {"email": words}
    if any(map(str.isalpha, words)):
        return {"name": words}
    return {"phone": words} if len(words) >= _SHORTEST_NUMBER else {}


def visit_form_of(draft: Draft, held: Booking, data: QueryDict | None = None) -> VisitForm:
    names = presenter.staff_name(held)
    return VisitForm(
        data, staff_name=names, needs_address=held.delivery == Delivery.CUSTOMER, initial=draft.data.dict()
    )
