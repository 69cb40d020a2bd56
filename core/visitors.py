"""Who is behind a request, as far as limits need to know: a random cookie and an address, kept as keyed hashes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.references import keyed_hash, new_token

VISITOR_COOKIE = "visitor"
_YEAR = 365 * 24 * 3600


def visitor_id(request: HttpRequest) -> str:
    """The visitor's random id: from the cookie, else a new one that ``remember_visitor`` has to set.

    A new one follows from the CSRF cookie, which every page with a form has set, so that two first requests at once (an
    impatient double tap) come from one visitor.
    """
    if known := request.COOKIES.get(VISITOR_COOKIE):
        return known
    form_secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    return keyed_hash(settings.SECRET_KEY, f"visitor-id:{form_secret}") if form_secret else new_token()


def remember_visitor(response: HttpResponse, visitor: str) -> None:
    set_private_cookie(response, VISITOR_COOKIE, visitor, max_age=_YEAR)


def set_private_cookie(response: HttpResponse, name: str, value: str, *, max_age: int, path: str = "/") -> None:
    """Set a cookie that scripts cannot read and other sites do not send; ``max_age`` in seconds."""
    response.set_cookie(
        name, value, max_age=max_age, path=path, secure=settings.IS_HTTPS, httponly=True, samesite="Lax"
    )


def visitor_hash(visitor: str) -> str:
    return keyed_hash(settings.SECRET_KEY, f"visitor:{visitor}")


def address_hash(request: HttpRequest) -> str:
    return keyed_hash(settings.SECRET_KEY, f"address:{client_address(request)}")


def client_address(request: HttpRequest) -> str:
    """The address a request came from. Only what our own proxies added to X-Forwarded-For is believed."""
    count: int = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if count and len(forwarded) >= count:
        return str(forwarded[-count])
    return str(request.META.get("REMOTE_ADDR", ""))
