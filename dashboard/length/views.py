"""Changing the length of a visit at the desk: another variant of its service, or minutes by hand."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from bookings.availability.overrides import Overrides
from bookings.booked import has_several_services, only_line, spec_of_line
from bookings.errors import SeveralServices
from bookings.models import BookingLine
from bookings.operations.change_length import change_length
from bookings.queries.lengths import (
    NewLength,
    length_by_hand,
    lengths_of_variants,
    overrides_for_length,
    total_after,
)
from bookings.rules.lengths import (
    LONGEST_MINUTES,
    LengthRefusal,
    length_refusal,
    may_change_variant,
    shortest_minutes,
)
from dashboard.door import Desk
from dashboard.length import presenter
from dashboard.length.forms import LengthForm, WishForm
from dashboard.length.queries import clash_of
from dashboard.permissions import Act, can
from dashboard.presenters.confirmations import booking_facts
from dashboard.queries import has_several_zones
from dashboard.views.booking_actions import (
    Opened,
    Step,
    answer,
    back,
    comes_from,
    open_step,
    refused,
    was_sent_before,
)
from dashboard.views.pages import desk_page, show

_NO_MORE: dict[LengthRefusal, Callable[[], str]] = {
    LengthRefusal.CANCELLED: lambda: gettext("This booking is cancelled."),
    LengthRefusal.NOT_BOOKED: lambda: gettext("This booking does not stand, so it has no length to change."),
    LengthRefusal.STARTED: lambda: gettext("The visit has begun, so its length stays."),
    LengthRefusal.OVER: lambda: gettext("The visit is over, so its length stays."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def length(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Choose a length, see what it costs, who is told and what is in the way, confirm."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    if refusal := length_refusal(status=booking.status, ends_at=booking.ends_at, now=desk.now):
        return refused(opened, _NO_MORE[refusal]())
    if has_several_services(booking):
        return refused(opened, SeveralServices().sentence)
    if was_sent_before(opened):
        return back(opened)
    line = only_line(booking)
    variants = lengths_of_variants(booking, line) if may_change_variant(booking.status) else []
    variants = [each for each in variants if total_after(booking, line, each) >= 0]
    wish = WishForm(request.POST if opened.is_sent else request.GET)
    if not wish.is_valid():
        return _choose(opened, line, variants, problem=_wrong_minutes(line), status=422 if opened.is_sent else 200)
    wanted = _wanted(opened, line, variants, wish.cleaned_data["variant"], wish.cleaned_data["minutes"])
    if wanted is None:
        is_asked = any(wish.cleaned_data.values())
        problem = _wrong_minutes(line) if is_asked else ""
        return _choose(opened, line, variants, problem=problem, status=422 if opened.is_sent else 200)
    overrides = overrides_for_length(booking, line, wanted, now=desk.now)
    if overrides and not can(desk.rights, Act.OVERRIDE, booking):
        overrides = None
    if overrides is None and not opened.is_sent:
        problem = presenter.clash_text(booking, wanted, clash_of(desk.rights, booking, line, wanted))
        return _choose(opened, line, variants, minutes=wanted.minutes, problem=problem)
    return _confirm(opened, line, variants, wanted, overrides or frozenset())


def _choose(
    opened: Opened,
    line: BookingLine,
    variants: Sequence[NewLength],
    *,
    minutes: int | None = None,
    problem: object = "",
    status: int = 200,
) -> HttpResponse:
    """Show the variants with their prices, and a field for minutes by hand."""
    booking, desk = opened.booking, opened.desk
    page = presenter.length_page(
        booking,
        line,
        variants,
        minutes=minutes,
        back=comes_from(opened),
        may_override=can(desk.rights, Act.OVERRIDE, booking),
    )
    context = {
        "page": page,
        "facts": booking_facts(booking, names_zone=has_several_zones()),
        "back_url": reverse("desk_booking", args=[booking.reference]),
        "problem": problem,
    }
    return show(
        opened.request, desk, "dashboard/length.html", context, current="day", place=booking.location, status=status
    )


def _confirm(
    opened: Opened, line: BookingLine, variants: Sequence[NewLength], wanted: NewLength, overrides: Overrides
) -> HttpResponse:
    booking, desk = opened.booking, opened.desk
    total_minor = total_after(booking, line, wanted)
    is_by_hand = wanted.is_by_hand
    asked = {"minutes": wanted.minutes} if is_by_hand else {"variant": wanted.variant_id}
    form = LengthForm(opened.data, initial=asked)
    form.bind(wanted, total_minor, overrides)

    def run(sent: LengthForm, key: str) -> str:
        change_length(
            booking_id=booking.pk,
            variant_id=None if is_by_hand else wanted.variant_id,
            minutes=wanted.minutes if is_by_hand else None,
            expected_sequence=booking.ical_sequence,
            expected_total_minor=total_minor,
            actor=desk.actor,
            now=desk.now,
            reason=sent.cleaned_data["reason"],
            overrides=overrides,
        )
        return presenter.changed_text(wanted)

    notes = presenter.length_notes(booking, line, form, opened.money, variants)
    return answer(
        opened, form, Step(lambda sent: presenter.length_ask(booking, line, form), run, context={"notes": notes})
    )


def _wanted(
    opened: Opened, line: BookingLine, variants: Sequence[NewLength], variant_id: int | None, minutes: int | None
) -> NewLength | None:
    """Return the wished length if this user may give it; None for none, the present one, and an impossible one."""
    if variant_id:
        return next((each for each in variants if each.variant_id == variant_id), None)
    is_present = minutes == spec_of_line(line).duration_minutes
    if not minutes or is_present or not can(opened.desk.rights, Act.OVERRIDE, opened.booking):
        return None
    return length_by_hand(line, minutes)


def _wrong_minutes(line: BookingLine) -> str:
    words = {"shortest": shortest_minutes(spec_of_line(line).phases), "longest": LONGEST_MINUTES}
    return gettext("Choose another length, from %(shortest)d to %(longest)d minutes.") % words
