"""The cookie of a browser that has asked for a code: for which mailbox, and where to go afterwards."""

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core.visitors import set_private_cookie

COOKIE = "sign_in"
# Longer than a code works, so that the page can say that it is over.
_SECONDS = 3600
_SALT = "storefront.sign_in"


@dataclass(frozen=True, slots=True)
class Asked:
    """``token`` is the secret that the code is bound to."""

    token: str
    email: str
    next: str


def remember(response: HttpResponse, asked: Asked) -> None:
    value = signing.dumps([asked.token, asked.email, asked.next], salt=_SALT)
    set_private_cookie(response, COOKIE, value, max_age=_SECONDS, path=reverse("my_sign_in"))


def asked_of(request: HttpRequest) -> Asked | None:
    """Return what this browser has asked for; None without a valid cookie."""
    try:
        token, email, way = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return Asked(token, email, way)


def forget(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path=reverse("my_sign_in"), samesite="Lax")


def way_on(request: HttpRequest) -> str:
    """Return the address in ``next``; the customer's bookings for an address of another site, or for none."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_here = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return asked if is_here else reverse("my_bookings")
