"""Magic links of bookings. No token is stored: it is recomputed from the booking for each message.

A token is the booking's reference, one letter for the role, and 256 bits of HMAC over both and the link version of that
role, keyed with LINK_KEY. A new version (link renewed, address changed, staff member reassigned) revokes the earlier
links; moving the booking does not. A token permits its role's actions on its booking and nothing else.
"""

import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from django.conf import settings

from bookings.enums import BookingStatus
from core.references import ALPHABET, LENGTH, link_mac, trimmed_token

_MAC_LENGTH = 43  # 32 bytes in base64 without padding


class LinkRole(StrEnum):
    """The recipient of a link, and how it reached them.

    GUEST is shown on the screen to the visitor who booked. It may do what CUSTOMER may. A CUSTOMER link is only sent by
    mail: acting by it proves that the mailbox is theirs, acting by a GUEST link does not.
    """

    CUSTOMER = "customer"
    GUEST = "guest"
    STAFF = "staff"


class LinkToken(NamedTuple):
    """A parsed token. Only ``token_is_valid`` decides whether it is genuine."""

    reference: str
    role: LinkRole
    mac: str


class Holdable(Protocol):
    """What the token of a hold is bound to; a Booking is one."""

    reference: str
    created_at: datetime


class Linkable(Protocol):
    """What a link is bound to; a Booking is one."""

    reference: str
    link_version: int
    staff_link_version: int


_LETTERS = {LinkRole.CUSTOMER: "c", LinkRole.GUEST: "g", LinkRole.STAFF: "s"}
_ROLES = {letter: role for role, letter in _LETTERS.items()}


def manage_token(booking: Linkable, role: LinkRole) -> str:
    """Return the token with which ``role`` may act on this booking."""
    return f"{booking.reference}{_LETTERS[role]}{_mac(booking, role)}"


def hold_token(booking: Holdable) -> str:
    """Return the token of a hold's page.

    It is deterministic, so that a form that is sent twice leads to one hold.
    """
    return _digest(f"hold:{booking.reference}:{int(booking.created_at.timestamp() * 1_000_000)}")


def hold_url(booking: Holdable) -> str:
    """Return the full address of a hold's page."""
    return f"{settings.SITE_URL}/h/{hold_token(booking)}/"


def read_token(raw: str) -> LinkToken | None:
    """Parse a token, ignoring what a mail program may have added at its end; None if it is not one."""
    token = trimmed_token(raw)
    if len(token) != LENGTH + 1 + _MAC_LENGTH or not token.isascii():
        return None
    reference, letter, mac = token[:LENGTH], token[LENGTH], token[LENGTH + 1 :]
    if letter not in _ROLES or any(character not in ALPHABET for character in reference):
        return None
    return LinkToken(reference, _ROLES[letter], mac)


def token_is_valid(booking: Linkable, role: LinkRole, mac: str) -> bool:
    """Return whether ``mac`` fits this booking, this role and its current link version. Runs in constant time."""
    return hmac.compare_digest(_mac(booking, role).encode(), mac.encode())


def manage_url(booking: Linkable, role: LinkRole, page: str = "") -> str:
    """Return the full address of one page: "" (manage), ``confirmed``, ``move``, ``cancel``, ``calendar.ics``."""
    return f"{settings.SITE_URL}/b/{manage_token(booking, role)}/{page}"


def _mac(booking: Linkable, role: LinkRole) -> str:
    version = booking.staff_link_version if role is LinkRole.STAFF else booking.link_version
    return _digest(f"booking-link:{booking.reference}:{role}:{version}")


def _digest(message: str) -> str:
    return link_mac(settings.LINK_KEY, message)


READ_ONLY_AFTER_VISIT = timedelta(days=30)


def link_opens(
    role: LinkRole, *, status: str, was_agreed: bool, ends_at: datetime, is_theirs: bool, now: datetime
) -> bool:
    """Return whether a genuine link still shows anything.

    Staff links work until the end of the visit, customer links 30 days longer. A customer can still open a booking that
    expired before it was paid, because they may have paid too late.

    ``is_theirs``: whether the staff member of the visit still works here. Their link ends when they leave.
    """
    if role is LinkRole.STAFF and not is_theirs:
        return False
    if status == BookingStatus.HELD:
        return False
    if status == BookingStatus.EXPIRED and (role is LinkRole.STAFF or not was_agreed):
        return False
    return now < (ends_at if role is LinkRole.STAFF else ends_at + READ_ONLY_AFTER_VISIT)
