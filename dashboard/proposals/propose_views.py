"""Pages on which a manager proposes: other values of a service, other opening hours, or a new service."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from bookings.errors import ProposalOutdated
from bookings.operations.proposals import propose_change, propose_service
from core.errors import DomainError
from core.inputs import read_json
from core.references import new_token
from dashboard import idempotency
from dashboard.door import Desk
from dashboard.permissions import Act, locations_for
from dashboard.proposals import presenter, queries
from dashboard.proposals.forms import HoursForm, NewServiceForm, ServiceForm, length_name
from dashboard.views.pages import desk_page, show
from services.models import Category, Location, Service
from services.proposed_values import Values, of_hours, of_service, stamp
from services.queries import the_business, zone_of_business

_methods = require_http_methods(["GET", "HEAD", "POST"])
AnyForm = ServiceForm | HoursForm | NewServiceForm


@require_safe
@desk_page
def choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose what to propose a change of."""
    context = {
        "services": list(queries.services_of(desk.rights)),
        "places": list(locations_for(desk.rights, Act.PROPOSE)),
    }
    return show(request, desk, "dashboard/proposals/choose.html", context, current="proposals")


@_methods
@desk_page
def service(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Propose other values of a service."""
    found = get_object_or_404(queries.services_of(desk.rights), slug=slug)
    policies = [*queries.policy_names().items()]

    def form_of(data: QueryDict | None, values: Values) -> ServiceForm:
        return ServiceForm(data, service=found, currency=the_business().currency, policies=policies, initial=values)

    return _changing(
        request, desk, found, form_of, lambda: of_service(queries.services_of(desk.rights).get(pk=found.pk))
    )


@_methods
@desk_page
def hours(request: HttpRequest, desk: Desk, place: str) -> HttpResponse:
    """Propose other opening hours of a location."""
    found = get_object_or_404(locations_for(desk.rights, Act.PROPOSE), slug=place)

    def form_of(data: QueryDict | None, values: Values) -> HoursForm:
        return HoursForm(data, initial=values)

    return _changing(request, desk, found, form_of, lambda: of_hours(found.opening_hours.all()))


@_methods
@desk_page
def new_service(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Propose a new service."""
    form = NewServiceForm(
        request.POST if request.method == "POST" else None,
        currency=the_business().currency,
        categories=list(Category.objects.values_list("pk", "name")),
        policies=[*queries.policy_names().items()],
        places=list(locations_for(desk.rights, Act.PROPOSE).values_list("pk", "name")),
        people=list(queries.people_of(desk.rights).values_list("pk", "name")),
        resource_types=queries.resource_types(),
    )
    if not form.is_bound or not form.is_valid():
        return _form_page(request, desk, form, status=422 if form.is_bound else 200)
    try:
        with transaction.atomic():
            if idempotency.claim(request, _key(request)):
                propose_service(values=form.values(), note=form.cleaned_data["note"], actor=desk.actor, now=desk.now)
                _say_proposed(request)
    except DomainError as error:
        return _form_page(request, desk, form, problem=str(error.sentence), status=error.status)
    return _done()


def _changing(
    request: HttpRequest,
    desk: Desk,
    subject: Service | Location,
    form_of: Callable[[QueryDict | None, Values], AnyForm],
    read: Callable[[], Values],
) -> HttpResponse:
    """Show the form of a service or location, or propose what it says. What another user changes meanwhile is shown."""
    values = read()
    form = form_of(request.POST if request.method == "POST" else None, values)
    seen = _seen(request)
    if not form.is_bound:
        return _form_page(request, desk, form, subject, seen=_stamps(values))
    if not form.is_valid():
        return _form_page(request, desk, form, subject, seen=seen, status=422)
    try:
        with transaction.atomic():
            if idempotency.claim(request, _key(request)):
                propose_change(
                    subject=subject,
                    values=form.values(),
                    seen=seen,
                    note=form.cleaned_data["note"],
                    actor=desk.actor,
                    now=desk.now,
                )
                _say_proposed(request)
    except ProposalOutdated as error:
        current = read()
        kept = {key: current[key] for key in current if stamp(form.values().get(key)) == seen.get(key)}
        typed = form.values() | kept | {"note": form.cleaned_data["note"]}
        news = _news(subject, error.data.get("keys", ()), current)
        again = form_of(None, typed)
        return _form_page(
            request, desk, again, subject, seen=_stamps(current), problem=str(error.sentence), news=news, status=409
        )
    except DomainError as error:
        return _form_page(request, desk, form, subject, seen=seen, problem=str(error.sentence), status=error.status)
    return _done()


def _form_page(
    request: HttpRequest,
    desk: Desk,
    form: AnyForm,
    subject: Service | Location | None = None,
    *,
    seen: Mapping[str, str] | None = None,
    problem: str = "",
    news: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "groups": list(form.groups()),
        "title": _title(subject),
        "is_hours": isinstance(subject, Location),
        "has_translations": isinstance(subject, Service) and bool(subject.translations),
        "others": _others(desk, subject) if subject else [],
        "seen": json.dumps(seen or {}),
        "problem": problem,
        "news": news,
        "request_key": new_token(),
    }
    return show(request, desk, "dashboard/proposals/form.html", context, current="proposals", status=status)


def _title(subject: Service | Location | None) -> str:
    if subject is None:
        return gettext("New service")
    if isinstance(subject, Location):
        return gettext("Opening hours of %(place)s") % {"place": subject.text("name")}
    return subject.text("name")


def _others(desk: Desk, subject: Service | Location) -> list[tuple[str, str]]:
    """Return the proposals that wait about the same subject, as (text, address)."""
    zone = zone_of_business()
    waiting = queries.waiting_about(subject, queries.proposals_visible_to(desk.rights))
    return [(presenter.proposed_text(each, zone), reverse("desk_proposal", args=[each.pk])) for each in waiting]


def _news(subject: Service | Location, keys: Sequence[str], current: Values) -> list[tuple[str, str]]:
    """Return what changed while the form was open, as (what, value now)."""
    names = {f"cancellation_policy.{pk}": name for pk, name in queries.policy_names().items()}
    if isinstance(subject, Service):
        names |= {f"variant.{each.pk}": length_name(each) for each in subject.variants.all()}
    currency = the_business().currency
    return [
        (
            presenter.label_of(key, names),
            ", ".join(presenter.value_text(key, current[key], names, currency))
            if key in current
            else gettext("No longer offered"),
        )
        for key in keys
    ]


def _stamps(values: Values) -> dict[str, str]:
    return {key: stamp(value) for key, value in values.items()}


def _seen(request: HttpRequest) -> dict[str, str]:
    """Read the stamps of the values that the form showed; what is not readable counts as not shown."""
    try:
        sent = read_json(request.POST.get("seen", ""))
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in sent.items()} if isinstance(sent, dict) else {}


def _key(request: HttpRequest) -> str:
    return request.POST.get("request_key", "")[:64] or new_token()


def _say_proposed(request: HttpRequest) -> None:
    messages.success(request, gettext("Proposed. Customers see the old values until an owner approves."))


def _done() -> HttpResponse:
    response = redirect("desk_proposals")
    response.status_code = 303
    return response
