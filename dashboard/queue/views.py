"""The walk-in queue: add a person, book the expected time with one press, take a person off and put them back."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.contact.contact import Contact
from accounts.enums import RecordKind
from bookings.enums import BookingChannel
from bookings.errors import WalkInOver
from bookings.lifecycle import Actor
from bookings.models import WalkIn
from bookings.operations.walk_ins import book_walk_in, join_queue, leave_queue, rejoin_queue
from bookings.queries.walk_ins import walk_in_at
from core.errors import DomainError
from dashboard import idempotency
from dashboard.customers.edit_views import key_of
from dashboard.door import Desk
from dashboard.permissions import Act, location_ids_with
from dashboard.phone_booking.callers import Caller, Found, caller_by_reference, found_callers
from dashboard.phone_booking.choice import parsed_slot
from dashboard.phone_booking.draft import NEW
from dashboard.phone_booking.queries import places
from dashboard.queue import presenter
from dashboard.queue.changes import tag_after
from dashboard.queue.forms import WalkInForm
from dashboard.queue.page import Opened, chosen_place, form_for, opened, queue_page
from dashboard.views.pages import desk_page
from services.models import Location


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def queue(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the queue of a location. POST adds a person to it."""
    shown = opened(request, desk, (request.POST or request.GET).get("at", ""))
    return _add(shown) if request.method == "POST" else queue_page(shown)


@require_safe
@desk_page
def changes(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Say whether the queue or its expected times have changed since the tag of the page, as ``desk_changes`` does."""
    place = chosen_place(places(desk.rights), request.GET.get("at", ""))
    known = request.headers.get("If-None-Match", "")[:200]
    tag, is_changed = tag_after(known, place, now=desk.now)
    status = 200 if is_changed else 304 if tag == known else 204
    return HttpResponse(status=status, headers={"ETag": tag})


@require_POST
@desk_page
def book(request: HttpRequest, desk: Desk, walk_in_id: int) -> HttpResponse:
    """Book the time that the button names. If it has just gone, the page shows the new expected time."""
    walk_in = _walk_in(desk, walk_in_id)
    slot = parsed_slot(request.POST.get("turn", ""))
    if slot is None:
        return _back(walk_in)
    shown = opened(request, desk, walk_in.location.slug)
    who = {person.id: person.name for each in shown.offered for person in each.people}.get(
        slot.staff_member_id or 0, ""
    )
    try:
        booking = book_walk_in(
            walk_in_id=walk_in.pk,
            start_minute=slot.start_minute,
            staff_member_id=slot.staff_member_id,
            waiver=_waiver(desk, walk_in),
            actor=_actor(desk),
            now=desk.now,
        )
    except WalkInOver:
        return _over(request, walk_in)
    except DomainError as error:
        problem = presenter.refusal_text(error, slot, who, shown.place)
        return queue_page(shown, problems={walk_in.pk: problem}, status=error.status)
    messages.success(request, presenter.booked_text(walk_in, booking, who))
    return _back(walk_in)


@require_POST
@desk_page
def leave(request: HttpRequest, desk: Desk, walk_in_id: int) -> HttpResponse:
    """Take a person who has left off the queue."""
    walk_in = _walk_in(desk, walk_in_id)
    return _changed(request, walk_in, lambda: leave_queue(walk_in_id=walk_in.pk, now=desk.now))


@require_POST
@desk_page
def rejoin(request: HttpRequest, desk: Desk, walk_in_id: int) -> HttpResponse:
    """Put a person who was taken off the queue back at the old place."""
    walk_in = _walk_in(desk, walk_in_id)
    return _changed(request, walk_in, lambda: rejoin_queue(walk_in_id=walk_in.pk))


def _add(shown: Opened) -> HttpResponse:
    """Add a person. Customers who may be the person are shown first, for the user to choose."""
    request, desk = shown.request, shown.desk
    form = form_for(shown, request.POST)
    if not form.is_valid():
        return queue_page(shown, form=form, status=422)
    key = request.POST.get("customer", "")
    caller = None if key in {"", NEW} else caller_by_reference(desk.rights, key)
    if caller is None and key != NEW and (found := _found(desk, form.contact)).callers:
        return queue_page(shown, form=form, found=found, status=422)
    with transaction.atomic():
        if idempotency.claim(request, key_of(request)):
            walk_in = _joined(shown, form, caller)
            text = gettext("%(name)s is on the list.") % {"name": presenter.name_of(walk_in)}
            messages.success(request, text)
    return _see(shown.place)


def _joined(shown: Opened, form: WalkInForm, caller: Caller | None) -> WalkIn:
    desk, contact, wished = shown.desk, form.contact, form.cleaned_data["who"]
    if caller is not None:
        desk.note_reading(RecordKind.CUSTOMER, caller.customer.reference)
        contact = Contact(caller.customer.name, email="", phone="", note="")
    return join_queue(
        location_id=shown.place.pk,
        variant_id=form.cleaned_data["variant"].id,
        staff_member_id=wished.id if wished else None,
        contact=contact,
        customer_id=caller.customer.pk if caller else None,
        actor=_actor(desk),
        now=desk.now,
    )


def _found(desk: Desk, contact: Contact) -> Found:
    """Find customers by the number, else by the address, else by the name."""
    found = found_callers(desk.rights, contact.phone or contact.email or contact.name, desk.now)
    desk.note_search(RecordKind.CUSTOMERS, len(found.callers))
    return found


def _walk_in(desk: Desk, walk_in_id: int) -> WalkIn:
    walk_in = walk_in_at(location_ids_with(desk.rights, desk.act), walk_in_id, desk.now)
    if walk_in is None:
        raise Http404
    return walk_in


def _actor(desk: Desk) -> Actor:
    actor = desk.actor
    return Actor(actor.kind, BookingChannel.WALK_IN, user_id=actor.user_id, name=actor.name)


def _waiver(desk: Desk, walk_in: WalkIn) -> str:
    """Return why less is asked than the terms ask; empty for a user who may not decide that."""
    places = location_ids_with(desk.rights, Act.WAIVE)
    may_waive = places is None or walk_in.location_id in places
    return gettext("Walk-in, pays at the visit") if may_waive else ""


def _changed(request: HttpRequest, walk_in: WalkIn, change: Callable[[], None]) -> HttpResponse:
    try:
        change()
    except WalkInOver:
        return _over(request, walk_in)
    except DomainError as error:
        messages.warning(request, str(error.sentence))
    return _back(walk_in)


def _over(request: HttpRequest, walk_in: WalkIn) -> HttpResponse:
    walk_in.refresh_from_db(fields=["state"])
    messages.info(request, presenter.over_text(walk_in))
    return _back(walk_in)


def _back(walk_in: WalkIn) -> HttpResponse:
    return _see(walk_in.location)


def _see(place: Location) -> HttpResponse:
    response = redirect(presenter.queue_url(place))
    response.status_code = 303
    return response
