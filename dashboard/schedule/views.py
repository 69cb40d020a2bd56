"""Time off at the desk: requests to answer, time to block, and the bookings within either."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from core.minutes import instant
from dashboard import time_off as queries
from dashboard.door import Desk
from dashboard.permissions import Act
from dashboard.schedule import presenter
from dashboard.schedule.forms import AnswerForm, BlockForm
from dashboard.views.pages import calendar_path, desk_page, show
from staff.enums import TimeOffStatus
from staff.operations import add_time_off, answer_time_off, remove_time_off
from staff.queries import zones_of_resources

# Digits of an epoch minute up to the year 2160.
_LONGEST_MINUTE = 8


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def time_off(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show requests and future time off, each with the bookings in it, and a form that blocks time."""
    resources = queries.named(list(queries.resources_run_by(desk.rights, Act.BLOCK_TIME)))
    zones = zones_of_resources(pk for pk, _ in resources)
    resources = presenter.choices_of(resources, zones)
    sent = request.POST or request.GET
    comes_from = calendar_path(request.GET.get("back", ""))
    with timezone.override(_zone_of(sent.get("resource", ""), zones)):
        form = BlockForm(request.POST or None, resources=resources, now=desk.now, initial=_asked(request.GET))
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            blocked = add_time_off(
                resource_id=values["resource"],
                starts_at=values["starts_at"],
                ends_at=values["ends_at"],
                reason=values["reason"],
            )
            count = len(queries.bookings_hit(desk.rights, [blocked])[blocked.pk])
            text = presenter.blocked_text(blocked, zones[blocked.resource_id], count)
            messages.success(request, text, extra_tags=reverse("desk_time_off_remove", args=[blocked.pk]))
            return _back("" if count else comes_from)
        times = queries.time_off_ahead(desk.rights, desk.now)
        context: dict[str, Any] = {
            "rows": presenter.rows_of(
                times, queries.bookings_hit(desk.rights, times), zones, queries.resource_ids_to_answer(desk.rights)
            ),
            "form": form,
            "back_url": comes_from,
            "tabs": presenter.tabs_of(desk, "time-off"),
        }
        status = 422 if request.method == "POST" else 200
        template = "dashboard/schedule/time_off.html"
        return show(request, desk, template, context, current="time-off", status=status)


@require_POST
@desk_page
def answer(request: HttpRequest, desk: Desk, time_off_id: int) -> HttpResponse:
    """Approve or decline a request. Bookings within it stay until staff move or cancel them."""
    if queries.time_off_run_by(desk.rights, Act.ANSWER_TIME_OFF, time_off_id) is None:
        raise Http404
    form = AnswerForm(request.POST)
    if form.is_valid():
        approve = form.cleaned_data["answer"] == "approve"
        if answer_time_off(time_off_id=time_off_id, approve=approve):
            messages.success(request, gettext("Approved.") if approve else gettext("Declined."))
        else:
            messages.warning(request, gettext("This request was answered already."))
    return _back()


@require_POST
@desk_page
def remove(request: HttpRequest, desk: Desk, time_off_id: int) -> HttpResponse:
    """Delete a time off, so that the time can be booked again. A request is answered instead."""
    found = queries.time_off_run_by(desk.rights, Act.BLOCK_TIME, time_off_id)
    if found is None or found.status != TimeOffStatus.APPROVED:
        raise Http404
    remove_time_off(time_off_id=time_off_id)
    messages.success(request, gettext("Removed. The time can be booked again."))
    return _back(calendar_path(request.POST.get("back", "")))


def _asked(query: QueryDict) -> dict[str, Any]:
    """Return what the address fills in. The calendar sends ``start`` and ``end`` as epoch minutes."""
    values: dict[str, Any] = query.dict()
    for name, field in (("start", "starts_at"), ("end", "ends_at")):
        typed = query.get(name, "")
        if typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_MINUTE:
            values[field] = instant(int(typed))
    return values


def _zone_of(resource: str, zones: Mapping[int | None, ZoneInfo]) -> ZoneInfo:
    """Return the zone in which the time of the chosen resource is typed; of the first one before any is chosen."""
    chosen = [zone for pk, zone in zones.items() if str(pk) == resource]
    return next(iter(chosen or zones.values()), ZoneInfo("UTC"))


def _back(path: str = "") -> HttpResponse:
    response = redirect(path or "desk_time_off")
    response.status_code = 303
    return response
