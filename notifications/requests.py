"""Data passed between this app and others: the message to send, and its content at the time of sending."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.enums import Channel, Purpose, RecipientRole

# Part of the key of a message that a user asked to send again.
AGAIN = ":again-"


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """One message to one person, by each channel that the rules name and that reaches the person.

    ``key`` makes repeated requests harmless. ``version`` is the state of the subject that the message is about.
    ``details`` holds what cannot be read later (such as the time before a move): ids and instants only, no personal
    data. Its ``offset_minutes`` is the distance from the visit, by which rules decide. Without ``not_before`` the
    message is due at once; from ``expires_at`` on it is dropped. ``can_wait`` puts it off to the end of the person's
    quiet hours. ``phone`` is in E.164 form. If ``channel`` is set, only that channel is used.
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
    """The input of a subject's route, which returns the message's context at the moment of sending."""

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
    """An iCalendar object attached to the mail. ``method`` equals the METHOD inside it."""

    method: str
    content: bytes
    filename: str = "invite.ics"


@dataclass(frozen=True, slots=True)
class MessageContext:
    """The content of a message. ``template`` names a folder under templates/notifications.

    Times among ``variables`` are already in the zone that the recipient reads. ``words`` are the variables, as plain
    text, that the business's own texts may name. ``link`` is the page that a tap on a web push opens. ``may_text`` is
    False until the booking is proven to be meant, for example because the customer acted from the mailbox or paid.
    Otherwise a stranger could make this site text other people. Marketing e-mail needs an ``unsubscribe_url``. The text
    of a message with ``is_secret`` is not kept, because it would let a reader of the message log sign in.
    """

    template: str
    variables: Mapping[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    may_text: bool = True
    is_secret: bool = False
    unsubscribe_url: str = ""
    sender_name: str = ""
    reply_to: str = ""
    calendar: CalendarPart | None = None
