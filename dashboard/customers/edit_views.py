"""Changes of a customer's record by staff: add, correct, tag, write notes, block."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.customer_record import (
    CONTACT_FIELDS,
    By,
    CustomerChanged,
    add_customer,
    contact_stamps,
    edit_customer,
    rewrite_note,
    set_customer_trust,
    stamp_of,
    tag_customer,
    untag_customer,
    write_note,
)
from accounts.models import Customer, CustomerNote
from core.errors import DomainError
from core.inputs import without_nul
from core.references import new_token
from dashboard import idempotency
from dashboard.customers.forms import CustomerForm, NoteForm, TagForm
from dashboard.customers.person import people_with
from dashboard.customers.person_presenter import field_label, other_of
from dashboard.customers.views import follows_merge, open_customer, person_page
from dashboard.door import Desk
from dashboard.forms import TrustForm
from dashboard.queries import own_phone_region
from dashboard.views.pages import desk_page, show

_methods = require_http_methods(["GET", "HEAD", "POST"])


@_methods
@desk_page
def add(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add a customer. A customer with the same e-mail or phone is shown first, for the user to confirm."""
    form = CustomerForm(_data(request), region=own_phone_region(), initial={"name": request.GET.get("name", "")[:120]})
    if not form.is_bound:
        return _contact_page(request, desk, form)
    if not form.is_valid():
        return _contact_page(request, desk, form, status=422)
    values = {name: str(form.cleaned_data[name]) for name in CONTACT_FIELDS}
    if (others := people_with(values["email"], values["phone"])) and not request.POST.get("knows"):
        return _contact_page(request, desk, form, others=others, status=422)
    with transaction.atomic():
        if not idempotency.claim(request, key_of(request)):
            return _see_other(redirect("desk_customers"))
        made = add_customer(**values, by=by_of(desk), now=desk.now)
    messages.success(request, gettext("The customer is added."))
    return to_customer(made)


