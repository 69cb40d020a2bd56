"""The link in an e-mail that confirms a held time. GET shows what is held, POST books it."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.contact.contact import Contact
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.errors import HoldExpired, HoldOver, StalePage
from bookings.lifecycle import Actor
from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from bookings.operations.confirm import Seen, confirm_booking
from bookings.operations.proven_customer import link_proven_customer
from bookings.queries import bookings
from core import clock
from core.errors import DomainError
from storefront.cookies import remember_payer, visitor_zone
from storefront.presenters import checkout as presenter
from storefront.tokens import token_page
from storefront.views import checkout
from storefront.views._hold_again import is_over, picker_url

_BY_LINK = Actor(ActorKind.CUSTOMER, BookingChannel.LINK)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def book_by_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Show the time that is held for the mailbox to which this link was sent. POST books it."""
    now = clock.now()
    linked = bookings.booking_by_link(token)
    if linked is None or linked.role is not LinkRole.CUSTOMER or not linked.booking.contact_email:
        raise Http404
    booking = bookings.booking_page(linked.booking.pk)
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return _onward(booking)
    if booking.payment_mode:
        raise Http404  # it was booked once, and expired unpaid
    if is_over(booking, now):
        return _ran_out(request, booking)
    if request.method == "POST":
        return _book(request, booking, now)
    return _page(request, booking, now)


def _book(request: HttpRequest, booking: Booking, now: datetime) -> HttpResponse:
    if request.POST.get("expected_total") != str(booking.total_minor):
        return _page(request, booking, now, problem=presenter.price_changed(booking), status=409)
    demand, read_at = checkout.demand_shown(booking), checkout.read_moment(request, booking, now)
    if not presenter.is_rule_as_read(booking, demand, read_at=read_at, now=now):
        return _page(request, booking, now, problem=presenter.rule_changed(), status=409)
    try:
        link_proven_customer(booking_id=booking.pk, now=now)
        booked = confirm_booking(
            booking_id=booking.pk,
            contact=Contact.of_row(booking),
            consent_text=presenter.consent_text(booking, demand, read_at),
            actor=_BY_LINK,
            now=now,
            seen=Seen.of(booking, booking.lines.all()),
            has_proven_email=True,
            visitor_zone=visitor_zone(request),
        )
    except HoldOver:
        return _onward(bookings.booking_page(booking.pk))
    except HoldExpired:
        return _ran_out(request, booking)
    except StalePage:
        now_held = bookings.booking_page(booking.pk)
        return _page(request, now_held, now, problem=presenter.price_changed(now_held), status=409)
    except DomainError as error:
        return _page(request, booking, now, problem=error.sentence, status=error.status)
    return _onward(booked)


def _page(
    request: HttpRequest, booking: Booking, now: datetime, *, problem: object = "", status: int = 200
) -> HttpResponse:
    context = {
        "token": manage_token(booking, LinkRole.CUSTOMER),
        "summary": checkout.summary_of(request, booking, now),
        "consent": presenter.consent_words(),
        "until": presenter.asked_by_mail(booking)["until"],
        "problem": problem,
    }
    return render(request, "storefront/book_by_mail.html", context, status=status)


def _ran_out(request: HttpRequest, booking: Booking) -> HttpResponse:
    context = {
        "title": gettext("The time was not held any longer"),
        "text": gettext("Nothing was booked. You are welcome to pick a time again."),
        "actions": [{"label": gettext("See all free times"), "href": picker_url(booking)}],
    }
    return render(request, "storefront/closed.html", context, status=HoldExpired.status)


def _onward(booking: Booking) -> HttpResponse:
    token = manage_token(booking, LinkRole.CUSTOMER)
    if booking.status == BookingStatus.PENDING_PAYMENT:
        response: HttpResponse = redirect("pay", booking.reference)
        remember_payer(response, booking.reference, token)
    elif booking.status == BookingStatus.CONFIRMED:
        response = redirect("confirmed", token)
    else:
        response = redirect(reverse("manage", args=[token]))
    response.status_code = 303
    return response
