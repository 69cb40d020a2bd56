"""The cookie that remembers a hold. A convenience only: the address of a hold works without it."""

from django.http import HttpResponse

from core.visitors import set_private_cookie

HOLD_COOKIE = "hold"
_HOUR = 3600


def remember_hold(response: HttpResponse, token: str) -> None:
    set_private_cookie(response, HOLD_COOKIE, token, max_age=_HOUR)
