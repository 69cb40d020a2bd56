"""Cookies that remember a hold, whose mailbox this browser came from, and who may pay for a booking on a page whose
address says nothing.
"""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from accounts.contact.mailboxes import normalised_email
from bookings.wording.zones import zone_named
from core.references import keyed_hash
from core.visitors import set_private_cookie

# A convenience only: the address of a hold works without it.
HOLD_COOKIE = "hold"
MAILBOX_COOKIE = "mailbox"
# Written by the browser: where the visitor is.
ZONE_COOKIE = "zone"
_HOUR = 3600
_DAY = 24 * _HOUR
_HALF_YEAR = 182 * _DAY


def remember_hold(response: HttpResponse, token: str) -> None:
    set_private_cookie(response, HOLD_COOKIE, token, max_age=_HOUR)


def remember_payer(response: HttpResponse, reference: str, token: str) -> None:
    """Let this browser open the paying page of one booking, with the rights of ``token``; sent to no other page."""
    set_private_cookie(response, _payer(reference), token, max_age=_DAY, path=reverse("pay", args=[reference]))


def payer_token(request: HttpRequest, reference: str) -> str:
    """The token of a link with which this browser came to pay; empty without one."""
    return request.COOKIES.get(_payer(reference), "")


def remember_mailbox(response: HttpResponse, email: str) -> None:
    """Note that this browser came by a link that travels to this address alone."""
    set_private_cookie(response, MAILBOX_COOKIE, _mailbox(email), max_age=_HALF_YEAR)


def has_proven_mailbox(request: HttpRequest, email: str) -> bool:
    """Whether this browser once came by a link that was mailed to this address."""
    return bool(email) and constant_time_compare(request.COOKIES.get(MAILBOX_COOKIE, ""), _mailbox(email))


def _mailbox(email: str) -> str:
    return keyed_hash(settings.SECRET_KEY, f"mailbox:{normalised_email(email)}")


def _payer(reference: str) -> str:
    return f"pay_{reference}"


def visitor_zone(request: HttpRequest) -> ZoneInfo | None:
    """The zone that the browser reported, if it did."""
    return zone_named(request.COOKIES.get(ZONE_COOKIE, "").replace("%2F", "/"))
