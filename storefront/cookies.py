"""Cookies of the storefront: the visitor's hold, a proven mailbox, the right to pay for a booking, the time zone."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from accounts.contact.mailboxes import normalised_email
from bookings.wording.zones import zone_named
from core.references import keyed_hash
from core.visitors import set_private_cookie

# Only for convenience: the address of a hold works without it.
HOLD_COOKIE = "hold"
MAILBOX_COOKIE = "mailbox"
# A script sets it to the visitor's time zone.
ZONE_COOKIE = "zone"
_HOUR = 3600
_DAY = 24 * _HOUR
_HALF_YEAR = 182 * _DAY


def remember_hold(response: HttpResponse, token: str) -> None:
    set_private_cookie(response, HOLD_COOKIE, token, max_age=_HOUR)


def remember_payer(response: HttpResponse, reference: str, token: str) -> None:
    """Let this browser open the paying page of a booking with the rights of ``token``. Only that page gets it."""
    set_private_cookie(response, _payer(reference), token, max_age=_DAY, path=reverse("pay", args=[reference]))


def payer_token(request: HttpRequest, reference: str) -> str:
    """Return the link token with which this browser came to pay; empty without one."""
    return request.COOKIES.get(_payer(reference), "")


def remember_mailbox(response: HttpResponse, email: str) -> None:
    """Remember that this browser opened a link that was sent only to this e-mail address."""
    set_private_cookie(response, MAILBOX_COOKIE, _mailbox(email), max_age=_HALF_YEAR)


def has_proven_mailbox(request: HttpRequest, email: str) -> bool:
    """Return whether this browser has opened a link that was sent only to this e-mail address."""
    return bool(email) and constant_time_compare(request.COOKIES.get(MAILBOX_COOKIE, ""), _mailbox(email))


def _mailbox(email: str) -> str:
    return keyed_hash(settings.SECRET_KEY, f"mailbox:{normalised_email(email)}")


def _payer(reference: str) -> str:
    return f"pay_{reference}"


def visitor_zone(request: HttpRequest) -> ZoneInfo | None:
    """Return the time zone that the browser reported; None without one."""
    return zone_named(request.COOKIES.get(ZONE_COOKIE, "").replace("%2F", "/"))
