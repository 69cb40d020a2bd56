"""The admin site: its sign-in, the time zone in which it shows times, and its content security policy.

Unfold runs Alpine, which evaluates expressions in attributes and sets inline styles. Only the answers of this site have
a policy that allows this; all other pages keep the strict policy of the settings.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from csp.decorators import csp_replace
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from accounts.sign_in import remember_device, sign_in_try
from core import clock
from services.models import Location

View = Callable[..., HttpResponse]


class SignInForm(AuthenticationForm):  # type: ignore[misc] # unfold has no types
    """Sign-in by e-mail. Limits the tries per IP address and per account before it checks a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")

    def clean(self) -> dict[str, Any]:
        tried = sign_in_try(self.request, str(self.cleaned_data.get("username") or ""))
        if not tried.is_allowed():
            raise ValidationError(_("Too many tries. Please wait a minute, then try again."), code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            tried.count_failure(now=clock.now())
            raise
        return cleaned


class Site(UnfoldAdminSite):  # type: ignore[misc]
    """The admin site. Django's ``has_permission`` admits active users with ``is_staff``."""

    login_form = SignInForm
    index_title = _("Settings")
    index_template = "admin/home.html"

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return _framed(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = _framed(super().login)(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            remember_device(request, response, request.user.email)
        return response

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
