"""Paying for a booking. The address names the booking but holds no secret, because Stripe's script runs on the page.
The right to open it comes from a link of the booking and is kept in a cookie. GET never changes anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from bookings.booked import demand_of
from bookings.enums import BookingStatus, MoneyEvent
from bookings.errors import NothingToPay
from bookings.models import Booking, BookingEvent, MoveProposal
from bookings.money_events import money_event
from bookings.operations.card_testing import refuse_card_testing
from bookings.operations.help import send_help
from bookings.operations.pay import begin_payment
from bookings.operations.payment_check import check_payments
from bookings.queries import alternatives, bookings, help_messages
from bookings.queries.money import BookingMoney, money_of
from bookings.queries.payables import Payable, PayKind, payable
from bookings.wording import visit
from core.errors import DomainError
from core.visitors import remember_visitor, visitor_id
from payments.enums import Purpose
from payments.errors import AlreadyPaid
from payments.stripe import gateway
from storefront.cookies import payer_token, remember_hold, remember_payer, visitor_zone
from storefront.forms import HelpForm, PayForm
from storefront.presenters import checkout as checkout_presenter
from storefront.presenters import manage as manage_presenter
from storefront.presenters import pay as presenter
from storefront.presenters.pay import PayState, Shows
from storefront.tokens import OwnReference, token_page
from storefront.views import checkout
from storefront.views._booking_page import Opened, open_for_customer
from storefront.views._hold_again import hold_again, picker_url

# For a longer hold the page shows its end. A countdown of hours would only worry the customer.
_COUNTED_DOWN = timedelta(hours=1)
_STRIPE_FRAMES = ("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com")
_STRIPE_API = "https://api.stripe.com"

# Marks a customer who came to pay the rest of the price. The page never asks it of one who has just paid a deposit.
_REST = "?rest=1"

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Look:
    """The money of an opened booking at one instant."""

    opened: Opened
    money: BookingMoney
    due: Payable | None
    state: PayState
    held_until: datetime | None
    proposal: MoveProposal | None

    @property
    def booking(self) -> Booking:
        return self.opened.booking

    @property
    def moves_to(self) -> datetime | None:
        """The new time of the booking once the customer has paid the fee of the move."""
        return self.proposal.starts_at if self.proposal else None


def stripe_allowed(view: View) -> View:
    """Let the page load Stripe's script and frames, and nothing from other sites. Other pages keep their policy."""

    @wraps(view)
    def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = _origin(settings.STRIPE_JS_URL)
        is_stripe = origin in _STRIPE_FRAMES
        sources = {
            "script-src": [origin, *(_STRIPE_FRAMES[1:2] if is_stripe else ())],
            "frame-src": list(_STRIPE_FRAMES if is_stripe else (origin,)),
            "connect-src": [_STRIPE_API if is_stripe else origin],
        }
        return cast(HttpResponse, csp_update(sources)(view)(request, *args, **kwargs))

    return allowed


@token_page
@require_safe
def from_link(request: HttpRequest, token: str) -> HttpResponse:
    """Store the token of a link in a cookie of the paying page, and redirect there for whatever is open."""
    opened = open_for_customer(request, token)
    rest = "" if opened.booking.status == BookingStatus.PENDING_PAYMENT else _REST
    response = redirect(f"{reverse('pay', args=[opened.booking.reference])}{rest}")
    response.status_code = 303
    remember_payer(response, opened.booking.reference, opened.token)
    return response


