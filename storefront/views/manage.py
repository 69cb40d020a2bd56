"""The pages behind the magic links of a booking: view and cancel. GET never changes anything."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.contact.given_names import first_name
from bookings.enums import BookingStatus
from bookings.errors import AlreadyCancelled, StalePage
from bookings.operations.cancel import cancel_booking
from bookings.queries.money import money_of
from bookings.wording import visit
from core.errors import DomainError
from storefront.forms import AgreedForm, ReasonForm
from storefront.presenters import manage as presenter
from storefront.presenters import money as money_presenter
from storefront.tokens import token_page
from storefront.views._booking_page import (
    Opened,
    after_change,
    common,
    customer_page,
    no_longer,
    open_booking,
    open_for_customer,
    preparations,
    see_other,
    staff_page,
)


@token_page
@require_safe
def manage(request: HttpRequest, token: str) -> HttpResponse:
    """Show a booking to its customer, or to the staff member who performs it."""
    opened = open_booking(request, token)
    return staff_page(request, opened) if opened.is_staff else customer_page(request, opened)


@token_page
@require_safe
def trimmed(request: HttpRequest, token: str, rest: str) -> HttpResponse:
    """Redirect from an address to which a mail program appended a full stop or a bracket."""
    return redirect("manage", open_booking(request, token).token)


@token_page
@require_safe
def confirmed(request: HttpRequest, token: str) -> HttpResponse:
    """Show the confirmation. Later, when it is no longer news, the page of the booking tells more."""
    opened = open_for_customer(request, token)
    booking, business, now = opened.booking, opened.business, opened.now
    if booking.status != BookingStatus.CONFIRMED or now >= booking.starts_at:
        return redirect("manage", opened.token)
    money = money_of(booking)
    context = {
        **common(request, opened),
        "first_name": first_name(booking.contact_name),
        "email": booking.contact_email,
        "ledger": money_presenter.ledger(booking, money),
        "kept_card": money_presenter.kept_card_sentence(booking, money),
        "receipts": money_presenter.receipt_rows(booking, money),
        "policy": presenter.policy(booking, money, now),
        "google_url": visit.google_url(booking, business),
        "outlook_url": visit.outlook_url(booking, business),
        "move": presenter.move_block(booking, now=now, by_staff=False),
        "contact": presenter.contact_rows(booking, business),
        "preparations": preparations(booking),
    }
    return render(request, "storefront/confirmed.html", context)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation with the exact sums. Only POST cancels the booking."""
    opened = open_booking(request, token)
    if not presenter.may_cancel(opened.booking, now=opened.now, by_staff=opened.is_staff):
        return no_longer(request, opened)
    if request.method == "POST":
        return _cancel(request, opened)
    return _cancel_page(request, opened, ReasonForm())


def _cancel_page(
    request: HttpRequest, opened: Opened, form: ReasonForm, *, problem: object = "", status: int = 200
) -> HttpResponse:
    booking, now = opened.booking, opened.now
    context = {
        **common(request, opened),
        "problem": problem,
        "form": form,
        "cancel": None
        if opened.is_staff
        else presenter.cancel_block(booking, opened.business, money_of(booking), now=now),
        "first_name": first_name(booking.contact_name) if opened.is_staff else "",
    }
    return render(request, "storefront/cancel.html", context, status=status)


def _cancel(request: HttpRequest, opened: Opened) -> HttpResponse:
    booking = opened.booking
    form = ReasonForm(request.POST)
    if opened.is_staff and not form.is_valid():
        return _cancel_page(request, opened, form, status=422)
    agreed = AgreedForm(request.POST)
    if not agreed.is_valid():
        return _cancel_page(request, opened, form, problem=StalePage().sentence, status=409)
    try:
        cancel_booking(
            booking_id=booking.pk,
            expected_fee_minor=agreed.cleaned_data["expected_fee"],
            expected_sequence=agreed.cleaned_data["expected_sequence"],
            actor=opened.actor,
            now=opened.now,
            reason=form.cleaned_data["reason"] if opened.is_staff else "",
        )
    except AlreadyCancelled:
        return see_other(opened.token)
    except StalePage as error:
        return _cancel_page(
            request, open_booking(request, opened.token), form, problem=error.sentence, status=error.status
        )
    except DomainError as error:
        page = staff_page if opened.is_staff else customer_page
        return page(request, open_booking(request, opened.token), problem=error.sentence, status=error.status)
    return after_change(opened)
