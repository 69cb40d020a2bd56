"""Moving a booking by its link: choose a time, see what it costs, confirm. Only POST moves it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.contact.given_names import first_name
from bookings.availability.engine import day_marks, free_starts
from bookings.bill_lines import has_left
from bookings.booked import only_line
from bookings.errors import PayFirst, SlotNotOffered, SlotTaken, StalePage
from bookings.models import Booking
from bookings.operations.move import reschedule_booking
from bookings.operations.move_proposal import propose_move, withdraw_proposal
from bookings.queries import alternatives
from bookings.queries.moves import move_facts, performers, wanted_staff
from bookings.queries.payables import can_be_paid_online
from core.errors import DomainError
from core.minutes import minute_of
from services.models import Business
from services.queries import booking_policy_of
from staff.models import StaffMember
from storefront.cookies import remember_payer, visitor_zone
from storefront.forms import AgreedForm
from storefront.presenters import checkout as checkout_presenter
from storefront.presenters import manage as presenter
from storefront.presenters import move as move_presenter
from storefront.presenters.choice import parsed_slot
from storefront.tokens import token_page
from storefront.views._booking_page import (
    Opened,
    after_change,
    common,
    customer_page,
    no_longer,
    open_booking,
    open_for_customer,
    staff_page,
)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponse:
    """Choose another time, see what it costs, confirm. Only POST moves the booking."""
    opened = open_booking(request, token)
    if presenter.move_block(opened.booking, now=opened.now, by_staff=opened.is_staff).refusal:
        return no_longer(request, opened)
    if request.method == "POST":
        return _move(request, opened)
    if "slot" in request.GET:
        return _move_step(request, opened, request.GET["slot"])
    return _times_page(request, opened)


@token_page
@require_POST
def stay(request: HttpRequest, token: str) -> HttpResponse:
    """Withdraw a move that awaits its fee and release the new time. The appointment stays where it is."""
    opened = open_for_customer(request, token)
    withdraw_proposal(booking_id=opened.booking.pk, actor=opened.actor, now=opened.now)
    return after_change(opened)


def _times_page(
    request: HttpRequest,
    opened: Opened,
    *,
    problem: object = "",
    near: list[tuple[int, int]] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show days and times to choose from; after a refusal, its sentence and the nearest free times on top."""
    booking, now = opened.booking, opened.now
    line = only_line(booking)
    url = reverse("move", args=[opened.token])
    choice = move_presenter.choice_of(
        booking, horizon_days=_horizon_days(booking, opened.business), query=request.GET.dict(), now=now
    )
    facts = move_facts(booking, now, choice.asked_from(now), choice.asked_until)
    wanted = wanted_staff(booking)
    page = move_presenter.move_page(
        choice,
        booking,
        marks=day_marks(facts, line.variant_id, staff_member_id=wanted),
        starts=free_starts(facts, line.variant_id, staff_member_id=wanted),
        now=now,
        url=url,
        visitor_zone=visitor_zone(request),
    )
    context = {
        **common(request, opened),
        "page": page,
        "problem": problem,
        "alternatives": checkout_presenter.alternatives(booking, near or [], now),
        "move": presenter.move_block(booking, now=now, by_staff=opened.is_staff),
        "left": line.staff_member.short_name if line.staff_member and has_left(line) else "",
        "is_closed": not booking.location.is_active,
    }
    return render(request, "storefront/move.html", context, status=status)


def _move_step(
    request: HttpRequest, opened: Opened, slot: str, *, problem: object = "", status: int = 200
) -> HttpResponse:
    """Show old and new time and the price. A time that is not free leads back to the free times."""
    booking, now = opened.booking, opened.now
    minute = _asked_minute(booking, slot)
    if minute is None or minute == minute_of(booking.starts_at):
        return redirect("move", opened.token)
    found = performers(booking, minute, now)
    if not found:
        near = alternatives.nearest_moves(booking_id=booking.pk, start_minute=minute, staff_member_id=None, now=now)
        return _times_page(request, opened, problem=SlotTaken().sentence, near=near, status=409)
    block = presenter.move_block(booking, now=now, by_staff=opened.is_staff)
    context = {
        **common(request, opened),
        "problem": problem,
        "slot": f"{booking.location_id}.{minute}",
        "new_when": move_presenter.slot_text(minute, booking),
        "move": block,
        "pays_first": can_be_paid_online(block.fee_minor, booking.currency) and not opened.is_staff,
        "first_name": first_name(booking.contact_name) if opened.is_staff else "",
        "performer_id": found[0] or "",
        "new_person": _new_person(booking, found[0]),
    }
    return render(request, "storefront/move_confirm.html", context, status=status)


def _new_person(booking: Booking, staff_member_id: int | None) -> str:
    """Return the name of the staff member who takes over the visit; empty if it stays the same or there is none."""
    if staff_member_id in {None, only_line(booking).staff_member_id}:
        return ""
    return str(StaffMember.objects.get(pk=staff_member_id))


def _move(request: HttpRequest, opened: Opened) -> HttpResponse:
    booking = opened.booking
    slot = request.POST.get("slot", "")
    minute = _asked_minute(booking, slot)
    if minute is None:
        return _times_page(request, opened, problem=SlotNotOffered().sentence, status=409)
    agreed = AgreedForm(request.POST)
    if not agreed.is_valid():
        return _move_step(request, opened, slot, problem=StalePage().sentence, status=409)
    try:
        is_moved = _carry_out(opened, minute, agreed)
    except StalePage as error:
        return _move_step(
            request, open_booking(request, opened.token), slot, problem=error.sentence, status=error.status
        )
    except (SlotTaken, SlotNotOffered) as error:
        near = error.data.get("alternatives", [])
        return _times_page(request, opened, problem=error.sentence, near=near, status=error.status)
    except DomainError as error:
        page = staff_page if opened.is_staff else customer_page
        return page(request, open_booking(request, opened.token), problem=error.sentence, status=error.status)
    if not is_moved:
        return _to_paying(opened)
    messages.success(request, move_presenter.moved_sentence(minute, booking, by_staff=opened.is_staff))
    return after_change(opened)


def _carry_out(opened: Opened, minute: int, agreed: AgreedForm) -> bool:
    """Move the booking. Return False if the customer has to pay a fee first: both times are then held until they do."""
    wish: dict[str, Any] = {
        "booking_id": opened.booking.pk,
        "start_minute": minute,
        # The staff member that the page named. If they are no longer free, no other one replaces them silently.
        "staff_member_id": agreed.cleaned_data["performer"],
        "expected_sequence": agreed.cleaned_data["expected_sequence"],
        "expected_fee_minor": agreed.cleaned_data["expected_fee"],
        "actor": opened.actor,
        "now": opened.now,
    }
    try:
        reschedule_booking(**wish)
    except PayFirst:
        propose_move(**wish)
        return False
    return True


def _to_paying(opened: Opened) -> HttpResponse:
    response = redirect("pay", opened.booking.reference)
    response.status_code = 303
    remember_payer(response, opened.booking.reference, opened.token)
    return response


def _horizon_days(booking: Booking, business: Business) -> int:
    return booking_policy_of(only_line(booking).variant.service, business).horizon_days


def _asked_minute(booking: Booking, slot: str) -> int | None:
    """Parse a time button; None unless it is a time of the booking's own place, within three years of its start."""
    try:
        location_id, minute = parsed_slot(slot)
    except ValueError:
        return None
    near = abs(minute - minute_of(booking.starts_at)) < 3 * 366 * 1440
    return minute if location_id == booking.location_id and near else None
