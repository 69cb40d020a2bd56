"""Enforce the table of ``config.access``: no view runs without a row for its address and the right of that row."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils.cache import add_never_cache_headers

from accounts.customer_session import customer_of
from config.access import FRESH_IN_ADMIN, ROWS, DeskRow, Proof, Row
from config.reading import log_reading, log_reading_in_admin, note_in_admin
from core import clock
from core.middleware import Handler, unavailable
from dashboard.door import admit, check_sign_in
from dashboard.permissions import Act, roles_with


def guard_addresses(get_response: Handler) -> Handler:
    """Middleware that refuses what the table does not allow, before the view runs, and writes the access log after it.

    An address without a row gives 404.

    :raises ImproperlyConfigured: for an address without a row, with DEBUG or FAIL_WITHOUT_ROW.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        row = ROWS.get(_name_of(request.resolver_match))
        if isinstance(row, DeskRow):
            log_reading(request, response, row.shows, now=clock.now())
        elif hasattr(request, "admin_noted"):
            log_reading_in_admin(request, response, now=clock.now())
        return response

    def process_view(request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> HttpResponse | None:
        name = _name_of(request.resolver_match)
        row = ROWS.get(name)
        if row is None:
            if settings.DEBUG or settings.FAIL_WITHOUT_ROW:
                raise ImproperlyConfigured(f"{request.path}: add a row for {name!r} to config/access.py.")
            raise Http404
        try:
            return _answer(request, row, now=clock.now())
        except (OperationalError, InterfaceError) as error:
            # Django passes exceptions of views to middleware, but not exceptions of ``process_view``.
            return unavailable(request, error)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _answer(request: HttpRequest, row: Row | DeskRow, *, now: datetime) -> HttpResponse | None:
    """Return the answer to a request that the row does not let pass; None for one that it lets pass."""
    if isinstance(row, DeskRow):
        answer = check_sign_in(request, is_fresh=row.is_fresh, now=now)
        return answer or admit(request, row.needed(request.method), now=now)
    if row.is_of_customers:
        return None if customer_of(request) else _to_sign_in_of_customers(request)
    if not row.is_signed_in:
        return None
    is_fresh = row.is_fresh or _asks_again_in_admin(request)
    is_set_up = Proof.PASSWORD in row.see | row.act
    if answer := check_sign_in(request, is_set_up=is_set_up, is_fresh=is_fresh, now=now):
        return answer
    if not row.is_open_to(request.user):
        raise Http404
    if _name_of(request.resolver_match) == "admin":
        note_in_admin(request)
    return None


def _to_sign_in_of_customers(request: HttpRequest) -> HttpResponse:
    """Send a visitor to the sign-in, which leads back to this page; a form cannot be sent again."""
    back_to = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("my_bookings")
    answer = redirect(f"{reverse('my_sign_in')}?{urlencode({'next': back_to}, safe='/')}")
    add_never_cache_headers(answer)
    return answer


def _asks_again_in_admin(request: HttpRequest) -> bool:
    """Return whether a page of the admin changes who may do what."""
    match = request.resolver_match
    if _name_of(match) != "admin" or match is None or match.url_name is None:
        return False
    is_list = match.url_name.endswith("_changelist") and request.method != "POST"
    return match.url_name.startswith(FRESH_IN_ADMIN) and not is_list


def check_rows(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that each address has a row, each row an address, and each right of the desk a role."""
    names = set(names_of(get_resolver().url_patterns))
    without_row = [
        Error(f"The address {name!r} has no row in config/access.py.", id="access.E001")
        for name in sorted(names - set(ROWS))
    ]
    without_address = [
        Error(f"The row {name!r} of config/access.py has no address.", id="access.E002")
        for name in sorted(set(ROWS) - names)
    ]
    without_role = [
        Error(f"No role has the right {act.name} in dashboard/permissions.py.", id="access.E003")
        for act in Act
        if not roles_with(act)
    ]
    return [*without_row, *without_address, *without_role]


def names_of(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[str]:
    """Yield the name of every URL pattern; a namespace counts as one name."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name or str(pattern.pattern)
        elif pattern.namespace:
            yield pattern.namespace
        else:
            yield from names_of(pattern.url_patterns)


def _name_of(match: ResolverMatch | None) -> str:
    """Return the name of the matched URL pattern, as ``names_of`` yields it; "" if it has none."""
    if match is None:
        return ""
    return match.namespaces[0] if match.namespaces else match.url_name or ""
