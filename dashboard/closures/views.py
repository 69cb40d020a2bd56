"""Closed days and special hours of locations, and the bookings that such a change leaves outside the hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from bookings.errors import MoreOutsideHours
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.hours_change import SpecialDays, change_special_days, keep_outside_hours, special_days_effect
from bookings.queries.outside_hours import left_outside_hours
from core.errors import DomainError
from core.references import new_token
from dashboard import idempotency
from dashboard.closures import presenter, queries
from dashboard.closures.entries import Entry
from dashboard.closures.forms import Choices, ClosureForm, Decision
from dashboard.door import Desk
from dashboard.forms import ReasonForm
from dashboard.permissions import Act, can
from dashboard.queries import balances_of
from dashboard.schedule.presenter import tabs_of
from dashboard.views.booking_actions import Step, answer, open_step, refused
from dashboard.views.pages import desk_page, show
from services.models import Location

_methods = require_http_methods(["GET", "HEAD", "POST"])
_CURRENT = "time-off"


@dataclass(frozen=True, slots=True)
class Opened:
    """The page of an entry, or of a new one. ``entries`` are all entries of the user's locations."""

    request: HttpRequest
    desk: Desk
    places: Sequence[Location]
    today: date
    entries: Sequence[Entry]
    entry: Entry | None

    @property
    def is_removal(self) -> bool:
        return self.entry is not None and self.request.POST.get("do") == "remove"


