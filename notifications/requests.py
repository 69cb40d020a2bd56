"""What other apps say to this one: the message they want sent, and what it needs once it is time to send it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.enums import Channel, RecipientRole

# In the key of a message that somebody asked for once more.
AGAIN = ":again-"


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """One message to one person.

    ``key`` makes asking twice harmless; ``version`` is the state of the subject it speaks of. ``details`` holds what
    cannot be read again later (the time before a move): ids and instants only, nothing personal. Without ``not_before``
    it is due at once.
    """

    kind: str
    subject_ref: str
    version: int
    recipient_role: RecipientRole
    address: str
    language: str
    key: str
    recipient_ref: str = ""
    channel: Channel = Channel.EMAIL
    not_before: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """What a route is asked at the moment of sending."""

    subject_ref: str
    kind: str
    version: int
    recipient_role: RecipientRole
    recipient_ref: str
    details: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An iCalendar object that travels with the mail; ``method`` is the one inside it."""

    method: str
    content: bytes
    filename: str = "invite.ics"


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What a message is made of. ``template`` names a folder under templates/notifications.

    Times among the variables are already in the zone people should read.
    """

    template: str
    variables: Mapping[str, Any]
    sender_name: str = ""
    reply_to: str = ""
    calendar: CalendarPart | None = None
