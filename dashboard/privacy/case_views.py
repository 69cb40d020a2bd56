"""Requests of customers about their data: the list, one case, its export, and its answers."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.customer_record import By
from accounts.enums import RecordKind
from bookings.models import Booking
from core.errors import DomainError
from core.references import new_token
from dashboard import idempotency
from dashboard.customers.person import people_with
from dashboard.customers.person_presenter import Other, other_of
from dashboard.door import Desk
from dashboard.permissions import Act, may
from dashboard.privacy import presenter, queries
from dashboard.privacy.forms import CaseForm, DeclineForm
from dashboard.views.pages import desk_page, show
from privacy.enums import UNFINISHED, CaseKind, CaseState, Hindrance
from privacy.errors import CannotErase, CaseOpen
from privacy.hindrances import hindrances_of
from privacy.models import PrivacyCase
from privacy.operations.cases import approve_erasure, close_case, decline_case, export_for_case, open_case
from privacy.readable import export_file
from services.queries import zone_of_business

_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@desk_page
def cases(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List the open cases, the earliest due date first, and below them those that were answered."""
    zone = zone_of_business()
    today = presenter.today_in(zone, desk.now)
    waiting, closed = queries.open_cases()[: queries.MOST_LISTED], queries.closed_cases()[: queries.MOST_LISTED]
    context = {
        "waiting": [presenter.case_row(each, zone=zone, today=today) for each in waiting],
        "closed": [presenter.case_row(each, zone=zone, today=today) for each in closed],
        "may_keep": may(desk.rights, Act.EDIT_RETENTION),
        "most": queries.MOST_LISTED,
    }
    return show(request, desk, "dashboard/privacy/cases.html", context, current="privacy")


