"""The frame of every action on a booking: a page asks and names the sum, POST runs it once, a refusal is shown.

The form sends back the state that the page showed. If the booking has changed since, nothing runs and the page says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from bookings.errors import StalePage
from bookings.models import Booking
from bookings.operations.as_shown import change_as_shown
from bookings.queries.money import BookingMoney, money_of
from core.errors import DomainError, Locked
from core.references import new_token
from dashboard import idempotency
from dashboard.door import Desk
from dashboard.forms import SeenForm, StepForm
from dashboard.permissions import can
from dashboard.presenters.confirmations import Ask, booking_facts, stamp_of
from dashboard.queries import has_several_zones
from dashboard.views.booking import booking_page, open_booking
from dashboard.views.pages import calendar_path, show

# Lists that lead to an action and get the user back, by the key in the address.
LISTS = {"hands": "desk_hands", "outside-hours": "desk_outside_hours"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A booking on which the user may run this action, with its money, at one instant."""

    request: HttpRequest
    desk: Desk
    booking: Booking
    money: BookingMoney

    @property
    def is_sent(self) -> bool:
        return self.request.method == "POST"

    @property
    def data(self) -> Any:
        return self.request.POST if self.is_sent else None

    @property
    def stamp(self) -> str:
        return stamp_of(self.booking, self.money)


@dataclass(frozen=True, slots=True)
class Step:
    """One action. ``ask`` returns the words of the page for a valid form (None: as the page opens). ``run`` takes the
    form and its key, does it and returns the message of success; empty where the page that follows says it.
    """

    ask: Callable[[StepForm | None], Ask]
    run: Callable[[Any, str], str]
    template: str = "dashboard/step.html"
    context: dict[str, Any] | None = None


def open_step(request: HttpRequest, desk: Desk, reference: str) -> Opened:
    """Open a booking for the action of this address.

    :raises Http404: when the booking does not exist for this user, or when the right is missing.
    """
    booking = open_booking(desk, reference)
    if not can(desk.rights, desk.act, booking):
        raise Http404
    return Opened(request, desk, booking, money_of(booking))


def answer(opened: Opened, form: StepForm, step: Step) -> HttpResponse:
    """GET asks, POST runs the action. If the pressed button named another sum, the page asks again."""
    if not opened.is_sent:
        return _asking(opened, form, step, step.ask(None), key=new_token())
    seen = SeenForm(opened.request.POST)
    is_complete = seen.is_valid()
    key = seen.cleaned_data.get("request_key") or new_token()
    if idempotency.is_claimed(opened.request, key):
        return back(opened)
    if not form.is_valid():
        return _asking(opened, form, step, step.ask(None), key=key, status=422)
    ask = step.ask(form)
    if not is_complete or seen.cleaned_data["seen"] != opened.stamp:
        return _asking(opened, form, step, ask, key=new_token(), problem=StalePage().sentence, status=409)
    if form.named() != seen.cleaned_data["named"]:
        return _asking(opened, form, step, ask, key=key, is_once_more=True)
    try:
        done = _done(opened, form, step, key)
    except Locked:
        problem = gettext("Someone is working on this booking. Nothing was changed. Try again.")
        return _asking(opened, form, step, ask, key=key, problem=problem, status=503)
    if done is None:
        return back(opened)
    if isinstance(done, DomainError):
        return _asking(opened, form, step, ask, key=new_token(), problem=done.sentence, status=done.status)
    if done:
        messages.success(opened.request, done)
    return back(opened)


def refused(opened: Opened, sentence: object) -> HttpResponse:
    """Show the booking with the reason why the action is impossible now. A repeated POST just goes back."""
    if was_sent_before(opened):
        return back(opened)
    status = 409 if opened.is_sent else 200
    return booking_page(opened.request, opened.desk, opened.booking, problem=sentence, status=status)


def was_sent_before(opened: Opened) -> bool:
    """Return whether this form was sent before and counted: what it asks for may no longer be possible."""
    return opened.is_sent and idempotency.is_claimed(opened.request, opened.request.POST.get("request_key", ""))


def back(opened: Opened) -> HttpResponse:
    """Redirect to the page that the user came from, else to the booking."""
    response = redirect(_back_url(opened))
    response.status_code = 303
    return response


def comes_from(opened: Opened) -> str:
    """Return where the form leads back to: a key of ``LISTS``, an address of the calendar, or "" for the booking."""
    asked = opened.request.POST.get("back") or opened.request.GET.get("back", "")
    return asked if asked in LISTS else calendar_path(asked)


def _back_url(opened: Opened) -> str:
    match comes_from(opened):
        case key if key in LISTS:
            return reverse(LISTS[key])
        case "":
            return reverse("desk_booking", args=[opened.booking.reference])
        case path:
            return path


def _done(opened: Opened, form: StepForm, step: Step, key: str) -> str | DomainError | None:
    """Run the action unless the booking has changed since this request read it. Return the message of success, the
    refusal, or None when the form was sent before.

    :raises Locked: when another request holds the lock on the booking.
    """
    return change_as_shown(
        booking_id=opened.booking.pk,
        claim=lambda: idempotency.claim(opened.request, key),
        is_as_shown=lambda booking: stamp_of(booking, money_of(booking)) == opened.stamp,
        change=lambda: step.run(form, key),
    )


def _asking(
    opened: Opened,
    form: StepForm,
    step: Step,
    ask: Ask,
    *,
    key: str,
    problem: object = "",
    is_once_more: bool = False,
    status: int = 200,
) -> HttpResponse:
    booking = opened.booking
    context = {
        "ask": ask,
        "form": form,
        "facts": booking_facts(booking, names_zone=has_several_zones()),
        "request_key": key,
        "seen": opened.stamp,
        "problem": problem,
        "is_once_more": is_once_more,
        "comes_from": comes_from(opened),
        "back_url": _back_url(opened),
        **(step.context or {}),
    }
    return show(opened.request, opened.desk, step.template, context, current="day", status=status)
