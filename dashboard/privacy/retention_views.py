"""How long data is kept: the settings, with a preview of what they delete before they are saved."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.customer_record import By
from dashboard.door import Desk
from dashboard.privacy import kept_presenter
from dashboard.privacy.forms import RetentionForm, seen_values
from dashboard.views.pages import desk_page, show
from privacy.errors import SettingsChanged
from privacy.models import Retention
from privacy.operations.keep import FIELDS, set_retention
from privacy.queries import due_counts, retention


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def kept(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the settings. Sent once, they are previewed; sent again unchanged with the preview, they are saved."""
    current = retention()
    if request.method != "POST":
        form = RetentionForm(kept=current)
        return _page(request, desk, form, due_counts(current, desk.now))
    form = RetentionForm(request.POST, kept=current)
    if not form.is_valid():
        return _page(request, desk, form, {}, status=422)
    due = due_counts(form.wanted, desk.now)
    if request.POST.get("previewed") != _stamp(form.values):
        return _page(request, desk, form, due, is_preview=form.values != _values(current))
    try:
        set_retention(
            values=form.values, seen=seen_values(request.POST), by=By(desk.user.pk, str(desk.user)), now=desk.now
        )
    except SettingsChanged as error:
        return _page(
            request, desk, RetentionForm(kept=retention()), {}, problem=str(error.sentence), status=error.status
        )
    messages.success(request, gettext("Saved. It counts from the next night."))
    response = redirect("desk_privacy")
    response.status_code = 303
    return response


def _page(
    request: HttpRequest,
    desk: Desk,
    form: RetentionForm,
    due: dict[str, int],
    *,
    is_preview: bool = False,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    current = retention()
    context = {
        "form": form,
        "settings": kept_presenter.settings_of(form, due),
        "total": kept_presenter.total_of(due) if not form.errors else "",
        "is_preview": is_preview,
        "previewed": _stamp(form.values) if is_preview else "",
        "seen": [(f"seen_{name}", "" if value is None else value) for name, value in _values(current).items()],
        "groups": kept_presenter.kept_of(),
        "problem": problem,
    }
    return show(request, desk, "dashboard/privacy/kept.html", context, current="privacy", status=status)


def _values(kept: Retention) -> dict[str, int | None]:
    return {name: getattr(kept, name) for name in FIELDS}


def _stamp(values: dict[str, int | None]) -> str:
    return ",".join(str(values[name]) for name in FIELDS)
