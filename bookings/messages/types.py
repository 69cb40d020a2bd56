"""The type that describes one kind of message: its label, when it goes, and the function that builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise

from bookings.messages.kinds import MessageKind, PlannedKind
from bookings.messages.occasions import Occasion
from notifications.enums import RecipientRole
from notifications.requests import MessageContext
from notifications.wording.template_language import Variable

Text = str | Promise
Writer = Callable[[Occasion], MessageContext | None]


class Timing(StrEnum):
    """When a message goes: at the event it reports, or a time before or after the visit."""

    AT_ONCE = "at_once"
    BEFORE = "before"
    AFTER = "after"
    MORNING = "morning"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """One kind of message to one role. Its files are in ``templates/notifications/<kind>_<role>/``.

    ``subject`` and ``opening`` begin a draft for owners who write their own texts; ``link`` is the variable of its
    button. ``context`` builds the message at sending time and returns None when it is no longer true; ``sample`` builds
    it for a preview, whatever the state of the booking. ``variables`` are the names that the owner's texts may use.

    ``is_needed``: the mail cannot be switched off, because the recipient would not learn what was agreed, changed or
    paid. ``outlives_visit``: it is sent whether or not the visit is over, and no newer message replaces it.
    """

    kind: MessageKind | PlannedKind
    role: RecipientRole
    label: Text
    told_when: Text
    subject: Text
    opening: Text
    context: Writer
    sample: Writer
    variables: tuple[Variable, ...]
    link: str = "manage_url"
    timing: Timing = Timing.AT_ONCE
    is_needed: bool = False
    outlives_visit: bool = False