@token_page
@stripe_allowed
@require_safe
def pay(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what is due and the form to pay it, or why nothing is."""
    if not payer_token(request, reference):
        return _without_cookie(request)
    look = _look(request, reference)
    if look.state.shows is Shows.DONE:
        return redirect("pay_return", reference)
    return _page(request, look)


@token_page
@require_safe
def state(request: HttpRequest, reference: str) -> HttpResponse:
    """Return the state that the page polls."""
    look = _look(request, reference)
    parts = {"state": look.state, "thread": _thread(look)}
    return render(request, "storefront/_pay_state.html", parts)


@token_page
@require_POST
def start(request: HttpRequest, reference: str) -> HttpResponse:
    """Prepare the payment, or the saving of a card, which the page then confirms with Stripe."""
    look = _look(request, reference)
    form = PayForm(request.POST)
    if not form.is_valid() or look.due is None:
        settled = look.state.shows in {Shows.CHECKING, Shows.DONE}
        return JsonResponse({"is_settled": settled, "sentence": str(NothingToPay().sentence)}, status=409)
    page = _pay_page(look, look.due, visitor_zone(request))
    if page.consent and not form.cleaned_data["agreed"]:
        sentence = gettext("Please tick the box: without it we may not keep the card.")
        return JsonResponse({"sentence": sentence}, status=422)
    try:
        refuse_card_testing(look.booking, look.opened.now)
        started = begin_payment(
            booking_id=look.booking.pk,
            expected_minor=form.cleaned_data["expected"],
            consent_text=page.consent,
            now=look.opened.now,
        )
    except AlreadyPaid as error:
        return JsonResponse({"is_settled": True, "sentence": str(error.sentence)}, status=error.status)
    except DomainError as error:
        return JsonResponse({"sentence": str(error.sentence)}, status=error.status)
    return JsonResponse({"kind": str(started.kind), "secret": started.client_secret})


@token_page
@require_POST
def check(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask Stripe now: the customer is waiting, and the workers may be down."""
    opened = _open(request, reference)
    check_payments(booking_id=opened.booking.pk, now=opened.now)
    return HttpResponse(status=204)


@token_page
@require_safe
def came_back(request: HttpRequest, reference: str) -> HttpResponse:
    """Redirect a customer who comes back from the bank, or has paid, without the query that Stripe adds.

    GET changes nothing: the paying page asks Stripe by its own POST.
    """
    look = _look(request, reference)
    if look.state.shows is Shows.DONE:
        is_news = all(each.purpose == Purpose.BOOKING for each in look.money.payments)
        return redirect("confirmed" if is_news else "manage", look.opened.token)
    how = "failed" if request.GET.get("redirect_status") == "failed" else "back"
    rest = "&rest=1" if "rest" in request.GET else ""
    return redirect(f"{reverse('pay', args=[reference])}?{how}=1{rest}")


@token_page
@require_safe
def leave(request: HttpRequest, reference: str) -> HttpResponse:
    """Go to the page of the booking, whose secret address must not appear on the paying page."""
    return redirect("manage", _open(request, reference).token)


@token_page
@require_POST
def again(request: HttpRequest, reference: str) -> HttpResponse:
    """Hold the expired time again, or another one (``slot``), and continue with the same details."""
    look = _look(request, reference)
    if look.state.shows is not Shows.OVER:
        return redirect("pay", reference)
    opened = look.opened
    visitor = visitor_id(request)
    try:
        held = hold_again(request, opened.booking, "", visitor, opened.now)
    except DomainError as error:
        return _page(request, _look(request, reference), problem=error.sentence, status=error.status)
    response = checkout.with_the_same_details(request, held, of=opened.booking, visitor=visitor, now=opened.now)
    remember_visitor(response, visitor)
    remember_hold(response, held)
    return response


@token_page
@stripe_allowed
@require_POST
def ask_desk(request: HttpRequest, reference: str) -> HttpResponse:
    """Send a message to the front desk. With JavaScript the page stays where it is."""
    look = _look(request, reference)
    is_scripted = "application/json" in request.headers.get("Accept", "")
    form = HelpForm(request.POST)
    sentence, status = gettext("Sent. The answer appears here."), 200
    if form.is_valid():
        try:
            send_help(booking_id=look.booking.pk, text=form.cleaned_data["text"], now=look.opened.now)
        except DomainError as error:
            sentence, status = str(error.sentence), error.status
    else:
        sentence, status = str(form.errors["text"][0]), 422
    if is_scripted:
        return JsonResponse({"sentence": sentence}, status=status)
    if status != 200:
        return _page(request, look, help_form=form, said=sentence if form.is_valid() else "", status=status)
    rest = _REST if "rest" in request.GET else ""
    response = redirect(f"{reverse('pay', args=[reference])}{rest}#help")
    response.status_code = 303
    return response


def _open(request: HttpRequest, reference: str) -> Opened:
    """Open the booking with the link that brought this browser here, or for its signed-in customer.

    :raises Http404: without such a link, and for another booking.
    """
    token = payer_token(request, reference)
    opened = open_for_customer(request, OwnReference(token) if token == reference else token)
    if opened.booking.reference != reference:
        raise Http404
    return opened


def _without_cookie(request: HttpRequest) -> HttpResponse:
    """Explain how to continue without the cookie of the page. The answer does not reveal whether a booking exists."""
    context = {
        "title": gettext("Please open this page from your e-mail"),
        "text": gettext(
            "This browser did not keep the cookie that opens the payment page. Nothing was charged by opening it. If "
            "a payment is due, we e-mail you a link to this page a few minutes after booking."
        ),
    }
    return render(request, "storefront/closed.html", context, status=404)


def _look(request: HttpRequest, reference: str) -> Look:
    opened = _open(request, reference)
    booking, now = opened.booking, opened.now
    money, due = money_of(booking), _due(request, booking, now)
    held_until = _held_until(booking, due)
    proposal = bookings.live_proposal(booking, now) if due and due.purpose == Purpose.MOVE else None
    stands = presenter.state(booking, money, due, held_until=held_until, now=now, visitor_zone=visitor_zone(request))
    return Look(opened, money, due, stands, held_until, proposal)


def _due(request: HttpRequest, booking: Booking, now: datetime) -> Payable | None:
    due = payable(booking, now)
    return None if due and due.purpose == Purpose.BALANCE and "rest" not in request.GET else due


def _held_until(booking: Booking, due: Payable | None) -> datetime | None:
    """Return until when a time is held for this payment; None if none is."""
    if booking.status == BookingStatus.PENDING_PAYMENT:
        return booking.hold_expires_at
    return due.until if due else None


def _page(
    request: HttpRequest,
    look: Look,
    *,
    problem: object = "",
    help_form: HelpForm | None = None,
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    opened, booking, due = look.opened, look.booking, look.due
    is_ready = due is not None and look.state.shows in {Shows.READY, Shows.CHECKING}
    asked = due.amount_minor if due and due.kind is PayKind.PAYMENT else 0
    policy = SafeString("")
    # The rule of the old time says nothing about the new time, which has other deadlines.
    if look.state.shows is not Shows.OVER and look.proposal is None:
        policy = manage_presenter.policy(booking, look.money, opened.now, coming_minor=asked)
    context = {
        "reference": booking.reference,
        "currency": booking.currency,
        "rest": _REST if "rest" in request.GET else "",
        "state": look.state,
        "page": _pay_page(look, due, visitor_zone(request)) if due and is_ready else None,
        "hold": _countdown(look, visitor_zone(request)),
        "summary": presenter.summary(
            booking,
            opened.business,
            look.money,
            due,
            policy,
            moves_to=look.moves_to,
            visitor_zone=visitor_zone(request),
        ),
        "is_step": booking.status in {BookingStatus.PENDING_PAYMENT, BookingStatus.EXPIRED},
        "thread": _thread(look),
        "help_form": help_form or HelpForm(),
        "said": said,
        "problems": presenter.problems(),
        "stripe": {
            "key": settings.STRIPE_PUBLISHABLE_KEY,
            "script": settings.STRIPE_JS_URL,
            "excluded": " ".join(gateway.DELAYED_METHODS),
        },
        "came_back": "back" in request.GET,
        "has_failed": "failed" in request.GET,
        "problem": problem,
        **(_way_back(look) if look.state.shows is Shows.OVER else {}),
    }
    return render(request, "storefront/pay.html", context, status=status)


def _pay_page(look: Look, due: Payable, visitor: ZoneInfo | None) -> presenter.PayPage:
    booking = look.booking
    demand = demand_of(booking, booking.lines.all())
    return presenter.page(
        booking,
        look.opened.business,
        due,
        demand,
        now=look.opened.now,
        moves_to=look.moves_to,
        visitor_zone=visitor,
    )


def _countdown(look: Look, visitor: ZoneInfo | None) -> checkout_presenter.Countdown | None:
    now, ends = look.opened.now, look.held_until
    if ends is None or not now < ends <= now + _COUNTED_DOWN:
        return None
    starts_at = look.moves_to or look.booking.starts_at
    begun = max((event.at for event in look.booking.events.all() if _begins_waiting(event)), default=now)
    return presenter.countdown(
        look.booking, starts_at=starts_at, begun_at=begun, ends_at=ends, now=now, visitor_zone=visitor
    )


def _begins_waiting(event: BookingEvent) -> bool:
    return event.to_status == BookingStatus.PENDING_PAYMENT or money_event(event) is MoneyEvent.MOVE_PROPOSED


def _way_back(look: Look) -> dict[str, Any]:
    """Return the same time if it is free, else the nearest ones."""
    booking, now = look.booking, look.opened.now
    is_free = alternatives.is_free_again(booking, now)
    near = [] if is_free else alternatives.nearest_again(booking, now=now)
    return {
        "when": visit.when_text(booking),
        "is_free_again": is_free,
        "alternatives": checkout_presenter.alternatives(booking, near, now),
        "times_url": picker_url(booking),
    }


def _thread(look: Look) -> list[presenter.HelpRow]:
    return presenter.help_rows(help_messages.help_thread(look.booking), look.opened.business)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
