"""Two records of one person become one: choose the other record, compare both, merge."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.customer_merge import have_two_mailboxes, merge_stamp
from accounts.enums import RecordKind
from accounts.models import Customer
from bookings.operations.merge_customers import merge_customers
from core.errors import DomainError
from core.inputs import without_nul
from core.references import new_token
from dashboard import idempotency
from dashboard.customers import merge_presenter as presenter
from dashboard.customers.edit_views import by_of, key_of, to_customer
from dashboard.customers.forms import MergeForm
from dashboard.customers.person import customer_by_reference, people_with, person_of
from dashboard.customers.views import follows_merge, open_customer
from dashboard.door import Desk
from dashboard.permissions import Act, locations_visible_to, may
from dashboard.phone_booking.callers import Found, found_callers, with_visits
from dashboard.views.pages import desk_page, show

LONGEST_SEARCH = 80


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
@follows_merge
def merge(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Choose the other record (``with`` in the address), then compare both and merge them."""
    customer = open_customer(desk, customer_reference)
    asked = request.POST if request.method == "POST" else request.GET
    if not (reference := asked.get("with", "")):
        return _choosing_page(request, desk, customer)
    desk.note_reading(RecordKind.CUSTOMER, reference)
    other = customer_by_reference(desk.rights, reference)
    if other is None:
        raise Http404
    if other.pk == customer.pk:
        # The other one was merged into this one already.
        messages.info(request, presenter.moved_text())
        return to_customer(customer)
    return _merge(request, desk, customer, other) if request.method == "POST" else _page(request, desk, customer, other)


def _merge(request: HttpRequest, desk: Desk, customer: Customer, other: Customer) -> HttpResponse:
    form = _form(desk, customer, other, request.POST)
    if not form.is_valid():
        return _page(request, desk, customer, other, form=form, status=422)
    kept, merged = (customer, other) if form.cleaned_data["keep"] == customer.reference else (other, customer)
    try:
        with transaction.atomic():
            if idempotency.claim(request, key_of(request)):
                kept = merge_customers(
                    kept_id=kept.pk,
                    other_id=merged.pk,
                    seen=request.POST.get("seen", ""),
                    reason=form.cleaned_data["reason"],
                    by=by_of(desk),
                    now=desk.now,
                    gives_up_mailbox=bool(form.cleaned_data.get("gives_up_mailbox")),
                    chosen=form.chosen_flags(),
                )
                messages.success(request, presenter.done_text(kept))
    except DomainError as error:
        for each in (customer, other):
            each.refresh_from_db()
        typed = _form(desk, customer, other, initial={**form.cleaned_data})
        return _page(request, desk, customer, other, form=typed, problem=str(error.sentence), status=error.status)
    return to_customer(kept)


def _form(
    desk: Desk, customer: Customer, other: Customer, data: Any = None, *, initial: dict[str, Any] | None = None
) -> MergeForm:
    return MergeForm(
        data,
        one=customer,
        other=other,
        has_two_mailboxes=have_two_mailboxes(customer, other),
        may_trust=may(desk.rights, Act.TRUST),
        initial=initial,
    )


def _choosing_page(request: HttpRequest, desk: Desk, customer: Customer) -> HttpResponse:
    typed = without_nul(request.GET.get("q", "")).strip()[:LONGEST_SEARCH]
    if typed:
        found = found_callers(desk.rights, typed, desk.now)
        desk.note_search(RecordKind.CUSTOMERS, len(found.callers))
    else:
        found = Found(with_visits(desk.rights, people_with(customer.email, customer.phone, besides=customer)))
    context = {
        "customer": customer,
        "typed": typed,
        "matches": [presenter.match_of(each, customer) for each in found.callers if each.customer.pk != customer.pk],
        "is_cut": found.more_count > 0,
    }
    return show(request, desk, "dashboard/customers/merge_choose.html", context, current="customers")


def _page(
    request: HttpRequest,
    desk: Desk,
    customer: Customer,
    other: Customer,
    *,
    form: MergeForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    places = list(locations_visible_to(desk.rights))
    zone = ZoneInfo(places[0].time_zone if places else "UTC")
    people = [person_of(desk.rights, each, desk.now) for each in (customer, other)]
    form = form or _form(desk, customer, other)
    context = {
        "customer": customer,
        "other": other,
        "form": form,
        "sides": [
            (radio, presenter.side_of(person, zone=zone, now=desk.now))
            for radio, person in zip(form["keep"], people, strict=True)
        ],
        "effects": presenter.effects_of(customer, other),
        "problem": problem,
        "seen": merge_stamp(customer, other),
        "request_key": request.POST.get("request_key") or new_token(),
        "title": gettext("Same person?"),
    }
    return show(
        request, desk, "dashboard/customers/merge.html", context, current="customers", places=places, status=status
    )
