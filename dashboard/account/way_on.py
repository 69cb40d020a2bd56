"""Where a page of the sign-in leads on: to the page that was asked for, never off the site."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def way_on(request: HttpRequest) -> str:
    """Return the address in ``next``; the desk for an address of another site, or for none."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_here = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return asked if is_here else reverse("desk")
