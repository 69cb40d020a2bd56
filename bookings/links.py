"""Magic links of bookings. Nothing of them is at rest: a token is recomputed from the booking whenever a message
needs it.

A token is the booking's reference, one letter for the role, and 256 bits of HMAC over both and the link version of
that role, keyed with LINK_KEY. A new version (link renewed, address changed, therapist reassigned) ends the links
before it; moving the booking does not. Whoever holds one may act in its role on its booking and on nothing else.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from django.conf import settings

from bookings.enums import BookingStatus
from core.references import ALPHABET, LENGTH, trimmed_token

_MAC_LENGTH = 43  # 32 bytes in base64 without padding


class LinkRole(StrEnum):
    """Who a link was made for, and how it reached them.

    GUEST is shown on the screen to whoever booked. It may do what CUSTOMER may, which only ever travels by mail: acting
    by that one proves who reads the mailbox, acting by the other does not.
    """

    CUSTOMER = "customer"
    GUEST = "guest"
    STAFF = "staff"


class LinkToken(NamedTuple):
    """A token taken apart. Only ``token_is_valid`` says whether it is genuine."""

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
    """Return the token of the page of a hold. It can be made again: a form that is sent twice leads to one hold."""
    return _digest(f"hold:{booking.reference}:{int(booking.created_at.timestamp() * 1_000_000)}")


def read_token(raw: str) -> LinkToken | None:
    """Take a token apart, forgiving what a mail program may have added at its end; None if it cannot be one."""
    token = trimmed_token(raw)
    if len(token) != LENGTH + 1 + _MAC_LENGTH or not token.isascii():
        return None
    reference, letter, mac = token[:LENGTH], token[LENGTH], token[LENGTH + 1 :]
    if letter not in _ROLES or any(character not in ALPHABET for character in reference):
        return None
    return LinkToken(reference, _ROLES[letter], mac)


def token_is_valid(booking: Linkable, role: LinkRole, mac: str) -> bool:
    """Say whether ``mac`` is the one of this booking, this role and its present link version, in constant time."""
    return hmac.compare_digest(_mac(booking, role).encode(), mac.encode())


def manage_url(booking: Linkable, role: LinkRole, page: str = "") -> str:
    """Return the full address of one page: "" (manage), ``confirmed``, ``move``, ``cancel``, ``calendar.ics``."""
    return f"{settings.SITE_URL}/b/{manage_token(booking, role)}/{page}"


def _mac(booking: Linkable, role: LinkRole) -> str:
    version = booking.staff_link_version if role is LinkRole.STAFF else booking.link_version
    return _digest(f"booking-link:{booking.reference}:{role}:{version}")


def _digest(message: str) -> str:
    digest = hmac.new(settings.LINK_KEY.encode(), message.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


READ_ONLY_AFTER_VISIT = timedelta(days=30)


def link_opens(
    role: LinkRole, *, status: str, was_agreed: bool, ends_at: datetime, is_theirs: bool, now: datetime
) -> bool:
    """Whether a genuine link still shows anything: for staff until the end of the visit, for the customer 30 days
    longer. A booking that ran out before it was paid is still shown to its customer, who may have paid too late.

    ``is_theirs``: whether who performs the visit still works here; the link of a staff member ends with leaving.
    """
    if role is LinkRole.STAFF and not is_theirs:
        return False
    if status == BookingStatus.HELD:
        return False
    if status == BookingStatus.EXPIRED and (role is LinkRole.STAFF or not was_agreed):
        return False
    return now < (ends_at if role is LinkRole.STAFF else ends_at + READ_ONLY_AFTER_VISIT)
