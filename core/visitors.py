"""Who is behind a request, as far as limits need to know: a random cookie and an address, kept as keyed hashes."""

import ipaddress

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
    """The address a request came from, as limits count it: see ``forwarded_address``."""
    meta = request.META
    return forwarded_address(
        meta.get("HTTP_X_FORWARDED_FOR", ""), meta.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXY_COUNT
    )


def forwarded_address(forwarded_for: str, peer: str, trusted_proxies: int) -> str:
    """The address that limits count. Only what our own proxies added to X-Forwarded-For is believed.

    A port is cut off. An IPv6 address stands for its /64, which is what one household or server is given. An entry
    that is no address counts as the peer's own, so that nobody gains a fresh limit by inventing one.
    """
    entries = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    if trusted_proxies and len(entries) >= trusted_proxies and (named := _network(entries[-trusted_proxies])):
        return named
    return _network(peer) or peer


def _network(text: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address; empty when ``text`` is neither."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
