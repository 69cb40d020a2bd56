"""What a signed-in customer sees of their data, and what they can do with it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.contact.mailboxes import mailto_url
from accounts.customer_record import By
from accounts.models import Customer
from accounts.operations import MARKETING_CONSENT, withdraw_marketing
from core import clock, limits
from core.errors import DomainError
from privacy.enums import CaseKind
from privacy.errors import CaseOpen
from privacy.operations.cases import export_for_owner, open_case
from privacy.readable import export_file
from services.queries import the_business, zone_of_business
from storefront.my import privacy_presenter as presenter
from storefront.my.kept import kept_groups
from storefront.my.page import my_page, see_other
from storefront.my.privacy_queries import in_the_way, kept_about

_DOWNLOADS_A_DAY = 10
_DAY = 24 * 3600


@my_page
@require_safe
def my_privacy(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show what is kept and why, consents, who looked, and the ways to take it along or to have it erased."""
    return _page(request, customer)


@my_page
@require_POST
def my_withdraw(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Withdraw the consent to news and offers. Harmless when repeated."""
    withdraw_marketing(customer_id=customer.pk, now=clock.now())
    messages.success(request, gettext("From now on you get no news and offers."))
    return see_other(reverse("my_privacy"))


@my_page
@require_POST
def my_download(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Send everything about the customer as a file: JSON for machines, or a document to read."""
    now, zone = clock.now(), zone_of_business()
    if not limits.within("my-download", str(customer.pk), limit=_DOWNLOADS_A_DAY, seconds=_DAY):
        problem = gettext("You have downloaded it several times today. Please come back tomorrow.")
        return _page(request, customer, problem=problem, status=429)
    data = export_for_owner(
        customer_id=customer.pk,
        note=_how_asked(customer),
        asked_on=now.astimezone(zone).date(),
        by=_by_customer(),
        now=now,
    )
    is_document = request.POST.get("format") == "html"
    return export_file(data, name="my-data", is_document=is_document, zone=zone)


@my_page
@require_http_methods(["GET", "HEAD", "POST"])
def my_erase(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Say what goes, what stays and what comes first. POST asks the business to erase."""
    now = clock.now()
    kept = kept_about(customer, marketing=MARKETING_CONSENT)
    if kept.erasure is not None:
        return see_other(f"{reverse('my_privacy')}#erase")
    if request.method == "POST":
        return _ask_for_erasure(request, customer, now)
    context = {
        "hindrances": presenter.hindrance_texts(in_the_way(customer, now)),
        "visit_count": kept.visit_count,
        "receipt_count": kept.receipt_count,
        "receipt_years": kept.retention.receipt_name_years,
        "business": the_business().text("name"),
    }
    return render(request, "storefront/my/erase.html", context)


def _ask_for_erasure(request: HttpRequest, customer: Customer, now: datetime) -> HttpResponse:
    try:
        open_case(
            customer_id=customer.pk,
            kind=CaseKind.ERASURE,
            note=_how_asked(customer),
            asked_on=now.astimezone(zone_of_business()).date(),
            by=_by_customer(),
            now=now,
        )
    except CaseOpen:
        pass  # pressed twice, or staff have noted it already
    except DomainError as error:
        messages.warning(request, str(error.sentence))
        return see_other(reverse("my_privacy"))
    return see_other(f"{reverse('my_privacy')}#erase")


def _page(request: HttpRequest, customer: Customer, *, problem: str = "", status: int = 200) -> HttpResponse:
    business, zone = the_business(), zone_of_business()
    kept = kept_about(customer, marketing=MARKETING_CONSENT)
    context: dict[str, Any] = {
        "business_email": business.email,
        "mailto_url": mailto_url(business.email) if business.email else "",
        "groups": kept_groups(kept.retention, last_visit=kept.last_visit, zone=zone),
        "consents": [presenter.consent_row(each, zone) for each in kept.consents],
        "consents_left": kept.consent_count - len(kept.consents),
        "wants_news": kept.wants_news,
        "readings": [presenter.reading_row(each, zone) for each in kept.readings],
        "erasure": kept.erasure,
        "problem": problem,
    }
    return render(request, "storefront/my/privacy.html", context, status=status)


def _by_customer() -> By:
    return By(None, gettext("the customer"))


def _how_asked(customer: Customer) -> str:
    return gettext("Asked on the page “Your data”, signed in as %(email)s.") % {"email": customer.email}
