"""A signed-in customer's own details, and which messages they get."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.contact import phones
from accounts.customer_record import By, CustomerChanged, contact_stamps, edit_customer, stamp_of
from accounts.models import Customer
from bookings.operations.message_choices import Chosen, choose_own_messages, stop_own_messages
from core import clock
from services.queries import the_business, zone_of_business
from storefront.my.forms import DetailsForm
from storefront.my.page import my_page, see_other
from storefront.views.message_choices import choices_form, consent_text

_methods = require_http_methods(["GET", "HEAD", "POST"])
_STAMPED = ("name", "phone", "language")


@my_page
@_methods
def my_details(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show and change name, phone number and language. What is booked already keeps the contact given for it."""
    region = phones.phone_region(the_business().phone, time_zone=zone_of_business().key)
    if request.method != "POST":
        return _details_page(request, customer, DetailsForm(region=region, initial=_values(customer)))
    form = DetailsForm(request.POST, region=region)
    if not form.is_valid():
        return _details_page(request, customer, form, status=422)
    seen = {name: request.POST.get(f"seen_{name}", "") for name in _STAMPED}
    try:
        edit_customer(
            customer_id=customer.pk,
            seen={**seen, "email": stamp_of(customer.email)},
            values={**form.cleaned_data, "email": customer.email},
            by=By(None, ""),
            now=clock.now(),
        )
    except CustomerChanged:
        problem = gettext("We have changed your details meanwhile. Nothing is saved yet; please look once more.")
        customer.refresh_from_db()
        return _details_page(request, customer, form, problem=problem, status=409)
    messages.success(request, gettext("Saved."))
    return see_other(reverse("my_details"))


@my_page
@_methods
def my_messages(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show and save by which channels and when messages come, for all bookings of the customer."""
    now = clock.now()
    if request.method == "POST" and "stop" in request.POST:
        stop_own_messages(customer_id=customer.pk, now=now)
        messages.success(request, gettext("From now on you get only what is needed."))
        return see_other(reverse("my_messages"))
    business = the_business()
    posted = request if request.method == "POST" else None
    form = choices_form(posted, customer_id=customer.pk, email=customer.email, has_phone=bool(customer.phone))
    if form.is_bound and form.is_valid():
        chosen = Chosen(
            channels=form.wanted,
            quiet_hours=form.quiet_hours,
            wants_news=form.cleaned_data["news"],
            consent_text=consent_text(business),
        )
        choose_own_messages(customer_id=customer.pk, chosen=chosen, time_zone=zone_of_business().key, now=now)
        messages.success(request, gettext("Your choice is kept."))
        return see_other(reverse("my_messages"))
    context = {
        "back_url": reverse("my_bookings"),
        "back_label": gettext("My bookings"),
        "email": customer.email,
        "form": form,
        "consent_text": consent_text(business),
    }
    return render(request, "storefront/message_choices.html", context, status=422 if form.is_bound else 200)


def _details_page(
    request: HttpRequest, customer: Customer, form: DetailsForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    stamps = contact_stamps(customer)
    context = {
        "customer": customer,
        "form": form,
        "seen": [(f"seen_{name}", stamps[name]) for name in _STAMPED],
        "problem": problem,
    }
    return render(request, "storefront/my/details.html", context, status=status)


def _values(customer: Customer) -> dict[str, str]:
    # Who has signed in before the first booking is known by the address alone.
    name = "" if customer.name == customer.email else customer.name
    return {"name": name, "phone": customer.phone, "language": customer.language}
