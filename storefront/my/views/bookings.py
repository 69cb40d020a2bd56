"""The start page of a signed-in customer: what comes, what to book again, what was."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.contact.given_names import first_name
from accounts.models import Customer
from bookings.models import Booking
from bookings.queries.bookings import booking_page
from bookings.queries.money import money_of
from bookings.queries.payables import payable
from core import clock
from services.models import Business
from services.queries import the_business
from storefront.cookies import visitor_zone
from storefront.my.page import my_page
from storefront.my.presenter import page_of
from storefront.my.queries import bookings_of, services_again
from storefront.presenters import manage as presenter
from storefront.presenters import money as money_presenter


@my_page
@require_safe
def my_bookings(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the customer's own bookings; with ``?all`` every past one."""
    now, business, zone = clock.now(), the_business(), visitor_zone(request)
    mine = bookings_of(customer, now)
    again = [] if business.is_booking_paused or customer.is_blocked else services_again(mine, now)
    context = {
        "customer": customer,
        # Who has never booked is known by the address alone.
        "first_name": first_name(customer.name) if customer.name != customer.email else "",
        "next": _next_visit(mine.ahead[0], business, now, zone) if mine.ahead else None,
        "page": page_of(mine, again, business, now=now, visitor_zone=zone, shows_all="all" in request.GET),
    }
    return render(request, "storefront/my/bookings.html", context)


def _next_visit(booking: Booking, business: Business, now: datetime, zone: ZoneInfo | None) -> dict[str, Any]:
    booking = booking_page(booking.pk)
    money = money_of(booking)
    due = payable(booking, now)
    is_over = presenter.is_over(booking, now)
    return {
        "card": presenter.status_card(booking, business, now=now, visitor_zone=zone, for_staff=False),
        "token": booking.reference,
        "waiting": presenter.waiting(booking, money, now=now, visitor_zone=zone),
        "policy": "" if is_over else presenter.policy(booking, money, now),
        "pay": money_presenter.pay_button(booking, due),
        "is_over": is_over,
    }
