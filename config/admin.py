"""The admin site: the time zone in which it shows times, and its content security policy.

Unfold runs Alpine, which evaluates expressions in attributes and sets inline styles. Only the answers of this site have
a policy that allows this; all other pages keep the strict policy of the settings.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from services.models import Location

View = Callable[..., HttpResponse]


class Site(UnfoldAdminSite):  # type: ignore[misc]
    """The admin site. ``config.guard`` admits users with ``is_staff`` who are signed in with a second factor."""

    index_title = _("Settings")
    index_template = "admin/home.html"

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return _framed(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Open the admin: only users who have signed in at the desk's door get here."""
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("desk_password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        super().logout(request, extra_context)
        return redirect("account_login")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer 404: Unfold's search would store model objects in the cache, which holds plain values only."""
        raise Http404


def _framed(view: View) -> View:
    """Wrap an admin view: its answer has the admin's policy and shows times in the zone of the first location."""

    @wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with timezone.override(_zone()):
            response = with_policy(request, *args, **kwargs)
            # Django renders template responses after the view. This one has to be rendered while the zone is active.
            if callable(render := getattr(response, "render", None)):
                render()
        return response

    with_policy = csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)(view)
    return framed


def _zone() -> ZoneInfo:
    names = Location.objects.order_by("position", "name").values_list("time_zone", flat=True)
    return ZoneInfo(names.first() or settings.TIME_ZONE)
