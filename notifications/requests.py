"""What other apps say to this one: the message they want sent, and what it needs once it is time to send it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.enums import Channel, Purpose, RecipientRole

# In the key of a message that somebody asked for once more.
AGAIN = ":again-"


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """One message to one person, by every channel that the rules name and that reaches them.

    ``key`` makes asking twice harmless; ``version`` is the state of the subject it speaks of. ``details`` holds what
    cannot be read again later (the time before a move): ids and instants only, nothing personal; ``offset_minutes``
    among them is the distance from the visit that rules may ask about. Without ``not_before`` it is due at once, from
    ``expires_at`` on it is dropped. ``can_wait`` lets it wait for the end of the person's quiet hours. ``phone`` is in
    E.164 form. With a ``channel`` it goes by that one alone.
    """

    kind: str
    subject_ref: str
    version: int
    recipient_role: RecipientRole
    address: str
    language: str
    key: str
    recipient_ref: str = ""
    phone: str = ""
    channel: Channel | None = None
    purpose: Purpose = Purpose.SERVICE
    can_wait: bool = False
    not_before: datetime | None = None
    expires_at: datetime | None = None
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
    channel: str = Channel.EMAIL


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """An iCalendar object that travels with the mail; ``method`` is the one inside it."""

    method: str
    content: bytes
    filename: str = "invite.ics"


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What a message is made of. ``template`` names a folder under templates/notifications.

    Times among the variables are already in the zone people should read. ``words`` are the variables that the
    business's own texts may name, as plain text. ``link`` is where a tap on a web push leads. ``may_text`` is False
    until the person has shown that the booking is meant (acted from the mailbox, or paid), so that nobody can make us
    text strangers. Marketing needs an ``unsubscribe_url``.
    """

    template: str
    variables: Mapping[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    may_text: bool = True
    unsubscribe_url: str = ""
    sender_name: str = ""
    reply_to: str = ""
    calendar: CalendarPart | None = None
