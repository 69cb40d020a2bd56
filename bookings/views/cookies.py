"""Cookies that remember a hold, and who may pay for a booking on a page whose address says nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.visitors import set_private_cookie

# A convenience only: the address of a hold works without it.
HOLD_COOKIE = "hold"
_HOUR = 3600
_DAY = 24 * _HOUR


def remember_hold(response: HttpResponse, token: str) -> None:
    set_private_cookie(response, HOLD_COOKIE, token, max_age=_HOUR)


def remember_payer(response: HttpResponse, reference: str, token: str) -> None:
    """Let this browser open the paying page of one booking, with the rights of ``token``; sent to no other page."""
    set_private_cookie(response, _payer(reference), token, max_age=_DAY, path=reverse("pay", args=[reference]))


def payer_token(request: HttpRequest, reference: str) -> str:
    """The token of a link with which this browser came to pay; empty without one."""
    return request.COOKIES.get(_payer(reference), "")


def _payer(reference: str) -> str:
    return f"pay_{reference}"
