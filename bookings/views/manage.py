"""The pages behind the magic links of a booking. Looking never changes anything; moving and cancelling are POSTs.

A customer sees everything about the own booking, a staff member's link no more than first name, service and time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from bookings import permissions, queries
from bookings.availability import day_marks, free_starts
from bookings.catalogue import the_business
from bookings.contact import first_name
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.errors import AlreadyCancelled, SlotNotOffered, SlotTaken, StalePage
from bookings.facts import availability_facts
from bookings.forms import AgreedForm, ReasonForm
from bookings.lifecycle import Actor
from bookings.links import LinkRole, manage_token
from bookings.models import Booking, BookingLine
from bookings.operations.cancel import cancel_booking
from bookings.operations.identity import link_proven_customer
from bookings.operations.reschedule import reschedule_booking
from bookings.presenters import checkout as checkout_presenter
from bookings.presenters import manage as presenter
from bookings.presenters import move as move_presenter
from bookings.presenters import visit
from bookings.presenters.choice import parsed_slot
from bookings.presenters.zones import zone_named
from bookings.records import spec_of_line
from bookings.views.picker import ZONE_COOKIE
from bookings.views.tokens import token_page
from core import clock
from core.errors import DomainError
from payments.models import BillLine
from services.models import Business

# Two weeks show three days with times even where somebody works once a week.
_NEXT_TIMES_DAYS = 21


@dataclass(frozen=True, slots=True)
class Opened:
    """A booking as a link opens it, at one instant."""

    booking: Booking
    business: Business
    role: LinkRole
    token: str
    now: datetime

    @property
    def is_staff(self) -> bool:
        return self.role is LinkRole.STAFF

    @property
    def actor(self) -> Actor:
        if self.is_staff:
            line = _line(self.booking)
            name = line.staff_member.name if line.staff_member else ""
            return Actor(ActorKind.STAFF, BookingChannel.LINK, name=name)
        channel = BookingChannel.LINK if self.role is LinkRole.CUSTOMER else BookingChannel.WEB
        return Actor(ActorKind.CUSTOMER, channel)


@token_page
@require_safe
def manage(request: HttpRequest, token: str) -> HttpResponse:
    """Show a booking to its customer, or to the staff member who performs it."""
    opened = _open(token)
    return _staff_page(request, opened) if opened.is_staff else _customer_page(request, opened)


@token_page
@require_safe
def trimmed(request: HttpRequest, token: str, rest: str) -> HttpResponse:
    """A mail program has hung a full stop or a bracket onto the address: go on to the page that was meant."""
    return redirect("manage", _open(token).token)


@token_page
@require_safe
def confirmed(request: HttpRequest, token: str) -> HttpResponse:
    """Say that it is booked. Only as long as that is the news; later the page of the booking tells more."""
    opened = open_for_customer(token)
    booking, business, now = opened.booking, opened.business, opened.now
    if booking.status != BookingStatus.CONFIRMED or now >= booking.starts_at:
        return redirect("manage", opened.token)
    context = {
        **_common(request, opened),
        "first_name": first_name(booking.contact_name),
        "email": booking.contact_email,
        "ledger": presenter.ledger(booking, _bill_lines(booking)),
        "policy": presenter.policy(booking, now),
        "google_url": visit.google_url(booking, business),
        "outlook_url": visit.outlook_url(booking, business),
        "move": presenter.move_block(booking, now=now, by_staff=False),
        "contact": presenter.contact_rows(booking, business),
        "preparations": _preparations(booking),
    }
    return render(request, "bookings/confirmed.html", context)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponse:
    """Choose another time, see what it costs, confirm. Only POST moves the booking."""
    opened = _open(token)
    if presenter.move_block(opened.booking, now=opened.now, by_staff=opened.is_staff).refusal:
        return _no_longer(request, opened)
    if request.method == "POST":
        return _move(request, opened)
    if "slot" in request.GET:
        return _move_step(request, opened, request.GET["slot"])
    return _times_page(request, opened)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, in exact words. Only POST cancels the booking."""
    opened = _open(token)
    if not presenter.may_cancel(opened.booking, now=opened.now, by_staff=opened.is_staff):
        return _no_longer(request, opened)
    if request.method == "POST":
        return _cancel(request, opened)
    return _cancel_page(request, opened, ReasonForm())


