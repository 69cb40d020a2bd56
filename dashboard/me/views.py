"""The pages of a therapist at /desk/me/: today with the next customer, the week, a list, own hours and time off."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.enums import RecordKind
from bookings.models import Booking
from dashboard.door import Desk
from dashboard.me import presenter, queries
from dashboard.me.forms import TimeOffForm
from dashboard.views.pages import day_of_text, desk_page, show
from staff.enums import TimeOffStatus
from staff.operations import add_time_off

VIEWS = ("day", "week", "list")
_LIST_DAYS = 28


@require_safe
@desk_page
def my_day(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the next customer with the last note, then the day; or a week, or the next four weeks as a list."""
    me = _me(desk)
    today = desk.now.astimezone(me.zone).date()
    on = day_of_text(request.GET.get("on", ""), today)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "day"
    first, count = {"day": (on, 1), "week": (presenter.week_of(on), 7), "list": (on, _LIST_DAYS)}[view]
    last = first + timedelta(days=count - 1)
    bookings = queries.visits_between(me, first, last)
    free = queries.free_between(me, first, last, desk.now)
    days = presenter.days_of(bookings, free, first, count, me, now=desk.now)
    context = {
        "view": view,
        "views": [
            (gettext("Day"), presenter.me_url(on=on, today=today), view == "day"),
            (gettext("Week"), presenter.me_url(view="week", on=on, today=today), view == "week"),
            (gettext("List"), presenter.me_url(view="list", on=on, today=today), view == "list"),
        ],
        "days": days if view == "day" else [day for day in days if day.rows or view == "week"],
        "before_url": presenter.me_url(view=view, on=_step(first, -count), today=today),
        "after_url": presenter.me_url(view=view, on=_step(first, count), today=today),
        "today_url": "" if on == today else presenter.me_url(view=view),
        "title": days[0].title if view == "day" else gettext("My visits"),
        "follow_ups": presenter.to_do(queries.follow_ups_due(me, today), today),
        "next": _next(bookings, me, desk) if view == "day" and on == today else None,
        "first_name": me.person.short_name,
    }
    return show(request, desk, "dashboard/me/day.html", context, current="me")


def _step(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _next(bookings: list[Booking], me: queries.Me, desk: Desk) -> presenter.Next | None:
    booking = presenter.next_visit(bookings, desk.now)
    if booking is None:
        return None
    desk.note_reading(RecordKind.NOTES, booking.reference)
    return presenter.next_card(booking, queries.earlier_visits(booking), me, now=desk.now)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def my_time_off(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show own hours, and request time off. A request changes nothing until a manager approves it."""
    me = _me(desk)
    clocks = queries.clocks_of(me)
    usual = next(iter(clocks))
    typed = next((zone for zone in clocks if zone.key == request.POST.get("clock")), usual)
    with timezone.override(typed):
        form = TimeOffForm(request.POST or None, clocks=presenter.clock_choices(clocks), now=desk.now)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            add_time_off(
                resource_id=me.person.resource_id,
                starts_at=values["starts_at"],
                ends_at=values["ends_at"],
                reason=values["reason"],
                status=TimeOffStatus.REQUESTED,
            )
            messages.success(request, gettext("Sent. You see here when it is approved."))
            response = redirect("desk_me_time_off")
            response.status_code = 303
            return response
        context = {
            "form": form,
            "hours": presenter.hours_rows(queries.hours_of(me)),
            "times": presenter.time_off_rows(queries.time_off_of(me, desk.now), usual, names_zone=len(clocks) > 1),
            "first_name": me.person.short_name,
        }
        status = 422 if request.method == "POST" else 200
        return show(request, desk, "dashboard/me/time_off.html", context, current="me", status=status)


def _me(desk: Desk) -> queries.Me:
    """:raises Http404: for a user who is not (any more) on the team."""
    me = queries.me_of(desk.rights)
    if me is None:
        raise Http404
    return me
