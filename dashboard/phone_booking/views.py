"""Booking for a customer who calls or stands at the desk: one page, one form, usable without JavaScript.

Every button sends the whole form, and the page comes back with everything that was chosen and typed. A pressed time is
held at once, so that no other visitor can book it while staff type.
"""

from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.contact.contact import Contact
from accounts.enums import RecordKind
from bookings.errors import HoldExpired, HoldOver
from bookings.models import Booking
from bookings.operations.confirm import Asks, ByStaff, Seen, confirm_booking
from bookings.queries.bookings import held_page
from core.errors import DomainError
from dashboard.door import Desk
from dashboard.permissions import Act, can
from dashboard.phone_booking import presenter
from dashboard.phone_booking.choice import parsed_slot
from dashboard.phone_booking.draft import (
    NEW,
    Draft,
    asked_payment,
    caller_form_of,
    demands_of,
    language_of,
    read_draft,
    visit_form_of,
)
from dashboard.phone_booking.forms import contact_of
from dashboard.phone_booking.holding import (
    choose_caller,
    hold_again,
    hold_against_rules,
    hold_time,
    hold_typed_time,
    keep_longer,
    look_at,
    release_time,
    with_live_hold,
)
from dashboard.phone_booking.page import booked_before, booking_page, found_page, see_booked_before, see_booking
from dashboard.phone_booking.sending import finish_here, send_link, sent_before
from dashboard.views.pages import desk_page
from notifications.delivery.fanout import configured_text_channels


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def book(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the choices so far. POST chooses, holds, and books."""
    if request.method == "POST" and request.headers.get("HX-Target") == "found":
        return found_page(request, desk)
    draft = read_draft(request, desk)
    if request.method != "POST":
        if draft.caller:
            desk.note_reading(RecordKind.CUSTOMER, draft.caller.customer.reference)
        return booking_page(look_at(draft))
    do, _, value = request.POST.get("do", "").partition(":")
    if draft.linked is not None and do in {"book", "send"}:
        return sent_before(draft, draft.linked)
    if draft.held is None and (booked := booked_before(draft)):
        return see_booked_before(draft, booked)
    match do:
        case "slot":
            return booking_page(hold_time(draft, parsed_slot(value)))
        case "other":
            return booking_page(hold_typed_time(draft))
        case "anyway":
            return booking_page(hold_against_rules(draft, parsed_slot(value)))
        case "release":
            return booking_page(release_time(draft))
        case "caller":
            return booking_page(choose_caller(draft, value))
        case "book":
            return _book(draft)
        case "send":
            return send_link(draft, value)
        case "finish":
            return finish_here(draft)
        case _:
            return booking_page(hold_again(draft))


def _book(draft: Draft) -> HttpResponse:
    """Book the held time. An expired hold is taken again first, if the time is still free."""
    draft, held = with_live_hold(draft)
    if held is None:
        return booking_page(draft)
    draft, contact = _typed(draft, held)
    if contact is None:
        return booking_page(keep_longer(draft, held))
    if draft.data.get("shown") != presenter.shown(held):
        return booking_page(replace(draft, problem=presenter.changed_text(held), status=409))
    return _confirm(draft, held, contact)


def _confirm(draft: Draft, held: Booking, contact: Contact) -> HttpResponse:
    desk, demands = draft.desk, demands_of(draft, held)
    if draft.data.get("rules") != presenter.rules_mark(demands):
        return booking_page(replace(draft, problem=presenter.other_rules_text(held, demands), status=409))
    asks = asked_payment(draft.data, demands)
    waiver = draft.data.get("waiver", "").strip()[:300]
    if presenter.is_waived(demands, asks):
        if not can(desk.rights, Act.WAIVE, held):
            raise Http404
        if not waiver:
            error = gettext("Say why, for the history.")
            return booking_page(replace(draft, waiver_error=error, status=422))
    if asks is not Asks.NOTHING and not contact.email and not (contact.phone and configured_text_channels()):
        error = gettext("A link needs an e-mail address: no texts are sent from here.")
        return booking_page(replace(draft, link_error=error, status=422))
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
                language=language_of(draft),
                asks=asks,
                waiver=waiver,
                tells_customer="tells" in draft.data,
            ),
        )
    except (HoldExpired, HoldOver):
        return _book(replace(draft, held=held_page(draft.token)))
    except DomainError as error:
        return booking_page(replace(draft, problem=error.sentence, status=error.status))
    messages.success(draft.request, presenter.booked_text(booked))
    return see_booking(draft, booked)


def _typed(draft: Draft, held: Booking) -> tuple[Draft, Contact | None]:
    """Read the customer and the visit. The contact is None if a field is invalid."""
    visit_form = visit_form_of(draft, held, draft.data)
    is_valid = visit_form.is_valid()
    if draft.caller is not None:
        customer = draft.caller.customer
        known = {"name": customer.name, "email": customer.email, "phone": customer.phone}
        contact = contact_of(known, visit_form.cleaned_data) if is_valid else None
        return replace(draft, visit_form=visit_form), contact
    form = caller_form_of(draft, draft.data)
    is_valid = form.is_valid() and is_valid
    contact = contact_of(form.cleaned_data, visit_form.cleaned_data) if is_valid else None
    return replace(draft, caller_key=NEW, caller_form=form, visit_form=visit_form), contact
