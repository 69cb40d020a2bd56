"""A message as it would be for a real booking, to look at: for previews, and for tests to whoever writes texts.

Its links are cut, so that looking at a text lets nobody act for a customer, and it carries no calendar entry. In a text
they keep their length, because that is what a text costs.
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
# Enough to find the right words, too few for writing to strangers.
TESTS_PER_HOUR = 20

_Cut = Callable[[str], str]


class TooManyTests(TooMany):
    """Whoever is signed in lets us write more than anybody does who looks for words."""

    code = "too_many_tests"

    def __init__(self) -> None:
        super().__init__(_("You have sent many tests within an hour. The next one can go in an hour."))


def send_test(
    booking: Booking, of: MessageType, *, channel: Channel, language: str, to: str, asked_by: int, now: datetime
) -> None:
    """Queue a message as it would be for a booking, to one address or number of the person who writes its words.

    It goes through the gate like any other; a double click makes one.

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
    """The route of test mails: the message of the kind as it would be for the booking of ``sample:<id>``."""
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
    """Say what a message would say, in the active language; None when the booking has nobody to tell it to.

    ``booking`` has its lines, with people and services, and its place.
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
