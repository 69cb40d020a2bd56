"""The page that a reminder links to: the customer confirms, moves, or cancels."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bookings.errors import StalePage
from bookings.links import LinkRole
from bookings.operations.attendance import say_coming
from bookings.operations.proven_customer import link_proven_customer
from bookings.queries.bookings import has_said_coming
from bookings.queries.money import money_of
from core.errors import DomainError
from storefront.forms import SeenForm
from storefront.presenters import manage as presenter
from storefront.tokens import token_page
from storefront.views._booking_page import Opened, common, no_longer, open_for_customer


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def coming(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the customer is coming. Only POST records the answer."""
    opened = open_for_customer(request, token)
    if presenter.is_over(opened.booking, opened.now):
        return no_longer(request, opened)
    return _answer(request, opened) if request.method == "POST" else _page(request, opened)


def _answer(request: HttpRequest, opened: Opened) -> HttpResponse:
    form = SeenForm(request.POST)
    if not form.is_valid():
        return _page(request, opened, problem=StalePage().sentence, status=409)
    sequence = form.cleaned_data["expected_sequence"]
    try:
        say_coming(booking_id=opened.booking.pk, expected_sequence=sequence, actor=opened.actor, now=opened.now)
    except DomainError as error:
        return _page(request, open_for_customer(request, opened.token), problem=error.sentence, status=error.status)
    if opened.role is LinkRole.CUSTOMER:
        link_proven_customer(booking_id=opened.booking.pk, now=opened.now)
    response = redirect("coming", opened.token)
    response.status_code = 303
    return response


def _page(request: HttpRequest, opened: Opened, *, problem: object = "", status: int = 200) -> HttpResponse:
    booking, now = opened.booking, opened.now
    context = {
        **common(request, opened),
        "problem": problem,
        "has_said": has_said_coming(booking),
        "move": presenter.move_block(booking, now=now, by_staff=False),
        "cancel": presenter.cancel_block(booking, opened.business, money_of(booking), now=now),
    }
    return render(request, "storefront/coming.html", context, status=status)
