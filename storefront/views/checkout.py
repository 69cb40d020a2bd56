"""From a held time to a confirmed booking: the details page, its extras, and holding an expired time again."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.contact import phones
from accounts.contact.contact import Contact
from accounts.customer_session import customer_of
from accounts.models import Customer
from bookings.booked import first_line
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.errors import AlreadyThatTime, HoldExpired, HoldOver, StalePage
from bookings.lifecycle import Actor
from bookings.models import Booking
from bookings.operations.confirm import Seen, confirm_booking
from bookings.operations.extras import change_extras
from bookings.operations.hold import extend_hold, release_hold
from bookings.queries import bookings
from bookings.queries.alternatives import chosen_add_ons, is_free_again, nearest_again
from bookings.rules.prepayment import Demand
from bookings.wording import visit
from core import clock
from core.errors import DomainError
from core.visitors import remember_visitor, visitor_hash, visitor_id
from payments.stripe import gateway
from services.enums import Delivery
from services.queries import the_business
from storefront.cookies import HOLD_COOKIE, has_proven_mailbox, remember_hold, remember_payer, visitor_zone
from storefront.forms import ContactForm, ExtrasForm
from storefront.presenters import checkout as presenter
from storefront.tokens import token_page
from storefront.views._booking_page import own_or_guest_token
from storefront.views._hold_again import hold_again, is_over, own_hold_of_the_same_time, picker_url

_TYPED = (*(field.name for field in Contact.FIELDS), "email_seen", "party_size")
# How long the page of a hold leads to its booking: after it is confirmed, or after the hold of one that waits.
_NEWS, _LONGEST = timedelta(minutes=15), timedelta(hours=1)
_CUSTOMER = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the customer's details and show the price. POST books it."""
    now = clock.now()
    booking = _booking(token)
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return _onward(request, booking, now)
    if request.method == "POST":
        return _confirm(request, booking, token, now)
    if _waits_for_mailbox(booking) and not is_over(booking, now) and "edit" not in request.GET:
        return render(request, "storefront/check_mail.html", {"token": token, **presenter.asked_by_mail(booking)})
    response = _page(request, booking, token, _form(booking, initial=_first_values(request, booking)), now=now)
    if presenter.invitation(booking) and not is_over(booking, now):
        # A customer who opens the link and picks another time gives this one back.
        remember_hold(response, token)
    return response


@token_page
def details_once_more(request: HttpRequest, token: str) -> HttpResponse:
    """Show the details page with the typed values again, because the CSRF token was missing or invalid."""
    booking, now = _booking(token), clock.now()
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return _onward(request, booking, now)
    problem = gettext("This page was open for a long time. Nothing was booked yet; please press the button once more.")
    form = _form(booking, initial=_typed(request))
    return _page(request, booking, token, form, now=now, problem=problem, status=403)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def extras(request: HttpRequest, token: str) -> HttpResponse:
    """Add or remove an extra. The typed values come along and are shown again."""
    now = clock.now()
    booking = _booking(token)
    if request.method != "POST":
        return redirect("details", token)
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return _onward(request, booking, now)
    offered = {add_on.pk for add_on in bookings.add_ons_of(booking)}
    chosen = chosen_add_ons(booking)
    form = ExtrasForm(request.POST, add_on_ids=offered | set(chosen))
    if not form.is_valid():
        problem = gettext("This extra does not belong to the service. Nothing was changed.")
        return _again_with_typed(request, booking, token, now=now, problem=problem, status=422)
    wanted = [*(each for each in chosen if each != form.cleaned_data["remove"]), form.cleaned_data["add"]]
    ids = list(dict.fromkeys(each for each in wanted if each is not None))
    try:
        change_extras(booking_id=booking.pk, add_on_ids=ids, party_size=booking.party_size, actor=_CUSTOMER, now=now)
    except DomainError as error:
        return _again_with_typed(request, _booking(token), token, now=now, problem=error.sentence, status=error.status)
    return _again_with_typed(request, _booking(token), token, now=now)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest, token: str) -> HttpResponse:
    """Hold the expired time again, or another one (``slot``). The typed details stay."""
    now = clock.now()
    booking = _booking(token)
    if request.method != "POST":
        return redirect("details", token)
    if booking.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        return _onward(request, booking, now)
    visitor = visitor_id(request)
    try:
        new_token = hold_again(request, booking, token, visitor, now)
    except DomainError as error:
        if held := own_hold_of_the_same_time(request, booking, now):
            new_token = held
        else:
            return _again_with_typed(request, booking, token, now=now, problem=error.sentence, status=error.status)
    response = _again_with_typed(request, _booking(new_token), new_token, now=now)
    remember_visitor(response, visitor)
    remember_hold(response, new_token)
    return response


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, token: str) -> HttpResponse:
    """Release the held time."""
    booking, now = _booking(token), clock.now()
    if request.method != "POST":
        return redirect("details", token)
    try:
        release_hold(booking_id=booking.pk, actor=_CUSTOMER, now=now)
    except HoldOver:
        return _onward(request, booking, now)
    response = redirect("picker", first_line(booking).variant.service.slug)
    response.delete_cookie(HOLD_COOKIE)
    return response


