"""Where a page of the sign-in leads on: to the page that was asked for, never off the site."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from dashboard.permissions import Act, may, rights_of


def way_on(request: HttpRequest, user: User | None = None) -> str:
    """Return the address in ``next``; the first page of ``user`` for an address of another site, or for none."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_here = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return first_page(asked if is_here else reverse("desk"), user)


def first_page(asked: str, user: User | None) -> str:
    """Return the page after signing in: for a therapist their own day instead of the bare desk. Two queries at most."""
    if user is None or asked != reverse("desk"):
        return asked
    rights = rights_of(user)
    is_therapist = rights is not None and rights.staff_member_id is not None and not may(rights, Act.SEE_PLACE)
    return reverse("desk_me") if is_therapist else asked