# --- seeing --------------------------------------------------------------------------------------------------------


def _open(token: str) -> Opened:
    """Open a booking by the token of a link; a link that has ended is no different from one that never was."""
    linked = queries.booking_by_link(token)
    business = the_business()
    if linked is None or business is None:
        raise Http404
    booking, now = linked.booking, clock.now()
    if not permissions.link_opens(linked.role, status=booking.status, ends_at=booking.ends_at, now=now):
        raise Http404
    page = queries.booking_page(booking.pk)
    return Opened(page, business, linked.role, manage_token(page, linked.role), now)


def open_for_customer(token: str) -> Opened:
    opened = _open(token)
    if opened.is_staff:
        raise Http404
    return opened


def _common(request: HttpRequest, opened: Opened) -> dict[str, Any]:
    zone = zone_named(request.COOKIES.get(ZONE_COOKIE, "").replace("%2F", "/"))
    return {
        "token": opened.token,
        "is_staff": opened.is_staff,
        "card": presenter.status_card(opened.booking, opened.business, now=opened.now, visitor_zone=zone),
        "sequence": opened.booking.ical_sequence,
    }


def _customer_page(request: HttpRequest, opened: Opened, *, problem: object = "", status: int = 200) -> HttpResponse:
    booking, now = opened.booking, opened.now
    is_over = presenter.is_over(booking, now)
    context = {
        **_common(request, opened),
        "problem": problem,
        "is_over": is_over,
        "outcome": presenter.outcome(booking, opened.business, now=now),
        "ledger": presenter.ledger(booking, _bill_lines(booking)),
        "contact": presenter.contact_rows(booking, opened.business),
        "history": presenter.history(booking, opened.business),
        "preparations": [] if is_over else _preparations(booking),
        "again_url": reverse("picker", args=[_line(booking).variant.service.slug]),
    }
    if not is_over:
        block = presenter.move_block(booking, now=now, by_staff=False)
        context["move"] = block
        context["next_times"] = [] if block.refusal else _next_times(booking, now)
        context["next_with"] = "" if booking.is_any_staff else visit.staff_short_name(booking)
        context["cancel"] = presenter.cancel_block(booking, now=now)
    return render(request, "bookings/manage.html", context, status=status)


def _staff_page(request: HttpRequest, opened: Opened, *, problem: object = "", status: int = 200) -> HttpResponse:
    booking, now = opened.booking, opened.now
    block = presenter.move_block(booking, now=now, by_staff=True)
    context = {
        **_common(request, opened),
        "problem": problem,
        "first_name": first_name(booking.contact_name),
        "may_move": not block.refusal,
        "may_cancel": presenter.may_cancel(booking, now=now, by_staff=True),
    }
    return render(request, "bookings/staff_link.html", context, status=status)


