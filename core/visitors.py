"""Identify a visitor for rate limits: by a random cookie and an IP address, both stored as keyed hashes."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.references import keyed_hash, new_token

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
VISITOR_COOKIE = "visitor"
_YEAR = 365 * 24 * 3600


def visitor_id(request: HttpRequest) -> str:
    """Return the visitor's random id from the cookie, or a new one that the caller sets with ``remember_visitor``.

    A new id is derived from the CSRF cookie, which every page with a form sets, so that two concurrent first requests
    (an impatient double tap) get the same id.
    """
    if known := request.COOKIES.get(VISITOR_COOKIE):
        return known
    form_secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    return keyed_hash(settings.SECRET_KEY, f"visitor-id:{form_secret}") if form_secret else new_token()


def remember_visitor(response: HttpResponse, visitor: str) -> None:
    set_private_cookie(response, VISITOR_COOKIE, visitor, max_age=_YEAR)


def set_private_cookie(response: HttpResponse, name: str, value: str, *, max_age: int, path: str = "/") -> None:
    """Set a cookie that is HttpOnly and SameSite=Lax, and Secure on an https site. ``max_age`` is in seconds."""
    response.set_cookie(
        name, value, max_age=max_age, path=path, secure=settings.IS_HTTPS, httponly=True, samesite="Lax"
    )


def visitor_hash(visitor: str) -> str:
    return keyed_hash(settings.SECRET_KEY, f"visitor:{visitor}")


def address_hash(request: HttpRequest) -> str:
    return keyed_hash(settings.SECRET_KEY, f"address:{client_address(request)}")


def client_address(request: HttpRequest) -> str:
    """Return the client's address for rate limits; see ``forwarded_address``."""
    meta = request.META
    return forwarded_address(
        meta.get("HTTP_X_FORWARDED_FOR", ""), meta.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXY_COUNT
    )


def client_ip(request: HttpRequest) -> str:
    """Return the client's IP address, which the list of a user's own sign-ins shows; "::" if it is unknown."""
    meta = request.META
    found = _client(meta.get("HTTP_X_FORWARDED_FOR", ""), meta.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXY_COUNT)
    return str(found or ipaddress.IPv6Address(0))


def forwarded_address(forwarded_for: str, peer: str, trusted_proxies: int) -> str:
    """Return the address that rate limits count. Trusts only what our own proxies added to X-Forwarded-For.

    The port is removed. An IPv6 address becomes its /64, which is what one household or server gets. If the entry is
    not an address, the peer's own address counts, so that a client cannot get a new limit with an invented entry.
    """
    found = _client(forwarded_for, peer, trusted_proxies)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or peer)


def _client(forwarded_for: str, peer: str, trusted_proxies: int) -> Address | None:
    """Return the address that our outermost proxy named, else the peer's; None if neither is an address."""
    entries = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    if trusted_proxies and len(entries) >= trusted_proxies and (named := _address(entries[-trusted_proxies])):
        return named
    return _address(peer)


def _address(text: str) -> Address | None:
    """Read an IP address with or without a port; None if ``text`` is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
