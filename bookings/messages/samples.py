"""Renders a message for a real booking: for previews, and for test mails to the owner who edits its text.

The links are cut, so that a preview cannot act for a customer, and there is no calendar entry. In text messages the
links keep their length, because length decides the price.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bookings.messages.catalogue import message_type
from bookings.messages.occasions import Occasion
from bookings.messages.types import MessageType
from bookings.models import Booking, BookingLine
from bookings.refs import number_of
from core import limits
from core.errors import TooMany
from core.logs import blanked, masked
from notifications import operations as queue
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.enums import Channel, RecipientRole
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.queries import the_business

SUBJECT = "sample"
# Enough to try out texts, too few to write to strangers.
TESTS_PER_HOUR = 20

_Cut = Callable[[str], str]


class TooManyTests(TooMany):
    """The user has sent TESTS_PER_HOUR test messages within an hour."""

    code = "too_many_tests"

    def __init__(self) -> None:
        super().__init__(_("You have sent many tests within an hour. The next one can go in an hour."))


def send_test(
    booking: Booking, of: MessageType, *, channel: Channel, language: str, to: str, asked_by: int, now: datetime
) -> None:
    """Queue a test message for a booking, to one address or number of the user who edits its text.

    It passes the same checks as any message; a double click sends one.

    :raises TooManyTests: after ``TESTS_PER_HOUR`` of one user.
    """
    if not limits.within("message-tests", str(asked_by), limit=TESTS_PER_HOUR, seconds=3600):
        raise TooManyTests
    is_text = channel in TEXT_CHANNELS
    key = f"test:{of.kind}:{of.role}:{channel}:{language}:{address_hash(channel, to)}"
    request = MessageRequest(
        kind=of.kind,
        subject_ref=f"{SUBJECT}:{booking.pk}",
        version=0,
        recipient_role=of.role,
        address="" if is_text else to,
        phone=to if is_text else "",
        language=language,
        channel=channel,
        key=key,
    )
    queue.enqueue_again([request], now=now)


def sample_context(request: ContextRequest) -> MessageContext | None:
    """Build a test message: the message of the kind for the booking of ``sample:<id>``. Route for test mails."""
    lines = BookingLine.objects.select_related("staff_member", "variant__service")
    booking = (
        Booking.objects.select_related("location")
        .prefetch_related(Prefetch("lines", lines))
        .filter(pk=number_of(request.subject_ref))
        .first()
    )
    channel = Channel(request.channel)
    return sample(booking, request.kind, request.recipient_role, channel, now=request.now) if booking else None


def sample(
    booking: Booking, kind: str, role: RecipientRole, channel: Channel, *, now: datetime
) -> MessageContext | None:
    """Return the message of a kind in the active language; None when the booking has no recipient for it.

    ``booking`` has its lines, with staff members and services, and its location.
    """
    of = message_type(kind, role)
    if of is None:
        return None
    person = next((line.staff_member for line in booking.lines.all() if line.staff_member), None)
    if role == RecipientRole.STAFF and person is None:
        return None
    occasion = Occasion(
        booking=booking,
        business=the_business(),
        person=person if role == RecipientRole.STAFF else None,
        kind=kind,
        details={},
        now=now,
    )
    return _harmless(of.sample(occasion), blanked if channel in TEXT_CHANNELS else masked)


def _harmless(context: MessageContext | None, cut: _Cut) -> MessageContext | None:
    if context is None:
        return None
    variables = {name: _without_links(value, cut) for name, value in context.variables.items()}
    words = {name: cut(word) for name, word in context.words.items()}
    sender = gettext("Test · %(business)s") % {"business": context.sender_name}
    return replace(context, variables=variables, words=words, link=cut(context.link), calendar=None, sender_name=sender)


def _without_links(value: Any, cut: _Cut) -> Any:
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return cut(value)
    if isinstance(value, list):
        return [
            replace(each, manage_url=cut(each.manage_url)) if hasattr(each, "manage_url") else each for each in value
        ]
    return value