def _no_longer(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Moving or cancelling is not possible any more: the page of the booking says what is true instead."""
    if request.method != "POST":
        return redirect("manage", opened.token)
    if opened.booking.status == BookingStatus.CANCELLED:
        return _see_other(opened.token)
    page = _staff_page if opened.is_staff else _customer_page
    block = presenter.move_block(opened.booking, now=opened.now, by_staff=opened.is_staff)
    return page(request, opened, problem=block.refusal, status=422)


# --- moving --------------------------------------------------------------------------------------------------------


def _times_page(
    request: HttpRequest,
    opened: Opened,
    *,
    problem: object = "",
    near: list[tuple[int, int]] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Days and times to choose from; after a refusal with the sentence and the nearest free times on top."""
    booking, now = opened.booking, opened.now
    line = _line(booking)
    url = reverse("move", args=[opened.token])
    choice = move_presenter.choice_of(
        booking, horizon_days=_horizon_days(booking, opened.business), query=request.GET.dict(), now=now
    )
    first, end = choice.window
    facts = _facts(booking, now, first, end)
    wanted = _wanted_staff(booking)
    page = move_presenter.move_page(
        choice,
        booking,
        marks=day_marks(facts, line.variant_id, staff_member_id=wanted),
        starts=free_starts(facts, line.variant_id, staff_member_id=wanted),
        now=now,
        url=url,
        visitor_zone=zone_named(request.COOKIES.get(ZONE_COOKIE, "").replace("%2F", "/")),
    )
    context = {
        **_common(request, opened),
        "page": page,
        "problem": problem,
        "alternatives": checkout_presenter.alternatives(booking, near or [], now),
        "move": presenter.move_block(booking, now=now, by_staff=opened.is_staff),
    }
    return render(request, "bookings/move.html", context, status=status)


def _move_step(
    request: HttpRequest, opened: Opened, slot: str, *, problem: object = "", status: int = 200
) -> HttpResponse:
    """From when to when, and what it costs; a time that is not free leads back to those that are."""
    booking, now = opened.booking, opened.now
    minute = _asked_minute(booking, slot)
    if minute is None or minute == int(booking.starts_at.timestamp()) // 60:
        return redirect("move", opened.token)
    if not _is_free(booking, minute, now):
        near = queries.nearest_moves(booking_id=booking.pk, start_minute=minute, staff_member_id=None, now=now)
        return _times_page(request, opened, problem=SlotTaken().sentence, near=near, status=409)
    context = {
        **_common(request, opened),
        "problem": problem,
        "slot": f"{booking.location_id}.{minute}",
        "new_when": move_presenter.slot_text(minute, booking),
        "move": presenter.move_block(booking, now=now, by_staff=opened.is_staff),
        "first_name": first_name(booking.contact_name) if opened.is_staff else "",
        "leaves_person": _leaves_person(booking, minute, now),
    }
    return render(request, "bookings/move_confirm.html", context, status=status)


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
        reschedule_booking(
            booking_id=booking.pk,
            start_minute=minute,
            staff_member_id=None,
            expected_sequence=agreed.cleaned_data["expected_sequence"],
            expected_fee_minor=agreed.cleaned_data["expected_fee"],
            actor=opened.actor,
            now=opened.now,
        )
    except StalePage as error:
        return _move_step(request, _open(opened.token), slot, problem=error.sentence, status=error.status)
    except (SlotTaken, SlotNotOffered) as error:
        near = error.data.get("alternatives", [])
        return _times_page(request, opened, problem=error.sentence, near=near, status=error.status)
    except DomainError as error:
        page = _staff_page if opened.is_staff else _customer_page
        return page(request, _open(opened.token), problem=error.sentence, status=error.status)
    return _after_change(opened)


# --- cancelling ----------------------------------------------------------------------------------------------------


def _cancel_page(
    request: HttpRequest, opened: Opened, form: ReasonForm, *, problem: object = "", status: int = 200
) -> HttpResponse:
    booking, now = opened.booking, opened.now
    context = {
        **_common(request, opened),
        "problem": problem,
        "form": form,
        "fee_minor": presenter.cancel_fee(booking, now=now, by_staff=opened.is_staff),
        "cancel": None if opened.is_staff else presenter.cancel_block(booking, now=now),
        "first_name": first_name(booking.contact_name) if opened.is_staff else "",
    }
    return render(request, "bookings/cancel.html", context, status=status)


def _cancel(request: HttpRequest, opened: Opened) -> HttpResponse:
    booking = opened.booking
    form = ReasonForm(request.POST)
    if opened.is_staff and not form.is_valid():
        return _cancel_page(request, opened, form, status=422)
    agreed = AgreedForm(request.POST)
    if not agreed.is_valid() or agreed.cleaned_data["expected_sequence"] != booking.ical_sequence:
        return _cancel_page(request, opened, form, problem=StalePage().sentence, status=409)
    try:
        cancel_booking(
            booking_id=booking.pk,
            expected_fee_minor=agreed.cleaned_data["expected_fee"],
            actor=opened.actor,
            now=opened.now,
            reason=form.cleaned_data["reason"] if opened.is_staff else "",
        )
    except AlreadyCancelled:
        return _see_other(opened.token)
    except StalePage as error:
        return _cancel_page(request, _open(opened.token), form, problem=error.sentence, status=error.status)
    except DomainError as error:
        page = _staff_page if opened.is_staff else _customer_page
        return page(request, _open(opened.token), problem=error.sentence, status=error.status)
    return _after_change(opened)


# --- small parts ---------------------------------------------------------------------------------------------------


def _after_change(opened: Opened) -> HttpResponse:
    """Go to the page of the booking. Who acted by the link in the mail has shown whose mailbox it is."""
    if opened.role is LinkRole.CUSTOMER:
        link_proven_customer(booking_id=opened.booking.pk, now=opened.now)
    return _see_other(opened.token)


def _see_other(token: str) -> HttpResponse:
    response = redirect("manage", token)
    response.status_code = 303
    return response


def _line(booking: Booking) -> BookingLine:
    return booking.lines.all()[0]


def _preparations(booking: Booking) -> list[str]:
    return list(dict.fromkeys(line.preparation for line in booking.lines.all() if line.preparation.strip()))


def _bill_lines(booking: Booking) -> list[BillLine]:
    subject = f"booking:{booking.pk}"
    return list(BillLine.objects.filter(bill_id=booking.bill_id, subject_ref=subject)) if booking.bill_id else []


def _wanted_staff(booking: Booking) -> int | None:
    """The person whom the customer chose; None when anyone will do, or nobody is needed."""
    return None if booking.is_any_staff else _line(booking).staff_member_id


def _horizon_days(booking: Booking, business: Business) -> int:
    service = _line(booking).variant.service
    return (service.booking_policy or business.booking_policy).horizon_days


def _facts(booking: Booking, now: datetime, first: Any, end: Any) -> Any:
    """What is free for this very visit: its promised length and needs, its own time not counted as taken."""
    line = _line(booking)
    return availability_facts(
        variant_ids=[line.variant_id],
        from_on=first,
        until_on=end,
        now=now,
        location_ids=[booking.location_id],
        staff_member_id=_wanted_staff(booking),
        ignore_booking_id=booking.pk,
        promised=spec_of_line(line),
    )


def _starts(booking: Booking, now: datetime, first: Any, end: Any) -> list[int]:
    """Free starts of some days, without the time the booking has."""
    facts = _facts(booking, now, first, end)
    starts = free_starts(facts, _line(booking).variant_id, staff_member_id=_wanted_staff(booking))
    taken = int(booking.starts_at.timestamp()) // 60
    return [start for start in starts.get(booking.location_id, []) if start != taken]


def _next_times(booking: Booking, now: datetime) -> list[tuple[str, str, str]]:
    first = move_presenter.day_of(booking)
    starts = _starts(booking, now, first, first + timedelta(days=_NEXT_TIMES_DAYS))
    return presenter.next_times(starts, booking, now=now)


def _asked_minute(booking: Booking, slot: str) -> int | None:
    """Read a time button's value; None unless it is a time of this booking's own place, some years ahead at most."""
    try:
        location_id, minute = parsed_slot(slot)
    except ValueError:
        return None
    near = abs(minute - int(booking.starts_at.timestamp()) // 60) < 3 * 366 * 1440
    return minute if location_id == booking.location_id and near else None


def _leaves_person(booking: Booking, minute: int, now: datetime) -> bool:
    """Whether a booking made with anyone would go to another person at this time."""
    line = _line(booking)
    if not booking.is_any_staff or line.staff_member_id is None:
        return False
    day = move_presenter.day_at(minute, booking)
    facts = _facts(booking, now, day, day + timedelta(days=1))
    starts = free_starts(facts, line.variant_id, staff_member_id=line.staff_member_id)
    return minute not in starts.get(booking.location_id, [])


def _is_free(booking: Booking, minute: int, now: datetime) -> bool:
    day = move_presenter.day_at(minute, booking)
    return minute in _starts(booking, now, day, day + timedelta(days=1))