@_methods
@desk_page
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Note a request of the customer whom the address names."""
    customer = queries.customer_to_ask_about(request.GET.get("customer", ""))
    if customer is None or customer.erased_at is not None:
        raise Http404
    desk.note_reading(RecordKind.CUSTOMER, customer.reference)
    today = presenter.today_in(zone_of_business(), desk.now)
    form = CaseForm(request.POST if request.method == "POST" else None, today=today, kind=request.GET.get("kind", ""))
    problem, status = "", 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            case = open_case(customer_id=customer.pk, by=_by(desk), now=desk.now, **form.cleaned_data)
        except CaseOpen as error:
            messages.warning(request, str(error.sentence))
            return _to(str(error.data["reference"]))
        except DomainError as error:
            problem, status = str(error.sentence), error.status
        else:
            return _to(case.reference)
    context = {"form": form, "customer": customer, "name": presenter.customer_name(customer), "problem": problem}
    return show(request, desk, "dashboard/privacy/new.html", context, current="privacy", status=status)


@require_safe
@desk_page
def case(request: HttpRequest, desk: Desk, case_reference: str) -> HttpResponse:
    """Show a case with what can be done now."""
    return _case_page(request, desk, _case(desk, case_reference))


@require_POST
@desk_page
def export(request: HttpRequest, desk: Desk, case_reference: str) -> HttpResponse:
    """Send everything about the customer as a file: JSON for machines, or HTML to read."""
    found = _case(desk, case_reference)
    try:
        data = export_for_case(case_id=found.pk, by=_by(desk), now=desk.now)
    except DomainError as error:
        return _case_page(request, desk, found, problem=error)
    is_document = request.POST.get("format") == "html"
    return export_file(data, name=f"data-{found.reference}", is_document=is_document, zone=zone_of_business())


@require_POST
@desk_page
def close(request: HttpRequest, desk: Desk, case_reference: str) -> HttpResponse:
    """Close a request for access once the customer has the data."""
    found = _case(desk, case_reference)
    try:
        close_case(case_id=found.pk, by=_by(desk), now=desk.now)
        messages.success(request, gettext("Done."))
    except DomainError as error:
        messages.warning(request, str(error.sentence))
    return _to(found.reference)


@_methods
@desk_page
def decline(request: HttpRequest, desk: Desk, case_reference: str) -> HttpResponse:
    """Decline a request with a reason."""
    found = _open_case(desk, case_reference)
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            decline_case(case_id=found.pk, by=_by(desk), now=desk.now, **form.cleaned_data)
            messages.success(request, gettext("Declined. Write to the customer now."))
        except DomainError as error:
            messages.warning(request, str(error.sentence))
        return _to(found.reference)
    context = {"form": form, "case": found, "name": presenter.customer_name(found.customer)}
    status = 422 if form.is_bound else 200
    return show(request, desk, "dashboard/privacy/decline.html", context, current="privacy", status=status)


@_methods
@desk_page
def erase(request: HttpRequest, desk: Desk, case_reference: str) -> HttpResponse:
    """Say what is erased and what stays, and let an owner approve it. A form that is sent twice counts once."""
    found = _open_case(desk, case_reference)
    if found.kind != CaseKind.ERASURE:
        raise Http404
    problem: DomainError | None = None
    if request.method == "POST":
        try:
            with transaction.atomic():
                if idempotency.claim(request, request.POST.get("request_key", "")[:64] or new_token()):
                    approve_erasure(case_id=found.pk, by=_by(desk), now=desk.now)
                    messages.success(request, gettext("Approved. The data is erased within a minute."))
            return _to(found.reference)
        except CannotErase as error:
            problem = error
        except DomainError as error:
            messages.warning(request, str(error.sentence))
            return _to(found.reference)
    obstacles = _obstacles(found, desk)
    context = {
        "case": found,
        "name": presenter.customer_name(found.customer),
        "obstacles": obstacles,
        "problem": str(problem.sentence) if problem and not obstacles else "",
        "request_key": new_token(),
    }
    status = problem.status if problem else 200
    return show(request, desk, "dashboard/privacy/erase.html", context, current="privacy", status=status)


def _case_page(
    request: HttpRequest, desk: Desk, found: PrivacyCase, *, problem: DomainError | None = None
) -> HttpResponse:
    zone = zone_of_business()
    is_open = found.state in UNFINISHED
    context: dict[str, Any] = {
        "case": found,
        "row": presenter.case_row(found, zone=zone, today=presenter.today_in(zone, desk.now)),
        "steps": presenter.steps_of(found.events.all(), zone=zone),
        "obstacles": _obstacles(found, desk) if is_open and found.kind == CaseKind.ERASURE else [],
        "problem": str(problem.sentence) if problem else "",
        "is_open": is_open,
        "is_answerable": found.state == CaseState.OPEN,
        "is_erasure": found.kind == CaseKind.ERASURE,
        "is_erased": found.customer.erased_at is not None,
        "may_erase": may(desk.rights, Act.ERASE_CUSTOMERS),
        "others": _others(found),
    }
    status = problem.status if problem else 200
    return show(request, desk, "dashboard/privacy/case.html", context, current="privacy", status=status)


def _case(desk: Desk, reference: str) -> PrivacyCase:
    """Return a case, and note for the access log whose it is.

    :raises Http404: for an unknown reference.
    """
    found = get_object_or_404(PrivacyCase.objects.select_related("customer"), reference=reference[:8])
    desk.note_reading(RecordKind.CUSTOMER, found.customer.reference)
    return found


def _open_case(desk: Desk, reference: str) -> PrivacyCase:
    found = _case(desk, reference)
    if found.state not in UNFINISHED:
        raise Http404
    return found


def _obstacles(found: PrivacyCase, desk: Desk) -> list[presenter.Obstacle]:
    hindrances: dict[Hindrance, list[int]] = hindrances_of(
        Booking.objects.filter(customer_id=found.customer_id), now=desk.now
    )
    return presenter.obstacles_of(hindrances, queries.bookings_in_the_way(hindrances)) if hindrances else []


def _others(found: PrivacyCase) -> list[Other]:
    """Return other records of perhaps the same person: each needs a case of its own."""
    customer = found.customer
    others = people_with(customer.email, customer.phone, besides=customer)
    return [other_of(each, customer.email, customer.phone) for each in others]


def _by(desk: Desk) -> By:
    return By(desk.user.pk, str(desk.user))


def _to(reference: str) -> HttpResponse:
    response = redirect("desk_privacy_case", reference)
    response.status_code = 303
    return response
