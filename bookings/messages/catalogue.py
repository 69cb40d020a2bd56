"""Registry of every message about bookings, and the drafts for owners who write their own texts.

A draft uses the template language of ``notifications.wording.template_language``. Until an owner saves a text, the
files under ``templates/notifications`` are sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from bookings.messages.to_customers import TO_CUSTOMERS
from bookings.messages.to_staff import TO_STAFF
from bookings.messages.types import MessageType
from bookings.messages.variables import CARD
from notifications.channel_types import CHANNELS
from notifications.enums import Channel

TYPES: tuple[MessageType, ...] = (*TO_CUSTOMERS, *TO_STAFF)
_BY_KEY: Mapping[tuple[str, str], MessageType] = {(each.kind, each.role): each for each in TYPES}


@dataclass(frozen=True, slots=True)
class Draft:
    subject: str
    body: str


def message_type(kind: str, role: str) -> MessageType | None:
    """Return the type of a message; None for a kind that is not sent to that role."""
    return _BY_KEY.get((kind, role))


def draft(of: MessageType, channel: str) -> Draft:
    """Return a draft text in the active language."""
    known = {variable.name for variable in of.variables}
    link = f"{{{{ {of.link} }}}}" if of.link else ""
    if not CHANNELS[Channel(channel)].has_html:
        facts = "{{ visits }}" if "visits" in known else "{{ when }}, {{ place }}."
        body = " ".join(filter(None, ("{{ business }}:", str(of.opening), facts, link)))
        return Draft(str(of.subject) if CHANNELS[Channel(channel)].has_subject else "", body)
    facts = "{{ visits }}" if "visits" in known else f"{{{{ {CARD} }}}}"
    rule = "{% if policy %}\n{{ policy }}\n{% endif %}" if "policy" in known else ""
    parts = (_("Hello {{ first_name }},"), of.opening, facts, link, rule)
    return Draft(str(of.subject), "\n\n".join(str(part) for part in parts if part) + "\n")
