"""Alerts about unusual reading, and the limits from which there is one."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.customer_record import By
from dashboard.access_list import alert_presenter
from dashboard.access_list.alert_forms import LimitsForm
from dashboard.door import Desk
from dashboard.permissions import Act, may
from dashboard.views.pages import desk_page, show
from privacy.errors import LimitsChanged
from privacy.models import ReadingAlert
from privacy.operations.unusual_reading import set_reading_limits, settle_reading_alert, stamp
from privacy.queries import open_reading_alerts, reading_limits
from services.queries import zone_of_business

MOST_LISTED = 50


@require_safe
@desk_page
def alerts(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the alerts, the settled ones below, and to owners the limits."""
    return _page(request, desk, LimitsForm(limits=reading_limits()))


@require_POST
@desk_page
def done(request: HttpRequest, desk: Desk, reading_alert_id: int) -> HttpResponse:
    """Take an alert off the list. Doing it again changes nothing."""
    if not ReadingAlert.objects.filter(pk=reading_alert_id).exists():
        raise Http404
    if settle_reading_alert(alert_id=reading_alert_id, by=_by(desk), now=desk.now):
        messages.success(request, gettext("Done."))
    return _back()


@require_POST
@desk_page
def limits(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Save the limits, unless another owner changed them since the page was shown."""
    form = LimitsForm(request.POST, limits=reading_limits())
    if not form.is_valid():
        return _page(request, desk, form, status=422)
    try:
        set_reading_limits(values=form.values, seen=request.POST.get("seen", ""), by=_by(desk), now=desk.now)
    except LimitsChanged as error:
        fresh = LimitsForm(limits=reading_limits())
        return _page(request, desk, fresh, problem=str(error.sentence), status=error.status)
    messages.success(request, gettext("Saved. It counts from the next check, within ten minutes."))
    return _back()


def _page(request: HttpRequest, desk: Desk, form: LimitsForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    zone, current = zone_of_business(), reading_limits()
    settled = ReadingAlert.objects.exclude(settled_at=None).order_by("-settled_at", "-pk")
    context = {
        "waiting": [alert_presenter.row_of(each, zone) for each in open_reading_alerts()[:MOST_LISTED]],
        "settled": [alert_presenter.row_of(each, zone) for each in settled[:MOST_LISTED]],
        "form": form,
        "seen": stamp(current),
        "changed": alert_presenter.changed_text(current, zone),
        "problem": problem,
        "may_watch": may(desk.rights, Act.WATCH_READING),
    }
    return show(request, desk, "dashboard/access_list/alerts.html", context, current="access", status=status)


def _by(desk: Desk) -> By:
    return By(desk.user.pk, str(desk.user))


def _back() -> HttpResponse:
    response = redirect("desk_access_alerts")
    response.status_code = 303
    return response
