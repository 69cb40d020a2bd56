"""Pages with a secret address: they keep it from leaking, and slow down guessing."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from core import limits, views
from core.references import ALPHABET, LENGTH, parsed_reference
from core.visitors import client_address

TokenView = Callable[..., HttpResponse]


class SignInFirst(Exception):
    """The page belongs to a customer, and nobody is signed in here."""


class OwnReference(str):
    """A booking's reference in the place of a token: it opens the booking only for its signed-in customer."""

    __slots__ = ()


class ReferenceConverter:
    """A part of an address that is a booking's reference, in capitals. Tokens of links are much longer."""

    regex = f"[{ALPHABET}]{{{LENGTH}}}"

    def to_python(self, value: str) -> OwnReference:
        return OwnReference(value)

    def to_url(self, value: str) -> str:
        if parsed_reference(value) != value:
            raise ValueError
        return value


def token_page(view: TokenView) -> TokenView:
    """Keep the address from other sites, caches and search engines, and count misses per client address.

    A client with too many misses gets 429 instead of 404. A working link is never slowed down, so that one guesser
    behind a shared address harms no other visitor.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except SignInFirst:
            response = sign_in_first(request)
        except Http404 as error:
            response = _missed(request, error)
        # Not "no-referrer": with it browsers send "Origin: null" with every form, which every CSRF check refuses.
        response["Referrer-Policy"] = "same-origin"
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Send to the sign-in, which leads back to the page; after a POST to the bookings, whose page shows what holds."""
    back_to = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("my_bookings")
    return HttpResponseRedirect(f"{reverse('my_sign_in')}?{urlencode({'next': back_to}, safe='/')}", status=303)


def _missed(request: HttpRequest, error: Http404) -> HttpResponse:
    if limits.allow("link-misses", client_address(request), per_minute=settings.LINK_GUESSES_PER_MINUTE):
        return views.not_found(request, error)
    return render(request, "429.html", status=429)