@_methods
@desk_page
@follows_merge
def edit(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Correct name, phone, e-mail and language. Concurrent changes by another user are shown, never overwritten."""
    customer = open_customer(desk, customer_reference)
    now = {name: str(getattr(customer, name)) for name in CONTACT_FIELDS}
    form = CustomerForm(_data(request), region=own_phone_region(), initial=now)
    if not form.is_bound:
        return _contact_page(request, desk, form, customer=customer)
    seen = {name: request.POST.get(f"seen_{name}", "") for name in CONTACT_FIELDS}
    if not form.is_valid():
        return _contact_page(request, desk, form, customer=customer, seen=seen, status=422)
    values = {name: str(form.cleaned_data[name]) for name in CONTACT_FIELDS}
    others = people_with(values["email"], values["phone"], besides=customer)
    is_new = (values["email"], values["phone"]) != (now["email"], now["phone"])
    if others and is_new and not request.POST.get("knows"):
        return _contact_page(request, desk, form, customer=customer, seen=seen, others=others, status=422)
    try:
        saved = edit_customer(customer_id=customer.pk, seen=seen, values=values, by=by_of(desk), now=desk.now)
    except CustomerChanged as changed:
        return _changed_page(request, desk, changed, values, seen)
    messages.success(request, gettext("Saved."))
    return to_customer(saved)


@require_POST
@desk_page
@follows_merge
def tag(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Add or remove a tag."""
    customer = open_customer(desk, customer_reference)
    if removed := without_nul(request.POST.get("remove", "")):
        untag_customer(customer_id=customer.pk, tag=removed)
        return to_customer(customer)
    form = TagForm(request.POST)
    if not form.is_valid():
        return person_page(request, desk, customer, tag_form=form, status=422)
    try:
        tag_customer(customer_id=customer.pk, tag=form.cleaned_data["tag"])
    except DomainError as error:
        form.add_error("tag", str(error.sentence))
        return person_page(request, desk, customer, tag_form=form, status=error.status)
    return to_customer(customer)


@require_POST
@desk_page
@follows_merge
def write(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Add a note about a customer. A form that is sent twice adds it once."""
    customer = open_customer(desk, customer_reference)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return person_page(request, desk, customer, note_form=form, status=422)
    with transaction.atomic():
        if idempotency.claim(request, key_of(request)):
            write_note(customer_id=customer.pk, text=form.cleaned_data["text"], by=by_of(desk), now=desk.now)
    return to_customer(customer, "#notes")


@_methods
@desk_page
@follows_merge
def note(request: HttpRequest, desk: Desk, customer_reference: str, note_id: int) -> HttpResponse:
    """Change or delete one of the user's own notes."""
    customer = open_customer(desk, customer_reference)
    found = CustomerNote.objects.filter(pk=note_id, customer=customer, author=desk.user).first()
    if found is None:
        raise Http404
    if request.method == "POST" and "delete" in request.POST:
        found.delete()
        messages.success(request, gettext("The note is deleted."))
        return to_customer(customer, "#notes")
    form = NoteForm(_data(request), initial={"text": found.text})
    if form.is_bound and form.is_valid():
        rewrite_note(note=found, text=form.cleaned_data["text"], now=desk.now)
        return to_customer(customer, "#notes")
    context = {"form": form, "customer": customer}
    status = 422 if form.is_bound else 200
    return show(request, desk, "dashboard/customers/note.html", context, current="customers", status=status)


@_methods
@desk_page
@follows_merge
def trust(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Block a customer from booking online, or never ask them to pay in advance. A form that is sent twice counts once,
    and a change by another user in between is shown, never overwritten.
    """
    customer = open_customer(desk, customer_reference)
    form = TrustForm(_data(request), initial=TrustForm.initial_of(customer))
    status, problem = 422 if form.is_bound else 200, ""
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                if idempotency.claim(request, key_of(request)):
                    set_customer_trust(customer_id=customer.pk, by=by_of(desk), now=desk.now, **form.cleaned_data)
                    messages.success(request, gettext("It counts from now on."))
            return to_customer(customer)
        except CustomerChanged as changed:
            customer.refresh_from_db()
            typed = {"reason": form.cleaned_data["reason"]}
            form = TrustForm(initial=TrustForm.initial_of(customer) | typed)
            status, problem = changed.status, str(changed.sentence)
    request_key = request.POST.get("request_key") or new_token()
    context = {"form": form, "customer": customer, "problem": problem, "request_key": request_key}
    return show(request, desk, "dashboard/customers/trust.html", context, current="customers", status=status)


def _changed_page(
    request: HttpRequest, desk: Desk, changed: CustomerChanged, values: dict[str, str], seen: dict[str, str]
) -> HttpResponse:
    """Show the current values after a concurrent change. A field that this user did not change takes the new value."""
    customer = Customer.objects.get(reference=request.resolver_match.kwargs["customer_reference"])  # type: ignore[union-attr]
    current = {name: str(getattr(customer, name)) for name in CONTACT_FIELDS}
    kept = {name: current[name] if stamp_of(values[name]) == seen[name] else values[name] for name in CONTACT_FIELDS}
    form = CustomerForm(region=None, initial=kept)
    last = customer.events.order_by("-id").first()
    news = [(field_label(name), current[name] or gettext("empty")) for name in changed.data["fields"]]
    return _contact_page(
        request,
        desk,
        form,
        customer=customer,
        problem=changed.sentence,
        news=news,
        news_by=last.actor_name if last else "",
        status=409,
    )


def _contact_page(
    request: HttpRequest,
    desk: Desk,
    form: CustomerForm,
    *,
    customer: Customer | None = None,
    seen: dict[str, str] | None = None,
    others: list[Customer] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "form": form,
        "customer": customer,
        "seen": seen or (contact_stamps(customer) if customer else {}),
        "others": [
            other_of(each, str(form.cleaned_data.get("email", "")), str(form.cleaned_data.get("phone", "")))
            for each in others or ()
        ],
        "request_key": request.POST.get("request_key") or new_token(),
        **more,
    }
    return show(request, desk, "dashboard/customers/contact.html", context, current="customers", status=status)


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def key_of(request: HttpRequest) -> str:
    return request.POST.get("request_key", "")[:64] or new_token()


def by_of(desk: Desk) -> By:
    return By(desk.user.pk, str(desk.user))


def to_customer(customer: Customer, part: str = "") -> HttpResponse:
    response = redirect("desk_customer", customer.reference)
    response["Location"] += part
    return _see_other(response)


def _see_other(response: HttpResponse) -> HttpResponse:
    response.status_code = 303
    return response