def _confirm(request: HttpRequest, booking: Booking, token: str, now: datetime) -> HttpResponse:
    if suggestion := request.POST.get("use_email"):
        return _page(request, booking, token, _form(booking, initial={**_typed(request), "email": suggestion}), now=now)
    form = _form(booking, request.POST)
    if is_over(booking, now):
        return _page(request, booking, token, form, now=now, problem=HoldExpired().sentence, status=409)
    try:
        if not form.is_valid():
            # The hold must not expire while the customer corrects a field.
            booking.hold_expires_at = extend_hold(booking_id=booking.pk, actor=_CUSTOMER, now=now).hold_expires_at
            return _page(request, booking, token, form, now=now, status=422)
        shown = _with_party_size(booking, form, now)
        if request.POST.get("expected_total") != str(shown.total_minor):
            problem = presenter.price_changed(shown)
            return _page(request, _booking(token), token, form, now=now, problem=problem, status=409)
        read_at = read_moment(request, booking, now)
        if not presenter.is_rule_as_read(booking, demand_shown(booking), read_at=read_at, now=now):
            return _page(request, _booking(token), token, form, now=now, problem=presenter.rule_changed(), status=409)
        known = _known(request, booking)
        confirmed = confirm_booking(
            booking_id=booking.pk,
            contact=Contact.of_form(form.cleaned_data),
            consent_text=presenter.consent_text(shown, demand_shown(shown), read_at),
            actor=_CUSTOMER,
            now=now,
            seen=Seen.of(shown, shown.lines.all()),
            has_proven_email=has_proven_mailbox(request, form.cleaned_data["email"]),
            accepts_second="second" in request.POST,
            visitor_zone=visitor_zone(request),
            signed_in_id=known.pk if known else None,
        )
    except HoldOver:
        return _onward(request, _booking(token), now)
    except AlreadyThatTime as error:
        held = _booking(token)
        return _page(request, held, token, form, now=now, problem=error.sentence, status=error.status, asks_second=True)
    except StalePage:
        held = _booking(token)
        return _page(request, held, token, form, now=now, problem=presenter.price_changed(held), status=409)
    except DomainError as error:
        return _page(request, _booking(token), token, form, now=now, problem=error.sentence, status=error.status)
    if confirmed.status == BookingStatus.HELD:
        response = redirect("details", token)
        response.status_code = 303
        return response
    return _onward(request, confirmed, now)


def read_moment(request: HttpRequest, booking: Booking, now: datetime) -> datetime:
    """Return when the page was written that the customer agreed to; ``now`` if the form gives no possible moment."""
    seconds = request.POST.get("read_at", "")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        return now
    read_at = datetime.fromtimestamp(int(seconds), tz=UTC)
    return read_at if booking.created_at.replace(microsecond=0) <= read_at <= now else now


def _page(
    request: HttpRequest,
    booking: Booking,
    token: str,
    form: ContactForm,
    *,
    now: datetime,
    problem: object = "",
    status: int = 200,
    asks_second: bool = False,
) -> HttpResponse:
    """Render the details page. For an expired hold, other times replace the main button."""
    has_ended = is_over(booking, now)
    context: dict[str, Any] = {
        "token": token,
        "form": form,
        "problem": problem,
        "is_over": has_ended,
        "hold": presenter.countdown(booking, now, visitor_zone(request)),
        "summary": summary_of(request, booking, now),
        "consent": presenter.consent_words(),
        "back_url": picker_url(booking),
        "asks_second": asks_second,
        "known": presenter.known_contact(form) if _known(request, booking) else None,
    }
    if presenter.invitation(booking) and not has_ended:
        context["invited"] = presenter.invited_text(booking, the_business(), now, visitor_zone(request))
    if has_ended:
        near = nearest_again(booking, now=now)
        context["is_free_again"] = is_free_again(booking, now)
        context["alternatives"] = presenter.alternatives(booking, near, now)
    return render(request, "storefront/details.html", context, status=status)


def with_the_same_details(
    request: HttpRequest, token: str, *, of: Booking, visitor: str, now: datetime
) -> HttpResponse:
    """Show the details of a new hold with the values that the customer gave for another booking.

    Phone, note and address are shown only in the browser in which they were typed, because links can be passed on.
    """
    held = _booking(token)
    is_own = bool(of.visitor_hash) and of.visitor_hash == visitor_hash(visitor)
    given = {field.name: getattr(of, field.column) for field in Contact.FIELDS if is_own or not field.is_private}
    given |= {"email_seen": of.contact_email, "party_size": of.party_size}
    return _page(request, held, token, _form(held, initial=given), now=now)


