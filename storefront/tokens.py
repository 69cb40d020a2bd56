"""Pages with a secret address: they keep it from leaking, and slow down guessing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core import limits, views
from core.visitors import client_address

TokenView = Callable[..., HttpResponse]


def token_page(view: TokenView) -> TokenView:
    """Keep the address from other sites, caches and search engines, and count misses per client address.

    A client with too many misses gets 429 instead of 404. A working link is never slowed down, so that one guesser
    behind a shared address harms no other visitor.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404 as error:
            response = _missed(request, error)
        # Not "no-referrer": with it browsers send "Origin: null" with every form, which every CSRF check refuses.
        response["Referrer-Policy"] = "same-origin"
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


def _missed(request: HttpRequest, error: Http404) -> HttpResponse:
    if limits.allow("link-misses", client_address(request), per_minute=settings.LINK_GUESSES_PER_MINUTE):
        return views.not_found(request, error)
    return render(request, "429.html", status=429)
