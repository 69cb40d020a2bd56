"""A booking opened by its magic link or by its signed-in customer, and the pages that show it.

The address of a signed-in customer names the booking by its reference, so it holds no secret. A customer sees
everything about their booking. A staff member's link shows only first name, service and time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.contact.given_names import first_name
from accounts.customer_session import customer_of
from bookings import booked, links
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.lifecycle import Actor
from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations.proven_customer import link_proven_customer
from bookings.queries import bookings
from bookings.queries.money import BookingMoney, money_of
from bookings.queries.moves import move_starts, wanted_staff
from bookings.queries.payables import Payable, payable
from bookings.wording import visit
from core import clock
from notifications.devices import push_key
from payments.enums import Purpose
from services.models import Business
from services.queries import the_business
from storefront.cookies import remember_mailbox, visitor_zone
from storefront.presenters import manage as presenter
from storefront.presenters import money as money_presenter
from storefront.presenters.history import history
from storefront.tokens import OwnReference, SignInFirst

# Long enough to show three days with times even for a staff member who works once a week.
_NEXT_TIMES_DAYS = 21


@dataclass(frozen=True, slots=True)
class Opened:
    """A booking as a link or its signed-in customer opens it, at one instant. Then ``token`` is its reference."""

    booking: Booking
    business: Business
    role: LinkRole
    token: str
    now: datetime

    @property
    def is_staff(self) -> bool:
        return self.role is LinkRole.STAFF

    @property
    def is_signed_in(self) -> bool:
        """Whether its signed-in customer opened it, so that its address has no secret."""
        return isinstance(self.token, OwnReference)

    @property
    def proves_mailbox(self) -> bool:
        """Whether this link was sent by e-mail, so that its holder owns the mailbox of the booking."""
        return self.role is LinkRole.CUSTOMER and bool(self.booking.contact_email)

    @property
    def actor(self) -> Actor:
        if self.is_staff:
            return Actor(ActorKind.STAFF, BookingChannel.LINK, name=", ".join(visit.staff_names(self.booking)))
        channel = BookingChannel.LINK if self.role is LinkRole.CUSTOMER else BookingChannel.WEB
        return Actor(ActorKind.CUSTOMER, channel)


def open_booking(request: HttpRequest, token: str) -> Opened:
    """Open a booking by the token of a link, or by the reference of a booking of the signed-in customer.

    :raises Http404: for an unknown token, for a link that has ended, and for the booking of another customer.
    :raises SignInFirst: for a reference, when no customer is signed in.
    """
    if isinstance(token, OwnReference):
        return _open_own(request, token)
    linked = bookings.booking_by_link(token)
    if linked is None:
        raise Http404
    business = the_business()
    now = clock.now()
    booking = bookings.booking_page(linked.booking.pk)
    opens = links.link_opens(
        linked.role,
        status=booking.status,
        was_agreed=bool(booking.payment_mode),
        ends_at=booking.ends_at,
        is_theirs=any(line.staff_member and line.staff_member.works_here for line in booking.lines.all()),
        now=now,
    )
    if not opens:
        raise Http404
    return Opened(booking, business, linked.role, manage_token(booking, linked.role), now)


def _open_own(request: HttpRequest, reference: OwnReference) -> Opened:
    """Open a booking of the signed-in customer, who may do what the link on the screen after booking lets them do."""
    customer = customer_of(request)
    if customer is None:
        raise SignInFirst
    booking_id = bookings.own_booking_id(customer.pk, reference)
    if booking_id is None:
        raise Http404
    return Opened(bookings.booking_page(booking_id), the_business(), LinkRole.GUEST, reference, clock.now())


def own_or_guest_token(request: HttpRequest, booking: Booking) -> str:
    """Return what opens a booking in this browser: its reference for its signed-in customer, else a link."""
    customer = customer_of(request) if booking.customer_id else None
    is_own = customer is not None and customer.pk == booking.customer_id
    return OwnReference(booking.reference) if is_own else manage_token(booking, LinkRole.GUEST)


def open_for_customer(request: HttpRequest, token: str) -> Opened:
    opened = open_booking(request, token)
    if opened.is_staff:
        raise Http404
    return opened


def open_by_mail(request: HttpRequest, token: str) -> Opened:
    """Open a booking for a decision of the mailbox's owner. Only the link in the e-mail will do, not the one on screen.

    :raises Http404: for all other links.
    """
    opened = open_booking(request, token)
    if not opened.proves_mailbox:
        raise Http404
    return opened


def common(request: HttpRequest, opened: Opened) -> dict[str, Any]:
    zone = visitor_zone(request)
    return {
        "token": opened.token,
        "is_staff": opened.is_staff,
        "is_own": opened.is_signed_in,
        "card": presenter.status_card(
            opened.booking, opened.business, now=opened.now, visitor_zone=zone, for_staff=opened.is_staff
        ),
        "sequence": opened.booking.ical_sequence,
    }


def customer_page(request: HttpRequest, opened: Opened, *, problem: object = "", status: int = 200) -> HttpResponse:
    booking, now = opened.booking, opened.now
    money, due = money_of(booking), payable(booking, now)
    is_over = presenter.is_over(booking, now)
    context = {
        **common(request, opened),
        "problem": problem,
        "is_over": is_over,
        "outcome": presenter.outcome(booking, opened.business, money, now=now),
        "waiting": presenter.waiting(booking, money, now=now, visitor_zone=visitor_zone(request)),
        "waiting_move": _waiting_move(booking, due, now, visitor_zone(request)),
        "refunds": money_presenter.refund_sentences(booking, money, now=now),
        "ledger": money_presenter.ledger(booking, money),
        "kept_card": "" if is_over else money_presenter.kept_card_sentence(booking, money),
        "pay": money_presenter.pay_button(booking, due),
        "receipts": money_presenter.receipt_rows(booking, money),
        "contact": presenter.contact_rows(booking, opened.business),
        "history": history(booking, opened.business, visitor_zone=visitor_zone(request)),
        "preparations": [] if is_over else preparations(booking),
        "again_url": _again_url(opened, money),
        "chooses_messages": opened.proves_mailbox,
        "push_key": push_key() if opened.proves_mailbox and not is_over else "",
    }
    if not is_over:
        block = presenter.move_block(booking, now=now, by_staff=False)
        context["move"] = block
        context["next_times"] = [] if block.refusal else next_moves(booking, now)
        keeps = not block.refusal and wanted_staff(booking) is not None
        context["next_with"] = visit.staff_short_name(booking) if keeps else ""
        context["cancel"] = presenter.cancel_block(booking, opened.business, money, now=now)
        context["no_show_rule"] = presenter.no_show_rule(booking, money, now)
    response = render(request, "storefront/manage.html", context, status=status)
    if opened.proves_mailbox:
        remember_mailbox(response, booking.contact_email)
    return response


def _again_url(opened: Opened, money: BookingMoney) -> str:
    """Return where to book again. A booking that expired unpaid is held again with the same details."""
    booking = opened.booking
    ran_out = booking.status in {BookingStatus.EXPIRED, BookingStatus.PENDING_PAYMENT} and not money.payments
    if ran_out and opened.now < booking.starts_at:
        return reverse("pay_link", args=[opened.token])
    return reverse("picker", args=[booked.first_line(booking).variant.service.slug])


def _waiting_move(booking: Booking, due: Payable | None, now: datetime, visitor: ZoneInfo | None) -> SafeString:
    """Return the text about a time that is kept until the customer pays the fee of the move; empty without one."""
    proposal = bookings.live_proposal(booking, now) if due and due.purpose == Purpose.MOVE else None
    if proposal is None:
        return SafeString("")
    return presenter.waiting_move(booking, moves_to=proposal.starts_at, until=proposal.expires_at, visitor_zone=visitor)


def staff_page(request: HttpRequest, opened: Opened, *, problem: object = "", status: int = 200) -> HttpResponse:
    booking, now = opened.booking, opened.now
    block = presenter.move_block(booking, now=now, by_staff=True)
    context = {
        **common(request, opened),
        "problem": problem,
        "first_name": first_name(booking.contact_name),
        "may_move": not block.refusal,
        "may_cancel": presenter.may_cancel(booking, now=now, by_staff=True),
    }
    return render(request, "storefront/staff_link.html", context, status=status)


def no_longer(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Answer a move or cancellation that is no longer possible with the page of the booking."""
    if request.method != "POST":
        return redirect("manage", opened.token)
    if opened.booking.status == BookingStatus.CANCELLED:
        return see_other(opened.token)
    page = staff_page if opened.is_staff else customer_page
    block = presenter.move_block(opened.booking, now=opened.now, by_staff=opened.is_staff)
    return page(request, opened, problem=block.refusal, status=422)


def after_change(opened: Opened) -> HttpResponse:
    """Go to the page of the booking. A customer who used the link in the e-mail has proven the mailbox."""
    if opened.role is LinkRole.CUSTOMER:
        link_proven_customer(booking_id=opened.booking.pk, now=opened.now)
    return see_other(opened.token)


def see_other(token: str) -> HttpResponse:
    response = redirect("manage", token)
    response.status_code = 303
    return response


def preparations(booking: Booking) -> list[str]:
    return list(dict.fromkeys(line.preparation for line in booking.lines.all() if line.preparation.strip()))


def next_moves(booking: Booking, now: datetime) -> list[tuple[str, str, str]]:
    first = booked.day_of(booking)
    starts = move_starts(booking, now, first, first + timedelta(days=_NEXT_TIMES_DAYS))
    return presenter.next_times(starts, booking, now=now)