def _again_with_typed(
    request: HttpRequest, booking: Booking, token: str, *, now: datetime, problem: object = "", status: int = 200
) -> HttpResponse:
    """Show the details page with the typed values; a plain redirect if there are none and there is no message."""
    if request.htmx:  # type: ignore[attr-defined]
        parts = {
            "summary": summary_of(request, booking, now),
            "token": token,
            "problem": problem,
            "consent": presenter.consent_words(),
        }
        return render(request, "storefront/_summary_again.html", parts, status=status)
    typed = _typed(request)
    if status == 200 and not any(typed.values()):
        return redirect("details", token)
    return _page(request, booking, token, _form(booking, initial=typed), now=now, problem=problem, status=status)


def summary_of(request: HttpRequest, booking: Booking, now: datetime) -> presenter.Summary:
    offered = bookings.add_ons_of(booking)
    return presenter.summary(
        booking,
        the_business(),
        offered,
        demand_shown(booking),
        is_request=_is_request(booking),
        now=now,
        visitor_zone=visitor_zone(request),
    )


def demand_shown(booking: Booking) -> Demand:
    return presenter.demand(booking, has_stripe=gateway.is_configured())


def _is_request(booking: Booking) -> bool:
    return any(line.variant.service.needs_answer for line in booking.lines.all())


def _with_party_size(booking: Booking, form: ContactForm, now: datetime) -> Booking:
    """Save the party size of the form on the hold."""
    size = form.cleaned_data.get("party_size", booking.party_size)
    if size == booking.party_size:
        return booking
    ids = chosen_add_ons(booking)
    return change_extras(booking_id=booking.pk, add_on_ids=ids, party_size=size, actor=_CUSTOMER, now=now)


def _booking(token: str) -> Booking:
    booking = bookings.held_page(token)
    if booking is None:
        raise Http404
    return booking


def _form(
    booking: Booking, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
) -> ContactForm:
    place = booking.location
    return ContactForm(
        data,
        staff_name=visit.staff_short_name(booking),
        region=phones.phone_region(place.phone, the_business().phone, time_zone=place.time_zone),
        needs_address=booking.delivery == Delivery.CUSTOMER,
        max_party_size=min(line.variant.service.max_party_size for line in booking.lines.all()),
        initial={"party_size": booking.party_size, **(initial or {})},
    )


def _known(request: HttpRequest, booking: Booking) -> Customer | None:
    """Return the signed-in customer who books; None for a hold whose link staff sent to another person."""
    customer = customer_of(request)
    if customer is None or (presenter.invitation(booking) and booking.customer_id != customer.pk):
        return None
    return customer


def _first_values(request: HttpRequest, booking: Booking) -> dict[str, str]:
    """Return what the form shows first: what staff typed for the link of this hold, else a signed-in customer's own."""
    if invited := presenter.invited_contact(booking):
        return invited
    known = _known(request, booking)
    if known is None:
        return {}
    # Who has signed in before the first booking is known by the address alone.
    name = "" if known.name == known.email else known.name
    return {"name": name, "email": known.email, "email_seen": known.email, "phone": known.phone}


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST[name] for name in _TYPED if name in request.POST}


def _waits_for_mailbox(booking: Booking) -> bool:
    unproven = getattr(booking, "unproven", None)
    return booking.status == BookingStatus.HELD and unproven is not None and unproven.asked_at is not None


def _onward(request: HttpRequest, booking: Booking, now: datetime) -> HttpResponse:
    """Lead to the next step: to paying, or to the page of the booking by its own link.

    Only soon after booking, because the address of this page stays in the history of a shared computer.
    """
    if not _is_news(booking, now):
        return _booked_before(request)
    token = own_or_guest_token(request, booking)
    if booking.status == BookingStatus.PENDING_PAYMENT:
        response: HttpResponse = redirect("pay", booking.reference)
        remember_payer(response, booking.reference, token)
    else:
        response = redirect("confirmed", token)
    response.status_code = 303
    response.delete_cookie(HOLD_COOKIE)
    return response


def _is_news(booking: Booking, now: datetime) -> bool:
    if booking.confirmed_at is not None:
        return now < booking.confirmed_at + _NEWS
    if booking.hold_expires_at is None or now >= booking.hold_expires_at:
        return False
    # A link keeps a time for hours, so what counts is when the customer used it.
    return now < booking.created_at + _LONGEST or now < bookings.hold_left_at(booking) + _LONGEST


def _booked_before(request: HttpRequest) -> HttpResponse:
    context = {
        "title": gettext("This is booked already"),
        "text": gettext("The link to see, move or cancel the appointment is in your confirmation e-mail."),
    }
    response = render(request, "storefront/closed.html", context)
    response.delete_cookie(HOLD_COOKIE)
    return response
