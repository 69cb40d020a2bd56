"""How something is done to a booking at the desk: a page asks and names the sum, POST does it once, a refusal is shown.

A page sends back what it had shown. If the booking has changed since, nothing is done and the page says so.
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
from dashboard.views.booking import booking_page, open_booking
from dashboard.views.pages import calendar_path, show


@dataclass(frozen=True, slots=True)
class Opened:
    """A booking that somebody may do this to, with its money, at one instant."""

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
    """What is asked and done. ``ask`` says what the button names for a valid form (None: as the page opens), ``run``
    does it and returns what to say then.
    """

    ask: Callable[[StepForm | None], Ask]
    run: Callable[[Any, str], str]
    template: str = "dashboard/step.html"
    context: dict[str, Any] | None = None


def open_step(request: HttpRequest, desk: Desk, reference: str) -> Opened:
    """Open a booking for what this address does. Without the right the page does not exist."""
    booking = open_booking(desk, reference)
    if not can(desk.rights, desk.act, booking):
        raise Http404
    return Opened(request, desk, booking, money_of(booking))


def answer(opened: Opened, form: StepForm, step: Step) -> HttpResponse:
    """GET asks, POST does. A sum that the pressed button did not name is named first."""
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
    messages.success(opened.request, done)
    return back(opened)


def refused(opened: Opened, sentence: object) -> HttpResponse:
    """There is nothing to do here now: the booking, with the reason above it. To a second press that is no news."""
    if opened.is_sent and idempotency.is_claimed(opened.request, opened.request.POST.get("request_key", "")):
        return back(opened)
    status = 409 if opened.is_sent else 200
    return booking_page(opened.request, opened.desk, opened.booking, problem=sentence, status=status)


def back(opened: Opened) -> HttpResponse:
    """To the page that somebody came from, else to the booking."""
    response = redirect(_back_url(opened))
    response.status_code = 303
    return response


def _comes_from(opened: Opened) -> str:
    """What the form sends along to be led back: "hands", or an address of the calendar; empty for the booking."""
    asked = opened.request.POST.get("back") or opened.request.GET.get("back", "")
    return asked if asked == "hands" else calendar_path(asked)


def _back_url(opened: Opened) -> str:
    match _comes_from(opened):
        case "hands":
            return reverse("desk_hands")
        case "":
            return reverse("desk_booking", args=[opened.booking.reference])
        case path:
            return path


def _done(opened: Opened, form: StepForm, step: Step, key: str) -> str | DomainError | None:
    """Do it, unless the booking has changed since this request read it. None: it was done before.

    :raises Locked: when another request works on the booking.
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
        "facts": booking_facts(booking),
        "request_key": key,
        "seen": opened.stamp,
        "problem": problem,
        "is_once_more": is_once_more,
        "comes_from": _comes_from(opened),
        "back_url": _back_url(opened),
        **(step.context or {}),
    }
    return show(opened.request, opened.desk, step.template, context, current="day", status=status)