@require_safe
@desk_page
def closures(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List the closed days and special hours that are not over."""
    places = queries.places_run_by(desk.rights)
    entries = queries.entries_ahead(places, queries.earliest_today(places, desk.now))
    context = {"lines": presenter.lines_of(entries, places), "tabs": tabs_of(desk, "closures")}
    return show(request, desk, "dashboard/closures/list.html", context, current=_CURRENT)


@_methods
@desk_page
def add(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add closed days or special hours."""
    return _page(_opened(request, desk))


@_methods
@desk_page
def edit(request: HttpRequest, desk: Desk, closure_id: int) -> HttpResponse:
    """Change or remove an entry. ``closure_id`` is its first row."""
    return _page(_opened(request, desk, closure_id))


@require_safe
@desk_page
def outside_hours(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List the bookings outside the hours, until each of them is moved, kept or cancelled."""
    waiting = queries.waiting(desk.rights, desk.now)
    rows = presenter.outside_rows(
        waiting.bookings,
        balances_of(waiting.bookings),
        desk.rights,
        special=queries.special_reasons(waiting.bookings),
        show_place=len({booking.location_id for booking in waiting.bookings}) > 1,
    )
    context = {
        "rows": rows,
        "is_cut": waiting.is_cut,
        "most": queries.MOST_LISTED,
        "tabs": tabs_of(desk, "outside-hours"),
    }
    return show(request, desk, "dashboard/closures/outside.html", context, current=_CURRENT)


@_methods
@desk_page
def keep(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Keep a booking outside the hours as an exception, with a reason for its history."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    if not left_outside_hours(desk.now).filter(pk=booking.pk).exists():
        return refused(opened, gettext("Nobody has to decide about this booking any more."))

    def run(form: ReasonForm, key: str) -> str:
        keep_outside_hours(
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
            now=desk.now,
        )
        return gettext("The booking stays as it is.")

    return answer(opened, ReasonForm(opened.data), Step(lambda form: presenter.keep_ask(booking), run))


def _opened(request: HttpRequest, desk: Desk, closure_id: int | None = None) -> Opened:
    """:raises Http404: when the entry does not exist, is over, or belongs to another user's locations."""
    places = queries.places_run_by(desk.rights)
    today = queries.earliest_today(places, desk.now)
    entries = queries.entries_ahead(places, today)
    entry = next((each for each in entries if each.id == closure_id), None)
    if closure_id is not None and entry is None:
        raise Http404
    return Opened(request, desk, places, today, entries, entry)


def _page(opened: Opened) -> HttpResponse:
    request, entry = opened.request, opened.entry
    if request.method == "POST" and idempotency.is_claimed(request, request.POST.get("request_key", "")):
        return _back("desk_closures")
    form = ClosureForm(
        request.POST or None,
        places=[(place.pk, place.text("name")) for place in opened.places],
        today=opened.today,
        initial=ClosureForm.initial_of(entry) if entry else _usual(opened),
    )
    if request.method == "POST" and opened.is_removal and entry:
        return _save(opened, SpecialDays(dict.fromkeys(_keys(entry.location_ids, entry.days))), form)
    if request.method == "POST" and form.is_valid():
        return _save(opened, _change(entry, form.cleaned_data), form)
    context = {"form": form, "entry": entry, "request_key": new_token()}
    status = 422 if request.method == "POST" else 200
    return show(request, opened.desk, "dashboard/closures/form.html", context, current=_CURRENT, status=status)


def _usual(opened: Opened) -> dict[str, Any]:
    return {"places": [place.pk for place in opened.places]}


def _change(entry: Entry | None, values: dict[str, Any]) -> SpecialDays:
    """Return the change: the days of the old entry get their weekly hours back, unless they are among the new days."""
    old = _keys(entry.location_ids, entry.days) if entry else []
    days = range(values["first_on"].toordinal(), values["last_on"].toordinal() + 1)
    hours: dict[tuple[int, int], Any] = dict.fromkeys(old)
    hours |= dict.fromkeys(_keys(values["places"], days), values["spans"])
    return SpecialDays(hours, values["reason"])


def _keys(location_ids: Sequence[int], days: range) -> list[tuple[int, int]]:
    return [(location_id, day) for location_id in location_ids for day in days]


def _save(opened: Opened, change: SpecialDays, form: ClosureForm) -> HttpResponse:
    """Save the change, or show first which bookings it hits and what it replaces. If it hits another booking by then,
    the page shows that one as well before anything is saved.
    """
    request, desk = opened.request, opened.desk
    choices, is_confirmed = Choices(request.POST), "confirmed" in request.POST
    effect = special_days_effect(change, now=desk.now)
    hit = queries.bookings_of(effect.hit)
    set_now = [key for key, spans in change.hours.items() if spans is not None]
    replaced = queries.days_set_already(opened.entries, set_now, opened.entry)
    if (hit or replaced) and not is_confirmed:
        return _ask(opened, hit, replaced, form)
    try:
        done = change_special_days(
            change,
            may_hit=choices.seen,
            claim=lambda: idempotency.claim(request, request.POST.get("request_key", "")),
            user=desk.user,
            now=desk.now,
        )
    except MoreOutsideHours as refusal:
        hit = queries.bookings_of(special_days_effect(change, now=desk.now).hit)
        return _ask(opened, hit, replaced, form, problem=refusal)
    if done is None:
        return _back("desk_closures")
    outcome = _decide(desk, queries.bookings_of(done.hit), choices, change.reason)
    messages.success(request, presenter.saved_text(outcome, is_removal=opened.is_removal))
    return _back("desk_outside_hours" if outcome.left else "desk_closures")


def _ask(
    opened: Opened,
    hit: Sequence[Booking],
    replaced: Sequence[Entry],
    form: ClosureForm,
    *,
    problem: DomainError | None = None,
) -> HttpResponse:
    """Show the bookings that the change hits, with a choice for each of them."""
    request, desk = opened.request, opened.desk
    choices = Choices(request.POST)
    balances = balances_of(hit)
    rows = presenter.outside_rows(hit, balances, desk.rights, show_place=len(opened.places) > 1)
    is_alone = len(rows) == 1
    entry = opened.entry
    context = {
        "rows": [(row, presenter.choices_of(row, choices.chosen(row.reference), is_alone=is_alone)) for row in rows],
        "for_all": [] if len(rows) < 2 else presenter.choices_for_all(hit, balances, choices.for_all),
        "replaced": presenter.replaced_text(replaced, opened.places),
        "sent": [(name, value) for name in form.fields for value in request.POST.getlist(name)],
        "seen": ",".join(f"{row.reference}.{row.sequence}" for row in rows),
        "is_removal": opened.is_removal,
        "back_url": reverse("desk_closure", args=[entry.id]) if entry else reverse("desk_closure_new"),
        "request_key": request.POST.get("request_key") or new_token(),
        "problem": problem.sentence if problem else "",
    }
    status = problem.status if problem else 200
    return show(request, desk, "dashboard/closures/ask.html", context, current=_CURRENT, status=status)


def _decide(desk: Desk, hit: Sequence[Booking], choices: Choices, reason: str) -> presenter.Outcome:
    """Carry out the decision about each booking. What is refused, or decided later, waits on the list."""
    kept = cancelled = 0
    for booking in hit:
        try:
            match choices.of(booking.reference):
                case Decision.KEEP if can(desk.rights, Act.OVERRIDE, booking):
                    _keep(desk, booking, choices, reason)
                    kept += 1
                case Decision.CANCEL if can(desk.rights, Act.CANCEL, booking):
                    _cancel(desk, booking, choices, reason)
                    cancelled += 1
        except DomainError:
            continue
    return presenter.Outcome(kept, cancelled, len(hit) - kept - cancelled)


def _keep(desk: Desk, booking: Booking, choices: Choices, reason: str) -> None:
    keep_outside_hours(
        booking_id=booking.pk,
        expected_sequence=choices.seen[booking.reference],
        reason=reason,
        actor=desk.actor,
        now=desk.now,
    )


def _cancel(desk: Desk, booking: Booking, choices: Choices, reason: str) -> None:
    """Cancel for the business: the customer gets everything back, and an e-mail."""
    cancel_booking(
        booking_id=booking.pk,
        expected_sequence=choices.seen[booking.reference],
        expected_fee_minor=0,
        actor=desk.actor,
        now=desk.now,
        reason=reason,
    )


def _back(name: str) -> HttpResponse:
    response = redirect(name)
    response.status_code = 303
    return response
