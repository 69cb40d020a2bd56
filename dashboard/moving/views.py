"""Moving a booking at the desk to another time, another staff member, or both."""

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bookings.availability.overrides import NO_OVERRIDES
from bookings.booked import fee_facts, has_several_services, moment_at, only_line, zone_of
from bookings.errors import SeveralServices
from bookings.operations.move import reschedule_booking
from bookings.rules.moving import RescheduleRefusal, reschedule_refusal
from core import formats
from dashboard.door import Desk
from dashboard.moving import presenter, queries
from dashboard.moving.forms import MoveForm, WishForm, is_far
from dashboard.permissions import Act, can
from dashboard.presenters.confirmations import booking_facts
from dashboard.presenters.undo import moved_text
from dashboard.queries import has_several_zones
from dashboard.views.booking import open_booking
from dashboard.views.booking_actions import LISTS, Opened, Step, answer, comes_from, open_step, refused
from dashboard.views.pages import desk_page, show
from staff.hours import clock_minute
from staff.models import StaffMember

_TOO_FAR = _("This is more than two years ahead. Please check the year.")
_NO_MORE = {
    RescheduleRefusal.CANCELLED: lambda: gettext("This booking is cancelled."),
    RescheduleRefusal.NOT_BOOKED: lambda: gettext("This booking does not stand, so there is nothing to move."),
    RescheduleRefusal.ALREADY_STARTED: lambda: gettext("The visit has begun, so it cannot be moved any more."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def move(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Choose a time and a staff member, see the effects, confirm. Nothing changes before the POST."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    move_count = booking.customer_move_count
    refusal = reschedule_refusal(fee_facts(booking), move_count=move_count, now=desk.now, by_staff=True)
    if refusal:
        return refused(opened, _NO_MORE[refusal]())
    if has_several_services(booking):
        return refused(opened, SeveralServices().sentence)
    people = queries.performers_of(booking)
    if opened.is_sent:
        return _move(opened, people, MoveForm(request.POST))
    if "start" in request.GET:
        return _ask(opened, people, MoveForm(request.GET))
    return _choose(opened, people)


def _choose(
    opened: Opened,
    people: Sequence[StaffMember],
    *,
    on: date | None = None,
    who: StaffMember | None = None,
    problem: object = "",
    status: int = 200,
) -> HttpResponse:
    """Show the free times of one day. A time typed by hand leads to the confirming page."""
    booking, desk, query = opened.booking, opened.desk, opened.request.GET
    who = who or _named(people, query.get("who", ""))
    wish = WishForm(query)
    wished = wish.cleaned_data if wish.is_valid() else {}
    on = on or wished.get("on") or presenter.first_day(booking, desk.now)
    if wished.get("at") and not problem:
        start = clock_minute(zone_of(booking), on, wished["at"])
        back = comes_from(opened)
        return redirect(presenter.move_url(booking, start=start, who=who.pk if who else None, back=back))
    openings = queries.openings_on(booking, people, on, now=desk.now)
    page = presenter.move_page(booking, people, openings, on=on, who=who, back=comes_from(opened), now=desk.now)
    context = {
        "page": page,
        "facts": booking_facts(booking, names_zone=has_several_zones()),
        "back_url": reverse("desk_booking", args=[booking.reference]),
        "problem": problem,
        "why_url": presenter.why_of(booking, on, who),
    }
    return show(
        opened.request, desk, "dashboard/move.html", context, current="day", place=booking.location, status=status
    )


def _ask(opened: Opened, people: Sequence[StaffMember], asked: MoveForm) -> HttpResponse:
    """Show the effects of the move. A time that this user cannot book leads back to the free times."""
    if not asked.is_valid():
        return _choose(opened, people, problem=gettext("This time cannot be read. Choose one below."))
    start, who = asked.cleaned_data["start"], asked.cleaned_data["who"]
    booking, moment = opened.booking, moment_at(start, opened.booking)
    person = _named(people, str(who or ""))
    if who and person is None:
        return _choose(opened, people, problem=gettext("This person does not perform this service."))
    if is_far(start, opened.desk.now):
        return _choose(opened, people, problem=_TOO_FAR)
    overrides = queries.overrides_for(booking, start, who, now=opened.desk.now)
    if overrides is None or (overrides and not can(opened.desk.rights, Act.OVERRIDE, booking)):
        problem = gettext("%(when)s is not free.") % {"when": formats.moment_text(moment)}
        return _choose(opened, people, on=moment.date(), who=person, problem=problem)
    form = MoveForm(initial={"start": start, "who": who})
    form.set_aside(overrides)
    return answer(opened, form, _step(opened, form, start, person))


def _move(opened: Opened, people: Sequence[StaffMember], form: MoveForm) -> HttpResponse:
    """Run the move. A start or staff member that the page cannot have offered leads back to the free times."""
    form.is_valid()
    start, who = form.cleaned_data.get("start"), form.cleaned_data.get("who")
    person = _named(people, str(who or ""))
    if start is None or "who" in form.errors or (who and person is None):
        return _choose(opened, people, problem=gettext("Choose a time first."), status=422)
    if is_far(start, opened.desk.now):
        return _choose(opened, people, problem=_TOO_FAR, status=422)
    overrides = queries.overrides_for(opened.booking, start, who, now=opened.desk.now)
    if overrides and not can(opened.desk.rights, Act.OVERRIDE, opened.booking):
        overrides = None
    form = MoveForm(opened.data)
    form.set_aside(overrides or NO_OVERRIDES)
    return answer(opened, form, _step(opened, form, start, person))


def _step(opened: Opened, form: MoveForm, start: int, person: StaffMember | None) -> Step:
    booking, desk, overrides = opened.booking, opened.desk, form.overrides

    def run(sent: MoveForm, key: str) -> str:
        reschedule_booking(
            booking_id=booking.pk,
            start_minute=start,
            staff_member_id=person.pk if person else only_line(booking).staff_member_id,
            expected_sequence=booking.ical_sequence,
            expected_fee_minor=0,
            actor=desk.actor,
            now=desk.now,
            reason=sent.cleaned_data["reason"],
            overrides=overrides,
        )
        # The booking's page has a notice with the button that undoes the move.
        return moved_text(open_booking(desk, booking.reference)) if comes_from(opened) in LISTS else ""

    notes = presenter.move_notes(booking, start, person, overrides, now=desk.now)
    ask = presenter.move_ask(booking, start, person, overrides, now=desk.now)
    return Step(lambda sent: ask, run, context={"notes": notes})


def _named(people: Sequence[StaffMember], typed: str) -> StaffMember | None:
    return next((person for person in people if str(person.pk) == typed), None)
